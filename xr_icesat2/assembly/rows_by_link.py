"""Rows that are selected because rows of another rate are: by runs, and by time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xr_icesat2.errors import LinkError, SelectionError
from xr_icesat2.links.row_range_map import RangeMap, checked_row_ranges
from xr_icesat2.products import LocatedBy, RangeLink
from xr_icesat2.reading.row_ranges import RowRanges

from .row_coordinates import CoordinateValues
from .row_filter import Places, RowFilter

__all__ = ["GROUND_SPEED", "CoveredRanges", "check_complete", "rows_by_time"]

GROUND_SPEED = 8_000.0
"""Metres a second, more than that of the spot on the ground."""


@dataclass(frozen=True, slots=True)
class CoveredRanges:
    """The runs of rows that the rows of another rate, such as segments, cover in one beam."""

    segments: RowRanges
    """Rows of the other rate that were read."""
    ranges: RangeMap
    """Maps rows to positions in :attr:`segments`."""
    n_obs: int
    """Rows of the beam."""

    @classmethod
    def of(
        cls, link: RangeLink, read: CoordinateValues, beam_rows: int, n_obs: int
    ) -> CoveredRanges:
        """Check the runs of a beam.

        Parameters
        ----------
        link
            Names the first row and the number of rows of a run.
        read
            These variables.
        beam_rows
            Rows of the other rate in the file.
        n_obs
            Rows of the beam that the runs are of.

        Raises
        ------
        LinkError
            The runs contradict each other, or the number of rows.
        """
        first, count = (read.values[path].astype(np.int64) for path in (link.first, link.count))
        ranges = checked_row_ranges(
            first, count, read.rows.rows(), base=link.base, tiling=link.tiling, what=link.one
        )
        whole = link.tiling and read.rows.count == beam_rows
        if ranges.end > n_obs or (whole and ranges.end != n_obs):
            msg = f"the counts add up to {ranges.end} rows of {link.many}, which has {n_obs}"
            raise LinkError(msg)
        return cls(read.rows, ranges, n_obs)

    def covered(self, inside: np.ndarray) -> RowRanges:
        """Return the rows that some of the segments cover."""
        chosen = inside[self.ranges.positions]
        starts, lengths = self.ranges.starts[chosen], self.ranges.lengths[chosen]
        return RowRanges.of_ranges(starts, starts + lengths)

    def segments_of(self, rows: RowRanges) -> RowRanges:
        """Return the rows of the other rate that cover any of some rows."""
        starts, ends = self.ranges.starts, self.ranges.starts + self.ranges.lengths
        # A range ends after the start of the last one that begins before its end.
        before = np.searchsorted(rows.starts, ends, side="left")
        after = np.searchsorted(rows.stops, starts, side="right")
        touched = self.ranges.positions[before > after]
        return RowRanges.of_rows(self.segments.rows()[touched])

    def between(
        self, rows: RowFilter, places: Places, by: LocatedBy, ends: np.ndarray | None
    ) -> RowRanges:
        """Return rows that no segment covers, where the track between two may be inside.

        Parameters
        ----------
        rows
            Tests the places.
        places
            Of the segments.
        by
            By how much region and window are widened.
        ends
            Times of the first and the last row of the beam; None if unknown.
        """
        starts, stops = self.ranges.starts, self.ranges.starts + self.ranges.lengths
        positions = self.ranges.positions
        if not len(starts):
            return RowRanges.of_range(0, self.n_obs)
        gap = np.flatnonzero(starts[1:] > stops[:-1])
        one, other = places.at(positions[gap]), places.at(positions[gap + 1])
        crossed = gap[rows.crosses(one, other, by.metres, by.seconds)]
        found = RowRanges.of_ranges(stops[crossed], starts[crossed + 1])
        sides = ((0, int(starts[0]), 0), (int(stops[-1]), self.n_obs, -1))
        for start, stop, side in sides:
            if stop > start and self._may_reach(side, rows, places, by, ends):
                found = found.union(RowRanges.of_range(start, stop))
        return found

    def _may_reach(
        self,
        side: int,
        rows: RowFilter,
        places: Places,
        by: LocatedBy,
        ends: np.ndarray | None,
    ) -> bool:
        """Return whether rows before the first or after the last segment may be inside."""
        place = places.at(self.ranges.positions[[side]])
        if ends is None or places.time is None or np.isnat(ends[side]):
            return True
        (seconds,) = np.abs(place.time - ends[side]) / np.timedelta64(1, "s")
        if not np.isfinite(seconds):
            return True
        return bool(rows.contains(place, by.metres + seconds * GROUND_SPEED, by.seconds + seconds))


def check_complete(link: RangeLink, read: CoordinateValues, present: RowRanges, what: str) -> None:
    """Raise :class:`SelectionError` if rows are in segments that a Dataset lacks.

    Parameters
    ----------
    link
        Between the segments and the rows.
    read
        Indices of the segments.
    present
        Rows that the Dataset has.
    what
        Their name in the message.
    """
    first, count = (read.values[path].astype(np.int64) for path in (link.first, link.count))
    covered = RowRanges.of_ranges(first - link.base, first - link.base + count)
    lost = present.difference(covered).count
    if lost:
        raise SelectionError(
            f"{what}: {lost} rows are in rows of {link.one} that were left out, by the place of "
            "which they are selected. Clip before other rows are selected, or pass exact=True."
        )


def rows_by_time(own: np.ndarray, of: np.ndarray, seconds: float) -> RowRanges:
    """Return the rows that are valid while other rows were measured.

    Parameters
    ----------
    own
        datetime64: when each row begins to be valid; it is until the next one does.
    of
        datetime64: times of the other rows.
    seconds
        How long before and after its time one of them was measured.
    """
    order = np.argsort(own, kind="stable")
    order = order[~np.isnat(own[order])]
    begins, times = own[order], of[~np.isnat(of)]
    wider = np.timedelta64(round(seconds * 1e9), "ns")
    first = np.searchsorted(begins, times - wider, side="right") - 1
    last = np.searchsorted(begins, times + wider, side="right")
    found = RowRanges.of_ranges(np.maximum(first, 0), last)
    return RowRanges.of_rows(order[found.rows()])
