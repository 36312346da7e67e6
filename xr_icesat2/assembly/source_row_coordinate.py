"""``source_row`` of ``layout="spot"``: the row of the file, of each row that was selected."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from xr_icesat2.reading.lazy_array import index_outer, taken
from xr_icesat2.reading.row_ranges import RowRanges
from xr_icesat2.reading.selection import indexer, interval, normalise, positions

from .merge_granules import MergedRate

__all__ = ["SourceRowArray", "padded_source_rows", "source_row_attrs"]

NO_ROW = -1
"""Value of padding."""


def padded_source_rows(merged: MergedRate, length: int) -> xr.Variable:
    """Return the row of the file of each selected row, beams along their dimension.

    ``length`` is the number of rows that beams are padded to.
    """
    rows = {
        (g, merged.numbers.index(number)): merged.kept((g, merged.numbers.index(number)))
        for g, one in enumerate(merged.granules)
        for number in one.beams
    }
    array = SourceRowArray((*merged.n_rows.shape, length), rows)
    dims = ("gran_idx", merged.dim, merged.rate.along)
    return xr.Variable(dims, indexing.LazilyIndexedArray(array), source_row_attrs())


def source_row_attrs() -> dict[str, str]:
    """Return the attributes of ``source_row``."""
    return {"long_name": f"number of the row in its beam of the file, {NO_ROW} in padding"}


class SourceRowArray(BackendArray):
    """Rows of the file, by granule, beam and position along the track.

    Parameters
    ----------
    shape
        Granules, beams, and rows that beams are padded to.
    rows
        Rows of each beam, by its position along the first two dimensions.
    """

    def __init__(self, shape: tuple[int, ...], rows: Mapping[tuple[int, int], RowRanges]) -> None:
        self.shape = shape
        self.rows = rows
        self.dtype = np.dtype(np.int64)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Return the rows that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        granules, beams, along = (
            normalise(one, size) for one, size in zip(key, self.shape, strict=True)
        )
        found = np.full((len(granules), len(beams), len(along)), NO_ROW, np.int64)
        pairs = itertools.product(enumerate(granules), enumerate(beams))
        for (g, granule), (b, beam) in pairs:
            rows = self.rows.get((int(granule), int(beam)))
            if rows is not None:
                piece = interval(along, 0, rows.count)
                found[g, b, indexer(piece.target)] = positions(rows.at(piece.source))
        return found[(*taken(key), ...)]
