"""Parse everything that a user may give as a region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .box import make_box
from .geojson import crs_of_geojson, geometries_of_geojson
from .geometry_checks import unite
from .points import EXPECTED, are_box, parse_points, parse_ring, shown
from .polygons import PolygonRegion
from .projection import parse_crs
from .region import Region

__all__ = ["make_region"]


def make_region(given: Any) -> Region:
    """Make a region of anything that describes an area on the ground.

    Parameters
    ----------
    given
        - a box, ``(west, south, east, north)`` in degrees: longitudes from -180 to 180 or from 0 to
          360; west may exceed east, across the antimeridian;
        - the points of a polygon: ``[(lon, lat), …]``, ``[{"lon": …, "lat": …}, …]`` or
          ``[lon, lat, lon, lat, …]``, closed or not;
        - GeoJSON with polygons (a dict): a geometry, Feature, FeatureCollection or
          GeometryCollection;
        - a shapely geometry in degrees;
        - a GeoDataFrame or GeoSeries of any CRS, whose rows are united.

    Returns
    -------
    Region
        Frozen; ``given`` may change afterwards.

    Raises
    ------
    SelectionError
        It is not an area, is not valid, or its coordinates have no or an ambiguous meaning; the
        message says what to do.
    MissingExtraError
        It is not a box, and shapely or pyproj is not installed.
    """
    if isinstance(given, Region):
        return given
    points = parse_points(given)
    if points is not None:
        return _of_points(points)
    if isinstance(given, Mapping):
        return _of_polygons(geometries_of_geojson(given), crs_of_geojson(given))
    if hasattr(given, "to_crs"):
        return _of_frame(given)
    if hasattr(given, "geom_type"):
        return _of_polygons([given], None)
    if hasattr(given, "__geo_interface__"):
        return make_region(given.__geo_interface__)
    raise SelectionError(f"region={shown(given)}, {EXPECTED}")


def _of_points(points: list[Any]) -> Region:
    if are_box(points):
        return make_box(points)
    shapely = require("shapely", "geo", "A polygon as a region")
    return _of_polygons([shapely.Polygon(parse_ring(points))], None)


def _of_frame(given: Any) -> Region:
    """Return the region of a GeoDataFrame or GeoSeries."""
    if given.crs is None:
        raise SelectionError(
            "region is a table without a CRS, so its coordinates may be degrees or metres. Set "
            'it: set_crs("EPSG:4326") for longitude and latitude.'
        )
    return _of_polygons(given.geometry, given.crs)


def _of_polygons(geometries: Any, crs: Any) -> Region:
    plane = parse_crs(crs)
    return PolygonRegion(unite(geometries, in_degrees=plane is None), plane)
