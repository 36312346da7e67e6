"""Read one granule by a plan: one burst of requests, decoded on all cores into the result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xr_icesat2.errors import CorruptGranuleError, ICESat2Error
from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.filters import Buffer, FilterError, undo_filters
from xr_icesat2.hdf5.model import (
    Chunked,
    ChunkTable,
    Compact,
    Contiguous,
    DatasetHeader,
    Filter,
    H5pyOnly,
)
from xr_icesat2.progress import ProgressCallback, no_progress
from xr_icesat2.thread_pools import check_pool, decode_pool

from .coalesce import coalesce
from .decode import Decoder
from .plan import Axes, Chunks, chunk_starts, contiguous_table, plan_chunks
from .selection import Index, Selection, crossed, indexer, orthogonal, positions

__all__ = ["DatasetRead", "DecodeTarget", "read_selections", "read_whole_datasets"]

MAX_GAP_BYTES = 64 * 1024
"""Unwanted bytes that cost less than another request."""
MAX_REQUEST_BYTES = 2 << 20
"""Bytes a request: more would not arrive sooner, and take memory while they are decoded."""


@dataclass(frozen=True, slots=True)
class DecodeTarget:
    """The array that values are decoded into."""

    result: np.ndarray
    decoder: Decoder

    def place(self, target: tuple[Index, ...], stored: np.ndarray) -> None:
        """Decode stored values into their place; the first of its dimensions may be more."""
        place = crossed(target)
        if len(place) > stored.ndim:
            stored = stored.reshape((1,) * (len(place) - stored.ndim) + stored.shape)
        if all(type(index) is slice for index in place):
            # The ellipsis makes a view of a single element too.
            self.decoder.into(self.result[(*place, ...)], stored)
        else:
            self.result[place] = self.decoder(stored)


@dataclass(frozen=True, slots=True)
class DatasetRead:
    """A selection of one dataset, and its place in the result."""

    path: str
    sink: DecodeTarget
    source: tuple[Selection, ...]
    """Along each dimension of the dataset."""
    target: tuple[Selection, ...]
    """Along each dimension of the result; the first may be more than the dataset has."""

    @property
    def lead(self) -> tuple[Index, ...]:
        """The index along the dimensions that the dataset does not have."""
        return tuple(map(indexer, self.target[: len(self.target) - len(self.source)]))

    def place(self, values: np.ndarray) -> None:
        """Write the selected values to their place in the result."""
        self.sink.place(tuple(map(indexer, self.target)), values)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be fetched of one dataset, with all that is needed to place its values."""

    read: DatasetRead
    header: DatasetHeader
    filters: tuple[Filter, ...]
    chunks: Chunks
    lead: tuple[Index, ...]


def read_selections(
    granule: Granule, reads: Sequence[DatasetRead], count: ProgressCallback = no_progress
) -> None:
    """Read parts of the datasets of one granule, each into its sink; ``count`` counts bytes.

    Raises
    ------
    ChangedGranuleError
        The granule was replaced by another version.
    CorruptGranuleError
        A chunk cannot be restored.
    """
    _checked(granule, lambda: _read(granule, reads, count))


def _read(granule: Granule, reads: Sequence[DatasetRead], count: ProgressCallback) -> None:
    headers = {
        path: node
        for path, node in granule.index.load(read.path for read in reads).items()
        if isinstance(node, DatasetHeader)
    }
    tables = granule.index.chunk_tables(_chunk_rows(reads, headers))
    axes = Axes()
    planned = (
        _plan(granule, read, headers[read.path], tables.get(read.path), axes) for read in reads
    )
    _fetch_all(granule, [job for job in planned if job is not None], count)


def _chunk_rows(
    reads: Iterable[DatasetRead], headers: Mapping[str, DatasetHeader]
) -> dict[str, np.ndarray]:
    """Return the first rows of the chunks to read, for each chunked dataset."""
    starts: dict[str, list[np.ndarray]] = {}
    for read in reads:
        layout = headers[read.path].layout
        if isinstance(layout, Chunked):
            begun = starts.setdefault(read.path, [])
            if len(read.source[0]):
                begun.append(chunk_starts(read.source[0], layout.chunk_shape[0]))
    return {
        path: np.unique(np.concatenate([np.empty(0, np.int64), *s])) for path, s in starts.items()
    }


def read_whole_datasets(granule: Granule, paths: Sequence[str]) -> dict[str, np.ndarray]:
    """Read small datasets whole, as stored, in one burst; those that do not exist are left out.

    It is for opening, when the version was noted a moment ago: only if something is wrong is it
    asked for again.
    """
    known = granule.index.values
    reads: list[DatasetRead] = []
    for path, header in granule.index.load(paths).items():
        if isinstance(header, DatasetHeader) and path not in known:
            result = np.empty(header.shape, header.dtype)
            whole = tuple(range(size) for size in header.shape)
            sink = DecodeTarget(result, Decoder(header.dtype, padding=None))
            reads.append(DatasetRead(path, sink, whole, whole))
    try:
        _read(granule, reads, no_progress)
    except ICESat2Error:
        granule.check_unchanged()
        raise
    for read in reads:
        granule.index.remember(read.path, read.sink.result)
    return {path: known[path] for path in paths if path in known}


def _plan(
    granule: Granule,
    read: DatasetRead,
    header: DatasetHeader,
    table: ChunkTable | None,
    axes: Axes,
) -> _Job | None:
    """Return the chunks to request; place values that need no request at once."""
    layout = header.layout
    filters: tuple[Filter, ...] = ()
    clipped: tuple[int, ...] = ()
    if not all(len(selection) for selection in read.source):
        return None
    if isinstance(layout, Compact):
        count = int(np.prod(header.shape, dtype=np.int64))
        values = _elements(layout.data, header, count).reshape(header.shape)
        read.place(values[orthogonal(read.source)])
        return None
    if isinstance(layout, H5pyOnly):
        read.place(_foreign(granule, read, header))
        return None
    if isinstance(layout, Contiguous):
        _check_inside(granule, read.path, header, layout)
        offset, clipped = layout.offset or 0, header.shape
        table, chunk_shape = contiguous_table(offset, header.shape, header.dtype.itemsize)
        if layout.offset is None:
            table.sizes[:] = 0
    else:
        chunk_shape, filters = layout.chunk_shape, layout.filters
    if table is None:
        raise AssertionError(f"no chunk table of {read.path} was read")
    lead = read.lead
    along = zip(read.source, chunk_shape, read.target[len(lead) :], strict=True)
    chunks = plan_chunks(table, chunk_shape, [axes.of(*each) for each in along], clipped)
    if not chunks.sizes.all():
        _place_fill(read, header)
    return _Job(read, header, filters, chunks, lead)


def _check_inside(granule: Granule, path: str, header: DatasetHeader, layout: Contiguous) -> None:
    size = math.prod(header.shape) * header.dtype.itemsize
    if layout.offset is not None and layout.offset + size > granule.file_version.size:
        msg = f"{granule.url}: the values of {path} are beyond the end of the file"
        raise CorruptGranuleError(f"{msg} ({granule.file_version.size} bytes). Download it again.")


def _foreign(granule: Granule, read: DatasetRead, header: DatasetHeader) -> np.ndarray:
    if not header.shape:
        return granule.index.h5py_values(read.path, slice(None))
    rows = positions(read.source[0])
    first, last = int(rows.min()), int(rows.max())
    values = granule.index.h5py_values(read.path, slice(first, last + 1))
    selected: np.ndarray = values[orthogonal([rows - first, *read.source[1:]])]
    return selected


def _checked(granule: Granule, work: Callable[[], None]) -> None:
    """Do the work, and raise if the granule was replaced, whether or not it succeeds."""
    check = check_pool().submit(granule.check_unchanged)
    try:
        work()
    except Exception as error:  # of a replaced granule anything may be missing or wrong
        check.result()
        if isinstance(error, CorruptGranuleError) and granule.store is not None:
            msg = (
                f"{error} If that does not help, its index in {granule.store.path} is wrong. "
                "Delete the index, or open without index_cache."
            )
            raise CorruptGranuleError(msg) from error
        raise
    check.result()


def _fetch_all(granule: Granule, jobs: Sequence[_Job], count: ProgressCallback) -> None:
    # What follows has one item a chunk, of which there may be a hundred thousand.
    numbers = [np.flatnonzero(job.chunks.sizes) for job in jobs]
    owners = np.repeat(np.arange(len(jobs)), [len(each) for each in numbers])
    number = _joined(numbers)
    offsets = _joined([job.chunks.offsets[n] for job, n in zip(jobs, numbers, strict=True)])
    sizes = _joined([job.chunks.sizes[n] for job, n in zip(jobs, numbers, strict=True)])
    merged = coalesce(offsets, sizes, max_gap=MAX_GAP_BYTES, max_bytes=MAX_REQUEST_BYTES)

    def take(at: int, data: Buffer) -> None:
        one, view = merged[at], memoryview(data)
        columns = (owners, number, offsets - one.offset, sizes)
        for owner, n, start, size in zip(*(c[one.members].tolist() for c in columns), strict=True):
            _decode_chunk(granule, jobs[owner], n, view[start : start + size])
        count(one.length, 0)

    ranges = [(one.offset, one.length) for one in merged]
    count(0, sum(length for _, length in ranges))
    granule.read_each(ranges, take, decode_pool())


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *(array.astype(np.int64) for array in arrays)])


def _decode_chunk(granule: Granule, job: _Job, number: int, raw: memoryview) -> None:
    chunks, dtype = job.chunks, job.header.dtype
    shape, source, target = chunks.place(number)
    try:
        mask, size = int(chunks.masks[number]), math.prod(shape) * dtype.itemsize
        data = undo_filters(raw, job.filters, mask, size)
    except FilterError as error:
        msg = (
            f"{granule.url}: {job.read.path}: the chunk at byte {chunks.offsets[number]} is "
            f"damaged: {error}. Download the granule again."
        )
        raise CorruptGranuleError(msg) from error
    values = _elements(data, job.header).reshape(shape)
    job.read.sink.place((*job.lead, *target), values[crossed(source)])


def _elements(data: Buffer, header: DatasetHeader, count: int = -1) -> np.ndarray:
    values = np.frombuffer(data, header.dtype, count)
    return _terminate(values) if header.null_terminated else values


def _place_fill(read: DatasetRead, header: DatasetHeader) -> None:
    """Write the fill value everywhere; only one element is decoded."""
    fill = read.sink.decoder(_elements(header.fill, header).reshape((1,) * len(read.source)))
    read.sink.result[orthogonal(read.target)] = fill.reshape((1,) * len(read.target))


def _terminate(values: np.ndarray) -> np.ndarray:
    """Clear the bytes after the first zero byte of each string.

    A null-terminated string ends there (*HDF5 File Format Specification*,
    section IV.A.2.d, class 3); numpy would only drop zeros at the very end.
    """
    characters = np.ascontiguousarray(values).view(np.uint8).reshape(*values.shape, -1)
    kept = np.minimum.accumulate(characters != 0, axis=-1)
    return (characters * kept).astype(np.uint8).view(values.dtype).reshape(values.shape)
