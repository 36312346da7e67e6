"""Ranges of rows: which rows of a beam are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .selection import Selection, positions

__all__ = ["RowRanges"]


@dataclass(frozen=True, slots=True, eq=False)
class RowRanges:
    """Rows in ascending order, as ranges that neither touch nor overlap.

    A beam that crosses a region once is one range, whatever its length, so that pickles stay small.
    """

    starts: np.ndarray
    """int64 (ranges,): first row of each range, ascending."""
    stops: np.ndarray
    """int64 (ranges,): the row after the last of each range."""

    @classmethod
    def of_ranges(cls, starts: np.ndarray, stops: np.ndarray) -> RowRanges:
        """Return the rows of any ranges, which may be empty, touch, overlap and be unsorted."""
        some = stops > starts
        starts, stops = starts[some].astype(np.int64), stops[some].astype(np.int64)
        if not len(starts):
            return cls(starts, stops)
        order = np.argsort(starts, kind="stable")
        starts, stops = starts[order], np.maximum.accumulate(stops[order])
        heads = np.flatnonzero(starts[1:] > stops[:-1]) + 1
        firsts = np.concatenate([[0], heads])
        lasts = np.concatenate([heads - 1, [len(starts) - 1]])
        return cls(starts[firsts], stops[lasts])

    @classmethod
    def of_range(cls, start: int, stop: int) -> RowRanges:
        """Return the rows of one range."""
        return cls.of_ranges(np.array([start]), np.array([stop]))

    @classmethod
    def of_mask(cls, mask: np.ndarray) -> RowRanges:
        """Return the rows at which a boolean array is true."""
        edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
        return cls(edges[::2].astype(np.int64), edges[1::2].astype(np.int64))

    @classmethod
    def of_rows(cls, rows: np.ndarray) -> RowRanges:
        """Return some rows, in any order, with repeats."""
        ordered = np.unique(rows).astype(np.int64)
        heads = np.concatenate([[0], np.flatnonzero(np.diff(ordered) != 1) + 1])[: len(ordered)]
        tails = np.concatenate([heads[1:], [len(ordered)]])[: len(heads)] - 1
        return cls(ordered[heads], ordered[tails] + 1)

    @property
    def count(self) -> int:
        """Number of rows."""
        return int((self.stops - self.starts).sum())

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each range."""
        lengths: np.ndarray = self.stops - self.starts
        return lengths

    def at(self, selection: Selection) -> Selection:
        """Return the rows at some positions among them, as a range where they are one."""
        if len(self.starts) == 1:
            start = int(self.starts[0])
            if isinstance(selection, range):
                return range(selection.start + start, selection.stop + start, selection.step)
            return selection + start
        ends = np.cumsum(self.lengths)
        if isinstance(selection, range) and len(selection):
            first, last = np.searchsorted(ends, [selection[0], selection[-1]], side="right")
            if first == last:
                by = int(self.stops[first] - ends[first])
                return range(selection.start + by, selection.stop + by, selection.step)
        if not len(selection):
            return range(0)
        chosen = positions(selection)
        run = np.searchsorted(ends, chosen, side="right")
        rows: np.ndarray = (self.stops - ends)[run] + chosen
        return rows

    def rows(self) -> np.ndarray:
        """Return all rows, int64."""
        return positions(self.at(range(self.count)))

    def positions_of(self, other: RowRanges) -> np.ndarray:
        """Return the positions of other rows, all of which are among them."""
        rows = other.rows()
        run = np.searchsorted(self.starts, rows, side="right") - 1
        at: np.ndarray = (np.cumsum(self.lengths) - self.stops)[run] + rows
        return at

    def contains(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each of some rows is among them, bool."""
        run = np.searchsorted(self.starts, rows, side="right") - 1
        inside: np.ndarray = (run >= 0) & (rows < np.append(self.stops, 0)[run])
        return inside

    def union(self, other: RowRanges) -> RowRanges:
        """Return the rows that are in either."""
        return RowRanges.of_ranges(
            np.concatenate([self.starts, other.starts]), np.concatenate([self.stops, other.stops])
        )

    def intersection(self, other: RowRanges) -> RowRanges:
        """Return the rows that are in both."""
        edges = np.unique(np.concatenate([self.starts, self.stops, other.starts, other.stops]))
        both = self.contains(edges[:-1]) & other.contains(edges[:-1])
        return RowRanges.of_ranges(edges[:-1][both], edges[1:][both])

    def difference(self, other: RowRanges) -> RowRanges:
        """Return the rows that are not in the other."""
        edges = np.unique(np.concatenate([self.starts, self.stops, other.starts, other.stops]))
        only = self.contains(edges[:-1]) & ~other.contains(edges[:-1])
        return RowRanges.of_ranges(edges[:-1][only], edges[1:][only])

    def shifted(self, by: int) -> RowRanges:
        """Return the rows with other numbers."""
        return RowRanges(self.starts + by, self.stops + by)

    def compose(self, inner: RowRanges) -> RowRanges:
        """Return the rows at some positions among them, given as ranges."""
        ends = np.cumsum(self.lengths)
        edges = np.unique(np.concatenate([inner.starts, inner.stops, ends]))
        heads = np.flatnonzero(inner.contains(edges[:-1]))
        starts = positions(self.at(edges[heads]))
        return RowRanges.of_ranges(starts, starts + edges[heads + 1] - edges[heads])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RowRanges)
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.stops, other.stops)
        )

    def __hash__(self) -> int:
        return hash((self.starts.tobytes(), self.stops.tobytes()))
