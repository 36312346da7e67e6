"""icepyx's Read on local files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import icepyx
import numpy as np

from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Task, Values

__all__ = ["Read"]


class Read(Peer):
    """Reader of one Dataset of all beams."""

    title = "icepyx `Read`"
    remote = False
    opens = False

    def read(self, task: Task) -> Values:
        """Load the Dataset, and separate the beams."""

        def one(url: str) -> dict[str, np.ndarray]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reader = icepyx.Read(url)
                names = [name.rpartition("/")[2] for name in task.variables]
                reader.variables.append(beam_list=list(task.beams), var_list=names)
                return dict(_apart(reader.load(), task))

        return each_file(task, one)


def _apart(ds: Any, task: Task) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the rows of each beam; the merged Dataset has one beam after another."""
    names = {path: path.rpartition("/")[2] for path in task.paths()}
    latitude = next(name for name in names.values() if name.startswith("lat"))
    tracks = ds["gt"].to_numpy().reshape(-1).tolist()
    for path, name in names.items():
        spot = tracks.index(path.partition("/")[0])
        own = np.flatnonzero(~np.isnan(_of_spot(ds, latitude, spot)))
        yield path, _of_spot(ds, name, spot)[own][task.slice]


def _of_spot(ds: Any, name: str, spot: int) -> np.ndarray:
    array = ds[name].isel(gran_idx=0, spot=spot, missing_dims="ignore")
    values: np.ndarray = array.to_numpy()
    return values
