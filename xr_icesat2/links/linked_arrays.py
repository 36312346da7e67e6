"""Arrays that follow a link as they are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from xr_icesat2.errors import LinkError
from xr_icesat2.reading.lazy_array import index_outer

from .matcher import RowMatcher
from .range_map import NO_ROW

__all__ = ["AttachedArray", "MatchedRowArray"]


class MatchedRowArray(BackendArray):
    """int64: where each row's counterpart is along the track, or nowhere."""

    def __init__(self, matcher: RowMatcher) -> None:
        self.matcher = matcher
        self.shape = matcher.of.shape
        self.dtype = np.dtype(np.int64)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Find the counterparts of the rows that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        rows, places = self.matcher(key)
        along = np.where(places == NO_ROW, NO_ROW, places % max(1, self.matcher.to.shape[-1]))
        return along.reshape(rows.shape)


class AttachedArray(BackendArray):
    """A variable of the other side, at each row.

    Parameters
    ----------
    matcher
        What finds the counterparts.
    variable
        Of the other side, along the track; second dimensions come last.
    dtype
        Of the result.
    missing
        What stands where a row has no counterpart; None: that is an error.
    padding
        What stands where no row is.
    """

    def __init__(
        self,
        matcher: RowMatcher,
        variable: xr.Variable,
        dtype: np.dtype,
        missing: Any,
        padding: Any,
    ) -> None:
        self.matcher = matcher
        self.variable = variable
        self.missing = missing
        self.padding = padding
        self.rest = tuple(s for d, s in variable.sizes.items() if d not in matcher.to.dims)
        self.shape = (*matcher.of.shape, *self.rest)
        self.dtype = dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Give the values at the rows that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        n = len(self.matcher.of.dims)
        rows, places = self.matcher(key[:n])
        found = places != NO_ROW
        values = np.full((len(places), *self.rest), self.padding, self.dtype)
        alone = rows.real & ~found
        if self.missing is not None:
            values[alone] = self.missing
        elif alone.any():
            raise LinkError(
                f"{alone.sum()} of {rows.real.sum()} rows of {self.matcher.of.name} have no "
                f"{self.matcher.to.name} among those held, and {self.dtype} has no missing value: "
                "say by fill_value= what stands there, or leave those rows out"
            )
        values[found] = self.matcher.to.read_at(self.variable, places[found])
        values = values.reshape(*rows.shape, *self.rest)
        for axis, chosen in reversed(list(enumerate(key[n:], start=len(rows.shape)))):
            values = values[(slice(None),) * axis + (chosen,)]
        return values
