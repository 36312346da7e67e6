"""Write rows as GeoParquet: one file, or a directory with one file a granule."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from xr_icesat2.errors import ExistingFileError, SelectionError
from xr_icesat2.progress import ProgressCallback, progress_bar

from .arrow_table import arrow_fields, arrow_table
from .columns import SecondDims
from .destination import Destination
from .geoparquet_file import BBOX, GEOMETRY, FileWriter, ParquetOptions, geo_metadata
from .points import PointRule
from .row_blocks import Block, GranuleTable
from .row_reader import RowReader

__all__ = ["CODECS", "MAX_ROWS", "ParquetRequest", "to_geoparquet"]

CODECS = ("zstd", "snappy", "gzip", "brotli", "lz4", "none")
MAX_ROWS = 1_000_000
"""Rows of a row group at most."""
_OURS = "xr_icesat2"
"""Key of the metadata that says where rows come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetRequest:
    """What the user wants to be written, and how."""

    columns: str | Iterable[str] | None
    second_dims: SecondDims
    z: str | None
    crs: Any
    per_granule: bool
    resume: bool
    overwrite: bool
    row_group_size: int
    compression: str
    storage_options: Mapping[str, Any] | None

    def options(self) -> ParquetOptions:
        """Return the options of files.

        Raises
        ------
        SelectionError
            They are impossible, or contradict each other.
        """
        size = self.row_group_size
        if not isinstance(size, int) or not 1 <= size <= MAX_ROWS:
            raise SelectionError(f"row_group_size={size!r}: expected an integer, 1 to {MAX_ROWS}")
        if self.resume and not self.per_granule:
            raise SelectionError(
                "resume=True continues a directory of one file a granule: set per_granule=True"
            )
        if self.resume and self.overwrite:
            raise SelectionError(
                "resume=True keeps existing files, and overwrite=True replaces them: set one"
            )
        if self.compression not in CODECS:
            raise SelectionError(
                f"compression={self.compression!r}: expected one of {', '.join(CODECS)}"
            )
        return ParquetOptions(size, self.compression)


@dataclass(frozen=True, slots=True)
class _Job:
    """Rows to write, and the schema and metadata of all files."""

    reader: RowReader
    rule: PointRule
    schema: pa.Schema
    metadata: Mapping[str, str]
    options: ParquetOptions
    count: ProgressCallback

    def write(self, place: Destination, blocks: Iterable[Block]) -> None:
        """Write one file."""
        with (
            place.write() as file,
            FileWriter(file, self.schema, self.metadata, self.options) as writer,
        ):
            for block in blocks:
                values = self.reader.read(block)
                points = self.rule.points(values)
                table = arrow_table(self.reader.columns, values, points, self.schema)
                writer.add(table, points)
                self.count(len(table), 0)


def to_geoparquet(
    opened: xr.Dataset | xr.DataTree,
    path: str | os.PathLike[str],
    request: ParquetRequest,
    *,
    progress: bool | None,
) -> None:
    """Write rows with points; see :meth:`.DatasetAccessor.to_geoparquet`."""
    options = request.options()
    place = Destination.of(path, request.storage_options)
    reader = RowReader.of(opened, request.columns, request.second_dims)
    names = [column.name for column in reader.columns]
    rule = PointRule.of(reader.rate, names, request.z, request.crs)
    schema = pa.schema(arrow_fields(reader.columns, GEOMETRY, BBOX))
    if not request.per_granule:
        _check_file(place, overwrite=request.overwrite)
    with progress_bar(f"writing {place.name}", " rows", shown=progress) as count:
        count(0, reader.rows.n_rows)
        job = _Job(reader, rule, schema, _metadata(reader, rule), options, count)
        if request.per_granule:
            _write_directory(job, place, request)
        else:
            job.write(place, reader.rows.all(reader.block_rows))


def _check_file(place: Destination, *, overwrite: bool) -> None:
    """Raise if something is at the path of a file that would be lost."""
    if not place.exists():
        return
    if not place.is_file():
        raise ExistingFileError(
            f"{place.name} is a directory. Choose the path of a file, or set per_granule=True to "
            "write one file a granule into it."
        )
    if not overwrite:
        raise ExistingFileError(
            f"{place.name} exists already. Choose another path, or set overwrite=True."
        )


def _metadata(reader: RowReader, rule: PointRule) -> dict[str, str]:
    """Return the metadata of files by key."""
    rate = reader.rate
    source = {"product": rate.product, "release": rate.release, "rate": rate.name}
    if rule.operation:
        source["transformation"] = rule.operation
    return {"geo": json.dumps(geo_metadata(rule)), _OURS: json.dumps(source)}


def _write_directory(job: _Job, place: Destination, request: ParquetRequest) -> None:
    """Write one file a granule."""
    granules = job.reader.rows.by_granule(job.reader.block_rows)
    files = _file_names(granules, job.reader.rate.product)
    existing = [name for name in place.names() if name.endswith(".parquet")]
    _check_directory(place, existing, list(files), request)
    place.make_directory()
    for name, granule in files.items():
        target = place.child(name)
        if request.resume and name in existing:
            _check_complete(target, granule, job)
            job.count(granule.n_rows, 0)
        else:
            job.write(target, granule.blocks)


def _file_names(granules: Sequence[GranuleTable], product: str | None) -> dict[str, GranuleTable]:
    """Return the granules by the names of their files."""
    stem = product or "granule"
    if not granules:
        # A dataset without rows is one, too.
        return {f"{stem}_empty.parquet": GranuleTable(None, [], 0)}
    return {f"{stem}_{_number(granule.gran_idx)}.parquet": granule for granule in granules}


def _number(gran_idx: int | None) -> str:
    return "unknown" if gran_idx is None or gran_idx < 0 else f"{gran_idx:08d}"


def _check_directory(
    place: Destination, existing: Sequence[str], files: Sequence[str], request: ParquetRequest
) -> None:
    """Raise if files of the directory would be lost, or would be mixed with others."""
    if place.is_file():
        raise ExistingFileError(
            f"{place.name} is a file; per_granule=True writes a directory. Choose another path."
        )
    if existing and not (request.resume or request.overwrite):
        raise ExistingFileError(
            f"{place.name} has {len(existing)} Parquet files already, such as {existing[0]}. "
            "Choose another directory, or set resume=True to continue it, or overwrite=True to "
            "replace it."
        )
    others = sorted(set(existing) - set(files))
    if others and request.overwrite:
        raise ExistingFileError(
            f"{place.name} has {len(others)} Parquet files of other granules, such as {others[0]}, "
            "which would become part of this dataset. Remove them first, or set resume=True to "
            "add to them."
        )


def _check_complete(place: Destination, granule: GranuleTable, job: _Job) -> None:
    """Raise if an existing file has not the rows that would be written.

    Files are written whole or not at all, so a file that exists is complete.
    """
    try:
        with place.open() as file:
            found = pq.ParquetFile(file)
            schema, n_rows = found.schema_arrow, found.metadata.num_rows
    except pa.ArrowInvalid as error:
        raise ExistingFileError(
            f"{place.name} is not a Parquet file ({error}). Remove it, or set overwrite=True."
        ) from error
    wanted = _without_rows(job.metadata["geo"])
    geo = (schema.metadata or {}).get(b"geo", b"{}").decode()
    same = schema.names == job.schema.names and _without_rows(geo) == wanted
    if not same or n_rows != granule.n_rows:
        what = f"{n_rows} rows instead of {granule.n_rows}" if same else "other columns or points"
        raise ExistingFileError(
            f"{place.name} was written from another selection: it has {what}. Choose another "
            "directory, or set overwrite=True."
        )


def _without_rows(geo: str) -> Any:
    found = json.loads(geo)
    for column in found.get("columns", {}).values():
        column |= {"bbox": None, "geometry_types": None}
    return found
