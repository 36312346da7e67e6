"""Readers of this library."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from benchmarks.peers.peer import Peer
from benchmarks.region import SEGMENT_VARIABLES, photon_rows
from benchmarks.task import Opened, Task, Values
from xr_icesat2 import save_indexes

__all__ = ["AllSegments", "AsStored", "Decoded", "IndexFile"]


class Decoded(Peer):
    """Reader with default options: missing values are NaN, times are decoded."""

    title = '`engine="icesat2"`, decoded'
    index = "may"
    trees = True
    regions = True
    decoders: dict[str, Any] = {}  # noqa: RUF012 - a subclass has its own

    def kept(self, task: Task) -> str | None:
        """Return the index cache: here a directory."""
        return task.scratch

    def prepare(self, task: Task) -> None:
        """Fill the cache directory."""
        if task.cached:
            self.read(task)

    def open(self, task: Task) -> Opened:
        """Open, and print the Dataset or tree."""
        if task.does == "tree":
            with xr.open_datatree(task.urls[0], engine="icesat2") as tree:
                names = {str(name) for node in tree.subtree for name in node.variables}
                return Opened(repr(tree), frozenset(names))
        with self._opened(task) as ds:
            return Opened(repr(ds), frozenset(map(str, ds.variables)))

    def read(self, task: Task) -> Values:
        """Open all granules as one Dataset, and load it."""
        asked: dict[str, Any] = {}
        if not task.everything:
            asked["variables"] = list(task.variables)
        if task.region is not None:
            asked["region"] = task.region
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
    """Reader of undecoded values, as most other readers return them."""

    title = '**`engine="icesat2"`**'
    decoders = {"mask_and_scale": False, "decode_times": False}  # noqa: RUF012 - as above


class IndexFile(AsStored):
    """Reader of undecoded values with an index file: no requests to open granules."""

    title = '`engine="icesat2"`, index file'
    index = "must"
    _file: str | None = None

    def kept(self, task: Task) -> str | None:
        """Return the index file, or None before it is saved."""
        del task
        return self._file

    def prepare(self, task: Task) -> None:
        """Save the indexes."""
        with self._opened(task, variables=list(task.variables)) as ds:
            file = str(Path(task.scratch) / "campaign.idx")
            save_indexes(file, ds, progress=False)
        self._file = file


class AllSegments(AsStored):
    """Reader of undecoded photons by the coordinates of all segments, without ``region``."""

    title = '`engine="icesat2"`, all segment coordinates read'

    def cannot(self, task: Task) -> str | None:
        """Return why it is not measured: it is for regions of one granule."""
        if task.region is None or len(task.urls) > 1:
            return "measured on regions only"
        return super().cannot(task)

    def read(self, task: Task) -> Values:
        """Read the coordinates, then the photons of all beams concurrently."""
        segments = replace(task, group="geolocation", variables=SEGMENT_VARIABLES)
        if task.region is None:
            raise ValueError("the task has no region")
        with self._opened(segments, variables=list(SEGMENT_VARIABLES)) as ds:
            ds.icesat2.load(*SEGMENT_VARIABLES)
            beams = {
                str(gt): photon_rows(
                    {name: ds[name].to_numpy()[0, spot] for name in SEGMENT_VARIABLES},
                    task.region,
                )
                for spot, gt in enumerate(ds["gt"].to_numpy()[0])
            }
        with self._opened(task, variables=list(task.variables)) as ds:
            dim = _longest(ds).dims[2]
            parts = {
                str(gt): ds.isel({ds["gt"].dims[1]: spot, dim: beams[str(gt)]})
                for spot, gt in enumerate(ds["gt"].to_numpy()[0])
            }
            below = _chosen(ds, task)

            def load(part: xr.Dataset) -> xr.Dataset:
                loaded: xr.Dataset = part.icesat2.load(*below)
                return loaded

            with ThreadPoolExecutor(len(parts)) as pool:
                loaded = dict(zip(parts, pool.map(load, parts.values()), strict=True))
        return {
            (0, f"{gt}/{path}"): part.variables[name].to_numpy()[0]
            for gt, part in loaded.items()
            for name, path in below.items()
        }


def _longest(ds: xr.Dataset) -> xr.DataArray:
    return max(ds.data_vars.values(), key=lambda array: array.ndim and array.size)


def _chosen(ds: xr.Dataset, task: Task) -> dict[str, str]:
    """Return the paths below a beam of the selected variables, by their names."""
    stored = ds.icesat2.source_encoding.items()
    paths = {str(name): encoding["path"].strip("/").partition("/")[2] for name, encoding in stored}
    wanted = {f"{task.group}/{name}" for name in task.variables}
    return {name: path for name, path in paths.items() if path in wanted}


def _apart(ds: xr.Dataset, below: Mapping[str, str], task: Task) -> Any:
    """Yield the rows of each beam of each granule, without padding."""
    numbers = {url.rpartition("/")[2]: n for n, url in enumerate(task.urls)}
    tracks = ds["gt"].to_numpy()
    rows = ds["n_rows" if "n_rows" in ds else "n_obs"].to_numpy()
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
