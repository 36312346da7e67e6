"""Coordinates of flat rows that follow from their beam: one value a run, never a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from xr_icesat2.reading.lazy_array import index_outer
from xr_icesat2.reading.selection import indexer, interval, normalise, positions

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
        rows = normalise(key[0], self.shape[0])
        if isinstance(rows, range):
            found = self._read_range(rows)
            return found if isinstance(key[0], slice) else found[0]
        runs = np.searchsorted(self.ends, rows, side="right")
        found = self.values[runs]
        if self.step:
            found = found + self.step * (rows - self.starts[runs])
        return found

    def _read_range(self, rows: range) -> np.ndarray:
        """Fill run by run: ten times as fast as to look up each row."""
        found = np.empty(len(rows), self.dtype)
        if not len(rows):
            return found
        first, last = np.searchsorted(self.ends, sorted((rows[0], rows[-1])), side="right")
        for run in range(first, last + 1):
            piece = interval(rows, int(self.starts[run]), int(self.ends[run]))
            place = indexer(piece.target)
            found[place] = self.values[run]
            if self.step:
                found[place] += self.step * positions(piece.source)
        return found
