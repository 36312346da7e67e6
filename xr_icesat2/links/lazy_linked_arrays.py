"""Lazy arrays that follow a link when they are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.reading.load import Steps, StepwiseArray, lockstep

from .file_row_numbers import RowValues
from .row_matcher import RowMatcher
from .row_range_map import NO_ROW

__all__ = ["AttachedArray", "MatchedRowArray"]


class MatchedRowArray(StepwiseArray):
    """Position of each row's linked row along the track (int64), or :data:`NO_ROW`."""

    def __init__(self, matcher: RowMatcher) -> None:
        self.matcher = matcher
        self.shape = matcher.of.shape
        self.dtype = np.dtype(np.int64)

    def steps(self, key: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Match selected rows."""
        rows, positions = yield from self.matcher.steps(key)
        along = np.where(positions == NO_ROW, NO_ROW, positions % max(1, self.matcher.to.shape[-1]))
        return along.reshape(rows.shape)


class AttachedArray(StepwiseArray):
    """A variable of the other endpoint, at each row.

    Parameters
    ----------
    matcher
        Finds the linked rows.
    variable
        Variable of the other endpoint; second dimensions are last.
    dtype
        Dtype of the result.
    missing
        Value where a row has no linked row; None: raise an error there.
    padding
        Value of padding.
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

    def steps(self, key: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Read the values at selected rows."""
        n = len(self.matcher.of.dims)
        rows = yield from self.matcher.of.row_steps(self.matcher.row_variables, key[:n])
        return (yield from self.steps_at(rows, key[n:]))

    def steps_at(self, rows: RowValues, rest: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Read the values at rows, which have ``row_variables`` of the matcher.

        ``rest`` are the keys of the second dimensions.
        """
        positions = self.matcher.match(rows)
        found = positions != NO_ROW
        read = self.matcher.to.value_steps(self.variable, positions[found])
        _, at_found = yield from lockstep([self.matcher.check_steps(rows, positions), read])
        values = np.full((len(positions), *self.rest), self.padding, self.dtype)
        alone = rows.real & ~found
        if self.missing is not None:
            values[alone] = self.missing
        elif alone.any():
            raise LinkError(
                f"{alone.sum()} of {rows.real.sum()} rows of {self.matcher.of.name} have no "
                f"linked row of {self.matcher.to.name}, and {self.dtype} has no missing value. Set "
                "fill_value=, or drop those rows."
            )
        values[found] = at_found
        values = values.reshape(*rows.shape, *self.rest)
        for axis, chosen in reversed(list(enumerate(rest, start=len(rows.shape)))):
            values = values[(slice(None),) * axis + (chosen,)]
        return values
