"""One beam along its track: rows, positions, times, clouds and photons."""

from dataclasses import dataclass

import numpy as np

from xr_icesat2.granule.beams import BEAMS, STRONG
from xr_icesat2.granule.reference_track import SEGMENT_LENGTH

from .array_types import Floats, Ints
from .identity import SyntheticGranule
from .orbit import ALTITUDE, EARTH_RADIUS, first_segment, ground_position, seconds_to, track_azimuth
from .random_streams import RandomStreams
from .surface import surface_height

__all__ = ["NO_SURFACE", "BeamTrack", "SegmentArrays", "SegmentRows"]


_SHORTEST_RUN, _LONGEST_RUN = 200, 800  # rows
_LONGEST_GAP = 300  # segments


@dataclass(frozen=True, slots=True)
class SegmentRows:
    """The segments that have a row in a sparse rate: long runs with gaps between."""

    n: int
    """Number of rows."""
    _first_rows: Ints
    _first_ids: Ints

    @classmethod
    def draw(cls, noise: RandomStreams, first: int, n: int) -> "SegmentRows":
        """Draw runs and gaps from `first` on; fewer rows give the same first ones."""
        count = n // _SHORTEST_RUN + 1
        spread = _LONGEST_RUN - _SHORTEST_RUN
        runs = _SHORTEST_RUN + (noise.uniform("run", 0, count) * spread).astype(np.int64)
        gaps = 2 + (noise.uniform("gap", 0, count) * (_LONGEST_GAP - 2)).astype(np.int64)
        rows = np.concatenate([[0], np.cumsum(runs)])
        skipped = np.concatenate([[0], np.cumsum(gaps)])
        return cls(n, rows, first + rows + skipped)

    def ids(self, start: int, stop: int) -> Ints:
        """Return the segment numbers of rows ``start:stop``, increasing."""
        rows = np.arange(start, stop)
        run = np.searchsorted(self._first_rows, rows, side="right") - 1
        return self._first_ids[run] + rows - self._first_rows[run]

    def rows(self, ids: Ints) -> Ints:
        """Return the row of each segment; -1 for those without a row."""
        run = np.searchsorted(self._first_ids, ids, side="right") - 1
        rows = self._first_rows[run] + ids - self._first_ids[run]
        after = np.append(self._first_rows, np.iinfo(np.int64).max)[run + 1]
        return np.where(rows < np.minimum(after, self.n), rows, -1)

    @property
    def dense(self) -> int:
        """Number of segments from the first row's to the last row's, gaps included."""
        if not self.n:
            return 0
        first, last = self.ids(0, 1), self.ids(self.n - 1, self.n)
        return int(last[0] - first[0]) + 1


NO_SURFACE = 3
"""Signal selection source of a segment where no surface was found."""

_PAIR_SPACING = 3300.0  # metres across the track
_BEAM_SPACING = 90.0
_POINTING_ERROR = 6.0  # metres; distance between repeat tracks
_DELAY = 0.345  # seconds from the left beams to the right ones
_PHOTONS = {
    True: 200.0,
    False: 50.0,
}  # photons of a strong and a weak beam in a segment of clear ice
_ICE = 60.0  # degrees from the equator; nearer to it the ground is darker
_DARK = 0.3  # brightness of that ground relative to ice
_ENOUGH = (10, 14, 18)  # photons that the last, second and first signal finder need
_CLOUD_WAVES = (350.0, 950.0, 2650.0)  # segments
_LOST = 0.0125  # deviates nearer to 0 are 1 % of all: segments without a surface in any weather


@dataclass(frozen=True, slots=True)
class SegmentArrays:
    """Some segments of one beam, as one-dimensional arrays of one length."""

    ids: Ints
    """Segment numbers."""
    latitude: Floats
    """Degrees north."""
    longitude: Floats
    """Degrees east."""
    time: Floats
    """Seconds since 2018-01-01."""
    y_atc: Floats
    """Metres to the left of the reference track."""
    height: Floats
    """True height of the surface, metres."""
    slope_along: Floats
    """True slope in the direction of flight."""
    slope_across: Floats
    """True slope to the left."""
    clearness: Floats
    """Transmission of the clouds, 0 to 1."""
    photons: Ints
    """Photons that came back from the surface."""
    source: Ints
    """Signal selection source: 0 to 2 as the photons get fewer, 3 failed."""


@dataclass(frozen=True, slots=True)
class BeamTrack:
    """One beam of a granule along its track, computed from segment numbers."""

    granule: SyntheticGranule
    """The granule."""
    beam: str
    """Ground track, ``gt1l`` to ``gt3r``."""

    @property
    def strong(self) -> bool:
        """Whether the beam is strong; the left ones are while the spacecraft turns."""
        spot = self.granule.spots.get(self.beam)
        return spot in STRONG if spot else self.beam.endswith("l")

    @property
    def noise(self) -> RandomStreams:
        """Random streams of this beam."""
        return RandomStreams((*self._key, BEAMS.index(self.beam)))

    @property
    def segment_rows(self) -> SegmentRows:
        """The segments that have a row, the same in both beams of a pair."""
        granule, pair = self.granule, BEAMS.index(self.beam) // 2
        noise = RandomStreams((*self._key, len(BEAMS) + pair))
        return SegmentRows.draw(
            noise, first_segment(granule.granule_region), granule.rows[self.beam]
        )

    @property
    def _key(self) -> tuple[int, ...]:
        granule = self.granule
        return (granule.seed, granule.rgt, granule.cycle_number, granule.granule_region)

    def leaning(self, segment: Floats) -> tuple[Floats, Floats]:
        """Return degrees north and east by which the beam leans for each metre of height.

        The beam starts above the track, so higher photons are nearer to the track.
        """
        aside = np.degrees(-self.left / ALTITUDE / EARTH_RADIUS)
        latitude, _ = self.place(segment)
        heading = np.radians(self.azimuth(segment))
        return (
            aside * np.sin(heading),
            -aside * np.cos(heading) / np.cos(np.radians(latitude)),
        )

    def random(self, field: str, ids: Ints) -> Floats:
        """Draw normal deviates of a field, one for each segment; `ids` increase."""
        dense = self.noise.normal(field, int(ids[0]), int(ids[-1]) + 1)
        return np.asarray(dense[ids - ids[0]])

    def place(self, segment: Floats) -> tuple[Floats, Floats]:
        """Return the latitude and longitude of points along the beam's track."""
        return ground_position(self.granule.rgt, segment, self.left)

    def middles(self, ids: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the latitude, longitude and time in the middle of each segment's 20 m."""
        middle = np.asarray(ids + 0.5, np.float64)
        return *self.place(middle), self.time(middle)

    def time(self, segment: Floats | float) -> Floats:
        """Return seconds since 2018-01-01 at which the beam passes."""
        delay = _DELAY if self.beam.endswith("r") else 0.0
        return self.granule.crossing_time + seconds_to(segment) + delay

    def azimuth(self, segment: Floats) -> Floats:
        """Return the direction of the track, degrees east of north."""
        return track_azimuth(segment)

    def segments(self, ids: Ints) -> SegmentArrays:
        """Return the state of the given segments, whose numbers increase."""
        middle = ids.astype(np.float64)
        latitude, longitude = self.place(middle)
        photons, clearness = self.returned(ids)
        along, across = self._slopes(middle)
        return SegmentArrays(
            ids=ids,
            latitude=latitude,
            longitude=longitude,
            time=self.time(middle),
            y_atc=np.full(ids.shape, self.left),
            height=surface_height(latitude, longitude, self.granule.cycle_number),
            slope_along=along,
            slope_across=across,
            clearness=clearness,
            photons=photons,
            source=NO_SURFACE - np.searchsorted(_ENOUGH, photons, side="right"),
        )

    def returned(self, ids: Ints) -> tuple[Ints, Floats]:
        """Return photons that came back from each segment, and the clouds' transmission."""
        weather = RandomStreams(self._key)
        phases = weather.uniform("clouds", 0, len(_CLOUD_WAVES))
        waves = [
            np.sin(2 * np.pi * (ids / wave + phase))
            for wave, phase in zip(_CLOUD_WAVES, phases, strict=True)
        ]
        # Clear below a third, opaque above two thirds of the largest possible sum.
        clearness = 1 - np.clip(np.sum(waves, axis=0) - 1, 0, 1)
        latitude, _ = self.place(np.asarray(ids + 0.5, np.float64))
        bright = np.where(np.abs(latitude) < _ICE, _DARK, 1.0)
        mean = _PHOTONS[self.strong] * bright * clearness
        photons = np.maximum(mean + np.sqrt(mean) * self.random("photons", ids), 0)
        lost = np.abs(self.random("lost", ids)) < _LOST
        return np.where(lost, 0, photons.round()).astype(np.int64), clearness

    @property
    def left(self) -> float:
        """Metres from the reference track to the beam, to the left."""
        index = BEAMS.index(self.beam)
        pair, right = divmod(index, 2)
        pointing = float(RandomStreams(self._key).normal("pointing", 0, 1)[0]) * _POINTING_ERROR
        return (1 - pair) * _PAIR_SPACING + (0.5 - right) * _BEAM_SPACING + pointing

    def _slopes(self, middle: Floats) -> tuple[Floats, Floats]:
        rgt, left, step = self.granule.rgt, self.left, 0.5

        def height(segment: Floats, aside: float) -> Floats:
            return surface_height(*ground_position(rgt, segment, aside), self.granule.cycle_number)

        along = height(middle + step, left) - height(middle - step, left)
        aside = step * SEGMENT_LENGTH
        across = height(middle, left + aside) - height(middle, left - aside)
        return along / SEGMENT_LENGTH, across / SEGMENT_LENGTH
