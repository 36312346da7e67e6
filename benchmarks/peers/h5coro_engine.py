"""h5coro's xarray engine, group by group."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["Engine"]


class Engine(Peer):
    """A group a beam."""

    title = '`engine="h5coro"`'

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
            held = {}
            for group, names in task.groups():
                asked: dict[str, Any] = {} if task.everything else {"pick_variables": names}
                if task.rows is not None:
                    asked["hyperslices"] = [list(task.rows)]
                with self._opened(task, url, group, **asked) as ds:
                    for name in names:
                        held[f"{group}/{name}"] = ds.variables[name].to_numpy()
            return held

        return each_file(task, one)

    @staticmethod
    def _opened(task: Task, url: str, group: str, **asked: Any) -> xr.Dataset:
        place = url.removeprefix("s3://") if task.remote else f"file://{url}"
        return xr.open_dataset(place, engine="h5coro", group=group, credentials={}, **asked)
