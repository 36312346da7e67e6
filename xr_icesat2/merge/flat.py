"""``layout="flat"``: one row an observation, no padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.products import ALONG

from .build import Column, Placed, build_variable
from .rate import MergedRate
from .runs import RunArray
from .spot import row_index, track_coords

__all__ = ["flat_datasets"]

BEAM_ROW = "beam_idx"
"""Dimension of what a beam has once: one row a granule and beam that has the rate."""


def flat_datasets(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Give one Dataset a group of the rate, by path below the beam; the rate's own comes first.

    Rows are in the order of granules, then of spots, then of the file.
    """
    beams = [
        (g, merged.numbers.index(number))
        for g, survey in enumerate(merged.surveys)
        for number in sorted(survey.beams)
    ]
    rows = np.array([merged.n_obs[beam] for beam in beams], np.int64)
    starts = dict(zip(beams, (np.cumsum(rows) - rows).tolist(), strict=True))
    sizes = {**merged.second_sizes, ALONG: int(rows.sum())}
    coords = _row_coords(merged, beams, rows)
    groups: dict[str, dict[str, xr.Variable]] = {merged.rate.group: {}}
    sources: dict[str, Any] = {}
    for path, dims in merged.dims.items():
        name = merged.names[path]
        column = _column(merged, path, dims, sizes, starts, beams)
        variable, sources[name] = build_variable(column, merged.rules)
        if ALONG in dims:
            block = merged.block_rows
            variable.encoding["preferred_chunks"] = {
                str(d): block if d == merged.rate.along else n for d, n in variable.sizes.items()
            }
        if merged.renamed(path):
            variable.attrs["source_path"] = path
        if merged.is_coordinate(path):
            coords[name] = variable
        else:
            groups.setdefault(path.rpartition("/")[0], {})[name] = variable
    index = row_index(merged.rate.along, sizes[ALONG])
    datasets: dict[str, xr.Dataset] = {}
    for group, variables in groups.items():
        here = coords
        if any(BEAM_ROW in variable.dims for variable in variables.values()):
            here = coords | _beam_coords(merged, beams)
        dataset = xr.Dataset(variables, coords=here).assign_coords(index)
        dataset.encoding["icesat2"] = {n: sources[n] for n in dataset.variables if n in sources}
        datasets[group] = dataset
    return datasets


def _column(
    merged: MergedRate,
    path: str,
    dims: tuple[str, ...],
    sizes: dict[str, int],
    starts: dict[tuple[int, int], int],
    beams: list[tuple[int, int]],
) -> Column:
    parts = list(merged.parts(path))
    if ALONG in dims:
        named = tuple(merged.rate.along if dim == ALONG else dim for dim in dims)
        placed = [
            Placed(survey.granule, found.path, found.header,
                   tuple(starts[g, s] if dim == ALONG else 0 for dim in dims))
            for g, s, survey, found in parts
        ]  # fmt: skip
        shape = tuple(sizes[dim] for dim in dims)
        # Rows of beams that lack the variable, and narrower second dimensions, are padding.
        whole = sum(int(np.prod(p.header.shape, dtype=np.int64)) for p in placed)
        padded = whole < int(np.prod(shape, dtype=np.int64))
        return Column(merged.names[path], named, shape, 0, placed, padded)
    placed = [
        Placed(survey.granule, found.path, found.header, (beams.index((g, s)), *(0 for _ in dims)))
        for g, s, survey, found in parts
    ]
    shape = (len(beams), *(sizes[dim] for dim in dims))
    return Column(merged.names[path], (BEAM_ROW, *dims), shape, 1, placed, padded=True)


def _row_coords(
    merged: MergedRate, beams: list[tuple[int, int]], rows: np.ndarray
) -> dict[str, xr.Variable]:
    of_beam = _beam_values(merged, beams)
    return {
        name: xr.Variable(
            (merged.rate.along,),
            xr.core.indexing.LazilyIndexedArray(RunArray(values, rows.tolist())),
            attrs,
        )
        for name, (values, attrs) in of_beam.items()
    }


def _beam_coords(merged: MergedRate, beams: list[tuple[int, int]]) -> dict[str, xr.Variable]:
    return {
        f"beam_{name}": xr.Variable((BEAM_ROW,), values, attrs)
        for name, (values, attrs) in _beam_values(merged, beams).items()
    }


def _beam_values(
    merged: MergedRate, beams: list[tuple[int, int]]
) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Give the coordinates of each beam that has the rate: granule, spot, ground track."""
    coords = track_coords(merged)
    g = np.array([granule for granule, _ in beams], np.intp)
    s = np.array([position for _, position in beams], np.intp)
    values = {
        "gran_idx": (coords["gran_idx"].to_numpy()[g], coords["gran_idx"].attrs),
        merged.dim: (coords[merged.dim].to_numpy()[s], coords[merged.dim].attrs),
    }
    if "gt" in coords:
        values["gt"] = (coords["gt"].to_numpy()[g, s], coords["gt"].attrs)
    return values
