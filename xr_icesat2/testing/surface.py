"""The truth that synthetic granules measure: an ice surface that lowers from cycle to cycle."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["elevation_change", "surface_height"]

Floats = NDArray[np.float64]


def surface_height(latitude: ArrayLike, longitude: ArrayLike, cycle: int = 1) -> Floats:
    """Height of the surface.

    A broad dome with two trains of waves, some kilometres long and some metres high; slopes are
    at most about 0.03.

    Parameters
    ----------
    latitude, longitude
        Degrees north and east; any shapes that broadcast.
    cycle
        Repeat cycle, from 1.

    Returns
    -------
    ndarray
        Metres above the ellipsoid, float64.
    """
    lat, lon = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
    dome = 1900 + 700 * np.sin(np.radians(8 * lat)) * np.cos(np.radians(lon + 42))
    waves = 12 * np.sin(80 * lat + 5 * np.sin(np.radians(lon))) + 5 * np.cos(55 * lon)
    return np.asarray(dome + waves + (cycle - 1) * elevation_change(lat, lon))


def elevation_change(latitude: ArrayLike, longitude: ArrayLike) -> Floats:
    """Change of the surface from one cycle to the next, metres: -0.30 to -0.10."""
    lat, lon = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
    return np.asarray(-0.2 + 0.1 * np.sin(np.radians(40 * lat)) * np.cos(np.radians(lon)))
