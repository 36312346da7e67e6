"""The coordinate along the track of each layout, and its index."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from xarray.core import indexing
from xarray.indexes import PandasIndex

from xr_icesat2.reading.lazy_index import LazyIndex

from .flat_coordinates import RunArray
from .merged_rate import MergedRate

__all__ = ["flat_row_index", "spot_row_index"]

ROW_BITS = 32
"""Bits of a label that count rows; those above are ``gran_idx``, which has eight digits at most."""


def spot_row_index(merged: MergedRate, length: int) -> xr.Coordinates:
    """Return row numbers of beams side by side: a range, by which xarray aligns granules."""
    along = merged.rate.along
    coords = xr.Coordinates.from_xindex(PandasIndex(pd.RangeIndex(length, name=along), along))
    long_name = "row number; it has no physical meaning, segment_id or time do"
    coords[along].attrs.update(_attrs(merged, long_name))
    return coords


def flat_row_index(merged: MergedRate) -> xr.Coordinates:
    """Return labels of rows that no two granules share.

    Those of a granule end below ``(gran_idx + 1) << 32``. xarray combines by the labels of an
    index, and silently keeps one of the files that begin with the same label. Counted up to a
    fixed end, two files of one granule, such as a subset and the whole, begin with different
    labels and overlap, which xarray refuses.
    """
    along = merged.rate.along
    rows = merged.n_obs.sum(axis=1)
    numbers = np.array([one.identity.gran_idx for one in merged.granules], np.int64)
    ends = (numbers + 1) << ROW_BITS
    labels_of_rows = indexing.LazilyIndexedArray(RunArray(ends - rows, rows.tolist(), step=1))
    long_name = f"label of the row; label >> {ROW_BITS} is gran_idx, source_row the row of the file"
    labels = {along: xr.Variable((along,), labels_of_rows, _attrs(merged, long_name))}
    if len(rows) > 1:
        return LazyIndex.coordinates(labels)
    index = PandasIndex(pd.RangeIndex(int((ends - rows)[0]), int(ends[0]), name=along), along)
    return xr.Coordinates(index.create_variables(labels), indexes={along: index})


def _attrs(merged: MergedRate, long_name: str) -> dict[str, object]:
    """Return attributes that say what the rows are; links go by them."""
    attrs: dict[str, object] = {"long_name": long_name, "rate": merged.rate.name}
    for name in ("product", "release"):
        values = {getattr(one.identity, name) for one in merged.granules}
        if len(values) == 1 and (value := values.pop()) is not None:
            attrs[name] = value
    return attrs
