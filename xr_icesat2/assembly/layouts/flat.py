"""``layout="flat"``: one row an observation, no padding."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from xr_icesat2.assembly.flat_coordinates import RunArray
from xr_icesat2.assembly.granule_coordinates import PASS_COORDS, product_coord
from xr_icesat2.assembly.merged_rate import MergedRate
from xr_icesat2.assembly.row_index import flat_row_index
from xr_icesat2.assembly.variable import ArrayPart, VariableLayout, build_variable
from xr_icesat2.products import ALONG

from .spot import dataset_of, label_coords, track_coords

__all__ = ["flat_datasets"]

BEAM_ROW = "beam_idx"
"""Dimension of what a beam has once: one row a granule and beam that has the rate."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which beam's rows come where."""

    beams: list[tuple[int, int]]
    """(granule, position along the spots) of each beam that has the rate, in order."""
    lengths: list[int]
    starts: dict[tuple[int, int], int]
    sizes: dict[str, int]
    """Of all dimensions, :data:`.ALONG` included."""

    @classmethod
    def of(cls, merged: MergedRate) -> _Rows:
        beams = [
            (g, merged.numbers.index(number))
            for g, one in enumerate(merged.granules)
            for number in sorted(one.beams)
        ]
        lengths = [int(merged.n_obs[beam]) for beam in beams]
        starts = [0, *itertools.accumulate(lengths)]
        sizes = {**merged.second_sizes, ALONG: starts[-1]}
        return cls(beams, lengths, dict(zip(beams, starts, strict=False)), sizes)


def flat_datasets(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Give one Dataset a group of the rate, by path below the beam; the rate's own comes first.

    Rows are in the order of granules, then of spots (of ground tracks, where not all spots are
    known), then of the file.
    """
    rows = _Rows.of(merged)
    values = _beam_values(merged, rows.beams)
    coords = {"product": product_coord(merged.granules[0].identity.product)}
    coords |= _row_coords(merged, values, rows)
    groups: dict[str, dict[str, xr.Variable]] = {merged.top: {}}
    shared: dict[str, Any] = {}
    sources: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, dims in merged.dims.items():
        name = merged.names[path]
        variable, source = build_variable(_column(merged, path, dims, rows), merged.rules)
        if ALONG in dims:
            chunks = {str(dim): size for dim, size in variable.sizes.items()}
            variable.encoding["preferred_chunks"] = chunks | {merged.rate.along: merged.block_rows}
        if merged.renamed(path):
            variable.attrs["source_path"] = path
        if merged.is_coordinate(path):
            coords[name], shared[name] = variable, source
        else:
            group = path.rpartition("/")[0]
            groups.setdefault(group, {})[name] = variable
            sources[group][name] = source
    index = flat_row_index(merged)
    beam_coords = {
        f"beam_{name}": xr.Variable((BEAM_ROW,), array, attrs)
        for name, (array, attrs) in values.items()
    }
    return {
        group: dataset_of(
            variables,
            coords
            | label_coords(merged, coords | variables)
            | (beam_coords if _has_beam_rows(variables) else {}),
            index,
            shared | sources[group],
        ).assign_attrs(merged.group_attrs(group))
        for group, variables in groups.items()
    }


def _has_beam_rows(variables: Mapping[str, xr.Variable]) -> bool:
    return any(BEAM_ROW in variable.dims for variable in variables.values())


def _column(merged: MergedRate, path: str, dims: tuple[str, ...], rows: _Rows) -> VariableLayout:
    if ALONG in dims:
        placed = _array_parts(
            merged, path, lambda beam: tuple(rows.starts[beam] if d == ALONG else 0 for d in dims)
        )
        lead, named = 0, tuple(merged.rate.along if dim == ALONG else dim for dim in dims)
        shape = tuple(rows.sizes[dim] for dim in dims)
    else:
        placed = _array_parts(
            merged, path, lambda beam: (rows.beams.index(beam), *(0 for _ in dims))
        )
        lead, named = 1, (BEAM_ROW, *dims)
        shape = (len(rows.beams), *(rows.sizes[dim] for dim in dims))
    # Rows of beams that lack the variable, and narrower second dimensions, are padding.
    whole = sum(math.prod(part.header.shape) for part in placed)
    return VariableLayout(merged.names[path], named, shape, lead, placed, whole < math.prod(shape))


def _array_parts(
    merged: MergedRate, path: str, origin: Callable[[tuple[int, int]], tuple[int, ...]]
) -> list[ArrayPart]:
    return [
        ArrayPart(
            one.granule,
            found.path,
            found.header,
            origin((g, s)),
            merged.places(found, one.beams[merged.numbers[s]].labels),
        )
        for g, s, one, found in merged.parts(path)
    ]


def _row_coords(
    merged: MergedRate, values: Mapping[str, tuple[np.ndarray, dict[str, Any]]], rows: _Rows
) -> dict[str, xr.Variable]:
    runs = {name: (RunArray(array, rows.lengths), attrs) for name, (array, attrs) in values.items()}
    first = np.zeros(len(rows.lengths), np.int64)
    runs["source_row"] = (
        RunArray(first, rows.lengths, step=1),
        {"long_name": "number of the row in its beam of the file"},
    )
    return {
        name: xr.Variable((merged.rate.along,), indexing.LazilyIndexedArray(array), attrs)
        for name, (array, attrs) in runs.items()
    }


def _beam_values(
    merged: MergedRate, beams: list[tuple[int, int]]
) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Give the coordinates of each beam that has the rate: granule, pass, spot, rows, track."""
    coords = track_coords(merged)
    index = {
        "gran_idx": np.array([granule for granule, _ in beams], np.intp),
        merged.dim: np.array([position for _, position in beams], np.intp),
    }

    def of_beams(name: str) -> tuple[np.ndarray, dict[str, Any]]:
        held = coords[name]
        return held.to_numpy()[tuple(index[str(dim)] for dim in held.dims)], held.attrs

    values = {name: of_beams(name) for name in ("gran_idx", merged.dim, "n_obs")}
    values["n_obs"] = values["n_obs"][0], {"long_name": f"rows of the beam: {merged.rate.name}"}
    for name in PASS_COORDS:
        if name in coords:
            # Half as wide as one for each granule: a table has one for each row.
            array, attrs = of_beams(name)
            values[name] = array.astype(np.int32), attrs
    values |= {name: of_beams(name) for name in ("gt", "spot") if name in coords}
    return values
