"""Runs of whole numbers that lead to places: all that links come down to. Pure numpy."""

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
"""Stands where nothing is linked."""


@dataclass(frozen=True, slots=True, eq=False)
class RangeMap:
    """Runs of keys (row numbers, times …) and the place that each leads to."""

    starts: np.ndarray
    """int64 (n,), ascending: first key of each run."""
    lengths: np.ndarray
    """int64 (n,), positive."""
    places: np.ndarray
    """int64 (n,): where the run's first key leads to."""
    step: int = 0
    """What is added to the place from key to key."""

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Give the place (int64) of each key; :data:`NO_ROW` for what is in no run.

        Where runs overlap, the one that begins last has the key.
        """
        if not len(self.starts):
            return np.full(keys.shape, NO_ROW, np.int64)
        run = np.searchsorted(self.starts, keys, side="right") - 1
        at = np.maximum(run, 0)
        past = keys - self.starts[at]
        inside = (run >= 0) & (past < self.lengths[at])
        return np.where(inside, self.places[at] + self.step * past, NO_ROW)

    def below(self, keys: np.ndarray) -> np.ndarray:
        """Count the keys of all runs that are less than each of some keys."""
        before = np.concatenate([[0], np.cumsum(self.lengths)])
        if not len(self.starts):
            return np.zeros(keys.shape, np.int64)
        run = np.maximum(np.searchsorted(self.starts, keys, side="right") - 1, 0)
        within = np.clip(keys - self.starts[run], 0, self.lengths[run])
        counted: np.ndarray = before[run] + within
        return counted

    @property
    def end(self) -> int:
        """What follows the last key."""
        return int(self.starts[-1] + self.lengths[-1]) if len(self.starts) else 0

    @property
    def gapless(self) -> bool:
        """Whether places go on from run to run, as where keys were left out."""
        follows = self.places[:-1] + self.step * self.lengths[:-1]
        return bool((self.places[1:] == follows).all())


def checked_row_ranges(
    first: np.ndarray,
    count: np.ndarray,
    rows: np.ndarray,
    *,
    base: int,
    tiling: bool,
    what: str,
) -> RangeMap:
    """Give the runs that segments stand for, in numbers from 0, after checks of one by the other.

    Parameters
    ----------
    first, count
        int64 (n,): number of each run's first row, from ``base``, and the rows of the run.
    rows
        int64 (n,): where each segment lay in its file. Segments may be left out, and in any order.
    tiling
        Whether runs of segments that lay one after another have no gap between.
    what
        Names the segments in errors.

    Returns
    -------
    Runs
        Of those that have rows; places are positions in the arrays that were given.

    Raises
    ------
    LinkError
        Counts are negative, runs begin before the first row, overlap, or leave gaps.
    """
    order = np.argsort(rows, kind="stable")
    first, count, rows = first[order], count[order], rows[order]
    if (np.diff(rows) <= 0).any():
        raise LinkError(f"{what}: a row is there twice; leave one out")
    _refuse(count < 0, rows, f"{what}: the count of rows is negative")
    some = np.flatnonzero(count > 0)
    starts, lengths, numbers = first[some] - base, count[some], rows[some]
    message = f"{what}: the first row is numbered less than {base}"
    _refuse(starts < 0, numbers, message)
    ends = starts + lengths
    before = np.concatenate([[0], ends[:-1]])[: len(ends)]
    message = f"{what}: begins before the rows of the one before it end"
    _refuse(starts < before, numbers, message)
    if tiling:
        # Nothing was left out between (or ahead of) two that have rows: counts tell the beginning.
        skipped = np.diff(numbers, prepend=-1) != np.diff(some, prepend=-1)
        message = f"{what}: does not begin where the counts of those before it say"
        _refuse((starts != before) & ~skipped, numbers, message)
    return RangeMap(starts, lengths, order[some])


def _refuse(wrong: np.ndarray, rows: np.ndarray, message: str) -> None:
    if wrong.any():
        raise LinkError(
            f"{message} (row {rows[np.argmax(wrong)]} of the file, and {wrong.sum() - 1} more). "
            "The file contradicts itself, as some that were cut by other tools do: get it anew."
        )


def map_rows(rows: np.ndarray, places: np.ndarray, what: str) -> RangeMap:
    """Give where rows of a file are now, as few runs as possible.

    Raises
    ------
    LinkError
        A row is there twice.
    """
    if (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        rows, places = rows[order], places[order]
    if (np.diff(rows) == 0).any():
        raise LinkError(f"{what}: a row is there twice; leave one out")
    breaks = (np.diff(rows) != 1) | (np.diff(places) != 1)
    heads = np.concatenate([[0], np.flatnonzero(breaks) + 1])[: len(rows)]
    lengths = np.diff(heads, append=len(rows))
    return RangeMap(rows[heads], lengths, places[heads], step=1)


def map_unique_keys(keys: np.ndarray, what: str) -> RangeMap:
    """Give which of some keys each is.

    Raises
    ------
    LinkError
        Two are the same.
    """
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    if (twice := np.diff(ascending) == 0).any():
        raise LinkError(f"{what}: {ascending[:-1][twice][0]} is there twice; expected once")
    return RangeMap(ascending, np.ones(len(keys), np.int64), order.astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class RangePositions:
    """Rows that are told by the run they lie in, and by their number in that run."""

    keys: RangeMap
    """Key of a run → number of the run."""
    starts: np.ndarray
    """int64 (n,): first row of each run, from 0."""
    counts: np.ndarray
    """int64 (n,): rows of each run."""

    def rows(self, keys: np.ndarray, positions: np.ndarray, *, base: int, what: str) -> np.ndarray:
        """Give the row (int64, from 0) of each key and position, counted from ``base``.

        Runs that are not here (a subset has not all) lead to :data:`NO_ROW`.

        Raises
        ------
        LinkError
            A run does not have so many rows.
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
                f"{what}: a row is said to be number {positions[at]} of segment {keys[at]}, which "
                f"has {self.counts[run[at]]} rows; expected the granule that it was made of"
            )
        return np.where(known, self.starts[run] + number, NO_ROW)
