"""Carrying out a plan: one burst of reads a granule, decoded on all cores, placed in the result."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xr_icesat2.errors import CorruptGranuleError, ICESat2Error
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.model import (
    Chunked,
    ChunkTable,
    Compact,
    Contiguous,
    DatasetHeader,
    Filter,
    Foreign,
)
from xr_icesat2.progress import Count, no_count

from .coalesce import coalesce
from .coding import Coding
from .filters import Buffer, FilterError, undo_filters
from .plan import ChunkRead, chunk_starts, contiguous_table, plan_chunks
from .selection import Selection, compose, orthogonal
from .strings import terminate

__all__ = ["DatasetRead", "Sink", "read_datasets", "read_granule"]

MOST_GAP = 64 * 1024
"""Unwanted bytes that cost less than another request."""
MOST_RUN = 2 << 20
"""Bytes a request: more would not arrive sooner, and must be held while it is decoded."""
MOST_CHECKS = 32
"""Granules that are asked at once whether they were replaced."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Where values go, and what is done to them before."""

    result: np.ndarray
    coding: Coding

    def place(self, target: tuple[Selection, ...], stored: np.ndarray) -> None:
        """Decode stored values into their place; the first of its dimensions may be more."""
        place = orthogonal(target)
        stored = stored.reshape((1,) * (len(target) - stored.ndim) + stored.shape)
        if all(isinstance(index, slice) for index in place):
            # The ellipsis makes a view of a single element too.
            self.coding.into(self.result[(*place, ...)], stored)
        else:
            self.result[place] = self.coding(stored)


@dataclass(frozen=True, slots=True)
class DatasetRead:
    """What is wanted of one dataset, and where it goes."""

    path: str
    sink: Sink
    source: tuple[Selection, ...]
    """Along each dimension of the dataset."""
    target: tuple[Selection, ...]
    """Along each dimension of the result; the first may be more than the dataset has."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One chunk, with all that is needed to place its values."""

    path: str
    header: DatasetHeader
    filters: tuple[Filter, ...]
    chunk: ChunkRead
    sink: Sink
    target: tuple[Selection, ...]


def read_granule(granule: Granule, reads: Sequence[DatasetRead], count: Count = no_count) -> None:
    """Read parts of the datasets of one granule, each into its sink; ``count`` counts bytes.

    Raises
    ------
    ChangedGranuleError
        Another version of the granule lies there now.
    CorruptGranuleError
        A chunk cannot be restored.
    """
    _checked(granule, lambda: _read(granule, reads, count))


def _read(granule: Granule, reads: Sequence[DatasetRead], count: Count) -> None:
    headers = {
        path: node
        for path, node in granule.index.load(read.path for read in reads).items()
        if isinstance(node, DatasetHeader)
    }
    tables = granule.index.chunk_tables(_chunk_rows(reads, headers))
    jobs: list[_Job] = []
    for read in reads:
        jobs += _plan(granule, read, headers[read.path], tables.get(read.path))
    _fetch_all(granule, jobs, count)


def _chunk_rows(
    reads: Iterable[DatasetRead], headers: Mapping[str, DatasetHeader]
) -> dict[str, np.ndarray]:
    """Give, of each chunked dataset, the rows at which the chunks begin that are read."""
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


def read_datasets(granule: Granule, paths: Sequence[str]) -> dict[str, np.ndarray]:
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
            sink = Sink(result, Coding(header.dtype, padding=None))
            reads.append(DatasetRead(path, sink, whole, whole))
    try:
        _read(granule, reads, no_count)
    except ICESat2Error:
        granule.check_unchanged()
        raise
    for read in reads:
        granule.index.remember(read.path, read.sink.result)
    return {path: known[path] for path in paths if path in known}


def _plan(
    granule: Granule, read: DatasetRead, header: DatasetHeader, table: ChunkTable | None
) -> Iterator[_Job]:
    """Give the chunks to fetch; place at once what needs no fetching, and what lies in none."""
    layout = header.layout
    filters: tuple[Filter, ...] = ()
    if not all(len(selection) for selection in read.source):
        return
    if isinstance(layout, Compact):
        count = int(np.prod(header.shape, dtype=np.int64))
        values = _elements(layout.data, header, count).reshape(header.shape)
        read.sink.place(read.target, values[orthogonal(read.source)])
        return
    if isinstance(layout, Foreign):
        read.sink.place(read.target, _foreign(granule, read, header))
        return
    if isinstance(layout, Contiguous):
        _check_inside(granule, read.path, header, layout)
        table, chunk_shape = contiguous_table(
            layout.offset or 0, header.shape, header.dtype.itemsize
        )
        if layout.offset is None:
            table.sizes[:] = 0
    else:
        chunk_shape, filters = layout.chunk_shape, layout.filters
    if table is None:
        raise AssertionError(f"no chunk table of {read.path} was read")
    chunks = list(
        plan_chunks(
            table, chunk_shape, header.shape, read.source, clipped=isinstance(layout, Contiguous)
        )
    )
    if not all(chunk.size for chunk in chunks):
        _place_fill(read, header)
    lead = len(read.target) - len(read.source)
    for chunk in chunks:
        if not chunk.size:
            continue
        inner = [compose(*pair) for pair in zip(read.target[lead:], chunk.target, strict=True)]
        target = (*read.target[:lead], *inner)
        yield _Job(read.path, header, filters, chunk, read.sink, target)


def _check_inside(granule: Granule, path: str, header: DatasetHeader, layout: Contiguous) -> None:
    size = math.prod(header.shape) * header.dtype.itemsize
    if layout.offset is not None and layout.offset + size > granule.stamp.size:
        msg = f"{granule.url}: the values of {path} lie beyond the end of the file"
        raise CorruptGranuleError(f"{msg} ({granule.stamp.size} bytes). Download it again.")


def _foreign(granule: Granule, read: DatasetRead, header: DatasetHeader) -> np.ndarray:
    if not header.shape:
        return granule.index.foreign_values(read.path, slice(None))
    rows = np.asarray(read.source[0])
    first, last = int(rows.min()), int(rows.max())
    values = granule.index.foreign_values(read.path, slice(first, last + 1))
    selected: np.ndarray = values[orthogonal([rows - first, *read.source[1:]])]
    return selected


def _checked(granule: Granule, work: Callable[[], None]) -> None:
    """Do the work; whether or not it succeeds, a granule that was replaced is said to be so."""
    check = _check_pool(os.getpid()).submit(granule.check_unchanged)
    try:
        work()
    except Exception:  # of a replaced granule anything may be missing or wrong
        check.result()
        raise
    check.result()


def _fetch_all(granule: Granule, jobs: Sequence[_Job], count: Count) -> None:
    runs = coalesce(
        np.array([job.chunk.offset for job in jobs], np.int64),
        np.array([job.chunk.size for job in jobs], np.int64),
        most_gap=MOST_GAP,
        most_bytes=MOST_RUN,
    )

    def take(number: int, data: bytes) -> None:
        run, view = runs[number], memoryview(data)
        for member in run.members.tolist():
            chunk = jobs[member].chunk
            start = chunk.offset - run.offset
            _decode_chunk(granule, jobs[member], view[start : start + chunk.size])
        count(run.length, 0)

    ranges = [(run.offset, run.length) for run in runs]
    count(0, sum(length for _, length in ranges))
    granule.read_each(ranges, take, _decode_pool(os.getpid()))


def _decode_chunk(granule: Granule, job: _Job, raw: memoryview) -> None:
    dtype, shape = job.header.dtype, job.chunk.shape
    size = math.prod(shape) * dtype.itemsize
    try:
        data = undo_filters(raw, job.filters, job.chunk.mask, size)
    except FilterError as error:
        msg = (
            f"{granule.url}: {job.path}: the chunk at byte {job.chunk.offset} is damaged: {error}. "
            "Download the granule again."
        )
        raise CorruptGranuleError(msg) from error
    values = _elements(data, job.header).reshape(shape)
    job.sink.place(job.target, values[orthogonal(job.chunk.source)])


def _elements(data: Buffer, header: DatasetHeader, count: int = -1) -> np.ndarray:
    values = np.frombuffer(data, header.dtype, count)
    return terminate(values) if header.terminated else values


def _place_fill(read: DatasetRead, header: DatasetHeader) -> None:
    """Put the fill value everywhere: one element is decoded, however many there are."""
    fill = read.sink.coding(_elements(header.fill, header).reshape((1,) * len(read.source)))
    read.sink.result[orthogonal(read.target)] = fill.reshape((1,) * len(read.target))


def _cores() -> int:
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _decode_pool(process: int) -> ThreadPoolExecutor:
    """Give the threads that decode; a forked process makes its own."""
    return ThreadPoolExecutor(_cores(), f"xr_icesat2-decode-{process}")


@lru_cache(maxsize=1)
def _check_pool(process: int) -> ThreadPoolExecutor:
    """Give the threads that ask whether a granule was replaced; a forked process makes its own."""
    return ThreadPoolExecutor(MOST_CHECKS, f"xr_icesat2-check-{process}")
