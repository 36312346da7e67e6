"""Blocks of rows, in the order of a table: flat rows as they are, padded ones beam by beam."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import pandas as pd

from xr_icesat2.errors import RateError
from xr_icesat2.opened_rate import OpenedRate

from .columns import SOURCE_ROW, row_dims

__all__ = ["Block", "GranuleTable", "RowBlocks", "make_row_blocks"]

Block: TypeAlias = Mapping[str, slice]
"""Slices along the dimensions of rows; others are whole."""

_SCANNED_ROWS = 1 << 20
_COUNTS = ("n_rows", "n_obs")
"""Coordinates with the number of rows of a beam: of those kept; of those in the file."""


@dataclass(frozen=True, slots=True)
class GranuleTable:
    """The rows of one granule."""

    gran_idx: int | None
    """None where the Dataset does not say."""
    blocks: Sequence[Block]
    n_rows: int


class RowBlocks(Protocol):
    """The rows of a Dataset, in blocks of a number of positions at most."""

    @property
    def n_rows(self) -> int:
        """Number of rows, without padding."""
        ...

    def all(self, most: int) -> Iterator[Block]:
        """Yield blocks of all rows."""
        ...

    def by_granule(self, most: int) -> list[GranuleTable]:
        """Return the rows of each granule, in the order of their first rows."""
        ...

    def real(self, block: Block, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return which positions of a block are rows, in its shape; None if all are."""
        ...


def make_row_blocks(rate: OpenedRate) -> RowBlocks:
    """Return the rows of an opened rate.

    Raises
    ------
    RateError
        The Dataset does not say which rows are padding.
    """
    dataset, along, dims = rate.dataset, rate.along, row_dims(rate)
    name = next((name for name in _COUNTS if name in dataset.coords), None)
    per_row = name is None or along in dataset[name].dims
    source = dataset.coords.get(SOURCE_ROW)
    if per_row and dims == (along,) and source is not None and source.dims == dims:
        return FlatRows(rate)
    if name is None or per_row:
        raise RateError(
            f"{rate.title} lacks the coordinates {SOURCE_ROW} and n_obs, which say which rows are "
            "padding. Keep the coordinates of the engine."
        )
    variable = dataset[name].variable
    outer = {dim: dataset.sizes[dim] for dim in dims[:-1]}
    counts = variable.set_dims(outer).transpose(*outer).to_numpy()
    return PaddedRows(dims, dataset.indexes[along], np.nan_to_num(counts).astype(np.int64), rate)


def _slices(dim: str, start: int, stop: int, most: int, outer: Block) -> Iterator[Block]:
    for first in range(start, stop, most):
        yield {**outer, dim: slice(first, min(stop, first + most))}


def _only_granule(rate: OpenedRate) -> int | None:
    known = rate.dataset.coords.get("gran_idx")
    return None if known is None or known.ndim else int(known)


@dataclass(frozen=True)
class FlatRows:
    """Rows one after another, without padding."""

    rate: OpenedRate

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.rate.dataset.sizes[self.rate.along]

    def all(self, most: int) -> Iterator[Block]:
        """Yield blocks of all rows."""
        yield from _slices(self.rate.along, 0, self.n_rows, most, {})

    def by_granule(self, most: int) -> list[GranuleTable]:
        """Return the rows of each granule, in the order of their first rows."""
        along, dataset = self.rate.along, self.rate.dataset
        if "gran_idx" not in dataset.coords or along not in dataset["gran_idx"].dims:
            return [GranuleTable(_only_granule(self.rate), list(self.all(most)), self.n_rows)]
        blocks: dict[int, list[Block]] = {}
        sizes: dict[int, int] = {}
        for number, start, stop in self._stretches():
            blocks.setdefault(number, []).extend(_slices(along, start, stop, most, {}))
            sizes[number] = sizes.get(number, 0) + stop - start
        return [GranuleTable(number, found, sizes[number]) for number, found in blocks.items()]

    def _stretches(self) -> Iterator[tuple[int, int, int]]:
        """Yield (gran_idx, first row, end) of adjacent rows of one granule."""
        variable = self.rate.dataset["gran_idx"].variable
        number, start = None, 0
        for first in range(0, self.n_rows, _SCANNED_ROWS):
            part = variable[first : first + _SCANNED_ROWS].compute().to_numpy()
            for at in [0, *(np.flatnonzero(np.diff(part)) + 1).tolist()]:
                if int(part[at]) != number:
                    if number is not None:
                        yield number, start, first + at
                    number, start = int(part[at]), first + at
        if number is not None:
            yield number, start, self.n_rows

    def real(self, block: Block, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return None, for no row is padding."""
        del block, shape
        return None


@dataclass(frozen=True)
class PaddedRows:
    """Rows of beams side by side, padded at the end; ordered by granule, beam and row."""

    dims: tuple[str, ...]
    """Dimensions of rows: granules and beams, where they are dimensions, and along the track."""
    index: pd.Index
    """Row number of each position along the track."""
    counts: np.ndarray
    """Rows of each beam, with the outer dimensions."""
    rate: OpenedRate

    @property
    def n_rows(self) -> int:
        """Number of rows, without padding."""
        return self._n_rows(self.counts)

    def _n_rows(self, counts: np.ndarray) -> int:
        return sum(self._positions(count) for count in np.ravel(counts).tolist())

    @cached_property
    def _first(self) -> int | None:
        """First row number, if the others follow one by one."""
        index = self.index
        return index.start if isinstance(index, pd.RangeIndex) and index.step == 1 else None

    def _positions(self, count: int) -> int:
        """Return how many positions are rows of a beam with ``count`` rows."""
        if self._first is None:
            return int(np.count_nonzero(self.index.to_numpy() < count))
        return min(max(0, count - self._first), len(self.index))

    def _extent(self, counts: np.ndarray) -> int:
        """Return the end of the positions that are rows of any of some beams."""
        return len(self.index) if self._first is None else self._positions(counts.max(initial=0))

    def all(self, most: int) -> Iterator[Block]:
        """Yield blocks of all rows; small granules that follow each other share one."""
        if self.dims[0] != "gran_idx":
            yield from self._blocks({}, self.counts, most)
            return
        first = 0
        while first < len(self.counts):
            last = self._end_of_batch(first, most)
            batch = {"gran_idx": slice(first, last)}
            if last == first + 1:
                yield from self._blocks(batch, self.counts[first], most)
            else:
                yield {**batch, self.dims[-1]: slice(0, self._extent(self.counts[first:last]))}
            first = last

    def _end_of_batch(self, first: int, most: int) -> int:
        """Return the end of the granules from ``first`` on that fit into one block, at least 1."""
        extent = 0
        for granule in range(first, len(self.counts)):
            extent = max(extent, self._extent(self.counts[granule]))
            size = (granule + 1 - first) * self.counts[granule].size * extent
            if size > most and granule > first:
                return granule
        return len(self.counts)

    def by_granule(self, most: int) -> list[GranuleTable]:
        """Return the rows of each granule, in the order of ``gran_idx``."""
        if self.dims[0] != "gran_idx":
            blocks = list(self._blocks({}, self.counts, most))
            return [GranuleTable(_only_granule(self.rate), blocks, self.n_rows)]
        numbers = self.rate.dataset["gran_idx"].to_numpy().tolist()
        return [
            GranuleTable(
                int(number),
                list(self._blocks({"gran_idx": slice(g, g + 1)}, self.counts[g], most)),
                self._n_rows(self.counts[g]),
            )
            for g, number in enumerate(numbers)
        ]

    def _blocks(self, granule: Block, counts: np.ndarray, most: int) -> Iterator[Block]:
        """Yield blocks of one granule: all beams together, or each beam in slices."""
        along, extent = self.dims[-1], self._extent(np.asarray(counts))
        if np.size(counts) * extent <= most:
            yield {**granule, along: slice(0, extent)}
            return
        for number, count in enumerate(np.ravel(counts)):
            beam = {self.dims[-2]: slice(number, number + 1)} if np.ndim(counts) else {}
            stop = self._extent(np.array([count]))
            yield from _slices(along, 0, stop, most, {**granule, **beam})

    def real(self, block: Block, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return which positions of a block are rows, in its shape; None if all are."""
        counts = self.counts[tuple(block.get(dim, slice(None)) for dim in self.dims[:-1])]
        numbers = self.index[block.get(self.dims[-1], slice(None))].to_numpy()
        real: np.ndarray = np.broadcast_to(numbers < counts[..., None], shape)
        return None if real.all() else real
