"""Calculate the ground track of a granule from the equator crossing of its orbit.

Source: the orbital extent of granules in NASA's UMM-G schema.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.reference_track import INCLINATION, NODE_STEP, geocentric, geodetic

__all__ = ["Line", "OrbitExtent", "ground_track"]

Line: TypeAlias = tuple[tuple[float, float], ...]
"""Points (longitude, latitude) in degrees, longitude from -180 to 180."""

_STEP = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbitExtent:
    """The part of an orbit that a granule covers, as in CMR."""

    crossing: float
    """Longitude of the ascending equator crossing before the start, degrees east."""
    start_latitude: float
    """Geodetic, degrees north."""
    start_ascending: bool
    end_latitude: float
    """Geodetic, degrees north."""
    end_ascending: bool


def ground_track(extent: OrbitExtent, orbits: int = 1) -> Line:
    """Calculate the ground track of the spacecraft, one point every 2°.

    Parameters
    ----------
    extent
        Start and end.
    orbits
        Number of orbits that the granule covers; the last one may be partial.

    Returns
    -------
    Line
        Within about 10 km of the reference ground track.

    Raises
    ------
    SelectionError
        A latitude beyond the poles.
    """
    start = _along_orbit(extent.start_latitude, ascending=extent.start_ascending)
    end = _along_orbit(extent.end_latitude, ascending=extent.end_ascending)
    if end <= start:
        end += 360
    end += 360 * (orbits - 1)
    along = np.linspace(start, end, max(2, math.ceil((end - start) / _STEP) + 1))
    angle = np.radians(along)
    latitude = geodetic(np.arcsin(math.sin(INCLINATION) * np.sin(angle)))
    east = np.arctan2(math.cos(INCLINATION) * np.sin(angle), np.cos(angle))
    longitude = extent.crossing + np.degrees(east) + along / 360 * NODE_STEP
    wrapped = (longitude + 180) % 360 - 180
    return tuple(zip(wrapped.tolist(), np.degrees(latitude).tolist(), strict=True))


def _along_orbit(latitude: float, *, ascending: bool) -> float:
    """Return degrees from the ascending node, 0 to 360, of a latitude."""
    if not abs(latitude) <= 90:
        raise SelectionError(f"CMR has the latitude {latitude}, expected -90 to 90")
    sine = math.sin(geocentric(math.radians(latitude))) / math.sin(INCLINATION)
    angle = math.degrees(math.asin(min(1.0, max(-1.0, sine))))
    return angle % 360 if ascending else 180 - angle
