"""A variable on (cycle_number, gt, axis along the track), read when it is indexed."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.reading.lazy_array import taken
from xr_icesat2.reading.load import Steps, StepwiseArray, lockstep
from xr_icesat2.reading.selection import normalise, positions

from .placed_rows import Cells, PlacedRows
from .reductions import Reduction, reduce_groups

__all__ = ["CellArray", "cell_dtype"]

HALF_TURN, TURN = 180.0, 360.0


def cell_dtype(dtype: np.dtype) -> np.dtype | None:
    """Return a dtype of the values that can be missing; None if there is none."""
    if dtype.kind in "fMm":
        return dtype
    if dtype.kind in "iu":
        return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)
    return None


class CellArray(StepwiseArray):
    """Values of a variable at the cells of an axis; missing where a cell has no row.

    Parameters
    ----------
    variable
        On the rows; second dimensions are last.
    placed
        The rows of each cell.
    reduction
        How several rows of a cell become one value; None: each cell has one row at most.
    periodic
        Whether the values are longitudes, which may be on both sides of the antimeridian.
    """

    def __init__(
        self,
        variable: xr.Variable,
        placed: PlacedRows,
        reduction: Reduction | None,
        *,
        periodic: bool = False,
    ) -> None:
        dtype = cell_dtype(variable.dtype)
        if dtype is None:
            raise AssertionError(f"no missing value of {variable.dtype}")
        self.variable = variable
        self.placed = placed
        self.reduction = reduction
        self.periodic = periodic
        self.rest = tuple(n for d, n in variable.sizes.items() if d not in placed.track.dims)
        outer = len(placed.cycles), len(placed.tracks), len(placed.numbers)
        self.shape = (*outer, *self.rest)
        self.dtype = dtype

    def steps(self, key: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Read selected cells."""
        chosen = [positions(normalise(k, n)) for k, n in zip(key, self.shape, strict=True)]
        missing = np.array("NaT" if self.dtype.kind in "mM" else np.nan, self.dtype)
        result = np.full([len(one) for one in chosen], missing, self.dtype)
        places = [
            (c, g, cells)
            for c, cycle in enumerate(chosen[0])
            for g, track in enumerate(chosen[1])
            if (cells := self.placed.cells.get((int(cycle), int(track)))) is not None
        ]
        parts = yield from lockstep([self._lane(cells, chosen[2]) for _, _, cells in places])
        for (c, g, _), values in zip(places, parts, strict=True):
            result[c, g] = values[np.ix_(np.arange(len(chosen[2])), *chosen[3:])]
        return result[(*taken(key), ...)]

    def _lane(self, cells: Cells, along: np.ndarray) -> Steps[np.ndarray]:
        """Read cells of one cycle and ground track, with all of the second dimensions."""
        counts = cells.starts[along + 1] - cells.starts[along]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = cells.rows[np.repeat(cells.starts[along], counts) + within]
        values = yield from self.placed.track.value_steps(self.variable, rows)
        missing = np.array("NaT" if self.dtype.kind in "mM" else np.nan, self.dtype)
        result = np.full((len(along), *self.rest), missing, self.dtype)
        if self.reduction is None:
            result[counts > 0] = values
            return result
        flat = values.reshape(len(values), -1)
        target = result.reshape(len(along), -1)
        for column in range(flat.shape[1]):
            target[:, column] = self._reduced(flat[:, column], counts, self.reduction)
        return result

    def _reduced(self, values: np.ndarray, counts: np.ndarray, reduction: Reduction) -> np.ndarray:
        if values.dtype.kind in "mM":
            return _reduced_times(values, counts, reduction, self.dtype)
        numbers = values.astype(np.float64)
        if not self.periodic:
            return reduce_groups(numbers, counts, reduction).astype(self.dtype)
        # Relative to the first of each bin.
        firsts = np.repeat(_first_valid(numbers, counts), counts)
        near = firsts + (numbers - firsts + HALF_TURN) % TURN - HALF_TURN
        reduced = reduce_groups(near, counts, reduction)
        return ((reduced + HALF_TURN) % TURN - HALF_TURN).astype(self.dtype)


def _reduced_times(
    values: np.ndarray, counts: np.ndarray, reduction: Reduction, dtype: np.dtype
) -> np.ndarray:
    """Reduce times relative to the earliest, so that nanoseconds are exact."""
    known = ~np.isnat(values)
    if not known.any():
        return np.full(len(counts), np.array("NaT", dtype), dtype)
    origin = values[known].min()
    past = np.where(known, (values - origin).astype(np.int64), 0).astype(np.float64)
    reduced = reduce_groups(np.where(known, past, np.nan), counts, reduction)
    whole = np.where(np.isnan(reduced), 0, np.round(reduced)).astype(np.int64)
    unit = np.datetime_data(dtype)[0]
    times: np.ndarray = (origin + whole.astype(f"m8[{unit}]")).astype(dtype)
    times[np.isnan(reduced)] = np.array("NaT", dtype)
    return times


def _first_valid(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the first value of each group that is not NaN."""
    group = np.repeat(np.arange(len(counts)), counts)
    firsts = np.full(len(counts), np.nan)
    valid = np.flatnonzero(~np.isnan(values))[::-1]
    firsts[group[valid]] = values[valid]
    return firsts
