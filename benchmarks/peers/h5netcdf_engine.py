"""xarray's h5netcdf engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from benchmarks.peers.bucket import s3_filesystem
from benchmarks.peers.engine import GroupEngine
from benchmarks.peers.h5py_s3fs import BLOCKS
from benchmarks.task import Task

__all__ = ["Blocks", "DefaultCache"]


class DefaultCache(GroupEngine):
    """Reader over s3fs with default options, or of a local file."""

    title = '`engine="h5netcdf"`, default cache'
    caching: dict[str, Any] = {}  # noqa: RUF012 - a subclass has its own

    def opened(self, task: Task, url: str, group: str, names: Sequence[str]) -> xr.Dataset:
        """Open a group with all its variables."""
        del names
        file = s3_filesystem().open(url, **self.caching) if task.remote else url
        return xr.open_dataset(
            file, engine="h5netcdf", group=group, phony_dims="access", decode_cf=False
        )


class Blocks(DefaultCache):
    """Reader with a cache of 8 MiB blocks."""

    title = '`engine="h5netcdf"`, 8 MiB blocks'
    local = False
    caching = BLOCKS
