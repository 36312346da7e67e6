"""hidefix's own xarray engine, on local files."""

from __future__ import annotations

import numpy as np
import xarray as xr

from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Task, Values

__all__ = ["Local"]


class Local(Peer):
    """A group after another."""

    title = "hidefix"
    remote = False
    opens = False

    def read(self, task: Task) -> Values:
        """Open and load."""

        def one(url: str) -> dict[str, np.ndarray]:
            held = {}
            for group, names in task.groups():
                with xr.open_dataset(url, engine="hidefix", group=group, decode_cf=False) as ds:
                    for name in names:
                        held[f"{group}/{name}"] = ds.variables[name][task.slice].to_numpy()
            return held

        return each_file(task, one)
