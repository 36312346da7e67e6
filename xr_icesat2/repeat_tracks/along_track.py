"""Beams and cycles of one reference ground track on one axis."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from xr_icesat2.errors import LinkError, SelectionError
from xr_icesat2.links.link_endpoint import Endpoint
from xr_icesat2.messages import did_you_mean

from .binned_array import CellArray, cell_dtype
from .placed_rows import PlacedRows, TrackAxis, choose_axis, coordinate, place_rows
from .reductions import Reduction, check_reduction

__all__ = ["along_track"]

LEAD = ("cycle_number", "gt")
ROW_COUNT = "row_count"


def along_track(
    dataset: xr.Dataset,
    spacing: float | None = None,
    *,
    reduce: Reduction | None = None,
    variables: str | Iterable[str] | None = None,
) -> xr.Dataset:
    """Return the rows of a Dataset on (cycle_number, gt, axis along the track).

    The parameters, errors and the result are documented in
    :meth:`xr_icesat2.accessor.DatasetAccessor.along_track`.
    """
    length = _spacing(spacing)
    if spacing is None and reduce is not None:
        raise SelectionError("reduce= applies to bins. Pass spacing, their length in metres.")
    reduction = None if spacing is None else check_reduction(reduce)
    try:
        endpoint = Endpoint.of(dataset)
    except LinkError as error:
        raise SelectionError(f"along_track: {error}") from error
    axis = choose_axis(endpoint, length)
    names = _variables(endpoint, axis, variables, reduced=reduction is not None)
    placed = place_rows(endpoint, axis)
    along = str(axis.dim)
    dims = (*LEAD, along)
    rows = [
        name
        for name in endpoint.dataset.coords
        if name in endpoint.rate.coordinates and cell_dtype(endpoint.dataset[name].dtype)
    ]
    found = {
        str(name): _on_axis(endpoint, str(name), placed, dims, reduction)
        for name in (*names, *rows)
    }
    if reduction is not None:
        found[ROW_COUNT] = _row_counts(placed, dims)
    data = {name: variable for name, variable in found.items() if name not in rows}
    coords = {
        "cycle_number": coordinate(placed.cycles, ("cycle_number",), "repeat cycle"),
        "gt": coordinate(np.array(placed.tracks), ("gt",), "ground track"),
        along: xr.Variable((along,), axis.labels(placed.numbers), dict(axis.attrs)),
        "rgt": coordinate(np.array(placed.rgt), (), "reference ground track"),
        "spot": coordinate(placed.spots, LEAD, "number of the spot, NaN where there is none"),
        **{name: found[str(name)] for name in rows},
        **_scalars(endpoint),
        **_labels(endpoint, data),
    }
    result = xr.Dataset(data, coords, dict(endpoint.dataset.attrs))
    return result.chunk({"cycle_number": 1}) if endpoint.dataset.chunks else result


def _spacing(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, Real) or not 0 < float(given) < np.inf:
        raise SelectionError(f"spacing={given!r}, expected the length of bins in metres, above 0")
    return float(given)


def _variables(
    endpoint: Endpoint, axis: TrackAxis, given: str | Iterable[str] | None, *, reduced: bool
) -> list[str]:
    """Return the variables to place: those that the user names, or all that can be."""
    dataset, dims = endpoint.dataset, set(endpoint.track.dims)
    placeable = [
        str(name)
        for name, variable in dataset.data_vars.items()
        if dims <= set(variable.dims) and cell_dtype(variable.dtype) is not None
    ]
    own = {axis.dim, *(axis.variables if not reduced else ())}
    if given is None:
        flags = {name for name in placeable if reduced and _is_flag(dataset[name])}
        return [name for name in placeable if name not in own | flags]
    names = [given] if isinstance(given, str) else list(given)
    for name in names:
        if name not in placeable:
            raise SelectionError(
                f"variables: {name!r} is no numeric data variable along the track of "
                f"{endpoint.name}.{did_you_mean(str(name), placeable)}"
            )
    return [name for name in names if name not in own]


def _is_flag(variable: xr.DataArray) -> bool:
    return bool({"flag_values", "flag_meanings", "flag_masks"} & variable.attrs.keys())


def _on_axis(
    endpoint: Endpoint,
    name: str,
    placed: PlacedRows,
    dims: tuple[str, ...],
    reduction: Reduction | None,
) -> xr.Variable:
    variable = endpoint.dataset[name].variable
    rest = [dim for dim in variable.dims if dim not in placed.track.dims]
    is_coordinate = name in endpoint.rate.coordinates
    if is_coordinate and callable(reduction):
        reduction = "mean"
    periodic = name == endpoint.rate.longitude or variable.attrs.get("standard_name") == "longitude"
    array = CellArray(
        variable.transpose(*placed.track.dims, *rest), placed, reduction, periodic=periodic
    )
    lazy = indexing.LazilyIndexedArray(array)
    return xr.Variable((*dims, *map(str, rest)), lazy, dict(variable.attrs))


def _row_counts(placed: PlacedRows, dims: tuple[str, ...]) -> xr.Variable:
    counts = np.zeros((len(placed.cycles), len(placed.tracks), len(placed.numbers)), np.int32)
    for place, cells in placed.cells.items():
        counts[place] = np.diff(cells.starts)
    return xr.Variable(dims, counts, {"long_name": "rows in the bin"})


def _scalars(endpoint: Endpoint) -> dict[str, xr.Variable]:
    """Return the coordinates that all rows share, such as the reference system."""
    coords = endpoint.dataset.coords
    return {name: coords[name].variable for name in ("product", "spatial_ref") if name in coords}


def _labels(endpoint: Endpoint, data: dict[str, xr.Variable]) -> dict[str, xr.Variable]:
    """Return the labels of second dimensions."""
    coords = endpoint.dataset.coords
    dims = {str(dim) for variable in data.values() for dim in variable.dims}
    return {
        dim: coords[dim].variable
        for dim in dims
        if dim in coords and dim not in (*LEAD, *endpoint.track.dims) and coords[dim].dims == (dim,)
    }
