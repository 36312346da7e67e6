"""Predict which rows of a beam may be inside a region, from the numbers of their 20 m segments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xr_icesat2.granule.reference_track import SEGMENT_LENGTH, track_position
from xr_icesat2.reading.row_ranges import RowRanges
from xr_icesat2.region import Region

__all__ = ["MAX_OFF_TRACK_METRES", "BeamPrediction", "TrackPrediction"]

MAX_OFF_TRACK_METRES = 50_000.0
"""Distance from the reference ground track within which every row is. It allows for pointing 5°
from nadir (44 km), as in scans for calibration; pairs of beams are 3.3 km apart, and calculated
tracks are within 2.1 km of the mission's. In real granules the distance is 7.0 km at most."""
MAX_PREDICTED_LATITUDE = 85.0
"""Degrees north or south from which nothing is predicted: tracks turn at 88°."""
EARTH_RADIUS = 6_371_000.0
"""Metres."""
_STEP = 50
"""Segments between the places at which a track is compared with a region."""
_BEYOND = round(MAX_OFF_TRACK_METRES / SEGMENT_LENGTH)
"""Segments by which rows may begin before, and end after, what the granule says."""
_REACH = 1.0
"""Degrees, more than :data:`MAX_OFF_TRACK_METRES`."""


@dataclass(frozen=True)
class TrackPrediction:
    """Where the track of a granule is near a region."""

    rgt: int
    """Reference ground track."""
    first: int
    """Number of the first segment, as the granule says."""
    last: int
    """Number of the last segment."""
    region: Region

    def may_be_inside(self, segments: np.ndarray) -> np.ndarray:
        """Return whether rows may be inside: bool, one for each segment number.

        It is true of some that are not, and of all that do not belong to the granule.
        """
        number = (segments.astype(np.int64) - self._begin + _STEP // 2) // _STEP
        known = (number >= 0) & (number < len(self._near))
        found: np.ndarray = ~known | self._near[np.where(known, number, 0)]
        return found

    def expected_rows(self, n_obs: int) -> RowRanges:
        """Return the rows of a beam that may be inside if rows are missing evenly.

        It is no more than a first guess.
        """
        rows_per_segment = (n_obs - 1) / max(self.last - self.first, 1)
        missing = max(self.last - self.first + 1 - n_obs, 0)
        margin = _STEP + min(missing, _BEYOND)
        segments = self._begin + _STEP * np.flatnonzero(self._near)
        rows = (segments - self.first) * rows_per_segment
        starts, stops = rows - margin * rows_per_segment, rows + margin * rows_per_segment
        return RowRanges.of_ranges(
            np.clip(np.floor(starts), 0, n_obs), np.clip(np.ceil(stops) + 1, 0, n_obs)
        )

    def agrees(self, segments: np.ndarray, longitude: np.ndarray, latitude: np.ndarray) -> bool:
        """Return whether rows were measured where their segments are predicted.

        Rows without a place are ignored, but one with a place is necessary.
        """
        known = np.isfinite(longitude) & np.isfinite(latitude)
        if not known.any():
            return False
        measured = longitude[known].astype(np.float64), latitude[known].astype(np.float64)
        predicted = track_position(self.rgt, segments[known].astype(np.float64))
        chords = np.linalg.norm(_point(*measured) - _point(*predicted), axis=0)
        return bool((chords * EARTH_RADIUS <= MAX_OFF_TRACK_METRES).all())

    @property
    def _begin(self) -> int:
        return self.first - _BEYOND

    @cached_property
    def _near(self) -> np.ndarray:
        """Whether the region may be near, at every :data:`_STEP` segments."""
        segments = np.arange(self._begin, self.last + _BEYOND + _STEP, _STEP, dtype=np.float64)
        longitude, latitude = track_position(self.rgt, segments)
        # Rows between two places are half a step from the nearer one.
        near = self.region.contains_within(
            longitude, latitude, MAX_OFF_TRACK_METRES + 0.51 * _STEP * SEGMENT_LENGTH
        )
        _, south, _, north = self.region.bounds
        if north >= MAX_PREDICTED_LATITUDE - _REACH:
            near = near | (latitude >= MAX_PREDICTED_LATITUDE)
        if south <= _REACH - MAX_PREDICTED_LATITUDE:
            near = near | (latitude <= -MAX_PREDICTED_LATITUDE)
        return near


@dataclass(frozen=True)
class BeamPrediction:
    """Which rows of one beam have to be read to know all that are inside."""

    track: TrackPrediction
    n_obs: int
    """Rows of the beam."""
    chunk_rows: int
    """Rows of a chunk, which is read as a whole."""

    def first_rows(self) -> RowRanges:
        """Return the rows to read at first: the expected ones, or else the first and last chunk."""
        rows = self.track.expected_rows(self.n_obs)
        if not rows.count:
            rows = RowRanges.of_rows(np.array([0, self.n_obs - 1])[: self.n_obs])
        return self._whole_chunks(rows)

    def missing_rows(
        self, read: RowRanges, segments: np.ndarray, longitude: np.ndarray, latitude: np.ndarray
    ) -> RowRanges:
        """Return the rows to read as well, so that no other row can be inside.

        Parameters
        ----------
        read
            The rows that were read.
        segments
            int64 (n_obs,): segment numbers of all rows.
        longitude, latitude
            float64 (read.count,): where these rows were measured, in degrees.

        Returns
        -------
        RowRanges
            All other rows if prediction and measurement differ.
        """
        everything = RowRanges.of_range(0, self.n_obs)
        if self.track.agrees(segments[read.rows()], longitude, latitude):
            near = RowRanges.of_mask(self.track.may_be_inside(segments))
            return self._whole_chunks(near).difference(read)
        return everything.difference(read)

    def _whole_chunks(self, rows: RowRanges) -> RowRanges:
        size = self.chunk_rows
        stops = np.minimum(-(-rows.stops // size) * size, self.n_obs)
        return RowRanges.of_ranges(rows.starts // size * size, stops)


def _point(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Return points of the unit sphere, (3, n)."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
