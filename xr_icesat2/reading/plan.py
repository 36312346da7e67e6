"""Plan which chunks a selection needs, and where their values are placed, without I/O."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from xr_icesat2.hdf5.model import ChunkTable

from .selection import Index, Selection, compose, indexer, split

__all__ = ["Axes", "Axis", "Chunks", "chunk_starts", "contiguous_table", "plan_chunks"]

CONTIGUOUS_BLOCK = 1 << 20
"""Bytes in which contiguous values are read, as if they were chunks of that size."""
MAX_BLOCKS = 1 << 20
"""Blocks of contiguous values: a terabyte in default blocks, which no granule has."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A selection along one dimension, split by chunk; one item a chunk."""

    numbers: np.ndarray
    sources: Sequence[Index]
    """Within the chunk."""
    targets: Sequence[Index]
    """Within the result."""


class Axes:
    """Axes, each made once: the variables of a beam mostly have the same rows and chunks."""

    def __init__(self) -> None:
        self._made: dict[tuple[Selection, int, Selection], Axis] = {}

    def of(self, source: Selection, step: int, target: Selection) -> Axis:
        """Cut a selection, of which each position has its own in the result, at each ``step``."""
        if not (isinstance(source, range) and isinstance(target, range)):
            return _cut(source, step, target)
        key = source, step, target
        if key not in self._made:
            self._made[key] = _cut(*key)
        return self._made[key]


def _cut(source: Selection, step: int, target: Selection) -> Axis:
    pieces = list(split(source, step))
    return Axis(
        np.array([piece.number for piece in pieces], np.int64),
        [indexer(piece.source) for piece in pieces],
        [indexer(compose(target, piece.target)) for piece in pieces],
    )


@dataclass(frozen=True, slots=True)
class Chunks:
    """All chunks with elements of a selection; each array has one item a chunk."""

    offsets: np.ndarray
    sizes: np.ndarray
    """Bytes stored; 0 if the chunk was never written and holds the fill value."""
    masks: np.ndarray
    axes: Sequence[Axis]
    chunk_shape: tuple[int, ...]
    shape: tuple[int, ...]
    """Shape of the dataset, if chunks at its border are stored clipped."""

    def __len__(self) -> int:
        return len(self.offsets)

    def place(self, number: int) -> tuple[tuple[int, ...], tuple[Index, ...], tuple[Index, ...]]:
        """Return the shape of a chunk, and the indexes into the chunk and into the result.

        The latter two are made for numpy by :func:`.crossed`.
        """
        at: list[int] = []
        for axis in reversed(self.axes):
            number, position = divmod(number, len(axis.numbers))
            at.append(position)
        at.reverse()
        source = tuple(axis.sources[n] for axis, n in zip(self.axes, at, strict=True))
        target = tuple(axis.targets[n] for axis, n in zip(self.axes, at, strict=True))
        if not self.shape:
            return self.chunk_shape, source, target
        starts = (
            int(axis.numbers[n]) * c
            for axis, n, c in zip(self.axes, at, self.chunk_shape, strict=True)
        )
        bounds = zip(starts, self.chunk_shape, self.shape, strict=True)
        return tuple(min(c, n - start) for start, c, n in bounds), source, target


def plan_chunks(
    table: ChunkTable,
    chunk_shape: Sequence[int],
    axes: Sequence[Axis],
    clipped: tuple[int, ...] = (),
) -> Chunks:
    """Find every chunk that contains a part of a selection.

    Parameters
    ----------
    table
        The offsets of the chunks of the dataset.
    chunk_shape
        Elements of a chunk.
    axes
        The selection along each dimension, cut at the borders of chunks.
    clipped
        The shape of the dataset if chunks at its border are stored clipped
        (:func:`contiguous_table`); HDF5 stores chunks whole.
    """
    strides = [math.prod(table.grid[number + 1 :]) for number in range(len(table.grid))]
    along = [axis.numbers * stride for axis, stride in zip(axes, strides, strict=True)]
    numbers = reduce(np.add.outer, along, np.zeros((), np.int64)).reshape(-1)
    return Chunks(
        table.offsets[numbers],
        table.sizes[numbers],
        table.masks[numbers],
        axes,
        tuple(chunk_shape),
        clipped,
    )


def chunk_starts(rows: Selection, chunk: int) -> np.ndarray:
    """Return the first rows, ascending, of the chunks that contain rows (at least one)."""
    if isinstance(rows, range):
        first, last = min(rows[0], rows[-1]) // chunk, max(rows[0], rows[-1]) // chunk
        return np.arange(first, last + 1, dtype=np.int64) * chunk
    starts: np.ndarray = np.unique(np.asarray(rows, np.int64) // chunk) * chunk
    return starts


def contiguous_table(
    offset: int, shape: tuple[int, ...], item_size: int, block: int = CONTIGUOUS_BLOCK
) -> tuple[ChunkTable, tuple[int, ...]]:
    """Return a chunk table for contiguous values, so that few rows read few bytes."""
    if not shape:
        return ChunkTable((), *_columns([offset], [item_size])), ()
    row = item_size * math.prod(shape[1:])
    rows = max(1, block // max(1, row), -(-shape[0] // MAX_BLOCKS))
    rows = min(rows, max(1, shape[0]))
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
