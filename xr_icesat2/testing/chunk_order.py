"""Order of the chunks of a granule in its file.

In a real ATL08 one beam follows another, and the chunks of all datasets and rates of a beam are in
order of time; see docs/design/synthetic-files.md.
"""

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py

from .tree_model import TableVariable, TreeRate

__all__ = [
    "ChunkedDataset",
    "EncodedChunk",
    "RateDatasets",
    "RowBlock",
    "order_by_dataset",
    "order_by_time",
]


@dataclass(frozen=True, slots=True)
class ChunkedDataset:
    """One dataset along a rate of a beam."""

    variable: TableVariable
    """What it is."""
    dataset: h5py.Dataset
    """Dataset in the file."""
    chunk: tuple[int, ...]
    """Shape of a chunk."""


@dataclass(frozen=True, slots=True)
class RateDatasets:
    """The datasets along one rate of one beam."""

    rate: TreeRate
    """The rate."""
    beam: str
    """Ground track."""
    rows: int
    """Rows of each dataset."""
    chunk_rows: int
    """Rows of a chunk."""
    columns: Mapping[str, ChunkedDataset]
    """Datasets by path below the rate's group."""


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows of a rate of a beam that become one chunk of each dataset."""

    source: RateDatasets
    """Rate and beam."""
    start: int
    """First row."""
    stop: int
    """Row after the last."""


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """One chunk as stored in the file."""

    dataset: h5py.Dataset
    """Dataset of the chunk."""
    offsets: tuple[int, ...]
    """Its first element."""
    data: bytes
    """Its filtered bytes."""


def order_by_time(rates: Iterable[RateDatasets]) -> Iterator[RowBlock]:
    """Order blocks by beam, and the blocks of all rates of a beam by time.

    All rates of a beam span the same time, so the fraction of its rows is proportional to time.
    """
    beams: dict[str, list[RateDatasets]] = {}
    for rate in rates:
        beams.setdefault(rate.beam, []).append(rate)
    for beam in beams.values():
        begins = [
            (start / rate.rows, index, start)
            for index, rate in enumerate(beam)
            for start in range(0, rate.rows, rate.chunk_rows)
        ]
        for _, index, start in sorted(begins):
            rate = beam[index]
            yield RowBlock(rate, start, min(start + rate.chunk_rows, rate.rows))


def order_by_dataset(chunks: Iterable[EncodedChunk], folder: Path) -> Iterator[EncodedChunk]:
    """Order chunks by dataset, by way of a temporary file that bounds memory."""
    with tempfile.TemporaryFile(dir=folder) as spool:
        # Only three numbers are kept for each chunk: a granule may have a million.
        places: dict[str, tuple[h5py.Dataset, array[int]]] = {}
        for chunk in chunks:
            _, own = places.setdefault(chunk.dataset.name, (chunk.dataset, array("q")))
            own.extend((chunk.offsets[0], spool.tell(), len(chunk.data)))
            spool.write(chunk.data)
        for _, (dataset, own) in sorted(places.items()):
            for row, place, size in zip(own[::3], own[1::3], own[2::3], strict=True):
                spool.seek(place)
                offsets = (row, *(0 for _ in dataset.shape[1:]))
                yield EncodedChunk(dataset, offsets, spool.read(size))
