"""Interface of a reader that is measured."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.task import Opened, Task, Values

__all__ = ["Peer", "each_file"]

CONCURRENT_FILES = 8


class Peer(ABC):
    """A reader of granules."""

    title: str
    """Name in tables."""
    remote = True
    """Whether it reads from S3."""
    local = True
    """Whether it is measured on local files."""
    index = "no"
    """Whether it uses a cached structure: ``no``, ``may`` or ``must``."""
    opens = True
    """Whether it lists the variables of a group."""
    reads = True
    """Whether it reads values."""
    trees = False
    """Whether it lists the variables of a whole file."""
    regions = False
    """Whether it reads the photons in a region."""

    def cannot(self, task: Task) -> str | None:
        """Return the reason why it cannot do a task, or None."""
        reasons = {
            "reads local files only": task.remote and not self.remote,
            "measured on S3 only": not task.remote and not self.local,
            "keeps no index": task.cached and self.index == "no",
            "needs an existing index": not task.cached and self.index == "must",
            "reads no values": task.does == "read" and not self.reads,
            "does not list a group": task.does == "open" and not self.opens,
            "selects no region": task.region is not None and not self.regions,
            "does not open a whole file": task.does == "tree" and not self.trees,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def prepare(self, task: Task) -> None:
        """Prepare caches before the measurement."""
        del task

    def open(self, task: Task) -> Opened:
        """Open and print a group or file."""
        raise NotImplementedError(f"{self.title} opens nothing ({task.does})")

    def read(self, task: Task) -> Values:
        """Read ``task.variables``."""
        raise NotImplementedError(f"{self.title} reads nothing ({task.does})")


def each_file(task: Task, read: Callable[[str], dict[str, np.ndarray]]) -> Values:
    """Read many granules with a reader of one, in threads."""
    if len(task.urls) == 1:
        return {(0, path): values for path, values in read(task.urls[0]).items()}
    with ThreadPoolExecutor(CONCURRENT_FILES) as pool:
        results = list(pool.map(read, task.urls))
    return {(n, path): values for n, one in enumerate(results) for path, values in one.items()}
