"""Lower bound: known offsets, merged ranges, concurrent requests, parallel decoding.

It shares no code with the measured library.
"""

from __future__ import annotations

import asyncio
import math
import os
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numcodecs.shuffle import Shuffle

from benchmarks.peers.bucket import bucket_store, key_of
from benchmarks.peers.peer import Peer
from benchmarks.task import Task, Values

__all__ = ["DecodeAlone", "Floor", "merge"]

MAX_GAP_BYTES = 64 * 1024
MAX_REQUEST_BYTES = 8 << 20
CONCURRENCY = 32

try:
    import deflate
except ImportError:  # a test has the standard library's; a benchmark installs this one
    deflate = None  # type: ignore[assignment]


def inflate(data: Any, size: int) -> Any:
    """Decompress a chunk of known size with libdeflate."""
    if deflate is None:
        return zlib.decompress(data, bufsize=size)
    return deflate.zlib_decompress(data, size)


@dataclass(frozen=True, slots=True)
class Piece:
    """Offset of a chunk in its file, and place of its values in the result."""

    file: int
    offset: int
    size: int
    result: np.ndarray
    """Array of the selected rows."""
    first: int
    """Row of ``result`` at which the chunk begins; may be negative."""
    shape: tuple[int, ...]
    """Shape of the chunk."""
    columns: tuple[slice, ...]
    filters: tuple[str, ...]

    def place(self, raw: bytes) -> None:
        """Decode, and write the values to their place."""
        dtype = self.result.dtype
        size = math.prod(self.shape) * dtype.itemsize
        data = inflate(raw, size) if "gzip" in self.filters else raw
        if "shuffle" in self.filters and dtype.itemsize > 1:
            data = Shuffle(dtype.itemsize).decode(data)
        values = np.frombuffer(data, dtype).reshape(self.shape)
        begin = max(self.first, 0)
        end = min(self.first + self.shape[0], self.result.shape[0])
        target = self.result[(slice(begin, end), *self.columns)]
        inner = tuple(slice(n) for n in target.shape[1:])
        target[...] = values[(slice(begin - self.first, end - self.first), *inner)]


@dataclass(frozen=True, slots=True)
class Run:
    """One request for adjacent chunks."""

    file: int
    offset: int
    length: int
    pieces: tuple[Piece, ...]

    def place(self, data: bytes | memoryview) -> None:
        """Decode all chunks of the request."""
        view = memoryview(data)
        for piece in self.pieces:
            at = piece.offset - self.offset
            piece.place(view[at : at + piece.size])  # type: ignore[arg-type]


def merge(pieces: Iterable[Piece], max_gap: int = MAX_GAP_BYTES) -> Iterator[Run]:
    """Merge ranges with small gaps between them into requests."""
    group: list[Piece] = []
    end = 0
    for piece in sorted(pieces, key=lambda p: (p.file, p.offset)):
        stop = piece.offset + piece.size
        if group and not (
            piece.file == group[0].file
            and piece.offset - end <= max_gap
            and stop - group[0].offset <= MAX_REQUEST_BYTES
        ):
            yield _run(group, end)
            group = []
        end = max(end, stop) if group else stop
        group.append(piece)
    if group:
        yield _run(group, end)


def _run(pieces: list[Piece], end: int) -> Run:
    begin = pieces[0].offset
    return Run(pieces[0].file, begin, end - begin, tuple(pieces))


@dataclass(frozen=True, slots=True)
class _Dataset:
    """Properties of a dataset that are known beforehand."""

    file: int
    path: str
    dtype: np.dtype
    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    filters: tuple[str, ...]
    chunks: tuple[tuple[tuple[int, ...], int, int], ...]
    """Coordinates, offset and size of each chunk."""

    @classmethod
    def of(cls, number: int, path: str, dataset: h5py.Dataset) -> _Dataset:
        filters = tuple(n for n in ("gzip", "shuffle") if _has(dataset, n))
        if dataset.chunks is None:
            whole = ((0,) * dataset.ndim, dataset.id.get_offset(), dataset.nbytes)
            chunk, chunks = dataset.shape, [whole] if dataset.size else []
        else:
            chunk, chunks = dataset.chunks, []
            dataset.id.chunk_iter(lambda c: chunks.append((c.chunk_offset, c.byte_offset, c.size)))
        return cls(number, path, dataset.dtype, dataset.shape, chunk, filters, tuple(chunks))

    def plan(self, rows: slice) -> tuple[np.ndarray, list[Piece]]:
        """Return the empty result, and the chunks to decode into it."""
        start, stop, _ = rows.indices(self.shape[0])
        result = np.empty((stop - start, *self.shape[1:]), self.dtype)
        pieces = []
        for at, offset, size in self.chunks:
            if at[0] < stop and at[0] + self.chunk[0] > start:
                columns = tuple(
                    slice(a, min(a + c, n))
                    for a, c, n in zip(at[1:], self.chunk[1:], self.shape[1:], strict=True)
                )
                args = (result, at[0] - start, self.chunk, columns, self.filters)
                pieces.append(Piece(self.file, offset, size, *args))
        return result, pieces


def _has(dataset: h5py.Dataset, name: str) -> bool:
    return dataset.compression == "gzip" if name == "gzip" else bool(dataset.shuffle)


def datasets_of(task: Task) -> list[_Dataset]:
    """Read the offsets of all chunks with h5py."""
    found = []
    for number, name in enumerate(task.files):
        with h5py.File(name) as file:
            found += [_Dataset.of(number, path, file[path]) for path in task.paths()]
    return found


class Floor(Peer):
    """Reader that requests only the needed ranges, in one burst."""

    title = "**the floor** (knows the offsets)"
    index = "may"
    opens = False

    def __init__(self) -> None:
        self._known: list[_Dataset] = []

    def prepare(self, task: Task) -> None:
        """Read the offsets."""
        self._known = datasets_of(task)

    def read(self, task: Task) -> Values:
        """Plan, request and decode."""
        values, pieces = planned(task, self._known)
        runs = list(merge(pieces))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            if task.remote:
                asyncio.run(_burst(task, runs, pool))
            else:
                _from_disk(task, runs, pool)
        return values


class DecodeAlone(Peer):
    """Reader that only decodes bytes in memory."""

    title = "decoding alone (bytes in memory)"
    remote = False
    index = "may"
    opens = False

    def prepare(self, task: Task) -> None:
        """Read the stored bytes of all chunks."""
        self._known = datasets_of(task)
        self._chunks: dict[tuple[int, int], bytes] = {}
        for number, name in enumerate(task.files):
            with Path(name).open("rb") as file:
                for known in self._known:
                    for _, offset, size in known.chunks if known.file == number else ():
                        file.seek(offset)
                        self._chunks[number, offset] = file.read(size)

    def read(self, task: Task) -> Values:
        """Decode the values on all cores."""
        values, pieces = planned(task, self._known)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            share = -(-len(pieces) // (8 * (os.cpu_count() or 1)))
            batches = [pieces[n : n + share] for n in range(0, len(pieces), max(share, 1))]
            for done in [pool.submit(self._decode, batch) for batch in batches]:
                done.result()
        return values

    def _decode(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            piece.place(self._chunks[piece.file, piece.offset])


def planned(
    task: Task, known: Iterable[_Dataset]
) -> tuple[dict[tuple[int, str], np.ndarray], list[Piece]]:
    """Return the empty results, and the chunks to decode into them."""
    values: dict[tuple[int, str], np.ndarray] = {}
    pieces: list[Piece] = []
    for one in known:
        values[one.file, one.path], more = one.plan(task.slice)
        pieces += more
    return values, pieces


async def _burst(task: Task, runs: list[Run], pool: ThreadPoolExecutor) -> None:
    import obstore  # noqa: PLC0415 - local files need none

    store = bucket_store(task.urls[0])
    loop = asyncio.get_running_loop()
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(run: Run) -> None:
        async with slots:
            key = key_of(task.urls[run.file])
            data = await obstore.get_range_async(store, key, start=run.offset, length=run.length)
        await loop.run_in_executor(pool, run.place, memoryview(data))

    await asyncio.gather(*(one(run) for run in runs))


def _from_disk(task: Task, runs: list[Run], pool: ThreadPoolExecutor) -> None:
    handles = [os.open(name, os.O_RDONLY) for name in task.urls]

    def one(run: Run) -> None:
        run.place(os.pread(handles[run.file], run.length, run.offset))

    try:
        done, _ = wait([pool.submit(one, run) for run in runs])
    finally:
        for handle in handles:
            os.close(handle)
    for future in done:
        future.result()
