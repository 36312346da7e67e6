"""Blocks of rows as Arrow tables of one schema, with points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from xr_icesat2.granule.beams import BEAMS

from .column_values import ColumnValues
from .columns import Column
from .points import Points, wkb_of

__all__ = ["arrow_fields", "arrow_table"]

_BEAMS = np.array(BEAMS)
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_DESCRIBING = (
    "long_name", "standard_name", "units", "description", "flag_values", "flag_meanings",
    "valid_min", "valid_max", "positive", "source_path",
)  # fmt: skip
"""Attributes of a variable that become metadata of its field, next to the labels of its column."""


def arrow_fields(columns: Sequence[Column], geometry: str, bbox: str) -> list[pa.Field]:
    """Return the fields of a table: its columns, the points, and the bounding box of each."""
    corners = pa.struct([pa.field(corner, pa.float64()) for corner in _CORNERS])
    fields = [pa.field(c.name, _type(c), metadata=_metadata(c)) for c in columns]
    return [*fields, pa.field(geometry, pa.binary()), pa.field(bbox, corners)]


def arrow_table(
    columns: Sequence[Column],
    values: Mapping[str, ColumnValues],
    points: Points,
    schema: pa.Schema,
) -> pa.Table:
    """Return a block of rows as a table."""
    arrays = [_array(column, values[column.name]) for column in columns]
    return pa.Table.from_arrays([*arrays, _geometry(points), _bbox(points)], schema=schema)


def _type(column: Column) -> pa.DataType:
    kind, dtype = column.rule.dtype.kind, column.rule.dtype
    if column.is_identity and kind == "U":
        return pa.dictionary(pa.int8(), pa.string())
    if kind == "M":
        # Without time zone, as in xarray and pandas; the values are UTC.
        found = pa.timestamp("ns")
    elif kind == "m":
        found = pa.duration("ns")
    elif kind in "UO":
        found = pa.string()
    else:
        found = pa.binary() if kind == "S" else pa.from_numpy_dtype(dtype)
    for _ in range(column.depth):
        found = pa.list_(found)
    return found


def _metadata(column: Column) -> dict[str, str]:
    """Return what the variable's attributes say about a column."""
    kept = {name: column.attrs[name] for name in _DESCRIBING if name in column.attrs}
    if column.rule.dtype.kind == "M":
        kept["time_zone"] = "UTC"
    return {str(name): _text(value) for name, value in {**kept, **column.labels}.items()}


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray | list | tuple):
        return " ".join(str(one) for one in np.ravel(value).tolist())
    return str(value).strip()


def _array(column: Column, values: ColumnValues) -> pa.Array:
    expected = _type(column)
    if pa.types.is_dictionary(expected):
        codes = np.searchsorted(_BEAMS, values.data).astype(np.int8)
        return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(_BEAMS.tolist()))
    for _ in range(column.depth):
        expected = expected.value_type
    flat = values.data.ravel()
    missing = None if values.missing is None else values.missing.ravel()
    # NaN and NaT become null, as other programs expect missing values.
    found = pa.array(flat, expected, mask=missing, from_pandas=True)
    shape = values.data.shape
    for axis in reversed(range(1, len(shape))):
        offsets = shape[axis] * np.arange(math.prod(shape[:axis]) + 1, dtype=np.int32)
        found = pa.ListArray.from_arrays(pa.array(offsets), found)
    return found


def _geometry(points: Points) -> pa.Array:
    written, offsets = wkb_of(points)
    valid = None
    if not points.exists.all():
        valid = pa.py_buffer(np.packbits(points.exists, bitorder="little"))
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(written)]
    return pa.Array.from_buffers(pa.binary(), len(points.x), buffers)


def _bbox(points: Points) -> pa.Array:
    x, y = (pa.array(axis) for axis in (points.x, points.y))
    absent = None if points.exists.all() else pa.array(~points.exists)
    return pa.StructArray.from_arrays([x, y, x, y], names=_CORNERS, mask=absent)
