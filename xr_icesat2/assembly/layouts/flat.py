"""``layout="flat"``: one row for each observation, no padding."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import xarray as xr

from xr_icesat2.assembly.flat_row_coordinates import (
    coords_per_beam,
    flat_row_coords,
    flat_row_index,
)
from xr_icesat2.assembly.merge_granules import MergedRate
from xr_icesat2.assembly.variable import VariableLayout
from xr_icesat2.products import ALONG

from . import LayoutRules
from .rate_groups import array_parts, label_coords, rate_datasets

__all__ = ["LAYOUT"]

BEAM_DIM = "beam_idx"
"""Dimension of variables that a beam has once: one row a granule and beam that has the rate."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Positions of the rows of each beam."""

    beams: list[tuple[int, int]]
    """(granule number, position along the spots) of each beam that has the rate, in order."""
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
        lengths = [int(merged.n_rows[beam]) for beam in beams]
        starts = [0, *itertools.accumulate(lengths)]
        sizes = {**merged.second_sizes, ALONG: starts[-1]}
        return cls(beams, lengths, dict(zip(beams, starts, strict=False)), sizes)


def _flat_datasets(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Return one Dataset for each group of the rate, by path below the beam.

    Rows are in the order of granules, then of spots (of ground tracks, where not all spots are
    known), then of the file.
    """
    rows = _Rows.of(merged)
    per_beam = coords_per_beam(merged, rows.beams)
    beam_coords = {
        f"beam_{name}": xr.Variable((BEAM_DIM,), array, attrs)
        for name, (array, attrs) in per_beam.items()
    }

    def chunks_of(variable: xr.Variable) -> dict[str, int]:
        if merged.rate.along not in variable.dims:
            return {}
        chunks = {str(dim): size for dim, size in variable.sizes.items()}
        return chunks | {merged.rate.along: merged.rows_per_chunk}

    return rate_datasets(
        merged,
        lambda path, dims: _layout(merged, path, dims, rows),
        chunks_of,
        flat_row_coords(merged, per_beam, rows.beams),
        flat_row_index(merged),
        label_coords(merged) | beam_coords,
    )


LAYOUT = LayoutRules(rate_datasets=_flat_datasets, concatenates=True)


def _layout(merged: MergedRate, path: str, dims: tuple[str, ...], rows: _Rows) -> VariableLayout:
    if ALONG in dims:
        lead, named = 0, tuple(merged.rate.along if dim == ALONG else dim for dim in dims)
        shape = tuple(rows.sizes[dim] for dim in dims)
        parts = array_parts(
            merged, path, lambda beam: tuple(rows.starts[beam] if d == ALONG else 0 for d in dims)
        )
    else:
        lead, named = 1, (BEAM_DIM, *dims)
        shape = (len(rows.beams), *(rows.sizes[dim] for dim in dims))
        parts = array_parts(merged, path, lambda beam: (rows.beams.index(beam), *(0 for _ in dims)))
    # Rows of beams that lack the variable, and narrower second dimensions, are padding.
    whole = sum(math.prod(part.extent) for part in parts)
    return VariableLayout(
        merged.names[path], named, shape, lead, parts, padded=whole < math.prod(shape)
    )
