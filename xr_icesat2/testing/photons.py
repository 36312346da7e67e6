"""Photons of one beam, each with a shot, a class and a height above the ground.

Along the 20 m of a segment, everything but the photons is interpolated between its ends. The ground
so deviates from :func:`surface_height` by less than a millimetre (up to 80° N), and 40 million
photons cost little.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .array_types import Floats, Ints
from .beam_track import BeamTrack
from .geophysical_models import background_rate, solar_position
from .orbit import seconds_to, wrap_longitude
from .surface import ROUGHNESS, canopy_height, surface_height, surface_types

__all__ = [
    "CANOPY",
    "GROUND",
    "NOISE",
    "PER_FRAME",
    "PER_SEGMENT",
    "TOP_OF_CANOPY",
    "WINDOW",
    "PhotonCloud",
    "Photons",
    "SegmentEnds",
    "first_shot",
    "frame_and_pulse",
    "shot_time",
    "window_seconds",
]


_PER_SECOND = 10_000
PER_SEGMENT = float(seconds_to(1.0)) * _PER_SECOND
"""Shots while 20 m go by: 28.2."""
PER_FRAME = 200
"""Shots in a major frame of the detectors' electronics."""

_LIGHT = 299_792_458.0  # metres a second
_FRAMES_PER_ORBIT = 300_000  # more than there are, so that no two granules share one
_FRAMES = 2**31


def first_shot(segment: Ints) -> Ints:
    """Count the shots from the ascending node to the first one in a segment."""
    return np.asarray(np.ceil(segment * PER_SEGMENT), np.int64)


def shot_time(track: BeamTrack, shot: Ints) -> Floats:
    """Return seconds since 2018-01-01 of shots."""
    return np.asarray(float(track.time(0.0)) + shot / _PER_SECOND)


def frame_and_pulse(track: BeamTrack, shot: Ints) -> tuple[Ints, Ints]:
    """Return the major frame of shots, and their number in it, from 1."""
    granule = track.granule
    begin = (granule.rgt + 1387 * granule.cycle_number) * _FRAMES_PER_ORBIT
    frame, pulse = np.divmod(shot, PER_FRAME)
    return (begin + frame) % _FRAMES, pulse + 1


def window_seconds(height: float) -> float:
    """Return the time that light needs through a window of this height and back."""
    return 2 * height / _LIGHT


NOISE, GROUND, CANOPY, TOP_OF_CANOPY = range(4)
"""Classes of photons, as ATL08 numbers them."""
WINDOW = (-160.0, 240.0)
"""From where to where around the ground photons are recorded, metres."""

_THROUGH_TREES = 0.45  # share of the returned light; the rest is returned by the trees,
_FROM_TOP = 0.2  # this share of all light by their tops,
_CROWN = (0.2, 0.85)  # and the remainder between these fractions of their height
_TOP_SPREAD = 0.2  # metres


@dataclass(frozen=True, slots=True)
class SegmentEnds:
    """Consecutive 20 m segments of a beam, with values at begin and end of each."""

    ids: Ints
    """Segment numbers."""
    latitude: tuple[Floats, Floats]
    """Degrees north at begin and end."""
    longitude: tuple[Floats, Floats]
    """Degrees east at begin and end; across the date line the end is beyond ±180."""
    ground: tuple[Floats, Floats]
    """True height of the ground at begin and end, metres."""
    canopy: tuple[Floats, Floats]
    """Height of the treetops above the ground, metres; 0 if one of the ends has none."""
    leaning: tuple[Floats, Floats]
    """Degrees north and east that the beam leans for each metre above ground."""
    types: NDArray[np.bool_]
    """Surface types in the middle, ``(n, 5)``."""
    shot: Ints
    """First shot."""
    shots: Ints
    """Number of shots."""


@dataclass(frozen=True, slots=True)
class Photons:
    """Consecutive photons of a beam, as arrays of one length unless stated."""

    ends: SegmentEnds
    """The segments of the photons."""
    counts: Ints
    """Photons of each of these segments."""
    in_segment: Ints
    """Number of each photon in its segment, from 0."""
    shot: Ints
    """Shot, counted from the ascending node; does not decrease."""
    along: Floats
    """Place in its segment, from 0 to 1."""
    ground: Floats
    """True height of the ground below the photon, metres."""
    above: Floats
    """Height of the photon above the ground, metres."""
    class_: NDArray[np.int8]
    """Class of the photon."""

    def place(self) -> tuple[Floats, Floats]:
        """Return the latitude and longitude of each photon, degrees north and east."""
        latitude, longitude = (
            _between(ends, self.counts, self.along) + np.repeat(leaning, self.counts) * self.above
            for ends, leaning in zip(
                (self.ends.latitude, self.ends.longitude), self.ends.leaning, strict=True
            )
        )
        return latitude, wrap_longitude(longitude)


@dataclass(frozen=True, slots=True)
class PhotonCloud:
    """All photons of a beam, made block by block; one number a segment is kept."""

    track: BeamTrack
    """The beam."""
    ids: Ints
    """Numbers of its segments, increasing."""
    first: Ints
    """Number of the first photon of each segment, and at the end the count of all."""

    @classmethod
    def of(cls, track: BeamTrack) -> "PhotonCloud":
        """Count the photons of a beam."""
        segment_rows = track.segment_rows
        ids = segment_rows.ids(0, segment_rows.n)
        counts = np.add(*_counts(track, ids)) if ids.size else ids
        return cls(track, ids, np.concatenate([[0], np.cumsum(counts)]))

    def rows_of(self, start: int, stop: int) -> tuple[int, int]:
        """Return the rows of the segments of photons ``start:stop``."""
        first, last = np.searchsorted(self.first, [start, stop - 1], side="right")
        return int(first) - 1, int(last)

    def ends(self, start: int, stop: int) -> SegmentEnds:
        """Return the ground below segments ``start:stop``."""
        track, ids = self.track, self.ids[start:stop]
        begin = ids.astype(np.float64)
        latitude, longitude = zip(track.place(begin), track.place(begin + 1), strict=True)
        trees = [canopy_height(*place) for place in zip(latitude, longitude, strict=True)]
        wooded = (trees[0] > 0) & (trees[1] > 0)
        cycle = track.granule.cycle_number
        beyond = (longitude[1] - longitude[0] + 180) % 360 - 180
        shot = first_shot(ids)
        return SegmentEnds(
            ids=ids,
            latitude=latitude,
            longitude=(longitude[0], longitude[0] + beyond),
            ground=(
                surface_height(latitude[0], longitude[0], cycle),
                surface_height(latitude[1], longitude[1], cycle),
            ),
            canopy=(np.where(wooded, trees[0], 0), np.where(wooded, trees[1], 0)),
            leaning=track.leaning(begin),
            types=surface_types(*track.middles(ids)[:2]),
            shot=shot,
            shots=first_shot(ids + 1) - shot,
        )

    def central(self, ends: SegmentEnds, start: int, stop: int) -> tuple[Ints, Ints]:
        """Find the photon in the middle of each of segments ``start:stop``, and its shot.

        Photons are numbered from 1; where there is none, the answer is 0 and the shot in the
        middle.
        """
        first, counts = self.first[start:stop], self._per_segment(start, stop)
        some = counts > 0
        in_segment = (counts[some] - 1) // 2
        draw = self._draw(start, stop)[first[some] - first[0] + in_segment]
        shot = ends.shots // 2
        shot[some] = _shot_of(in_segment + draw, ends.shots[some], counts[some])
        return (counts + 1) // 2, ends.shot + shot

    def photons(self, start: int, stop: int) -> Photons:
        """Make every photon of segments ``start:stop``."""
        ends, counts = self.ends(start, stop), self._per_segment(start, stop)
        first, last = int(self.first[start]), int(self.first[stop])
        in_segment = np.arange(first, last) - np.repeat(self.first[start:stop], counts)
        # One photon in each nth part of a segment with n photons: photons are sorted.
        part = in_segment + self._draw(start, stop)
        shots, of_all = np.repeat(ends.shots, counts), np.repeat(counts, counts)
        shot = np.repeat(ends.shot, counts) + _shot_of(part, shots, of_all)
        along = np.maximum(shot / PER_SEGMENT - np.repeat(ends.ids, counts), 0.0)
        class_ = self._classes(ends, counts, first, last)
        canopy = _between(ends.canopy, counts, along)
        return Photons(
            ends=ends,
            counts=counts,
            in_segment=in_segment,
            shot=shot,
            along=along,
            ground=_between(ends.ground, counts, along),
            above=self._above(class_, canopy, first, last),
            class_=class_,
        )

    def _per_segment(self, start: int, stop: int) -> Ints:
        return np.diff(self.first[start : stop + 1])

    def _draw(self, start: int, stop: int) -> Floats:
        """Return the position of each photon in its part of its segment."""
        return self.track.noise.uniform("shot", int(self.first[start]), int(self.first[stop]))

    def _classes(self, ends: SegmentEnds, counts: Ints, first: int, last: int) -> NDArray[np.int8]:
        _, noise = _counts(self.track, ends.ids)
        wooded = ends.canopy[0] > 0
        share = noise / np.maximum(counts, 1)
        # A draw above the first limit is signal, above the second from trees …
        limits = (
            share,
            share + (1 - share) * np.where(wooded, _THROUGH_TREES, 1.0),
            share + (1 - share) * np.where(wooded, 1 - _FROM_TOP, 1.0),
        )
        draw = self.track.noise.uniform("class", first, last)
        class_ = np.zeros(draw.shape, np.int8)
        for limit in limits:
            class_ += draw >= np.repeat(limit, counts)
        return class_

    def _above(self, class_: NDArray[np.int8], canopy: Floats, first: int, last: int) -> Floats:
        noise = self.track.noise
        deviation = noise.normal("height", first, last)
        share = noise.uniform("height of noise", first, last)
        bottom, top = WINDOW
        low, high = _CROWN
        choices = (
            bottom + (top - bottom) * share,
            ROUGHNESS * deviation,
            canopy * (low + (high - low) * share),
            canopy + _TOP_SPREAD * deviation,
        )
        return np.choose(class_, choices)


def _shot_of(part: Floats, shots: Ints, counts: Ints) -> Ints:
    """Find the shot of a photon from its part of the segment."""
    # Rounding may lift the end of the last part onto the next segment's first shot.
    return np.minimum((part / counts * shots).astype(np.int64), shots - 1)


def _between(ends: tuple[Floats, Floats], counts: Ints, along: Floats) -> Floats:
    begin, end = ends
    return np.repeat(begin, counts) + np.repeat(end - begin, counts) * along


def _counts(track: BeamTrack, ids: Ints) -> tuple[Ints, Ints]:
    """Return the photons of the surface and of the background in each segment."""
    signal, _ = track.returned(ids)
    latitude, longitude, time = track.middles(ids)
    elevation, _ = solar_position(time, latitude, longitude)
    bottom, top = WINDOW
    mean = background_rate(elevation) * window_seconds(top - bottom) * PER_SEGMENT
    noise = np.maximum(mean + np.sqrt(mean) * track.random("background", ids), 0)
    return signal, noise.round().astype(np.int64)
