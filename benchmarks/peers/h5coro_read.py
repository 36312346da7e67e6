"""h5coro's function ``readDatasets``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from h5coro import filedriver, h5coro, s3driver

from benchmarks.peers.peer import Peer, each_file
from benchmarks.region import SEGMENT_VARIABLES, photon_rows
from benchmarks.task import Opened, Task, Values

__all__ = ["ReadDatasets"]


class ReadDatasets(Peer):
    """Reader of all datasets in one call, with one thread for each."""

    title = "h5coro `readDatasets`"
    regions = True

    def open(self, task: Task) -> Opened:
        """List the main group of each beam."""
        file = self._file(task, task.urls[0])
        texts, names = [], set()
        for beam in task.beams:
            variables, attributes, groups = file.list(f"{beam}/{task.group}", w_attr=True)
            texts.append(f"{variables} {attributes} {groups}")
            names |= set(variables)
        file.close()
        return Opened("\n".join(texts), frozenset(names))

    def read(self, task: Task) -> Values:
        """Read the values."""

        def one(url: str) -> dict[str, np.ndarray]:
            file = self._file(task, url)
            rows = dict.fromkeys(task.paths(), task.rows)
            if task.region is not None:
                rows = self._rows_in_region(file, task)
            values = self._values(file, rows)
            file.close()
            return values

        return each_file(task, one)

    def _rows_in_region(self, file: Any, task: Task) -> dict[str, tuple[int, int] | None]:
        """Read where the segments are, and return the photons of those in the region."""
        names = [f"{beam}/geolocation/{n}" for beam in task.beams for n in SEGMENT_VARIABLES]
        found = self._values(file, dict.fromkeys(names))
        rows: dict[str, tuple[int, int] | None] = {}
        for beam in task.beams:
            segments = {n: found[f"{beam}/geolocation/{n}"] for n in SEGMENT_VARIABLES}
            chosen = photon_rows(segments, task.region or ())
            paths = [path for path in task.paths() if path.startswith(f"{beam}/")]
            rows |= dict.fromkeys(paths, (chosen.start, chosen.stop))
        return rows

    @staticmethod
    def _values(file: Any, rows: Mapping[str, tuple[int, int] | None]) -> dict[str, np.ndarray]:
        asked = [
            {"dataset": path, "hyperslice": [] if some is None else [list(some)]}
            for path, some in rows.items()
        ]
        answer = file.readDatasets(asked, block=True)
        return {path: np.asarray(answer[path]) for path in rows}

    @staticmethod
    def _file(task: Task, url: str) -> Any:
        if task.remote:
            return h5coro.H5Coro(url.removeprefix("s3://"), s3driver.S3Driver, credentials={})
        return h5coro.H5Coro(url, filedriver.FileDriver, credentials={})
