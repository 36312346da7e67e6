"""xarray engines that open one group of a file at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import xarray as xr

from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["GroupEngine"]


class GroupEngine(Peer):
    """Reader that opens one group after another, at least one for each beam."""

    selects = False
    """Whether :meth:`opened` has selected the rows already."""

    @abstractmethod
    def opened(self, task: Task, url: str, group: str, names: Sequence[str]) -> xr.Dataset:
        """Open a group; if variables are named, only these are needed."""

    def open(self, task: Task) -> Opened:
        """Open the main group of each beam."""
        texts: list[str] = []
        names: set[str] = set()
        for beam in task.beams:
            with self.opened(task, task.urls[0], f"{beam}/{task.group}", ()) as ds:
                texts.append(repr(ds))
                names |= set(map(str, ds.variables))
        return Opened("\n".join(texts), frozenset(names))

    def read(self, task: Task) -> Values:
        """Open and load every group with variables to read."""
        rows = slice(None) if self.selects else task.slice

        def one(url: str) -> dict[str, np.ndarray]:
            stored: dict[str, np.ndarray] = {}
            for group, names in task.groups():
                with self.opened(task, url, group, names) as ds:
                    for name in names:
                        stored[f"{group}/{name}"] = ds.variables[name][rows].to_numpy()
            return stored

        return each_file(task, one)
