"""Ground tracks and times of synthetic granules.

The tracks are the mission's, :mod:`xr_icesat2.granule.reference_track`. The period is fitted to
``orbit_info`` of real granules, so a synthetic granule is near the real one of the same track,
cycle and region, in place and time. Bounds of the regions: ATL03 user guide.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.granule.reference_track import (
    INCLINATION,
    NODE_STEP,
    ORBITS_PER_CYCLE,
    SEGMENTS_PER_ORBIT,
    geocentric,
    geodetic,
    node_longitude,
    orbit_angle,
    segment_number,
)

from .array_types import Floats

__all__ = [
    "ALTITUDE",
    "EARTH_RADIUS",
    "crossing_time",
    "first_segment",
    "ground_position",
    "orbit_number",
    "region_bounds",
    "seconds_to",
    "track_azimuth",
    "wrap_longitude",
]

TrackNumber = TypeVar("TrackNumber", int, NDArray[np.int64])

ALTITUDE = 495_000.0
"""Height of the spacecraft above ground, metres."""
EARTH_RADIUS = 6_371_000.0
"""Radius of the sphere, metres."""

_PERIOD = 5657.382  # seconds from one ascending node to the next
_FIRST_ORBIT = 201  # orbits before cycle 1
_KNOWN_RGT, _KNOWN_CROSSING = 235, 24710627.381  # in cycle 1

# Latitude at the start of each region, and whether the track goes north there.
_REGIONS = (
    (0.0, True),
    (27.0, True),
    (59.5, True),
    (80.0, True),
    (80.0, False),
    (59.5, False),
    (27.0, False),
    (0.0, False),
    (-27.0, False),
    (-50.0, False),
    (-79.0, False),
    (-79.0, True),
    (-50.0, True),
    (-27.0, True),
)


def orbit_number(rgt: TrackNumber, cycle_number: int) -> TrackNumber:
    """Count the orbits since launch."""
    return _FIRST_ORBIT + (cycle_number - 1) * ORBITS_PER_CYCLE + rgt


def crossing_time(rgt: int, cycle_number: int) -> float:
    """Return the start of a track at the equator, in seconds since 2018-01-01."""
    orbits = orbit_number(rgt, cycle_number) - orbit_number(_KNOWN_RGT, 1)
    return _KNOWN_CROSSING + orbits * _PERIOD


def region_bounds(granule_region: int) -> tuple[int, int]:
    """Return the first segment of a region and that of the next."""
    angles = [_angle(latitude, north=north) for latitude, north in _REGIONS] + [2 * np.pi]
    first, after = angles[granule_region - 1 : granule_region + 1]
    return round(segment_number(first)), round(segment_number(after))


def first_segment(granule_region: int) -> int:
    """Return the first synthetic segment, an eighth into the region."""
    begin, end = region_bounds(granule_region)
    return begin + (end - begin) // 8


def seconds_to(segment: float | Floats) -> Floats:
    """Return seconds from the ascending node to a segment."""
    return np.asarray(segment * (_PERIOD / SEGMENTS_PER_ORBIT), np.float64)


def ground_position(rgt: int, segment: Floats, left: Floats | float) -> tuple[Floats, Floats]:
    """Return latitude and longitude of points next to a track.

    Parameters
    ----------
    rgt
        Reference ground track, 1 to 1387.
    segment
        Segment numbers, counted from the ascending node; fractions are points between.
    left
        Metres to the left of the track, as ``y_atc`` counts.

    Returns
    -------
    tuple of ndarray
        Degrees north and degrees east (-180 to 180), float64.
    """
    angle, aside = orbit_angle(segment), np.asarray(left) / EARTH_RADIUS
    along, across = np.cos(aside), np.sin(aside)
    x = along * np.cos(angle)
    y = along * np.sin(angle) * np.cos(INCLINATION) - across * np.sin(INCLINATION)
    z = along * np.sin(angle) * np.sin(INCLINATION) + across * np.cos(INCLINATION)
    turned = NODE_STEP / SEGMENTS_PER_ORBIT * segment
    longitude = node_longitude(rgt) + np.degrees(np.arctan2(y, x)) + turned
    return np.degrees(geodetic(np.arcsin(z))), _wrapped(longitude)


def track_azimuth(segment: Floats) -> Floats:
    """Return the direction of flight over ground, degrees east of north."""
    angle = orbit_angle(segment)
    cosine = np.sqrt(1 - (np.sin(angle) * np.sin(INCLINATION)) ** 2)
    # In units of the orbital speed: the eastward part, less the rotation of the earth.
    east = np.cos(INCLINATION) / cosine + cosine * NODE_STEP / 360
    north = np.cos(angle) * np.sin(INCLINATION) / cosine
    return np.asarray(np.degrees(np.arctan2(east, north)))


def wrap_longitude(longitude: Floats) -> Floats:
    """Wrap degrees east into -180 to 180, leaving those in it unchanged to the bit."""
    return np.where(np.abs(longitude) > 180, _wrapped(longitude), longitude)


def _angle(latitude: float, *, north: bool) -> float:
    """Return the angle from the ascending node, 0 to 2 pi."""
    angle = float(np.arcsin(np.sin(geocentric(np.radians(latitude))) / np.sin(INCLINATION)))
    return angle % (2 * np.pi) if north else np.pi - angle


def _wrapped(degrees: Floats) -> Floats:
    return (degrees + 180.0) % 360.0 - 180.0
