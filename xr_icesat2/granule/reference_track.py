"""Calculate places on the reference ground tracks from the numbers of 20 m segments.

ICESat-2 is in a frozen orbit: perigee stays at the northernmost point. Segments divide the time of
a revolution into equal parts, counted from the ascending node, so their number follows from
Kepler's equation.

Sources: ATL03 ATBD (inclination 92°, 1387 revolutions that repeat after 91 days; eccentricity
0.0013, argument of perigee 90°). ``SEGMENTS_PER_ORBIT`` and the longitude of a node are fitted to
``orbit_info`` and ``segment_id`` of real granules. Places are within 2.1 km of the reference points
of the tracks in these granules, ``tests/test_reference_track.py``.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "INCLINATION",
    "NODE_STEP",
    "ORBITS_PER_CYCLE",
    "SEGMENTS_PER_ORBIT",
    "SEGMENT_LENGTH",
    "geocentric",
    "geodetic",
    "node_longitude",
    "orbit_angle",
    "segment_number",
    "track_position",
]

Floats = NDArray[np.float64]
Degrees = TypeVar("Degrees", float, Floats)

INCLINATION = float(np.radians(92.0))
"""Radians."""
ORBITS_PER_CYCLE = 1387
NODE_STEP = -360.0 * 91 / ORBITS_PER_CYCLE
"""Degrees east from one ascending node to the next."""
SEGMENT_LENGTH = 20.0
"""Metres along the track from one segment to the next; in files, 19.8 to 20.2."""
SEGMENTS_PER_ORBIT = 2_007_140
"""Segments from one ascending node to the next; numbers may continue in the next track."""

_ECCENTRICITY = 0.0013
_PERIGEE = np.pi / 2
_SQUARED_ECCENTRICITY = 0.00669437999014  # of the WGS 84 ellipsoid
_KNOWN_RGT, _KNOWN_NODE = 235, -127.0482205607256


def node_longitude(rgt: int) -> float:
    """Return the longitude of the ascending node at which a track begins, -180 to 180."""
    return _wrapped(_KNOWN_NODE + (rgt - _KNOWN_RGT) * NODE_STEP)


def track_position(rgt: int, segment: Floats) -> tuple[Floats, Floats]:
    """Return the places of segments on the reference ground track.

    Parameters
    ----------
    rgt
        Reference ground track, 1 to 1387.
    segment
        Numbers of segments, counted from the ascending node.

    Returns
    -------
    longitude, latitude : ndarray
        Degrees east (-180 to 180) and degrees north (geodetic).
    """
    angle = orbit_angle(segment)
    latitude = np.arcsin(np.sin(INCLINATION) * np.sin(angle))
    east = np.arctan2(np.cos(INCLINATION) * np.sin(angle), np.cos(angle))
    turned = NODE_STEP / SEGMENTS_PER_ORBIT * segment
    return _wrapped(node_longitude(rgt) + np.degrees(east) + turned), np.degrees(geodetic(latitude))


def orbit_angle(segment: Floats) -> Floats:
    """Return the angles of segments from the ascending node along the orbit, radians."""
    mean = _mean_anomaly(-_PERIGEE) + segment * (2 * np.pi / SEGMENTS_PER_ORBIT)
    e = _ECCENTRICITY
    # Equation of the centre, to a centimetre on the ground.
    angle: Floats = mean + 2 * e * np.sin(mean) + 1.25 * e**2 * np.sin(2 * mean) + _PERIGEE
    return angle


def segment_number(angle: float) -> float:
    """Return the number of the segment at an angle from the ascending node, as a fraction."""
    past = _mean_anomaly(angle - _PERIGEE) - _mean_anomaly(-_PERIGEE)
    return past * SEGMENTS_PER_ORBIT / (2 * np.pi)


def geodetic(latitude: Floats) -> Floats:
    """Return geodetic latitudes of geocentric ones on the ellipsoid, radians."""
    return np.arctan2(np.sin(latitude), (1 - _SQUARED_ECCENTRICITY) * np.cos(latitude))


def geocentric(latitude: float) -> float:
    """Return the geocentric latitude of a geodetic one on the ellipsoid, radians."""
    return float(np.arctan2((1 - _SQUARED_ECCENTRICITY) * np.sin(latitude), np.cos(latitude)))


def _mean_anomaly(true_anomaly: float) -> float:
    e = _ECCENTRICITY
    first, second = np.sin(true_anomaly), np.sin(2 * true_anomaly)
    return float(true_anomaly - 2 * e * first + 0.75 * e**2 * second)


def _wrapped(degrees: Degrees) -> Degrees:
    return (degrees + 180.0) % 360.0 - 180.0
