"""``layout="spot"``: beams side by side, padded to the longest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.assembly.beam_selection import BY_GROUND_TRACK
from xr_icesat2.assembly.granule_coordinates import granule_coords
from xr_icesat2.assembly.merged_rate import MergedRate
from xr_icesat2.assembly.row_index import spot_row_index
from xr_icesat2.assembly.variable import ArrayPart, VariableLayout, build_variable
from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.beams import BEAMS, beam_strength
from xr_icesat2.products import ALONG

__all__ = ["dataset_of", "label_coords", "spot_datasets", "track_coords"]

GT_ATTRS = {"long_name": "ground track"}


def spot_datasets(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Give one Dataset a group of the rate, by path below the beam; the rate's own comes first.

    Each holds the coordinates of the rate, so that each can stand alone.
    """
    length = _length(merged)
    sizes = {**merged.second_sizes, ALONG: length}
    coords = track_coords(merged)
    groups: dict[str, dict[str, xr.Variable]] = {merged.top: {}}
    shared: dict[str, Any] = {}
    sources: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, dims in merged.dims.items():
        name = merged.names[path]
        variable, source = build_variable(_column(merged, path, dims, sizes), merged.rules)
        variable.encoding["preferred_chunks"] = _preferred_chunks(merged, variable)
        if merged.renamed(path):
            variable.attrs["source_path"] = path
        if merged.is_coordinate(path):
            coords[name], shared[name] = variable, source
        else:
            group = path.rpartition("/")[0]
            groups.setdefault(group, {})[name] = variable
            sources[group][name] = source
    index = spot_row_index(merged, length)
    return {
        group: dataset_of(
            variables,
            coords | label_coords(merged, coords | variables),
            index,
            shared | sources[group],
        ).assign_attrs(merged.group_attrs(group))
        for group, variables in groups.items()
    }


def _length(merged: MergedRate) -> int:
    longest = int(merged.n_obs.max(initial=0))
    pad_to = merged.options.pad_to
    if pad_to is not None and pad_to < longest:
        msg = f"pad_to={pad_to}, but the longest beam of {merged.rate.name} has {longest} rows"
        raise SelectionError(msg)
    return longest if pad_to is None else pad_to


def _column(
    merged: MergedRate, path: str, dims: tuple[str, ...], sizes: dict[str, int]
) -> VariableLayout:
    named = tuple(merged.rate.along if dim == ALONG else dim for dim in dims)
    return VariableLayout(
        name=merged.names[path],
        dims=("gran_idx", merged.dim, *named),
        shape=(*merged.n_obs.shape, *(sizes[dim] for dim in dims)),
        lead=2,
        parts=[
            ArrayPart(
                one.granule,
                found.path,
                found.header,
                (g, s, *(0 for _ in dims)),
                merged.places(found, one.beams[merged.numbers[s]].labels),
            )
            for g, s, one, found in merged.parts(path)
        ],
        padded=True,
    )


def _preferred_chunks(merged: MergedRate, variable: xr.Variable) -> dict[str, int]:
    chunks = {str(dim): size for dim, size in variable.sizes.items()}
    chunks["gran_idx"] = 1
    if merged.rate.along in chunks:
        chunks[merged.rate.along] = merged.block_rows
    return chunks


def track_coords(merged: MergedRate) -> dict[str, xr.Variable]:
    """Return the coordinates along ``gran_idx`` and ``spot`` (or ``gt``, pairs, profiles)."""
    dim = merged.dim
    coords = granule_coords([one.identity for one in merged.granules])
    coords[dim] = _positions(merged)
    coords["n_obs"] = xr.Variable(
        ("gran_idx", dim),
        merged.n_obs,
        {"long_name": f"rows of {merged.rate.name or dim}; what lies beyond is padding"},
    )
    if dim == BY_GROUND_TRACK:
        return coords | _known_spots(merged)
    if dim == "spot":
        groups = [[_group(one, n) for n in merged.numbers] for one in merged.granules]
        coords["gt"] = xr.Variable(("gran_idx", dim), np.array(groups, "<U4"), GT_ATTRS)
        strength = np.array([beam_strength(n) for n in merged.numbers], "<U6")
        coords["beam_strength"] = xr.Variable(
            (dim,), strength, {"long_name": "strength of the beam"}
        )
    return coords


def _positions(merged: MergedRate) -> xr.Variable:
    """Return the labels along the dimension of what lies side by side."""
    if merged.dim == BY_GROUND_TRACK:
        tracks = np.array([BEAMS[number - 1] for number in merged.numbers], "<U4")
        return xr.Variable((merged.dim,), tracks, GT_ATTRS)
    numbers = np.array(merged.numbers, np.int64)
    return xr.Variable((merged.dim,), numbers, {"long_name": f"number of the {merged.dim}"})


def _known_spots(merged: MergedRate) -> dict[str, xr.Variable]:
    """Return the spots of granules that say them; no coordinate if none does.

    NaN is neither odd nor even, so that nobody takes what is unknown for a weak beam.
    """
    known = [one.selection.spots for one in merged.granules]
    if not any(known):
        return {}
    beams = [BEAMS[number - 1] for number in merged.numbers]
    spots = np.array([[spots.get(beam, np.nan) for beam in beams] for spots in known])
    attrs = {"long_name": "number of the spot, NaN where unknown"}
    return {"spot": xr.Variable(("gran_idx", merged.dim), spots, attrs)}


def label_coords(
    merged: MergedRate, variables: Mapping[str, xr.Variable]
) -> dict[str, xr.Variable]:
    """Give the labels of the second dimensions that some variables have."""
    dims = {dim for variable in variables.values() for dim in variable.dims}
    return {
        dim: xr.Variable((dim,), np.array(labels), {"long_name": dim.replace("_", " ")})
        for dim, labels in merged.labels.items()
        if dim in dims
    }


def _group(one: Any, number: int) -> str:
    return next((group for group, n in one.selection.numbers.items() if n == number), "")


def dataset_of(
    variables: dict[str, xr.Variable],
    coords: dict[str, xr.Variable],
    index: xr.Coordinates,
    sources: dict[str, Any],
) -> xr.Dataset:
    """Give a Dataset that knows its source encoding."""
    dataset = xr.Dataset(variables, coords=coords).assign_coords(index)
    dataset.encoding["icesat2"] = {n: sources[n] for n in dataset.variables if n in sources}
    return dataset
