"""hidefix on local files."""

from __future__ import annotations

import hidefix
import numpy as np

from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Task, Values

__all__ = ["Local"]


class Local(Peer):
    """Reader that indexes the whole file, then reads one dataset after another."""

    title = "hidefix"
    remote = False
    opens = False

    def read(self, task: Task) -> Values:
        """Read the values."""

        def one(url: str) -> dict[str, np.ndarray]:
            index = hidefix.Index(url)
            return {path: _rows(index.dataset(path), task) for path in task.paths()}

        return each_file(task, one)


def _rows(dataset: hidefix.Dataset, task: Task) -> np.ndarray:
    shape = dataset.shape()
    key = (slice(*task.slice.indices(shape[0])), *(slice(0, n) for n in shape[1:]))
    return np.asarray(dataset[key])
