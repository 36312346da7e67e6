"""Unite geometries to one area of polygons, and refuse what has no inside or an ambiguous one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .points import EXPECTED, LATITUDES, LONGITUDES, check_degrees

__all__ = ["MAX_VERTICES", "check_turns", "unite"]

MAX_VERTICES = 5_000_000
"""Vertices of a region; more are refused."""

_AREAS = ("Polygon", "MultiPolygon")
_COLLECTIONS = ("GeometryCollection", "MultiPolygon")


def unite(geometries: Iterable[Any], *, in_degrees: bool) -> Any:
    """Return the union of all polygons, with two dimensions, in a normal order of vertices.

    Parameters
    ----------
    geometries
        shapely geometries; None and empty ones are left out.
    in_degrees
        Whether their coordinates are longitude and latitude.

    Raises
    ------
    SelectionError
        There is none, one is invalid, or there are points and lines among them. In degrees also: a
        coordinate is none, an edge spans more than half a turn of longitude, or a ring goes round a
        pole.
    """
    shapely = require("shapely", "geo", "A polygon as a region")
    given = np.array([one for one in geometries if one is not None], dtype=object)
    parts = shapely.get_parts(given)
    while any(part.geom_type in _COLLECTIONS for part in parts):
        parts = shapely.get_parts(parts)
    parts = parts[~shapely.is_empty(parts)]
    if parts.size == 0:
        raise SelectionError(f"region is empty: it contains no polygon; {EXPECTED}")
    _check_types(parts, in_degrees=in_degrees)
    _check_count(shapely, parts)
    parts = shapely.force_2d(parts)
    _check_finite(shapely, parts)
    if in_degrees:
        _check_longitudes(shapely, parts)
    _check_validity(shapely, parts)
    # A union, even of parts that are apart, would cost minutes for millions of vertices.
    if given.size == 1 and given[0].geom_type in _AREAS and given[0].is_valid:
        united = shapely.force_2d(given[0])
    else:
        united = shapely.union_all(parts)
    if united.geom_type == "MultiPolygon" and len(united.geoms) == 1:
        united = united.geoms[0]
    return shapely.normalize(united)


def _check_types(parts: Any, *, in_degrees: bool) -> None:
    for part in parts:
        if part.geom_type == "Polygon":
            continue
        way = "region.buffer(500)"
        if in_degrees:
            way = (
                "series = geopandas.GeoSeries([geometry], crs=4326); "
                "series.to_crs(series.estimate_utm_crs()).buffer(500)"
            )
        raise SelectionError(
            f"region contains a {part.geom_type!r}, which covers no area; expected polygons. Widen "
            f"it to all that lies within a distance, such as 500 m: {way}"
        )


def _check_count(shapely: Any, parts: Any) -> None:
    count = int(shapely.get_num_coordinates(parts).sum())
    if count > MAX_VERTICES:
        raise SelectionError(
            f"region has {count} vertices, expected at most {MAX_VERTICES}. Simplify it: "
            "region.simplify(tolerance), with a tolerance in units of its CRS, moves no edge "
            "farther than that."
        )


def _check_finite(shapely: Any, parts: Any) -> None:
    coordinates = shapely.get_coordinates(parts)
    if not np.isfinite(coordinates).all():
        x, y = coordinates[~np.isfinite(coordinates).all(axis=1)][0]
        raise SelectionError(f"region has the point ({x:g}, {y:g}), expected finite numbers")


def _check_validity(shapely: Any, parts: Any) -> None:
    flat = parts[shapely.area(parts) == 0]
    for part in flat[shapely.area(shapely.convex_hull(flat)) == 0]:
        raise SelectionError(
            "region has a polygon whose points are on one line, from "
            f"{part.exterior.coords[0]}; {EXPECTED}"
        )
    valid = shapely.is_valid(parts)
    if not valid.all():
        reason = shapely.is_valid_reason(parts[~valid][0])
        raise SelectionError(
            f"region has an invalid polygon: {reason}. Repair it with make_valid: "
            "shapely.make_valid(geometry), or GeoDataFrame.make_valid(); and check that the result "
            "is what you mean."
        )


def _check_longitudes(shapely: Any, parts: Any) -> None:
    check_degrees(shapely.get_coordinates(parts))
    west, _, east, _ = shapely.total_bounds(parts)
    if east - west > 360:
        raise SelectionError(
            f"region extends over {east - west:g} degrees of longitude, from {west:g} to {east:g}; "
            f"expected at most 360 ({LONGITUDES}, {LATITUDES})"
        )
    for ring in shapely.get_rings(parts):
        check_turns(shapely.get_coordinates(ring))


def check_turns(points: Any) -> None:
    """Refuse a ring round a pole, and edges of more than half a turn.

    Parameters
    ----------
    points : array
        Longitudes and latitudes of a closed ring, shape (n, 2), degrees.

    Raises
    ------
    SelectionError
        The ring may mean two areas.
    """
    steps = np.diff(points[:, 0])
    wide = np.abs(steps) > 180
    if not wide.any():
        return
    # A whole parallel between two sides along the antimeridian: the edge of a map of the world.
    before, after = np.roll(steps, 1), np.roll(steps, -1)
    parallel = (np.abs(steps) == 360) & (before == 0) & (after == 0)
    wide &= ~parallel
    if abs(np.where(wide, (steps + 180) % 360 - 180, steps).sum()) > 180:
        code = 3413 if points[:, 1].mean() > 0 else 3031
        raise SelectionError(
            "region goes round a pole, and in degrees it has no inside there. Give it in a polar "
            f"CRS: geopandas.GeoSeries([geometry], crs=4326).to_crs({code}) converts the vertices. "
            f"For all latitudes beyond one, pass a box: {_cap(points)}"
        )
    if wide.any():
        at = int(wide.argmax())
        (lon0, lat0), (lon1, lat1) = points[at], points[at + 1]
        raise SelectionError(
            f"region has the edge from ({lon0:g}, {lat0:g}) to ({lon1:g}, {lat1:g}), which may "
            "mean either way round the Earth. If it crosses the antimeridian, write longitudes "
            f"above 180 ({min(lon0, lon1) + 360:g} for {min(lon0, lon1):g}). If not, insert a "
            "point: shapely.segmentize(geometry, 90)."
        )


def _cap(ring: Any) -> str:
    latitudes = ring[:, 1]
    if latitudes.mean() > 0:
        return f"(-180, {latitudes.min():g}, 180, 90)"
    return f"(-180, -90, 180, {latitudes.max():g})"
