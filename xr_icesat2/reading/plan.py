"""Which chunks a selection needs, and where their values go. Nothing is read here."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xr_icesat2.granule.model import ChunkTable

from .selection import Selection, split

__all__ = ["ChunkRead", "chunk_starts", "contiguous_table", "plan_chunks"]

CONTIGUOUS_BLOCK = 1 << 20
"""Bytes in which contiguous values are read, as if they were chunks of that size."""


@dataclass(frozen=True, slots=True)
class ChunkRead:
    """One chunk: where it lies, what of it is wanted, and where that goes."""

    offset: int
    size: int
    """Bytes stored; 0 if the chunk was never written and holds the fill value."""
    mask: int
    shape: tuple[int, ...]
    """Elements that the chunk holds."""
    source: tuple[Selection, ...]
    """Within the chunk."""
    target: tuple[Selection, ...]
    """Within the selection."""


def plan_chunks(
    table: ChunkTable,
    chunk_shape: Sequence[int],
    shape: Sequence[int],
    selections: Sequence[Selection],
    *,
    clipped: bool = False,
) -> Iterator[ChunkRead]:
    """Give every chunk that holds something of a selection.

    Parameters
    ----------
    table
        Where the chunks of the dataset lie.
    chunk_shape, shape
        Elements of a chunk and of the dataset.
    selections
        Positions along each dimension of the dataset.
    clipped
        Whether chunks at the border are stored without what lies beyond it
        (:func:`contiguous_table`); HDF5 stores chunks whole.
    """
    pieces = [list(split(s, c)) for s, c in zip(selections, chunk_shape, strict=True)]
    strides = [math.prod(table.grid[axis + 1 :]) for axis in range(len(table.grid))]
    for combination in itertools.product(*pieces):
        number = sum(p.number * stride for p, stride in zip(combination, strides, strict=True))
        stored = tuple(chunk_shape)
        if clipped:
            stored = tuple(
                min(c, n - p.number * c)
                for p, c, n in zip(combination, chunk_shape, shape, strict=True)
            )
        yield ChunkRead(
            int(table.offsets[number]),
            int(table.sizes[number]),
            int(table.masks[number]),
            stored,
            tuple(p.source for p in combination),
            tuple(p.target for p in combination),
        )


def chunk_starts(rows: Selection, chunk: int) -> np.ndarray:
    """Give the rows, ascending, at which the chunks begin that hold some rows (one at least)."""
    if isinstance(rows, range):
        first, last = min(rows[0], rows[-1]) // chunk, max(rows[0], rows[-1]) // chunk
        return np.arange(first, last + 1, dtype=np.int64) * chunk
    starts: np.ndarray = np.unique(np.asarray(rows, np.int64) // chunk) * chunk
    return starts


def contiguous_table(
    offset: int, shape: tuple[int, ...], item_size: int
) -> tuple[ChunkTable, tuple[int, ...]]:
    """Give contiguous values as chunks of whole rows, so that few rows read few bytes."""
    if not shape:
        return ChunkTable((), *_columns([offset], [item_size])), ()
    row = item_size * math.prod(shape[1:])
    rows = min(max(1, CONTIGUOUS_BLOCK // max(1, row)), max(1, shape[0]))
    starts = np.arange(0, shape[0], rows, dtype=np.int64)
    lengths = np.minimum(rows, shape[0] - starts) * row
    grid = (len(starts), *(1 for _ in shape[1:]))
    columns = _columns(offset + starts * row, lengths)
    return ChunkTable(grid, *columns), (rows, *(max(1, n) for n in shape[1:]))


def _columns(
    offsets: Sequence[int] | np.ndarray, sizes: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # A contiguous row may have more bytes than HDF5 allows a chunk.
    sizes = np.asarray(sizes, np.uint64)
    return np.asarray(offsets, np.uint64), sizes, np.zeros(len(sizes), np.uint32)
