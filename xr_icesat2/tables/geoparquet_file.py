"""One GeoParquet file, written in row groups; its extent is known at the end."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .points import PointRule, Points

__all__ = ["BBOX", "GEOMETRY", "FileWriter", "ParquetOptions", "geo_metadata"]

GEOMETRY, BBOX = "geometry", "bbox"
_VERSION = "1.1.0"
_SMALL = 2
"""Bytes of integers that have few values, and are written by a dictionary."""


@dataclass(frozen=True, slots=True)
class ParquetOptions:
    """How Parquet files are written."""

    row_group_size: int
    compression: str


def geo_metadata(rule: PointRule) -> dict[str, Any]:
    """Return the metadata ``geo`` of GeoParquet 1.1, without what follows from the rows."""
    corners = {corner: [BBOX, corner] for corner in ("xmin", "ymin", "xmax", "ymax")}
    column = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": rule.crs.to_json_dict(),
        "covering": {"bbox": corners},
    }
    return {"version": _VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


class _Sink(io.RawIOBase):
    """A file that can be abandoned: a Parquet writer completes its file even when it is deleted."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file: IO[bytes] | None = file
        self._written = 0

    def abandon(self) -> None:
        """Write nothing any more."""
        self._file = None

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if self._file is not None:
            self._file.write(data)
        self._written += size
        return size


@dataclass
class FileWriter:
    """Writes tables of one schema as a GeoParquet file, in a ``with`` block.

    Parameters
    ----------
    file
        Binary file, which the caller closes. After an error in the block, it is not complete.
    schema
        Of the tables, without metadata.
    metadata
        Texts by key; ``geo`` as :func:`geo_metadata` returns it, in JSON.
    options
        How the file is written.
    """

    file: IO[bytes]
    schema: pa.Schema
    metadata: Mapping[str, str]
    options: ParquetOptions
    _pending: list[pa.Table] = field(default_factory=list)
    _bounds: tuple[np.ndarray, np.ndarray] | None = None
    _types: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._sink = _Sink(self.file)
        self._writer = pq.ParquetWriter(
            self._sink,
            self.schema,
            compression=self.options.compression,
            use_dictionary=[f.name for f in self.schema if _has_few_values(f)],
            column_encoding=_encodings(self.schema),
            write_statistics=[name for name in _leaves(self.schema) if name != GEOMETRY],
            store_schema=False,  # written at the end, with the extent
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._close()
            return
        self._sink.abandon()
        with suppress(Exception):
            self._writer.close()

    def add(self, table: pa.Table, points: Points) -> None:
        """Append rows; a row group is written as soon as its rows are complete."""
        self._pending.append(table)
        least, greatest = points.bounds()
        if self._bounds is not None:
            least = np.minimum(least, self._bounds[0])
            greatest = np.maximum(greatest, self._bounds[1])
        self._bounds = least, greatest
        self._types |= points.types()
        size = self.options.row_group_size
        if sum(map(len, self._pending)) >= size:
            rows = pa.concat_tables(self._pending)
            whole = len(rows) - len(rows) % size
            self._writer.write_table(rows.slice(0, whole), row_group_size=size)
            self._pending = [rows.slice(whole)]

    def _close(self) -> None:
        """Write the last rows and the metadata."""
        rows = pa.concat_tables(self._pending) if self._pending else self.schema.empty_table()
        if len(rows):
            self._writer.write_table(rows, row_group_size=self.options.row_group_size)
        metadata = dict(self.metadata)
        geo = json.loads(metadata["geo"])
        geo["columns"][GEOMETRY]["geometry_types"] = sorted(self._types)
        if self._bounds is not None and np.isfinite(self._bounds).all():
            geo["columns"][GEOMETRY]["bbox"] = np.concatenate(self._bounds).tolist()
        metadata["geo"] = json.dumps(geo)
        described = self.schema.with_metadata(metadata).serialize().to_pybytes()
        # Arrow's own key, from which readers restore types and the metadata of fields.
        metadata["ARROW:schema"] = base64.b64encode(described).decode("ascii")
        self._writer.add_key_value_metadata(metadata)
        self._writer.close()


def _leaves(schema: pa.Schema) -> list[str]:
    """Return the paths of the columns of a Parquet file."""
    return [path for one in schema for path in _paths(one.name, one.type)]


def _paths(name: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_struct(kind):
        return [p for one in kind for p in _paths(f"{name}.{one.name}", one.type)]
    if pa.types.is_list(kind):
        return _paths(f"{name}.list.element", kind.value_type)
    return [name]


def _has_few_values(one: pa.Field) -> bool:
    kind = one.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return True
    return bool(pa.types.is_integer(kind)) and int(kind.bit_width) <= 8 * _SMALL


def _encodings(schema: pa.Schema) -> dict[str, str]:
    """Return encodings that make columns smaller after compression."""
    found = {}
    for one in schema:
        for path in _paths(one.name, one.type):
            kind = pa.float64() if one.name == BBOX else one.type
            if pa.types.is_floating(kind):
                found[path] = "BYTE_STREAM_SPLIT"
            elif pa.types.is_timestamp(kind) or (
                pa.types.is_integer(kind) and not _has_few_values(one)
            ):
                found[path] = "DELTA_BINARY_PACKED"
    return found
