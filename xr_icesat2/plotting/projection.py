"""The projection of a map: polar stereographic, equal area about a place, or degrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.region.projection import transform_points

__all__ = ["MapProjection", "choose_projection"]

Floats = NDArray[np.float64]
Transform = Callable[[Floats, Floats], tuple[Floats, Floats]]

_POLAR = 60.0
"""Degrees of latitude beyond which maps of wide areas are polar stereographic."""
_LOCAL = 5.0, 20.0
"""Degrees of latitude and of longitude that rows span at most on a map with north up."""
_NEAR_A_POLE = 84.0
"""Degrees of latitude beyond which meridians converge too much for north to be up."""
_LARGEST = 60.0
"""Degrees from the middle within which a map is of equal area about it."""


@dataclass(frozen=True, slots=True)
class MapProjection:
    """How longitude and latitude become x and y."""

    name: str
    forward: Transform
    """From longitude and latitude in degrees."""
    inverse: Transform
    is_metric: bool
    """Whether x and y are metres; otherwise degrees."""
    aspect: float = 1.0
    """Length of a unit of y, in units of x."""


def choose_projection(longitude: Floats, latitude: Floats) -> MapProjection:
    """Return the projection that suits points, in degrees and finite."""
    if not longitude.size:
        return _degrees(0.0, 0.0)
    centre, latitude_of_centre = _centre(longitude, latitude)
    try:
        import pyproj  # noqa: PLC0415 - an extra
    except ImportError:
        return _degrees(centre, float(np.abs(latitude).max()))
    is_wide = not _is_local(longitude, latitude, centre)
    if is_wide and latitude.min() >= _POLAR:
        return _projected(pyproj, "EPSG:3413", "polar stereographic, EPSG:3413")
    if is_wide and latitude.max() <= -_POLAR:
        return _projected(pyproj, "EPSG:3031", "polar stereographic, EPSG:3031")
    if _farthest(longitude, latitude, centre, latitude_of_centre) > _LARGEST:
        return _degrees(centre, 0.0)
    about = f"+lat_0={latitude_of_centre:.6f} +lon_0={centre:.6f} +datum=WGS84 +units=m"
    return _projected(pyproj, f"+proj=laea {about}", "Lambert azimuthal equal-area")


def _projected(pyproj: Any, crs: str, name: str) -> MapProjection:
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)

    def inverse(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return transform_points(transformer, x, y, "INVERSE")

    def forward(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
        return transform_points(transformer, longitude, latitude)

    return MapProjection(name, forward, inverse, is_metric=True)


def _degrees(centre: float, latitude: float) -> MapProjection:
    """Return a map in degrees, on which longitudes do not jump within half a turn of its centre."""

    def forward(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
        return centre + (longitude - centre + 180) % 360 - 180, latitude

    shrink = max(np.cos(np.radians(latitude)), 0.1)
    return MapProjection(
        "degrees", forward, lambda x, y: (x, y), is_metric=False, aspect=1 / shrink
    )


def _vector(longitude: Any, latitude: Any) -> Floats:
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _centre(longitude: Floats, latitude: Floats) -> tuple[float, float]:
    """Return longitude and latitude of the middle of points."""
    x, y, z = _vector(longitude, latitude).mean(axis=0)
    if np.hypot(x, y) < 1e-9:
        return 0.0, float(np.sign(z) * 90)
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y))))


def _is_local(longitude: Floats, latitude: Floats, centre: float) -> bool:
    """Return whether points are so close together that north is up in all of the map."""
    width = np.ptp((longitude - centre + 180) % 360)
    near_a_pole = np.abs(latitude).max() > _NEAR_A_POLE
    return bool(np.ptp(latitude) <= _LOCAL[0] and width <= _LOCAL[1] and not near_a_pole)


def _farthest(longitude: Floats, latitude: Floats, x: float, y: float) -> float:
    """Return the greatest angle from a place, in degrees."""
    cosine = (_vector(longitude, latitude) @ _vector(x, y)).min()
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
