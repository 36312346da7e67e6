"""Collect the polygons of GeoJSON.

Source: RFC 7946; the member ``crs`` is that of the GeoJSON specification of 2008.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .points import EXPECTED, shown

__all__ = ["crs_of_geojson", "geometries_of_geojson"]


def geometries_of_geojson(given: Mapping[str, Any]) -> list[Any]:
    """Return the shapely geometries of a GeoJSON object; features without one have none.

    Raises
    ------
    SelectionError
        It is not valid GeoJSON.
    """
    shape = require("shapely", "geo", "A polygon as a region").geometry.shape
    try:
        return [shape(geometry) for geometry in _geometries(given)]
    except SelectionError:
        raise
    except Exception as error:
        # shapely raises errors of many kinds for values that are no coordinates.
        raise SelectionError(f"region is not valid GeoJSON ({error!r}); {EXPECTED}") from error


def _geometries(given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    match given.get("type"):
        case "FeatureCollection":
            for feature in given["features"]:
                yield from _geometries(feature)
        case "Feature":
            if given["geometry"]:
                yield from _geometries(given["geometry"])
        case "GeometryCollection":
            for geometry in given["geometries"]:
                yield from _geometries(geometry)
        case "Polygon" | "MultiPolygon" | "Point" | "MultiPoint" | "LineString" | "MultiLineString":
            yield given
        case kind:
            raise SelectionError(
                f"region={shown(given)} has the type {kind!r}, which is not one of "
                f"GeoJSON; {EXPECTED}"
            )


def crs_of_geojson(given: Mapping[str, Any]) -> Any:
    """Return the CRS that a GeoJSON object names (a text); None for degrees.

    Raises
    ------
    SelectionError
        The member ``crs`` names none.
    """
    crs = given.get("crs")
    if crs is None:
        return None
    try:
        if crs["type"] == "name":
            return str(crs["properties"]["name"])
    except (KeyError, TypeError):
        pass
    raise SelectionError(
        f'region has crs={shown(crs)}, expected {{"type": "name", "properties": {{"name": '
        '"urn:ogc:def:crs:EPSG::3413"}}, or none for degrees'
    )
