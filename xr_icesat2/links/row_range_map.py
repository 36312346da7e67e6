"""Map ranges of integer keys to positions: the core of all links, in pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xr_icesat2.errors import LinkError

__all__ = [
    "NO_ROW",
    "RangeMap",
    "RangePositions",
    "checked_row_ranges",
    "map_rows",
    "map_unique_keys",
]

NO_ROW = -1
"""Position of what has no linked row."""


@dataclass(frozen=True, slots=True, eq=False)
class RangeMap:
    """Ranges of keys (row numbers, times …), and their positions."""

    starts: np.ndarray
    """int64 (n,), ascending: first key of each range."""
    lengths: np.ndarray
    """int64 (n,), positive."""
    positions: np.ndarray
    """int64 (n,): position of the first key of each range."""
    step: int = 0
    """Difference of the positions of adjacent keys in a range."""

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Return the position (int64) of each key; :data:`NO_ROW` outside of all ranges.

        Where ranges overlap, the one that begins last is used.
        """
        if not len(self.starts):
            return np.full(keys.shape, NO_ROW, np.int64)
        run = np.searchsorted(self.starts, keys, side="right") - 1
        at = np.maximum(run, 0)
        past = keys - self.starts[at]
        inside = (run >= 0) & (past < self.lengths[at])
        return np.where(inside, self.positions[at] + self.step * past, NO_ROW)

    def below(self, keys: np.ndarray) -> np.ndarray:
        """Count the keys of all ranges that are less than each given key."""
        before = np.concatenate([[0], np.cumsum(self.lengths)])
        if not len(self.starts):
            return np.zeros(keys.shape, np.int64)
        run = np.maximum(np.searchsorted(self.starts, keys, side="right") - 1, 0)
        within = np.clip(keys - self.starts[run], 0, self.lengths[run])
        counted: np.ndarray = before[run] + within
        return counted

    @property
    def end(self) -> int:
        """The key after the last one."""
        return int(self.starts[-1] + self.lengths[-1]) if len(self.starts) else 0

    @property
    def gapless(self) -> bool:
        """Whether positions continue from range to range, as when keys were left out."""
        follows = self.positions[:-1] + self.step * self.lengths[:-1]
        return bool((self.positions[1:] == follows).all())


def checked_row_ranges(
    first: np.ndarray,
    count: np.ndarray,
    rows: np.ndarray,
    *,
    base: int,
    tiling: bool,
    what: str,
) -> RangeMap:
    """Return the row ranges of segments, from 0, after checking the counts.

    Parameters
    ----------
    first, count
        int64 (n,): number of the first row of each range, counted from ``base``, and how many rows
        the range has.
    rows
        int64 (n,): row of each segment in its file, in any order; segments may be missing.
    tiling
        Whether the ranges of adjacent segments are contiguous.
    what
        Name of the segments in errors.

    Returns
    -------
    RangeMap
        Ranges of the segments that have rows, with their positions in the given arrays.

    Raises
    ------
    LinkError
        Counts are negative, or ranges begin before the first row, overlap or leave gaps.
    """
    order = np.argsort(rows, kind="stable")
    first, count, rows = first[order], count[order], rows[order]
    refuse_repeated(rows, what)
    _refuse(count < 0, rows, f"{what}: the count of rows is negative, expected 0 or more")
    some = np.flatnonzero(count > 0)
    starts, lengths, numbers = first[some] - base, count[some], rows[some]
    message = f"{what}: the first row is numbered less than {base}"
    _refuse(starts < 0, numbers, message)
    ends = starts + lengths
    before = np.concatenate([[0], ends[:-1]])[: len(ends)]
    message = f"{what}: begins before the end of the previous range"
    _refuse(starts < before, numbers, message)
    if tiling:
        # If no segment is missing between (or before) two with rows, counts determine the start.
        skipped = np.diff(numbers, prepend=-1) != np.diff(some, prepend=-1)
        message = f"{what}: does not begin at the sum of the previous counts"
        _refuse((starts != before) & ~skipped, numbers, message)
    return RangeMap(starts, lengths, order[some])


def refuse_repeated(rows: np.ndarray, what: str) -> None:
    """Raise :class:`LinkError` if sorted row numbers of a beam repeat one."""
    if (repeated := np.diff(rows) == 0).any():
        raise LinkError(
            f"{what}: row {rows[:-1][repeated][0]} of the file occurs twice, expected once. Remove "
            "one of the two."
        )


def _refuse(wrong: np.ndarray, rows: np.ndarray, message: str) -> None:
    if wrong.any():
        raise LinkError(
            f"{message} (row {rows[np.argmax(wrong)]} of the file, and {wrong.sum() - 1} more). "
            "The file is inconsistent, as after subsetting by some tools. Download it again."
        )


def map_rows(rows: np.ndarray, positions: np.ndarray, what: str) -> RangeMap:
    """Map rows of a file to their current positions, in as few ranges as possible.

    Raises
    ------
    LinkError
        A row occurs twice.
    """
    if (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        rows, positions = rows[order], positions[order]
    refuse_repeated(rows, what)
    breaks = (np.diff(rows) != 1) | (np.diff(positions) != 1)
    heads = np.concatenate([[0], np.flatnonzero(breaks) + 1])[: len(rows)]
    lengths = np.diff(heads, append=len(rows))
    return RangeMap(rows[heads], lengths, positions[heads], step=1)


def map_unique_keys(keys: np.ndarray, what: str) -> RangeMap:
    """Map unique keys to their positions.

    Raises
    ------
    LinkError
        A key occurs twice.
    """
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    if (twice := np.diff(ascending) == 0).any():
        raise LinkError(
            f"{what}: {ascending[:-1][twice][0]} occurs twice, expected once. Remove one of the "
            "two rows."
        )
    return RangeMap(ascending, np.ones(len(keys), np.int64), order.astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class RangePositions:
    """Rows that are identified by the key of their range and their number in it."""

    keys: RangeMap
    """Maps the key of a range to its number."""
    starts: np.ndarray
    """int64 (n,): first row of each range, from 0."""
    counts: np.ndarray
    """int64 (n,): rows of each range."""

    def rows(self, keys: np.ndarray, positions: np.ndarray, *, base: int, what: str) -> np.ndarray:
        """Return the row (int64, from 0) of each key and position, counted from ``base``.

        The result is :data:`NO_ROW` for keys of ranges that a subset lacks.

        Raises
        ------
        LinkError
            A range has fewer rows.
        """
        run = self.keys.find(keys)
        if not len(self.starts):
            return run
        known = run != NO_ROW
        number = positions - base
        outside = known & ((number < 0) | (number >= self.counts[run]))
        if outside.any():
            at = np.argmax(outside)
            raise LinkError(
                f"{what}: a row refers to number {positions[at]} of segment {keys[at]}, which has "
                f"{self.counts[run[at]]} rows. Open the granule that it was made from."
            )
        return np.where(known, self.starts[run] + number, NO_ROW)
