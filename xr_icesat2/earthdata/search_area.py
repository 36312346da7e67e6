"""Parse the area of a search into CMR's parameters."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from xr_icesat2.errors import SelectionError

from .ground_track import Line

__all__ = ["Area", "parse_area"]

_EXPECTED = (
    "expected a box (west, south, east, north), the points of a polygon ([(lon, lat), …], "
    '[{"lon": …, "lat": …}, …] or [lon, lat, lon, lat, …]), GeoJSON with polygons (a dict, or the '
    "path of a file), a shapely geometry or a GeoDataFrame, in degrees, longitude first"
)
_LONGITUDES, _LATITUDES = "longitudes from -180 to 180 (or 0 to 360)", "latitudes from -90 to 90"
_SWAPPED = ". Longitude and latitude seem to be swapped"
_NO_AREA = 1e-12
_KEYS = (("lon", "lat"), ("longitude", "latitude"))


@dataclass(frozen=True, slots=True)
class Area:
    """A box or polygons; granules that touch any of them are found."""

    rings: tuple[Line, ...]
    """Outlines, counterclockwise, with the first point repeated at the end."""
    box: tuple[float, float, float, float] | None = None
    """West, south, east, north, if it is a box; west may exceed east."""

    def parameters(self) -> list[tuple[str, str]]:
        """Return CMR's parameters as names and values."""
        if self.box is not None:
            return [("bounding_box", ",".join(map(_number, self.box)))]
        written = [("polygon[]", ",".join(_number(x) for p in r for x in p)) for r in self.rings]
        return [*written, ("options[polygon][or]", "true")] if len(written) > 1 else written


def parse_area(bbox: Any, region: Any) -> Area | None:
    """Parse the area of a search; holes of polygons are filled.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; longitudes from -180 to 180 or from 0 to 360. West
        may exceed east, across the antimeridian.
    region
        A box; the points of a polygon (pairs, dicts with ``lon`` and ``lat``, or numbers in turn,
        of which four are a box); GeoJSON (a dict or the path of a file); or anything with a
        ``__geo_interface__`` (shapely, geopandas). A ring need not be closed, and may turn either
        way: the smaller part is inside.

    Raises
    ------
    SelectionError
        Both are given, or one is not an area in degrees; the message explains it.
    """
    if bbox is not None and region is not None:
        raise SelectionError("bbox and region were both given. Pass one of them.")
    if bbox is not None:
        return _box(bbox, "bbox")
    if region is None:
        return None
    points = _points(region)
    if points is not None and len(points) == 4 and not any(map(_is_point, points)):
        return _box(points, "region")
    rings = [points] if points is not None else _outlines(_geojson(region))
    closed = tuple(map(_ring, rings))
    if not closed:
        raise SelectionError(f"region={_shown(region)} contains no polygon; {_EXPECTED}")
    return Area(closed)


def _points(region: Any) -> list[Any] | None:
    """Return points of a polygon, or numbers of a box; None for anything else."""
    if isinstance(region, str | os.PathLike | Mapping) or hasattr(region, "__geo_interface__"):
        return None
    if not isinstance(region, Iterable):
        return None
    given = list(region)
    if any(map(_is_point, given)) or len(given) == 4:
        return given
    if len(given) < 6 or len(given) % 2:
        raise SelectionError(
            f"region={_shown(region)} has {len(given)} numbers, expected four of a box, or a "
            "longitude and a latitude for each of at least three points"
        )
    return list(zip(given[::2], given[1::2], strict=True))


def _is_point(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str)


def _box(given: Any, keyword: str) -> Area:
    try:
        west, south, east, north = (float(number) for number in given)
    except (TypeError, ValueError):
        raise SelectionError(
            f"{keyword}={_shown(given)}, expected west, south, east, north"
        ) from None
    if not _is_box(west, south, east, north):
        hint = _SWAPPED if _is_box(south, west, north, east) else ""
        raise SelectionError(
            f"{keyword}={_shown(given)}, expected west, south, east, north in degrees: "
            f"{_LONGITUDES}, {_LATITUDES}, south below north{hint}"
        )
    if east - west >= 360:
        west, east = -180.0, 180.0
    west, east = _half_turn(west), _half_turn(east)
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Area((corners,), (west, south, east, north))


def _is_box(west: float, south: float, east: float, north: float) -> bool:
    return all(-180 <= lon <= 360 for lon in (west, east)) and -90 <= south <= north <= 90


def _half_turn(longitude: float) -> float:
    """Return the same longitude from -180 to 180."""
    return longitude - 360 if longitude > 180 else longitude


def _geojson(region: Any) -> Mapping[str, Any]:
    _refuse_metres(region)
    if isinstance(region, str | os.PathLike):
        region = _read(Path(region).expanduser())
    found = getattr(region, "__geo_interface__", region)
    if not isinstance(found, Mapping):
        raise SelectionError(f"region={_shown(region)}, {_EXPECTED}")
    return found


def _refuse_metres(region: Any) -> None:
    crs = getattr(region, "crs", None)
    if crs is not None and not getattr(crs, "is_geographic", True):
        raise SelectionError(
            f"region is in {getattr(crs, 'name', crs)!r}, expected degrees. Convert it with "
            "region.to_crs(4326)."
        )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SelectionError(
            f"region={str(path)!r} cannot be read ({error.strerror}); {_EXPECTED}"
        ) from error
    except ValueError as error:
        raise SelectionError(
            f"region={str(path)!r} is not GeoJSON ({error}). For other formats, pass the result of "
            "geopandas.read_file."
        ) from error


def _outlines(geometry: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the outer rings of all polygons in a GeoJSON object."""
    try:
        match geometry.get("type"):
            case "FeatureCollection":
                for feature in geometry["features"]:
                    yield from _outlines(feature)
            case "Feature":
                yield from _outlines(geometry["geometry"] or {"type": "GeometryCollection"})
            case "GeometryCollection":
                for part in geometry.get("geometries", ()):
                    yield from _outlines(part)
            case "Polygon":
                yield from geometry["coordinates"][:1]
            case "MultiPolygon":
                for polygon in geometry["coordinates"]:
                    yield from polygon[:1]
            case kind:
                raise SelectionError(
                    f"region contains a {kind!r}, which covers no area; {_EXPECTED}"
                )
    except (AttributeError, KeyError, TypeError) as error:
        raise SelectionError(f"region is not valid GeoJSON ({error!r}); {_EXPECTED}") from error


def _ring(points: Any) -> Line:
    try:
        ring = [_lon_lat(point) for point in points]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise SelectionError(f"region has an invalid point ({error}); {_EXPECTED}") from error
    if not all(_is_lon_lat(*point) for point in ring):
        longitude, latitude = next(point for point in ring if not _is_lon_lat(*point))
        hint = _SWAPPED if all(_is_lon_lat(lat, lon) for lon, lat in ring) else ""
        raise SelectionError(
            f"region has the point ({longitude:g}, {latitude:g}), expected degrees, longitude "
            f"before latitude: {_LONGITUDES}, {_LATITUDES}{hint}"
        )
    ring = [(_half_turn(lon), lat) for lon, lat in ring]
    ring = [b for a, b in pairwise([(math.nan, math.nan), *ring, *ring[:1]]) if a != b]
    if len(ring) < 4:
        raise SelectionError(f"region has a polygon of {len(ring) - 1} points; {_EXPECTED}")
    return tuple(ring if _counterclockwise(ring) else ring[::-1])


def _lon_lat(point: Any) -> tuple[float, float]:
    if isinstance(point, Mapping):
        for lon, lat in _KEYS:
            if lon in point and lat in point:
                return float(point[lon]), float(point[lat])
        raise ValueError(f"{_shown(point)} has no lon and lat")
    if len(point) not in (2, 3):  # GeoJSON may have a height
        raise ValueError(f"{_shown(point)} is not a pair")
    return float(point[0]), float(point[1])


def _is_lon_lat(longitude: float, latitude: float) -> bool:
    return -180 <= longitude <= 360 and -90 <= latitude <= 90


def _counterclockwise(ring: Sequence[tuple[float, float]]) -> bool:
    """Return whether the inside, which is the smaller part, is to the left."""
    steps = [(b[0] - a[0] + 180) % 360 - 180 for a, b in pairwise(ring)]
    if abs(sum(steps)) > 180:  # around a pole: the nearer one is inside
        return (sum(steps) > 0) == (sum(latitude for _, latitude in ring) > 0)
    east = list(accumulate(steps, initial=ring[0][0]))
    corners = pairwise(zip(east, (latitude for _, latitude in ring), strict=True))
    twice_the_area = sum((a[0] - east[0]) * b[1] - (b[0] - east[0]) * a[1] for a, b in corners)
    if abs(twice_the_area) < _NO_AREA:
        raise SelectionError(f"region has a polygon whose points are on one line; {_EXPECTED}")
    return twice_the_area > 0


def _number(value: float) -> str:
    return f"{value:z.7f}".rstrip("0").rstrip(".")


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:77]}..."
