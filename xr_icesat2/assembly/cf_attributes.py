"""Attributes by which cf_xarray and rioxarray find positions, times, heights and the CRS."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

import xarray as xr

from xr_icesat2.products import ALONG, Rate

from .merge_granules import MergedRate
from .reference_frames import SPATIAL_REF

__all__ = ["add_cf_attrs"]

_COORDINATES: Mapping[str, Mapping[str, str]] = {
    "time": {"standard_name": "time", "axis": "T"},
    "latitude": {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"},
    "longitude": {"standard_name": "longitude", "units": "degrees_east", "axis": "X"},
}


def add_cf_attrs(variable: xr.Variable, merged: MergedRate, path: str) -> None:
    """Add the CF attributes that the file lacks to a variable of a rate."""
    for name, value in _attrs(merged, path, variable.attrs).items():
        variable.attrs.setdefault(name, value)


def _attrs(merged: MergedRate, path: str, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    name = posixpath.basename(path)
    if merged.has_coordinate(path):
        return _COORDINATES.get(_kind(merged.rate, name, stored), {})
    attrs: dict[str, Any] = {}
    if (reference := merged.rate.heights.get(name)) is not None:
        attrs |= {"vertical_datum": reference.surface, **reference.attrs}
        if name == merged.rate.vertical_axis:
            attrs["axis"] = "Z"
    if merged.is_located and ALONG in merged.dims[path] and merged.frame is not None:
        attrs["grid_mapping"] = SPATIAL_REF
    return attrs


def _kind(rate: Rate, name: str, stored: Mapping[str, Any]) -> str:
    specified = {rate.time: "time", rate.latitude: "latitude", rate.longitude: "longitude"}
    return specified.get(name) or str(stored.get("standard_name"))
