"""h5py on a local file."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from benchmarks.peers.peer import Peer, each_file
from benchmarks.region import read_photons
from benchmarks.task import Opened, Task, Values

__all__ = ["Local", "Walk", "describe", "read_all", "walk"]


def read_all(file: h5py.File, task: Task) -> dict[str, np.ndarray]:
    """Return the values of all requested datasets."""
    if task.region is not None:
        return read_photons(task, lambda path, rows: file[path][rows])
    return {path: file[path][task.slice] for path in task.paths()}


def describe(node: h5py.Dataset) -> str:
    """Format name, dtype, shape and attributes of a dataset as a line."""
    return f"{node.name} {node.dtype} {node.shape} {dict(node.attrs)}"


def walk(file: h5py.File, task: Task) -> Opened:
    """List the datasets in the main group of each beam, or in the whole file."""
    nodes: list[h5py.Dataset] = []
    if task.does == "tree":
        file.visititems(lambda _, n: nodes.append(n) if isinstance(n, h5py.Dataset) else None)
    else:
        for beam in task.beams:
            stored = file[f"{beam}/{task.group}"].values()
            nodes += [node for node in stored if isinstance(node, h5py.Dataset)]
    lines = [describe(node) for node in nodes]
    return Opened("\n".join(lines), frozenset(node.name.rpartition("/")[2] for node in nodes))


class Local(Peer):
    """Reader of one dataset after another."""

    title = "h5py"
    remote = False
    trees = True

    def open(self, task: Task) -> Opened:
        """List the datasets."""
        with h5py.File(task.urls[0]) as file:
            return walk(file, task)

    def read(self, task: Task) -> Values:
        """Read the values."""

        def one(url: str) -> dict[str, np.ndarray]:
            with h5py.File(url) as file:
                return read_all(file, task)

        return each_file(task, one)


class Walk(Peer):
    """Traversal of the whole file, whatever part of it is requested."""

    title = "h5py, traversal of the whole file"
    remote = False
    reads = False
    trees = True

    def open(self, task: Task) -> Opened:
        """List every dataset with shape and attributes."""
        stored: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {}

        def note(name: str, node: h5py.Group | h5py.Dataset) -> None:
            if isinstance(node, h5py.Dataset):
                stored[name] = node.shape, dict(node.attrs)

        with h5py.File(task.urls[0]) as file:
            file.visititems(note)
        return Opened("\n".join(stored), frozenset(name.rpartition("/")[2] for name in stored))
