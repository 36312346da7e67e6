"""Read rasters of booleans: GeoTIFF files, and DataArrays of rioxarray."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.extras import require

from .points import EXPECTED
from .projection import parse_crs
from .raster_mask import Affine, MaskRegion

__all__ = ["MAX_PIXELS", "read_raster", "region_of_data_array"]

MAX_PIXELS = 1_000_000_000
"""Pixels of a mask; more are refused."""

_UNEVEN = 1e-3
"""Part of a pixel by which coordinates may be uneven."""


def read_raster(path: str) -> MaskRegion:
    """Read a raster of one band, such as a GeoTIFF.

    Raises
    ------
    SelectionError
        It cannot be read, is not a mask, or has no CRS or place.
    """
    rasterio = require("rasterio", "raster", "A raster as region")
    where = path if "://" in path else str(Path(path).expanduser())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(where) as raster:
                _check_size(f"region={path!r}", raster.count, raster.height, raster.width)
                if raster.transform.is_identity:
                    raise SelectionError(_no_place(f"region={path!r}"))
                values = raster.read(1, masked=True)
                crs, affine = raster.crs, tuple(raster.transform)[:6]
    except rasterio.errors.RasterioIOError as error:
        raise SelectionError(f"region={path!r} cannot be read ({error}); {EXPECTED}") from error
    return _region(f"region={path!r}", values.filled(0), affine, crs)


def region_of_data_array(given: xr.DataArray) -> MaskRegion:
    """Return the region of a DataArray with the CRS and transform of rioxarray.

    Raises
    ------
    SelectionError
        It is not a mask, or has no CRS or place.
    """
    rioxarray = require("rioxarray", "raster", "A raster as region")
    what = "region is a DataArray, which"
    flat = given.squeeze([dim for dim in given.dims if given.sizes[dim] == 1 and dim == "band"])
    try:
        x, y = flat.rio.x_dim, flat.rio.y_dim
    except rioxarray.exceptions.RioXarrayError as error:
        raise SelectionError(
            f"{what} has the dimensions {given.dims}, of which none is x or y ({error}). Name them "
            "with raster.rio.set_spatial_dims(x_dim=…, y_dim=…)."
        ) from error
    bands = flat.size // max(1, flat.sizes[x] * flat.sizes[y])
    _check_size(what, bands, flat.sizes[y], flat.sizes[x])
    placed = x in flat.coords and y in flat.coords
    transform = flat.rio.transform(recalc=placed)
    if transform.is_identity and not placed:
        raise SelectionError(_no_place(what))
    for dim, step in ((x, transform.a), (y, transform.e)):
        if placed and np.abs(np.diff(flat[dim]) - step).max(initial=0) > abs(step) * _UNEVEN:
            raise SelectionError(
                f"{what} has uneven coordinates {dim!r}, expected equal steps. Resample it."
            )
    values = flat.transpose(y, x).to_numpy()
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0)
    if flat.rio.nodata is not None and values.dtype != bool:
        values = np.where(values == flat.rio.nodata, 0, values)
    return _region(what, values, tuple(transform)[:6], flat.rio.crs)


def _check_size(what: str, bands: int, rows: int, columns: int) -> None:
    if bands != 1:
        raise SelectionError(f"{what} has {bands} bands, expected one. Select it, or reduce them.")
    if rows * columns > MAX_PIXELS:
        raise SelectionError(
            f"{what} has {rows} × {columns} pixels, expected at most {MAX_PIXELS}. Clip it, or "
            "make its pixels larger."
        )


def _no_place(what: str) -> str:
    return (
        f"{what} has no place: neither coordinates nor a transform. Set it with "
        "raster.rio.write_transform(…)."
    )


def _region(what: str, values: NDArray[Any], affine: Affine, crs: Any) -> MaskRegion:
    if crs is None:
        raise SelectionError(
            f"{what} has no CRS. Set it with raster.rio.write_crs(4326), or that in which it was "
            "made."
        )
    mask = np.asarray(values == 1) if values.dtype != bool else values
    if values.dtype != bool and not (mask | (values == 0)).all():
        other = values[~(mask | (values == 0))][0]
        raise SelectionError(
            f"{what} has the value {other}, expected booleans, or 0 and 1. Compare it: raster > 0."
        )
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise SelectionError(f"{what} is empty: no pixel is True. Check what it was made of.")
    top, left = rows[0], columns[0]
    trimmed = mask[top : rows[-1] + 1, left : columns[-1] + 1].copy()
    trimmed.flags.writeable = False
    a, b, c, d, e, f = map(float, affine)
    corner = (c + a * left + b * top, f + d * left + e * top)
    region = MaskRegion(trimmed, (a, b, corner[0], d, e, corner[1]), parse_crs(crs.to_wkt()))
    region.bounds  # noqa: B018 - refuse now what is not on Earth
    return region
