"""Download of the whole object in parallel ranges, then h5py."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import obstore

from benchmarks.peers.bucket import bucket_store, key_of
from benchmarks.peers.h5py_local import read_all, walk
from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["WholeDownload"]

PART = 4 << 20
CONCURRENCY = 16


class WholeDownload(Peer):
    """Download with obstore, 16 concurrent ranges of 4 MiB."""

    title = "download whole (obstore, 16 × 4 MiB), then h5py"
    local = False
    trees = True
    regions = True

    def open(self, task: Task) -> Opened:
        """Download, and list the main group."""
        with h5py.File(self._whole(task.urls[0])) as file:
            return walk(file, task)

    def read(self, task: Task) -> Values:
        """Download, and read the values."""

        def one(url: str) -> dict[str, np.ndarray]:
            with h5py.File(self._whole(url)) as file:
                return read_all(file, task)

        return each_file(task, one)

    @staticmethod
    def _whole(url: str) -> io.BytesIO:
        store, key = bucket_store(url), key_of(url)
        size = obstore.head(store, key)["size"]
        stored = bytearray(size)

        def part(start: int) -> None:
            end = min(start + PART, size)
            stored[start:end] = memoryview(obstore.get_range(store, key, start=start, end=end))

        with ThreadPoolExecutor(CONCURRENCY) as pool:
            list(pool.map(part, range(0, size, PART)))
        return io.BytesIO(stored)
