"""h5coro-hidefix with an existing index; obstore reads, as its authors advise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import h5coro_hidefix
import numpy as np

from benchmarks.peers.bucket import bucket_store, key_of
from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Task, Values

__all__ = ["HeldIndex"]


class HeldIndex(Peer):
    """Reader with its index in memory; only obstore merges ranges."""

    title = "h5coro-hidefix, cached index"
    index = "must"
    opens = False

    def cannot(self, task: Task) -> str | None:
        """Allow local files, although the index exists beforehand."""
        return super().cannot(task if task.remote else replace(task, cached=True))

    def prepare(self, task: Task) -> None:
        """Create the indexes from the files on disk."""
        stored = zip(task.urls, task.files, strict=True)
        self._indexes = {url: h5coro_hidefix.Index(name) for url, name in stored}

    def read(self, task: Task) -> Values:
        """Read the values."""
        return each_file(task, lambda url: self._read(task, url))

    def _read(self, task: Task, url: str) -> dict[str, np.ndarray]:
        index = self._indexes[url]
        start, stop = task.rows or (None, None)
        if not task.remote:
            return {path: index.read(f"/{path}", start, stop) for path in task.paths()}
        plans = {path: index.read_plan(f"/{path}", start, stop) for path in task.paths()}
        buffers = asyncio.run(_fetch(url, plans))
        return {
            path: index.read_from_buffers(f"/{path}", stored, start, stop)
            for path, stored in buffers.items()
        }


async def _fetch(url: str, plans: dict[str, Any]) -> dict[str, list[Any]]:
    import obstore  # noqa: PLC0415 - local files need none

    starts = [int(a) for addresses, _, _ in plans.values() for a in addresses]
    sizes = [int(n) for _, lengths, _ in plans.values() for n in lengths]
    found = await obstore.get_ranges_async(
        bucket_store(url), key_of(url), starts=starts, lengths=sizes
    )
    rest = iter(found)
    return {path: [next(rest) for _ in plan[0]] for path, plan in plans.items()}
