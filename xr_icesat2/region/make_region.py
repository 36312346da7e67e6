"""Parse everything that a user may give as a region."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import xarray as xr

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .box import make_box
from .files import is_raster_path, read_polygons
from .geojson import crs_of_geojson, geometries_of_geojson
from .geometry_checks import unite
from .points import EXPECTED, are_box, parse_points, parse_ring, shown
from .polygons import PolygonRegion
from .projection import is_in_degrees, parse_crs
from .rasters import read_raster, region_of_data_array
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
        - GeoJSON with polygons (a dict, or the path of a file): a geometry, Feature,
          FeatureCollection or GeometryCollection; in degrees, unless its member ``crs`` names
          another CRS;
        - the path of a shapefile, GeoPackage, KML, or anything else with one layer and a CRS that
          pyogrio reads;
        - a shapely geometry in degrees;
        - a GeoDataFrame or GeoSeries of any CRS, whose rows are united;
        - a raster of booleans, or of 0 and 1: a :class:`xarray.DataArray` with the CRS and the
          transform of rioxarray, or the path of a GeoTIFF.

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
        It is not a box, and shapely, or another package that it needs, is not installed.
    """
    if isinstance(given, Region):
        return given
    if isinstance(given, xr.DataArray):
        return region_of_data_array(given)
    if isinstance(given, str | os.PathLike):
        return _of_path(os.fspath(given))
    points = parse_points(given)
    if points is not None:
        return _of_points(points)
    return _of_polygons(*_geometries(given))


def _of_path(path: str) -> Region:
    if is_raster_path(path):
        return read_raster(path)
    return _of_polygons(*read_polygons(path))


def _of_points(points: list[Any]) -> Region:
    if are_box(points):
        return make_box(points)
    shapely = require("shapely", "geo", "A polygon as a region")
    return _of_polygons([shapely.Polygon(parse_ring(points))], None)


def _geometries(given: Any) -> tuple[Any, Any]:
    """Return shapely geometries and their CRS; None for degrees."""
    if hasattr(type(given), "to_crs"):  # of geopandas
        try:
            geometries, crs = given.geometry, given.crs
        except AttributeError as error:
            raise SelectionError(f"region is a table without geometries: {error}") from error
        if crs is None:
            raise SelectionError(
                "region is a table without a CRS, so its coordinates may be degrees or metres. Set "
                'it: set_crs("EPSG:4326") for longitude and latitude.'
            )
        return geometries, crs
    if hasattr(given, "geom_type"):  # of shapely
        return [given], None
    if hasattr(given, "__geo_interface__"):
        given = given.__geo_interface__
    if isinstance(given, Mapping):
        return geometries_of_geojson(given), crs_of_geojson(given)
    raise SelectionError(f"region={shown(given)}, {EXPECTED}")


def _of_polygons(geometries: Any, crs: Any) -> Region:
    plane = parse_crs(crs)
    region = PolygonRegion(unite(geometries, in_degrees=is_in_degrees(plane)), plane)
    region.bounds  # noqa: B018 - refuse now what is not on Earth
    return region
