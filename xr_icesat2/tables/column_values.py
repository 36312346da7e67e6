"""Values of a column, with a mask of missing ones; integers as in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.errors import NotSupportedError, SelectionError

__all__ = ["ColumnValues", "ValueRule"]

_EXACT = 1 << 53
"""Integers below it are exact as float64."""


@dataclass(frozen=True, slots=True, eq=False)
class ColumnValues:
    """Values of rows, and which of them are missing."""

    data: np.ndarray
    """Along rows, and second dimensions where a column holds lists. Of integers that are missing,
    0; of floats and times, NaN and NaT."""
    missing: np.ndarray | None = None
    """bool, of the same shape; None where the values say it themselves, or none is missing."""


@dataclass(frozen=True, slots=True)
class ValueRule:
    """How values of a variable become those of a table; the same for all rows.

    The type of a column follows from the variable, never from its values.
    """

    name: str
    dtype: np.dtype
    """Type in the table."""
    fill: Any = None
    """Number that stands for missing values in a variable that is not masked."""
    declares_fill: bool = False
    """Whether integers of the file may be missing."""

    @classmethod
    def of(cls, name: str, variable: xr.Variable) -> ValueRule:
        """Return the rule of a variable.

        Integers that were masked or padded have become floats; ``stored_dtype`` of their encoding
        says what the file stores. Arithmetic drops the encoding, and its results stay floats.

        Raises
        ------
        NotSupportedError
            A table cannot hold its type.
        """
        dtype = variable.dtype
        if dtype.kind not in "biufMmUSO":
            raise NotSupportedError(
                f"{name} is of type {dtype}, which a table cannot hold. Choose other columns."
            )
        if dtype.kind in "Mm":
            return cls(name, np.dtype(f"{dtype.kind}8[ns]"))
        # An attached integer has a number of its own where no row is linked.
        absent = variable.encoding.get("pad_value", ()) if dtype.kind in "iu" else ()
        fill = variable.attrs.get("_FillValue", absent) if dtype.kind in "iuf" else ()
        fill = np.ravel(fill)[0] if np.size(fill) == 1 else None
        stored = variable.encoding.get("stored_dtype")
        if dtype.kind == "f" and stored is not None:
            return cls(name, np.dtype(stored), None, "_FillValue" in variable.encoding)
        return cls(name, dtype, fill, fill is not None and "_FillValue" in variable.attrs)

    def apply(self, values: np.ndarray) -> ColumnValues:
        """Convert values as they were read.

        Raises
        ------
        NotSupportedError
            They are objects other than texts.
        SelectionError
            They are no integers of the type that the file stores.
        """
        if self.dtype.kind == "O" and not all(isinstance(one, str) for one in values.flat):
            raise NotSupportedError(
                f"{self.name} has objects that a table cannot hold. Choose other columns; times "
                "outside datetime64 open as numbers with decode_times=False."
            )
        if self.dtype.kind in "biu":
            if values.dtype.kind == "f":
                return self._integers(values)
            if self.fill is not None:
                missing = values == self.fill
                return ColumnValues(np.where(missing, 0, values).astype(self.dtype), missing)
        if self.dtype.kind == "f" and self.fill is not None:
            values = np.where(values == self.fill, np.nan, values)
        return ColumnValues(values.astype(self.dtype, copy=False))

    def _integers(self, floats: np.ndarray) -> ColumnValues:
        missing = np.isnan(floats)
        numbers = np.where(missing, 0, floats)
        if self.dtype.itemsize == 8 and (np.abs(numbers) >= _EXACT).any():
            raise SelectionError(
                f"{self.name} has integers of {self.dtype} beyond 2**53, which are not exact as "
                "floats. Open it with layout='flat' or mask_and_scale=False."
            )
        if self.dtype.kind == "b":
            return ColumnValues(numbers != 0, missing)
        limits = np.iinfo(self.dtype)
        integers = numbers.clip(limits.min, limits.max).astype(self.dtype)
        if (integers != numbers).any():
            raise SelectionError(
                f"{self.name} has other values than {self.dtype}, as which the file stores it. "
                f"If they are yours, drop the encoding: ds[{self.name!r}].drop_encoding()."
            )
        return ColumnValues(integers, missing)
