"""Read the polygons of files: GeoJSON by Python's parser, others by pyogrio (GDAL)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .geojson import crs_of_geojson, geometries_of_geojson
from .points import EXPECTED

__all__ = ["is_raster_path", "read_polygons"]

_GEOJSON = (".geojson", ".json")
_RASTERS = (".tif", ".tiff", ".vrt")


def is_raster_path(path: str) -> bool:
    """Return whether the name is that of a raster."""
    return path.lower().endswith(_RASTERS)


def read_polygons(path: str) -> tuple[list[Any], Any]:
    """Return the shapely geometries of a file and their CRS; None for degrees.

    Parameters
    ----------
    path
        Path, or URL that GDAL reads.

    Raises
    ------
    SelectionError
        It cannot be read, has several layers, or no CRS.
    """
    if path.lower().endswith(_GEOJSON) and "://" not in path:
        return _read_geojson(Path(path).expanduser())
    return _read_layer(path)


def _read_geojson(path: Path) -> tuple[list[Any], Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SelectionError(
            f"region={str(path)!r} cannot be read ({error.strerror}); {EXPECTED}"
        ) from error
    except ValueError as error:
        raise SelectionError(
            f"region={str(path)!r} is not GeoJSON ({error}); {EXPECTED}"
        ) from error
    if not isinstance(found, dict):
        raise SelectionError(f"region={str(path)!r} is JSON, but not GeoJSON; {EXPECTED}")
    return geometries_of_geojson(found), crs_of_geojson(found)


def _read_layer(path: str) -> tuple[list[Any], Any]:
    pyogrio = require("pyogrio", "geo", "The path of a file as region")
    shapely = require("shapely", "geo", "The path of a file as region")
    where = path if "://" in path else str(Path(path).expanduser())
    try:
        layers = [name for name, kind in pyogrio.list_layers(where) if kind is not None]
        if not layers:
            raise SelectionError(f"region={path!r} contains no geometries; {EXPECTED}")
        if len(layers) > 1:
            raise SelectionError(
                f"region={path!r} has the layers {', '.join(map(repr, layers))}, expected one. "
                f"Pass geopandas.read_file({path!r}, layer={layers[0]!r})."
            )
        meta, _, geometries, _ = pyogrio.raw.read(where, columns=[], force_2d=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise SelectionError(f"region={path!r} cannot be read ({error}); {EXPECTED}") from error
    if meta["crs"] is None:
        raise SelectionError(
            f"region={path!r} has no CRS, so its coordinates may be degrees or metres. Set it: "
            f'geopandas.read_file({path!r}).set_crs("EPSG:4326") for longitude and latitude.'
        )
    return list(shapely.from_wkb(geometries)), meta["crs"]
