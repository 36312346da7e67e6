"""h5py over a file that s3fs opened."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from benchmarks.peers.bucket import s3_filesystem
from benchmarks.peers.h5py_local import read_all, walk
from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["BLOCKS", "Blocks", "DefaultCache"]

BLOCKS = {"block_size": 8 << 20, "cache_type": "blockcache"}


class DefaultCache(Peer):
    """Reader with the default options of s3fs."""

    title = "h5py over s3fs, default cache"
    local = False
    trees = True
    regions = True
    caching: dict[str, Any] = {}  # noqa: RUF012 - a subclass has its own

    def open(self, task: Task) -> Opened:
        """List the datasets."""
        with self._file(task.urls[0]) as plain, h5py.File(plain) as file:
            return walk(file, task)

    def read(self, task: Task) -> Values:
        """Read the values."""

        def one(url: str) -> dict[str, np.ndarray]:
            with self._file(url) as plain, h5py.File(plain) as file:
                return read_all(file, task)

        return each_file(task, one)

    def _file(self, url: str) -> Any:
        return s3_filesystem().open(url, **self.caching)


class Blocks(DefaultCache):
    """Reader with a cache of 8 MiB blocks."""

    title = "h5py over s3fs, 8 MiB blocks"
    caching = BLOCKS
