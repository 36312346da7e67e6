"""VirtualiZarr's references, read by zarr through xarray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr.parsers import HDFParser

from benchmarks.peers.bucket import bucket_store
from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["Virtual"]


class Virtual(Peer):
    """A parser's pass a group, then zarr."""

    title = "VirtualiZarr + zarr"
    index = "may"

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Any] = {}

    def prepare(self, task: Task) -> None:
        """Hold the references."""
        if task.cached:
            for url in task.urls:
                for group, _ in task.groups():
                    self._held[url, group] = self._parsed(task, url, group)

    def open(self, task: Task) -> Opened:
        """Open a group a beam."""
        texts, names = [], set()
        for group, _ in task.groups():
            ds = self._opened(task, task.urls[0], group)
            texts.append(repr(ds))
            names |= set(map(str, ds.variables))
        return Opened("\n".join(texts), frozenset(names))

    def read(self, task: Task) -> Values:
        """Open and load a group after another."""

        def one(url: str) -> dict[str, np.ndarray]:
            values = {}
            for group, names in task.groups():
                ds = self._opened(task, url, group)
                for name in names:
                    values[f"{group}/{name}"] = ds.variables[name][task.slice].to_numpy()
            return values

        return each_file(task, one)

    def _opened(self, task: Task, url: str, group: str) -> xr.Dataset:
        store = self._held.get((url, group)) or self._parsed(task, url, group)
        ds: xr.Dataset = xr.open_zarr(
            store, consolidated=False, zarr_format=3, decode_cf=False, chunks=None
        )
        return ds

    @staticmethod
    def _parsed(task: Task, url: str, group: str) -> Any:
        if task.remote:
            prefix, store = url.rpartition("/")[0], bucket_store(url)
            prefix = "s3://" + prefix.removeprefix("s3://").partition("/")[0]
        else:
            url = Path(url).absolute().as_uri()
            prefix, store = "file://", LocalStore()
        registry = ObjectStoreRegistry({prefix: store})
        return HDFParser(group=group)(url=url, registry=registry)
