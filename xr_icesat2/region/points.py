"""Parse the points of one polygon, as icepyx and SlideRule take them, and the numbers of a box."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from inspect import getattr_static
from itertools import pairwise
from typing import Any

import numpy as np

from xr_icesat2.errors import SelectionError

__all__ = [
    "EXPECTED",
    "LATITUDES",
    "LONGITUDES",
    "SWAPPED",
    "are_box",
    "check_degrees",
    "parse_points",
    "parse_ring",
    "shown",
]

EXPECTED = (
    "expected a box (west, south, east, north), the points of a polygon ([(lon, lat), …], "
    '[{"lon": …, "lat": …}, …] or [lon, lat, lon, lat, …]), GeoJSON with polygons (a dict, or the '
    "path of a file), the path of a shapefile, GeoPackage or KML, a shapely geometry, a "
    "GeoDataFrame, or a raster of booleans"
)
LONGITUDES, LATITUDES = "longitudes from -180 to 180 (or 0 to 360)", "latitudes from -90 to 90"
SWAPPED = ". Longitude and latitude seem to be swapped"
_KEYS = (("lon", "lat"), ("longitude", "latitude"))


def shown(given: Any) -> str:
    """Return the beginning of the repr, for a message; numbers without numpy's types."""
    if isinstance(given, list | tuple):
        numbers = [n.item() if isinstance(n, np.generic) else n for n in given]
        given = numbers if isinstance(given, list) else tuple(numbers)
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:77]}..."


def parse_points(given: Any) -> list[Any] | None:
    """Return points of a polygon, or four numbers of a box; None for anything else.

    Raises
    ------
    SelectionError
        An odd or too small number of numbers, or booleans.
    """
    if isinstance(given, str | os.PathLike | Mapping):  # xarray's Dataset is a Mapping, too
        return None
    # hasattr would write millions of vertices as GeoJSON.
    if getattr_static(given, "__geo_interface__", None) is not None:
        return None
    if not isinstance(given, Iterable):
        return None
    if getattr(getattr(given, "dtype", None), "kind", "") == "b":
        raise SelectionError(
            "region is an array of booleans without a place. Pass an xarray.DataArray with "
            "coordinates x and y, and its CRS by raster.rio.write_crs(…)."
        )
    numbers = list(given)
    if any(map(_is_point, numbers)) or len(numbers) == 4:
        return numbers
    if len(numbers) < 6 or len(numbers) % 2:
        raise SelectionError(
            f"region={shown(given)} has {len(numbers)} numbers, expected four of a box, or a "
            "longitude and a latitude for each of at least three points"
        )
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def are_box(points: list[Any]) -> bool:
    """Return whether these are the four numbers of a box."""
    return len(points) == 4 and not any(map(_is_point, points))


def _is_point(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str)


def parse_ring(points: Iterable[Any]) -> list[tuple[float, float]]:
    """Return longitudes and latitudes of a ring, closed.

    Raises
    ------
    SelectionError
        A point is not a pair of degrees, or there are fewer than three.
    """
    try:
        ring = [_lon_lat(point) for point in points]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise SelectionError(f"region has an invalid point ({error}); {EXPECTED}") from error
    check_degrees(np.array(ring))
    first = (np.nan, np.nan)
    ring = [b for a, b in pairwise([first, *ring, *ring[:1]]) if a != b]
    if len(ring) < 4:
        raise SelectionError(f"region has a polygon of {len(ring) - 1} points; {EXPECTED}")
    return ring


def _lon_lat(point: Any) -> tuple[float, float]:
    if isinstance(point, Mapping):
        for lon, lat in _KEYS:
            if lon in point and lat in point:
                return float(point[lon]), float(point[lat])
        raise ValueError(f"{shown(point)} has no lon and lat")
    if len(point) not in (2, 3):  # GeoJSON may have a height
        raise ValueError(f"{shown(point)} is not a pair")
    return float(point[0]), float(point[1])


def check_degrees(points: np.ndarray[Any, Any]) -> None:
    """Raise :class:`SelectionError` if a point is not a longitude and a latitude in degrees."""
    lon, lat = points.reshape(-1, 2).T
    wrong = ~_are_degrees(lon, lat)
    if not wrong.any():
        return
    at = int(wrong.argmax())
    hint = SWAPPED if _are_degrees(lat, lon).all() else ""
    if not hint and np.abs(points).max() > 1000:
        hint = (
            ". These are no degrees: pass a GeoDataFrame or GeoSeries with its CRS, such as "
            'geopandas.GeoSeries([geometry], crs="EPSG:3413")'
        )
    raise SelectionError(
        f"region has the point ({lon[at]:g}, {lat[at]:g}), expected degrees, longitude before "
        f"latitude: {LONGITUDES}, {LATITUDES}{hint}"
    )


def _are_degrees(lon: Any, lat: Any) -> Any:
    return (np.abs(lon) <= 360) & (np.abs(lat) <= 90)
