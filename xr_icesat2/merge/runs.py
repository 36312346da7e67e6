"""Coordinates of flat rows that repeat for a whole beam: one value a run, never a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from xr_icesat2.reading.outer import index_outer
from xr_icesat2.reading.selection import normalise

__all__ = ["RunArray"]


class RunArray(BackendArray):
    """A one-dimensional array that is constant over runs of rows.

    Parameters
    ----------
    values
        One a run.
    lengths
        Rows of each run.
    """

    def __init__(self, values: np.ndarray, lengths: Sequence[int]) -> None:
        self.values = values
        self.ends = np.cumsum(np.asarray(lengths, np.int64))
        self.shape = (int(self.ends[-1]) if len(self.ends) else 0,)
        self.dtype = values.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Give the values of the rows that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        rows = np.asarray(normalise(key[0], self.shape[0]))
        found: np.ndarray = self.values[np.searchsorted(self.ends, rows, side="right")]
        return found if isinstance(key[0], slice) or np.ndim(key[0]) else found[0]
