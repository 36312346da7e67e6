"""Coordinates of flat rows that follow from their beam: one value a run, never a row."""

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
    """A one-dimensional array that is constant over runs of rows, or counts within them.

    Parameters
    ----------
    values
        One a run: of all its rows, or of the first where they count.
    lengths
        Rows of each run.
    step
        What is added from row to row.
    """

    def __init__(self, values: np.ndarray, lengths: Sequence[int], step: int = 0) -> None:
        self.values = values
        self.step = step
        self.ends = np.cumsum(np.asarray(lengths, np.int64))
        self.starts = self.ends - np.asarray(lengths, np.int64)
        self.shape = (int(self.ends[-1]) if len(self.ends) else 0,)
        self.dtype = values.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Give the values of the rows that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        rows = np.asarray(normalise(key[0], self.shape[0]), np.int64)
        runs = np.searchsorted(self.ends, rows, side="right")
        found: np.ndarray = self.values[runs]
        if self.step:
            found = found + self.step * (rows - self.starts[runs])
        return found if isinstance(key[0], slice) or np.ndim(key[0]) else found[0]
