"""VirtualiZarr's references, read by zarr through xarray."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr.parsers import HDFParser

from benchmarks.peers.bucket import bucket_store
from benchmarks.peers.engine import GroupEngine
from benchmarks.task import Task

__all__ = ["Virtual"]


class Virtual(GroupEngine):
    """Reader that parses each group, then reads with zarr."""

    title = "VirtualiZarr + zarr"
    index = "may"

    def __init__(self) -> None:
        self._cached: dict[tuple[str, str], Any] = {}

    def prepare(self, task: Task) -> None:
        """Create the references."""
        if task.cached:
            for url in task.urls:
                for group, _ in task.groups():
                    self._cached[url, group] = self._parsed(task, url, group)

    def opened(self, task: Task, url: str, group: str, names: Sequence[str]) -> xr.Dataset:
        """Open a group from new or cached references."""
        del names
        store = self._cached.get((url, group)) or self._parsed(task, url, group)
        ds: xr.Dataset = xr.open_zarr(
            store, consolidated=False, zarr_format=3, decode_cf=False, chunks=None
        )
        return ds

    @staticmethod
    def _parsed(task: Task, url: str, group: str) -> Any:
        if task.remote:
            prefix, store = "/".join(url.split("/")[:3]), bucket_store(url)
        else:
            url = Path(url).absolute().as_uri()
            prefix, store = "file://", LocalStore()
        registry = ObjectStoreRegistry({prefix: store})
        return HDFParser(group=group)(url=url, registry=registry)
