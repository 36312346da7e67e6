"""The library that is measured here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from benchmarks.peers.peer import Peer
from benchmarks.task import Opened, Task, Values
from xr_icesat2 import indexes

__all__ = ["AsStored", "Decoded", "Held"]


class Decoded(Peer):
    """As a user calls it: missing values are NaN, times are times."""

    title = '`engine="icesat2"`, decoded'
    index = "may"
    trees = True
    decoders: dict[str, Any] = {}  # noqa: RUF012 - a subclass has its own

    def kept(self, task: Task) -> str | None:
        """Say where indexes are kept: here in a directory."""
        return task.scratch

    def prepare(self, task: Task) -> None:
        """Fill the directory of indexes."""
        if task.cached:
            self.read(task)

    def open(self, task: Task) -> Opened:
        """Open, and print the representation."""
        if task.does == "tree":
            with xr.open_datatree(task.urls[0], engine="icesat2") as tree:
                names = {str(name) for node in tree.subtree for name in node.variables}
                return Opened(repr(tree), frozenset(names))
        with self._opened(task) as ds:
            return Opened(repr(ds), frozenset(map(str, ds.variables)))

    def read(self, task: Task) -> Values:
        """Open all granules as one, and load."""
        asked = {} if task.everything else {"variables": list(task.variables)}
        with self._opened(task, **asked) as ds:
            if task.rows is not None:
                along = ds["n_obs"].dims
                dim = next(d for d in _longest(ds).dims if d not in along)
                ds = ds.isel({dim: task.slice})  # noqa: PLW2901
            below = _chosen(ds, task)
            ds.icesat2.load(*below)
            return dict(_apart(ds, below, task))

    def _opened(self, task: Task, **asked: Any) -> xr.Dataset:
        given: Any = list(task.urls) if len(task.urls) > 1 else task.urls[0]
        if task.cached:
            asked["index_cache"] = self.kept(task)
        if task.group:
            asked["group"] = task.group
        return xr.open_dataset(given, engine="icesat2", **asked, **self.decoders)


class AsStored(Decoded):
    """The values as the file holds them, as most other ways give them."""

    title = '**`engine="icesat2"`**'
    decoders = {"mask_and_scale": False, "decode_times": False}  # noqa: RUF012 - as above


class Held(AsStored):
    """As stored, with the indexes of all granules in one file, and no request to open them."""

    title = '`engine="icesat2"`, indexes in a file'
    index = "must"
    _file: str | None = None

    def kept(self, task: Task) -> str | None:
        """Give the file, once it is made."""
        del task
        return self._file

    def prepare(self, task: Task) -> None:
        """Save the indexes."""
        with self._opened(task, variables=list(task.variables)) as ds:
            file = str(Path(task.scratch) / "campaign.idx")
            indexes.save(file, ds, progress=False)
        self._file = file


def _longest(ds: xr.Dataset) -> xr.DataArray:
    return max(ds.data_vars.values(), key=lambda array: array.ndim and array.size)


def _chosen(ds: xr.Dataset, task: Task) -> dict[str, str]:
    """Give the paths below a beam of the variables that are asked for, by their names here."""
    held = ds.icesat2.source_encoding.items()
    paths = {str(name): encoding["path"].strip("/").partition("/")[2] for name, encoding in held}
    wanted = {f"{task.group}/{name}" for name in task.variables}
    return {name: path for name, path in paths.items() if path in wanted}


def _apart(ds: xr.Dataset, below: Mapping[str, str], task: Task) -> Any:
    """Give the rows of each beam of each granule, without the padding."""
    numbers = {url.rpartition("/")[2]: n for n, url in enumerate(task.urls)}
    tracks = ds["gt"].to_numpy()
    rows = ds["n_obs"].to_numpy()
    start = task.rows[0] if task.rows else 0
    for g, source in enumerate(ds["source_file"].to_numpy()):
        number = numbers[str(source).rpartition("/")[2]]
        for s in range(tracks.shape[1]):
            beam = str(tracks[g, s])
            for name, path in below.items():
                values: np.ndarray = ds.variables[name].to_numpy()[g, s]
                if values.ndim:
                    values = values[: max(0, int(rows[g, s]) - start)]
                yield (number, f"{beam}/{path}"), values
