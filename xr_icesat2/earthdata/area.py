"""A place on the Earth, from what a user has, as CMR wants it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from xr_icesat2.earthdata.track import Line
from xr_icesat2.errors import SelectionError

__all__ = ["Area", "asked_area"]

_EXPECTED = (
    "expected a box (west, south, east, north), GeoJSON with polygons (a dict, or the path of a "
    "file), a shapely geometry or a GeoDataFrame, in degrees, longitude first"
)


@dataclass(frozen=True, slots=True)
class Area:
    """A box or polygons, of which granules may touch any."""

    rings: tuple[Line, ...]
    """Outlines, counterclockwise, the first point again at the end."""
    box: tuple[float, float, float, float] | None = None
    """West, south, east, north, if it is a box; west may exceed east."""

    def parameters(self) -> list[tuple[str, str]]:
        """Write CMR's parameters, as names and values."""
        if self.box is not None:
            return [("bounding_box", ",".join(map(_number, self.box)))]
        written = [("polygon[]", ",".join(_number(x) for p in r for x in p)) for r in self.rings]
        return [*written, ("options[polygon][or]", "true")] if len(written) > 1 else written


def asked_area(bbox: Any, region: Any) -> Area | None:
    """Read the place that is asked for; holes of polygons are filled.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees; west may exceed east, across the antimeridian.
    region
        A box, GeoJSON (a dict or the path of a file), or anything with a
        ``__geo_interface__`` (shapely, geopandas).

    Raises
    ------
    SelectionError
        Both, none of these, no areas, or not in degrees.
    """
    if bbox is not None and region is not None:
        raise SelectionError("bbox and region both say where: give one of them")
    if bbox is not None:
        return _box(bbox, "bbox")
    if region is None:
        return None
    if isinstance(region, Sequence) and not isinstance(region, str):
        return _box(region, "region")
    rings = tuple(_ring(points) for points in _outlines(_geojson(region)))
    if not rings:
        raise SelectionError(f"region={_shown(region)} holds no polygon; {_EXPECTED}")
    return Area(rings)


def _box(given: Any, keyword: str) -> Area:
    try:
        west, south, east, north = (float(number) for number in given)
    except (TypeError, ValueError):
        raise SelectionError(
            f"{keyword}={_shown(given)}, expected west, south, east, north"
        ) from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise SelectionError(
            f"{keyword}={_shown(given)}, expected west, south, east, north in degrees: longitudes "
            "from -180 to 180, latitudes from -90 to 90, south below north"
        )
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Area((corners,), (west, south, east, north))


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
            f"region is in {getattr(crs, 'name', crs)!r}, expected degrees: "
            "region.to_crs(4326) converts it"
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
            f"region={str(path)!r} is not GeoJSON ({error}); geopandas.read_file reads other "
            "formats, and region takes what it gives"
        ) from error


def _outlines(geometry: Mapping[str, Any]) -> Iterator[Any]:
    """Outer rings of all polygons in a GeoJSON object."""
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
                raise SelectionError(f"region holds a {kind!r}, which covers no area; {_EXPECTED}")
    except (AttributeError, KeyError, TypeError) as error:
        raise SelectionError(f"region is not valid GeoJSON ({error!r}); {_EXPECTED}") from error


def _ring(points: Any) -> Line:
    try:
        ring = [(float(point[0]), float(point[1])) for point in points]
    except (IndexError, TypeError, ValueError) as error:
        raise SelectionError(f"region has a point that is none ({error}); {_EXPECTED}") from error
    for longitude, latitude in ring:
        if not (-180 <= longitude <= 360 and -90 <= latitude <= 90):
            raise SelectionError(
                f"region has the point ({longitude:g}, {latitude:g}), expected degrees, longitude "
                "(-180 to 180) before latitude (-90 to 90)"
            )
    ring = [(lon - 360 if lon > 180 else lon, lat) for lon, lat in ring]
    ring = [b for a, b in pairwise([(math.nan, math.nan), *ring, *ring[:1]]) if a != b]
    if len(ring) < 4:
        raise SelectionError(f"region has a polygon of {len(ring) - 1} points; {_EXPECTED}")
    return tuple(ring if _counterclockwise(ring) else ring[::-1])


def _counterclockwise(ring: Sequence[tuple[float, float]]) -> bool:
    """Whether the inside, which is the smaller part, lies to the left."""
    steps = [(b[0] - a[0] + 180) % 360 - 180 for a, b in pairwise(ring)]
    if abs(sum(steps)) > 180:  # it goes round a pole: the nearer one is inside
        return (sum(steps) > 0) == (sum(latitude for _, latitude in ring) > 0)
    east = list(accumulate(steps, initial=ring[0][0]))
    corners = pairwise(zip(east, (latitude for _, latitude in ring), strict=True))
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in corners) > 0


def _number(value: float) -> str:
    return f"{value:z.7f}".rstrip("0").rstrip(".")


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:77]}..."
