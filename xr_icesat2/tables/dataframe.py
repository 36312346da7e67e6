"""Tables as pandas DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xr_icesat2.progress import progress_bar

from .column_values import ColumnValues
from .columns import Column, SecondDims
from .row_reader import RowReader

__all__ = ["frame_of", "to_dataframe"]


def to_dataframe(
    opened: xr.Dataset | xr.DataTree,
    columns: str | Iterable[str] | None = None,
    second_dims: SecondDims = "columns",
    *,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return the rows of a Dataset; see :meth:`.DatasetAccessor.to_dataframe`."""
    return frame_of(RowReader.of(opened, columns, second_dims), progress=progress)


def frame_of(reader: RowReader, *, progress: bool | None) -> pd.DataFrame:
    """Return all rows of a reader."""
    parts: dict[str, list[ColumnValues]] = {column.name: [] for column in reader.columns}
    codes = {column.name: _Codes() for column in reader.columns if column.is_identity}
    n_rows = reader.rows.n_rows
    with progress_bar("reading rows", " rows", shown=progress) as count:
        count(0, n_rows)
        for block in reader.rows.all(reader.block_rows):
            values = reader.read(block)
            for name, part in values.items():
                if name in codes:
                    codes[name].add(part)
                else:
                    parts[name].append(part)
            count(len(next(iter(values.values())).data), 0)
    series = {}
    for column in reader.columns:
        name = column.name
        # Parts are dropped one by one, so that no more than one column is there twice.
        found = codes.pop(name).categorical() if column.is_identity else None
        series[name] = _series(column, parts.pop(name)) if found is None else found
    return pd.DataFrame(series, index=pd.RangeIndex(n_rows), copy=False)


def _series(column: Column, parts: Sequence[ColumnValues]) -> Any:
    """Return the array of a column."""
    dtype = column.rule.dtype
    values = _joined([part.data for part in parts], dtype)
    masks = [part.missing for part in parts]
    missing = _masks(parts) if any(mask is not None for mask in masks) else None
    if column.depth:
        if missing is not None and missing.any():
            values = np.where(missing, np.nan, values)
        return list(values)
    if dtype.kind not in "biu":
        return values
    if not column.rule.declares_fill and (missing is None or not missing.any()):
        return values
    if missing is None:
        missing = np.zeros(len(values), bool)
    if dtype.kind == "b":
        return pd.arrays.BooleanArray(values, missing)
    return pd.arrays.IntegerArray(values, missing)


def _joined(parts: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    if not parts:
        return np.empty(0, dtype)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _masks(parts: Sequence[ColumnValues]) -> np.ndarray:
    masks = [
        np.zeros(part.data.shape, bool) if part.missing is None else part.missing for part in parts
    ]
    return _joined(masks, np.dtype(bool))


class _Codes:
    """Values that are constant over long runs of rows, as codes of few categories."""

    def __init__(self) -> None:
        self._codes: list[np.ndarray] = []
        self._of_value: dict[Any, int] = {}

    def add(self, part: ColumnValues) -> None:
        """Append the values of a block."""
        values = part.data
        heads = np.flatnonzero(values[1:] != values[:-1]) + 1
        heads = np.concatenate([np.zeros(min(1, len(values)), np.intp), heads])
        runs = [self._of_value.setdefault(v, len(self._of_value)) for v in values[heads].tolist()]
        codes = np.repeat(np.array(runs, np.int32), np.diff(heads, append=len(values)))
        if part.missing is not None:
            codes[part.missing] = -1
        self._codes.append(codes)

    def categorical(self) -> pd.Categorical:
        """Return all values; the categories, ascending, are those that occur."""
        codes = _joined(self._codes, np.dtype(np.int32))
        self._codes.clear()
        counts = np.bincount(codes + 1, minlength=len(self._of_value) + 1)[1:]
        used = sorted(value for value, code in self._of_value.items() if counts[code])
        new = np.full(len(self._of_value) + 1, -1, np.int32)
        new[[self._of_value[v] for v in used]] = np.arange(len(used))
        is_number = bool(used) and not isinstance(used[0], str)
        # Numbers have an order, so that they can be compared.
        return pd.Categorical.from_codes(new[codes], pd.Index(used), ordered=is_number)
