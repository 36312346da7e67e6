"""h5coro's function ``readDatasets``."""

from __future__ import annotations

from typing import Any

import numpy as np
from h5coro import filedriver, h5coro, s3driver

from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["ReadDatasets"]


class ReadDatasets(Peer):
    """Reader of all datasets in one call, with one thread for each."""

    title = "h5coro `readDatasets`"

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
            slices = [] if task.rows is None else [list(task.rows)]
            asked = [{"dataset": path, "hyperslice": list(slices)} for path in task.paths()]
            answer = file.readDatasets(asked, block=True)
            values = {path: np.asarray(answer[path]) for path in task.paths()}
            file.close()
            return values

        return each_file(task, one)

    @staticmethod
    def _file(task: Task, url: str) -> Any:
        if task.remote:
            return h5coro.H5Coro(url.removeprefix("s3://"), s3driver.S3Driver, credentials={})
        return h5coro.H5Coro(url, filedriver.FileDriver, credentials={})
