"""xarray's h5netcdf engine, group by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from benchmarks.peers.bucket import s3_filesystem
from benchmarks.peers.h5py_s3fs import BLOCKS
from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["Blocks", "DefaultCache"]


class DefaultCache(Peer):
    """Over s3fs as it comes, or a local file."""

    title = '`engine="h5netcdf"`, s3fs default cache'
    caching: dict[str, Any] = {}  # noqa: RUF012 - a subclass has its own

    def open(self, task: Task) -> Opened:
        """Open a group a beam."""
        texts, names = [], set()
        for group, _ in task.groups():
            with self._opened(task, task.urls[0], group) as ds:
                texts.append(repr(ds))
                names |= set(map(str, ds.variables))
        return Opened("\n".join(texts), frozenset(names))

    def read(self, task: Task) -> Values:
        """Open and load a group after another."""

        def one(url: str) -> dict[str, np.ndarray]:
            held: dict[str, np.ndarray] = {}
            for group, names in task.groups():
                with self._opened(task, url, group) as ds:
                    wanted = {name: ds.variables[name][task.slice] for name in names}
                    held |= {f"{group}/{name}": v.to_numpy() for name, v in wanted.items()}
            return held

        return each_file(task, one)

    def _opened(self, task: Task, url: str, group: str) -> xr.Dataset:
        file = s3_filesystem().open(url, **self.caching) if task.remote else url
        return xr.open_dataset(
            file, engine="h5netcdf", group=group, phony_dims="access", decode_cf=False
        )


class Blocks(DefaultCache):
    """With a cache of blocks of 8 MiB."""

    title = '`engine="h5netcdf"`, s3fs with 8 MiB blocks'
    local = False
    caching = BLOCKS
