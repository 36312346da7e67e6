"""Selected rows of an opened Dataset, those of each beam moved together."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from xr_icesat2.links.file_row_numbers import load_values
from xr_icesat2.reading.lazy_array import GranuleArray, taken
from xr_icesat2.reading.load import Steps, StepwiseArray, whole_array
from xr_icesat2.reading.row_ranges import RowRanges
from xr_icesat2.reading.selection import Selection, indexer, interval, normalise, positions

from .flat_row_coordinates import RunArray

__all__ = ["GatheredRows"]


@dataclass(frozen=True, slots=True)
class GatheredRows:
    """Which rows of a Dataset are selected."""

    dims: tuple[str, ...]
    """Dimensions of the rows; the last is along the track, the others are granule and beam."""
    rows: Mapping[tuple[int, ...], RowRanges]
    """Positions along the track, by position along the other dimensions."""
    sizes: Mapping[str, int]
    """Of the dimensions before rows are selected."""

    @property
    def length(self) -> int:
        """Rows of the longest beam."""
        return max((rows.count for rows in self.rows.values()), default=0)

    def gather(self, variable: xr.Variable, padding: Any) -> xr.Variable:
        """Return the selected rows of a variable, lazy, in the same dask chunks.

        ``padding`` is the value behind the last row of beams that are shorter than the longest.
        """
        *outer, along = self.dims
        if along not in variable.dims:
            return variable
        axis, whole = len(outer), whole_array(variable, GranuleArray)
        if whole is not None and variable.dims[: axis + 1] == self.dims:
            data = indexing.LazilyIndexedArray(whole.select_rows(axis, self.rows, self.length))
            return self._like(variable, variable.dims, data)
        if not outer:
            runs = whole_array(variable, RunArray)
            if runs is not None:
                data = indexing.LazilyIndexedArray(runs.select_rows(self.rows[()]))
                return self._like(variable, variable.dims, data)
            return variable.isel({along: indexer(self.rows[()].at(range(self.length)))})
        return self._moved(variable, padding)

    def _moved(self, variable: xr.Variable, padding: Any) -> xr.Variable:
        sizes = {dim: self.sizes[dim] for dim in self.dims} | dict(variable.sizes)
        chunks = variable.chunksizes
        given = variable.set_dims(sizes).transpose(*self.dims, ...)
        array = GatheredArray(self, given, padding)
        moved = self._like(variable, given.dims, indexing.LazilyIndexedArray(array))
        if chunks:
            return moved.chunk(
                {dim: n for dim, n in chunks.items() if dim != self.dims[-1]}
                | {self.dims[-1]: max(chunks.get(self.dims[-1], (1,)))}
            )
        return moved.load() if variable._in_memory else moved  # noqa: SLF001 - nothing public

    def _like(self, variable: xr.Variable, dims: tuple[Any, ...], data: Any) -> xr.Variable:
        return xr.Variable(dims, data, variable.attrs, variable.encoding)


class GatheredArray(StepwiseArray):
    """Selected rows of a variable of beams that are padded to one length."""

    def __init__(self, selected: GatheredRows, variable: xr.Variable, padding: Any) -> None:
        self.selected = selected
        self.variable = variable
        self.padding = padding
        axis = len(selected.dims) - 1
        self.shape = (*variable.shape[:axis], selected.length, *variable.shape[axis + 1 :])
        self.dtype = np.dtype(variable.dtype)

    def steps(self, key: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Read the rows that an int, slice or array for each dimension selects."""
        chosen = [normalise(one, size) for one, size in zip(key, self.shape, strict=True)]
        axis = len(self.selected.dims) - 1
        found = np.full(tuple(map(len, chosen)), self.padding, self.dtype)
        rest = tuple(map(indexer, chosen[axis + 1 :]))
        pieces: list[tuple[tuple[int, ...], Selection, xr.Variable]] = []
        for at in itertools.product(*(enumerate(positions(one)) for one in chosen[:axis])):
            target, source = (tuple(int(pair[n]) for pair in at) for n in (0, 1))
            rows = self.selected.rows[source]
            piece = interval(chosen[axis], 0, rows.count)
            if len(piece.target):
                here = self.variable[(*source, indexer(rows.at(piece.source)), *rest)]
                pieces.append((target, piece.target, here))
        yield [here for _, _, here in pieces]
        for beam, target_rows, here in pieces:
            found[(*beam, indexer(target_rows))] = load_values(here)
        return found[(*taken(key), ...)]
