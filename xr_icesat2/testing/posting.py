"""Which segments of the track have a row: long runs with gaps between."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .noise import Noise

__all__ = ["Posting"]

Ints = NDArray[np.int64]

_SHORTEST_RUN, _LONGEST_RUN = 200, 800  # rows
_LONGEST_GAP = 300  # segments


@dataclass(frozen=True, slots=True)
class Posting:
    """Rows of a sparse rate on the track's dense numbering of segments."""

    n: int
    """Number of rows."""
    _first_rows: Ints
    _first_ids: Ints

    @classmethod
    def draw(cls, noise: Noise, first: int, n: int) -> "Posting":
        """Draw runs and gaps from `first` on; a longer posting begins with the shorter one."""
        count = n // _SHORTEST_RUN + 1
        spread = _LONGEST_RUN - _SHORTEST_RUN
        runs = _SHORTEST_RUN + (noise.uniform("run", 0, count) * spread).astype(np.int64)
        gaps = 2 + (noise.uniform("gap", 0, count) * (_LONGEST_GAP - 2)).astype(np.int64)
        rows = np.concatenate([[0], np.cumsum(runs)])
        skipped = np.concatenate([[0], np.cumsum(gaps)])
        return cls(n, rows, first + rows + skipped)

    def ids(self, start: int, stop: int) -> Ints:
        """Segment numbers of rows ``start:stop``, increasing."""
        rows = np.arange(start, stop)
        run = np.searchsorted(self._first_rows, rows, side="right") - 1
        return self._first_ids[run] + rows - self._first_rows[run]

    def rows(self, ids: Ints) -> Ints:
        """Row of each segment; -1 for those in a gap or after the last row."""
        run = np.searchsorted(self._first_ids, ids, side="right") - 1
        rows = self._first_rows[run] + ids - self._first_ids[run]
        after = np.append(self._first_rows, np.iinfo(np.int64).max)[run + 1]
        return np.where(rows < np.minimum(after, self.n), rows, -1)

    @property
    def dense(self) -> int:
        """Number of segments from the first row's to the last row's, gaps included."""
        if not self.n:
            return 0
        first, last = self.ids(0, 1), self.ids(self.n - 1, self.n)
        return int(last[0] - first[0]) + 1
