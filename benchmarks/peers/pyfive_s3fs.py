"""pyfive over a file that s3fs opened, or a local one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyfive

from benchmarks.peers.bucket import s3_filesystem
from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Opened, Task, Values

__all__ = ["Blocks"]


class Blocks(Peer):
    """Reader with blocks of 4 MiB."""

    title = "pyfive, 4 MiB blocks"

    def open(self, task: Task) -> Opened:
        """List the main group of each beam."""
        lines, names = [], set()
        with self._file(task, task.urls[0]) as plain, pyfive.File(plain) as file:
            for beam in task.beams:
                group = file[f"{beam}/{task.group}"]
                for name in group:
                    node = group[name]
                    if isinstance(node, pyfive.Dataset):
                        lines.append(f"{name} {node.dtype} {node.shape} {dict(node.attrs)}")
                        names.add(name)
        return Opened("\n".join(lines), frozenset(names))

    def read(self, task: Task) -> Values:
        """Read the values."""

        def one(url: str) -> dict[str, np.ndarray]:
            with self._file(task, url) as plain, pyfive.File(plain) as file:
                return {path: np.asarray(file[path][task.slice]) for path in task.paths()}

        return each_file(task, one)

    @staticmethod
    def _file(task: Task, url: str) -> Any:
        if task.remote:
            return s3_filesystem().open(url, block_size=4 << 20, cache_type="blockcache")
        return open(url, "rb")  # noqa: PTH123 - its user closes it
