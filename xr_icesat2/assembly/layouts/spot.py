"""``layout="spot"``: beams along ``spot``, padded to the longest."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex

from xr_icesat2.assembly.beam_coordinates import beam_coords
from xr_icesat2.assembly.merge_granules import MergedRate
from xr_icesat2.assembly.source_row_coordinate import padded_source_rows
from xr_icesat2.assembly.variable import VariableLayout
from xr_icesat2.errors import SelectionError
from xr_icesat2.products import ALONG

from . import LayoutRules
from .rate_groups import array_parts, label_coords, rate_datasets

__all__ = ["LAYOUT", "spot_datasets"]


def spot_datasets(merged: MergedRate, *, padded: bool = True) -> dict[str, xr.Dataset]:
    """Return one Dataset for each group of the rate, by path below the beam.

    If not ``padded``, dtypes are those without padding, so only the rows of beams may be read.
    """
    length = _length(merged)
    sizes = {**merged.second_sizes, ALONG: length}

    def layout_of(path: str, dims: tuple[str, ...]) -> VariableLayout:
        named = tuple(merged.rate.along if dim == ALONG else dim for dim in dims)
        return VariableLayout(
            name=merged.names[path],
            dims=("gran_idx", merged.dim, *named),
            shape=(*merged.n_obs.shape, *(sizes[dim] for dim in dims)),
            lead=2,
            parts=array_parts(merged, path, lambda beam: (*beam, *(0 for _ in dims))),
            padded=padded,
        )

    def chunks_of(variable: xr.Variable) -> dict[str, int]:
        chunks = {str(dim): size for dim, size in variable.sizes.items()} | {"gran_idx": 1}
        if merged.rate.along in chunks:
            chunks[merged.rate.along] = merged.rows_per_chunk
        return chunks

    coords, index = beam_coords(merged), _row_index(merged, length)
    if merged.is_cut:
        coords["source_row"] = padded_source_rows(merged, length)
    return rate_datasets(merged, layout_of, chunks_of, coords, index, label_coords(merged))


LAYOUT = LayoutRules(rate_datasets=spot_datasets, pads=True)


def _length(merged: MergedRate) -> int:
    """Return the rows of the longest beam, or ``pad_to``."""
    longest = int(merged.n_rows.max(initial=0))
    pad_to = merged.request.pad_to
    if pad_to is not None and pad_to < longest:
        raise SelectionError(
            f"pad_to={pad_to}, but the longest beam of {merged.rate.name} has {longest} rows. Set "
            f"pad_to to {longest} or more."
        )
    return longest if pad_to is None else pad_to


def _row_index(merged: MergedRate, length: int) -> xr.Coordinates:
    """Return the row numbers as a range, by which xarray aligns granules."""
    along = merged.rate.along
    coords = xr.Coordinates.from_xindex(PandasIndex(pd.RangeIndex(length, name=along), along))
    long_name = "row number; it has no physical meaning, segment_id or time do"
    if merged.is_cut:
        long_name = "number among the selected rows of the beam; source_row is the row of the file"
    coords[along].attrs.update(merged.row_attrs(long_name))
    return coords
