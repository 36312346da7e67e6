"""Assemble one rate of all granules: read its headers, merge them, and build its groups."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import xarray as xr

from xr_icesat2.errors import MergeError
from xr_icesat2.hdf5.paths import join, normalise_path
from xr_icesat2.messages import OPEN_AS_FILE
from xr_icesat2.products import Rate
from xr_icesat2.reading.row_ranges import RowRanges

from .merge_granules import MergedRate
from .parallel import map_granules
from .rate_headers import BeamRate, GranuleRate, read_beam_rates
from .request import Request
from .resolved_granule import ResolvedGranule
from .suggestions import check_beams_have_rate, check_rate
from .unsupported_objects import leave_out_everywhere, note_left_out, read_left_out

__all__ = ["fold_groups", "group_datasets", "merge_rate", "tree_groups"]

FEW_GRANULES = 8
"""Granules up to which raw metadata stays in memory until a tree is complete: rates share pages."""


def merge_rate(
    granules: Sequence[ResolvedGranule], rate: Rate, request: Request, *, folded: bool
) -> MergedRate:
    """Read the headers of one rate of all granules.

    ``folded`` is whether all groups of the rate become one Dataset.
    """
    is_target = request.target is not None

    def read(one: ResolvedGranule) -> GranuleRate:
        own = rate
        if rate.members is not None:  # inferred rates may differ between granules
            own = next((found for found in one.rates if found.name == rate.name), rate)
        beams = read_beam_rates(one.granule, one.selection, own, request)
        if is_target and not any(beam.variables for beam in beams.values()):
            check_beams_have_rate(one, own, request)
        if folded or len(granules) > FEW_GRANULES:
            one.granule.save_index()
        beams = {n: _selected(one, rate, n, beam) for n, beam in beams.items()}
        return GranuleRate(one.granule, one.identity, one.selection, beams)

    kept, left_out = leave_out_everywhere(map_granules(read, granules), rate, request)
    merged = MergedRate(rate, kept, request, folded, left_out)
    if is_target:
        check_rate(granules[0], rate, merged.dims, request)
    return merged


def _selected(one: ResolvedGranule, rate: Rate, number: int, beam: BeamRate) -> BeamRate:
    """Return a beam with its selected rows."""
    if one.rows is None:
        return beam
    rows = one.rows.get((rate.name, number))
    if not (beam.n_obs and beam.variables):
        rows = RowRanges.of_range(0, 0)
    if rows is None or (len(rows.stops) and rows.stops[-1] > beam.n_obs):
        msg = (
            f"{one.granule.url}: the coordinates of {one.selection.groups[number]}/{rate.name} do "
            f"not belong to its {beam.n_obs} rows. {OPEN_AS_FILE}."
        )
        raise MergeError(msg)
    return replace(beam, kept=rows)


def tree_groups(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Return the groups of a rate by path in a tree; none if no beam has the rate."""
    if not any(one.beams for one in merged.granules):
        return {}
    rate, groups = merged.rate, group_datasets(merged)
    if rate.alias is None:
        return {normalise_path(path): dataset for path, dataset in groups.items()}
    below = {path: posixpath.relpath(path or ".", rate.group or ".") for path in groups}
    return {join(f"/{rate.alias}", below[path]): dataset for path, dataset in groups.items()}


def group_datasets(merged: MergedRate) -> Mapping[str, xr.Dataset]:
    """Return the groups of a rate by their paths below the beam."""
    groups = merged.request.rules.datasets_of(merged)
    note_left_out(groups[merged.first_group], merged.left_out)
    return groups


def fold_groups(groups: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return one Dataset with the variables of all groups of a rate."""
    datasets = list(groups.values())
    folded = datasets[0]
    for dataset in datasets[1:]:
        folded = folded.assign(dataset.data_vars)
        folded = folded.assign_coords({n: c for n, c in dataset.coords.items() if n not in folded})
    sources: dict[str, Any] = {}
    for dataset in datasets:
        sources |= dataset.encoding["icesat2"]
    folded.encoding["icesat2"] = sources
    note_left_out(folded, read_left_out(dataset.encoding for dataset in datasets))
    return folded
