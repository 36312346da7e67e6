"""Datasets of the groups of a rate, for ``layout="spot"`` and ``layout="flat"``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.assembly.cf_attributes import add_cf_attrs
from xr_icesat2.assembly.merge_granules import MergedRate
from xr_icesat2.assembly.variable import ArrayPart, VariableLayout, build_variable

__all__ = ["array_parts", "label_coords", "rate_datasets"]


def rate_datasets(
    merged: MergedRate,
    layout_of: Callable[[str, tuple[str, ...]], VariableLayout],
    chunks_of: Callable[[xr.Variable], dict[str, int]],
    coords: Mapping[str, xr.Variable],
    index: xr.Coordinates,
    optional_coords: Mapping[str, xr.Variable],
) -> dict[str, xr.Dataset]:
    """Return one Dataset for each group of the rate, by path below the beam.

    Each has the coordinates of the rate, so that it can be used alone.

    Parameters
    ----------
    merged
        The rate.
    layout_of
        Returns the layout of a variable, by its path below the beam and its dimensions.
    chunks_of
        Returns the preferred dask chunks of a variable, which may be none.
    coords
        Coordinates of every group.
    index
        The indexed coordinate along the rows.
    optional_coords
        Coordinates of the groups that have their dimensions.
    """
    coords = dict(coords)
    groups: dict[str, dict[str, xr.Variable]] = {merged.first_group: {}}
    shared: dict[str, Any] = {}
    sources: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, dims in merged.dims.items():
        name = merged.names[path]
        variable, source = build_variable(layout_of(path, dims), merged.decode_rules)
        if chunks := chunks_of(variable):
            variable.encoding["preferred_chunks"] = chunks
        add_cf_attrs(variable, merged, path)
        if merged.is_renamed(path):
            variable.attrs["source_path"] = path
        if merged.is_coordinate(path):
            coords[name], shared[name] = variable, source
        else:
            group = path.rpartition("/")[0]
            groups.setdefault(group, {})[name] = variable
            sources[group][name] = source
    datasets = {}
    for group, variables in groups.items():
        dims_here = {dim for variable in (coords | variables).values() for dim in variable.dims}
        extra = {name: v for name, v in optional_coords.items() if dims_here.issuperset(v.dims)}
        dataset = xr.Dataset(variables, coords | extra, merged.group_attrs(group))
        dataset = dataset.assign_coords(index)
        known = shared | sources[group]
        dataset.encoding["icesat2"] = {n: known[n] for n in dataset.variables if n in known}
        datasets[group] = dataset
    return datasets


def array_parts(
    merged: MergedRate, path: str, origin: Callable[[tuple[int, int]], tuple[int, ...]]
) -> list[ArrayPart]:
    """Return the parts of a variable's array, one a beam that has it.

    ``origin`` returns the position of a part, by granule number and position along the beams.
    """
    return [
        ArrayPart(
            one.granule,
            found.path,
            found.header,
            origin((g, position)),
            merged.label_positions(found, one.beams[merged.numbers[position]].labels),
            one.beams[merged.numbers[position]].kept_along(found),
        )
        for g, position, one, found in merged.parts(path)
    ]


def label_coords(merged: MergedRate) -> dict[str, xr.Variable]:
    """Return the labels of second dimensions."""
    return {
        dim: xr.Variable((dim,), np.array(labels), {"long_name": dim.replace("_", " ")})
        for dim, labels in merged.labels.items()
    }
