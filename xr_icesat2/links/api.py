"""Match rows, ranges of rows, and variables of two linked rates."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from xarray.core import indexing

from xr_icesat2.errors import SelectionError

from .lazy_linked_arrays import AttachedArray, MatchedRowArray
from .link_endpoint import Endpoint
from .row_matcher import make_matcher
from .segment_rows import check_same_tracks, find_row_ranges

__all__ = ["Opened", "attach", "match_rows", "on_rows_of", "row_ranges"]

_KEPT_ENCODING = {"dtype", "_FillValue", "units", "calendar", "stored_dtype"}
"""Encoding that does not depend on the shape of a variable."""

Opened: TypeAlias = xr.Dataset | xr.DataTree


def match_rows(of: Opened, to: Opened, *, through: Opened | None = None) -> xr.DataArray:
    """Return, for each row of one rate, the linked row of another.

    Parameters
    ----------
    of, to
        Rates opened with ``engine="icesat2"``: Datasets or nodes of a tree, with any selection of
        rows. The specifications declare the links (``xr_icesat2.products[…].links``).
    through
        The rate through which granules of two products are linked: ``geolocation`` of ATL03 for
        ``signal_photons`` of ATL08, or ``land_ice_segments`` of ATL06, and ``heights`` of ATL03.

    Returns
    -------
    DataArray
        int64, with the dimensions of ``of``'s rows: position along the track in ``to``, for
        ``to.isel(…)``; -1 where there is no linked row, and in padding. It is lazy: only rows
        that are read are matched.

    Raises
    ------
    LinkError
        No link is declared, the two are not a pair, or the file's indices contradict its counts.
        Some of these errors are raised when rows are read.
    """
    endpoint = Endpoint.of(of)
    matcher = make_matcher(
        endpoint, Endpoint.of(to), None if through is None else Endpoint.of(through)
    )
    check_same_tracks(matcher.of, matcher.to)
    attrs = {"long_name": f"row of {matcher.to.name}, -1 where none"}
    name = matcher.to.dims[-1].removesuffix("_idx") + "_row"
    return on_rows_of(endpoint, name, MatchedRowArray(matcher), (), attrs)


def row_ranges(of: Opened, to: Opened, *, through: Opened | None = None) -> xr.Dataset:
    """Return, for each row of one rate, the range of rows of another.

    Parameters
    ----------
    of, to
        As for :func:`match_rows`, for example segments and their photons.
    through
        The rate through which granules of two products are linked: ``geolocation`` of ATL03 for
        ``land_ice_segments`` of ATL06 and ``heights`` of ATL03.

    Returns
    -------
    Dataset
        ``first`` and ``count`` (int64), with the dimensions of ``of``'s rows: the range is
        ``first`` to ``first + count`` along the track in ``to``, without rows that were left out
        of ``to``. ``first`` is -1 where there is none, and in padding.

    Raises
    ------
    LinkError
        As for :func:`match_rows`, or rows of ``to`` are not in the order of their file.
    """
    one = Endpoint.of(of)
    first, count, many = find_row_ranges(
        one, Endpoint.of(to), None if through is None else Endpoint.of(through)
    )
    named = {
        "first": on_rows_of(one, "first", first.reshape(one.track.shape), (), {}),
        "count": on_rows_of(one, "count", count.reshape(one.track.shape), (), {}),
    }
    named["first"].attrs["long_name"] = f"first row of {many.name}, -1 where none"
    named["count"].attrs["long_name"] = f"rows of {many.name}"
    return xr.Dataset(named)


def attach(
    of: Opened,
    to: Opened,
    variables: str | Iterable[str],
    *,
    through: Opened | None = None,
    fill_value: Any = None,
) -> xr.Dataset:
    """Add variables of one rate to another, at each row the value of its linked row.

    Parameters
    ----------
    of, to, through
        As for :func:`match_rows`; ``of`` and ``to`` may have different layouts.
    variables
        Names in ``to``. If ``of`` has a variable of that name, the new one is prefixed with its
        group (``geolocation_delta_time``).
    fill_value
        Value where there is no linked row. Default: NaN, NaT or the variable's ``_FillValue``. For
        an integer variable without one, a row without a linked row is an error.

    Returns
    -------
    Dataset
        ``of`` with the variables, lazy, with dtype, units and attributes as in ``to``.

    Raises
    ------
    LinkError
        As for :func:`match_rows`.
    SelectionError
        ``to`` has no such variable along its track, or its dtype cannot hold ``fill_value``.
    """
    endpoint, other = Endpoint.of(of), Endpoint.of(to)
    matcher = make_matcher(endpoint, other, None if through is None else Endpoint.of(through))
    dataset, along = endpoint.dataset, other.track.dims[-1]
    for name in [variables] if isinstance(variables, str) else variables:
        variable = other.dataset.variables.get(name)
        if variable is None or along not in variable.dims:
            raise SelectionError(
                f"{other.name} has no variable {name!r} along {along}. Choose from "
                f"{', '.join(map(str, other.dataset.data_vars))}."
            )
        missing = _missing(name, variable, fill_value)
        array = AttachedArray(matcher, variable, variable.dtype, missing, _padding(name, variable))
        rest = tuple(str(dim) for dim in variable.dims if dim not in other.track.dims)
        group = posixpath.basename(other.rate.name)
        new = f"{group}_{name}" if name in dataset.variables else name
        laid = on_rows_of(endpoint, new, array, rest, variable.attrs).variable
        laid.encoding = {
            key: variable.encoding[key] for key in _KEPT_ENCODING & variable.encoding.keys()
        }
        labels = {dim: other.dataset[dim] for dim in rest if dim in other.dataset.coords}
        dataset = dataset.assign({new: laid}).assign_coords(labels)
    return dataset


def on_rows_of(
    endpoint: Endpoint, name: str, array: Any, rest: tuple[str, ...], attrs: dict[Any, Any]
) -> xr.DataArray:
    """Return an array over the rows of an endpoint, with its coordinates and chunks."""
    data = indexing.LazilyIndexedArray(array) if hasattr(array, "matcher") else array
    variable = xr.Variable((*endpoint.track.dims, *rest), data, attrs)
    blocks = {d: n for d, n in endpoint.dataset.chunksizes.items() if d in endpoint.track.dims}
    if blocks:
        variable = variable.chunk(blocks)
    return endpoint.dataset.assign({name: variable})[name]


def _missing(name: str, variable: xr.Variable, fill_value: Any) -> Any:
    dtype = variable.dtype
    if fill_value is None:
        if dtype.kind in "fc":
            return dtype.type(np.nan)
        if dtype.kind in "mM":
            return np.array("NaT", dtype)[()]
        fill_value = variable.attrs.get("_FillValue")
        return None if fill_value is None else dtype.type(fill_value)
    filled = np.asarray(fill_value)
    if filled.ndim or (dtype.kind in "iub" and filled.astype(dtype) != filled):
        msg = f"fill_value={fill_value!r}, expected one value of {name}'s dtype {dtype}"
        raise SelectionError(msg)
    return filled.astype(dtype)[()]


def _padding(name: str, variable: xr.Variable) -> Any:
    """Return the value of padding, the same as the engine's."""
    missing = _missing(name, variable, None)
    if missing is not None:
        return missing
    return np.iinfo(variable.dtype).max if variable.dtype.kind in "iu" else variable.dtype.type()
