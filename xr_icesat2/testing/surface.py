"""True surface of synthetic granules: ground that lowers each cycle, and trees."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array_types import Floats

__all__ = [
    "ROUGHNESS",
    "SURFACE_TYPE_GROUPS",
    "canopy_height",
    "elevation_change",
    "surface_height",
    "surface_types",
]


ROUGHNESS = 0.25
"""Deviation of single photons from the ground, metres."""
SURFACE_TYPE_GROUPS = ("land", "ocean", "sea_ice", "land_ice", "inlandwater")
"""Groups of surface types in ATL03, in the order of their numbers."""

_LOWEST_CANOPY, _HIGHEST_CANOPY = 2.0, 24.0  # metres
_ICE_LATITUDE = 50.0  # no sea ice nearer to the equator


def surface_height(latitude: ArrayLike, longitude: ArrayLike, cycle_number: int = 1) -> Floats:
    """Return the height of the surface.

    It is a broad dome with two trains of waves, some kilometres long and some metres high. Slopes
    are at most about 0.03.

    Parameters
    ----------
    latitude, longitude
        Degrees north and east; any shapes that broadcast.
    cycle_number
        Repeat cycle, from 1.

    Returns
    -------
    ndarray
        Metres above the ellipsoid, float64.
    """
    lat, lon = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
    dome = 1900 + 700 * np.sin(np.radians(8 * lat)) * np.cos(np.radians(lon + 42))
    waves = 12 * np.sin(80 * lat + 5 * np.sin(np.radians(lon))) + 5 * np.cos(np.radians(3151 * lon))
    return np.asarray(dome + waves + (cycle_number - 1) * elevation_change(lat, lon))


def elevation_change(latitude: ArrayLike, longitude: ArrayLike) -> Floats:
    """Return the change of the surface per cycle, metres: -0.30 to -0.10."""
    lat, lon = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
    return np.asarray(-0.2 + 0.1 * np.sin(np.radians(40 * lat)) * np.cos(np.radians(lon)))


def canopy_height(latitude: ArrayLike, longitude: ArrayLike) -> Floats:
    """Return the height of the treetops above the ground, 0 on bare ground.

    Parameters
    ----------
    latitude, longitude
        Degrees north and east; any shapes that broadcast.

    Returns
    -------
    ndarray
        Metres, float64: 2 to 24, or 0 where there are no trees.
    """
    lat, lon = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
    height = _HIGHEST_CANOPY * np.sin(270 * lat + np.radians(1146 * lon))
    return np.where(height < _LOWEST_CANOPY, 0.0, height)


def surface_types(latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.bool_]:
    """Return the masks of surface types at a position; they overlap as in products.

    Land is everywhere and land ice where there are no trees; the others alternate every few
    kilometres.

    Parameters
    ----------
    latitude, longitude
        Degrees north and east; any shapes that broadcast.

    Returns
    -------
    ndarray
        Boolean, with a last dimension more: :data:`SURFACE_TYPE_GROUPS`.
    """
    lat, lon = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
    ocean = np.sin(250 * lat + np.radians(172 * lon)) > 0.5
    types = (
        np.ones(ocean.shape, np.bool_),
        ocean,
        ocean & (np.sin(500 * lat) > 0) & (np.abs(lat) > _ICE_LATITUDE),
        canopy_height(lat, lon) == 0,
        np.sin(170 * lat - np.radians(115 * lon)) > 0.6,
    )
    return np.stack(types, axis=-1)
