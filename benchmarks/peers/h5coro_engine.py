"""h5coro's xarray engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from benchmarks.peers.engine import GroupEngine
from benchmarks.task import Task

__all__ = ["Engine"]


class Engine(GroupEngine):
    """Reader that passes the selected variables and rows to the engine."""

    title = '`engine="h5coro"`'
    selects = True

    def opened(self, task: Task, url: str, group: str, names: Sequence[str]) -> xr.Dataset:
        """Open a group, which starts to read immediately."""
        asked: dict[str, Any] = {}
        if names and not task.everything:
            asked["pick_variables"] = list(names)
        if task.rows is not None:
            asked["hyperslices"] = [list(task.rows)]
        place = url.removeprefix("s3://") if task.remote else f"file://{url}"
        return xr.open_dataset(place, engine="h5coro", group=group, credentials={}, **asked)
