"""Datasets of a group that have the name of a dataset of a group around it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

import xarray as xr

from xr_icesat2.hdf5.model import DatasetHeader, GroupHeader, Node
from xr_icesat2.hdf5.paths import ancestors

__all__ = ["find_namesakes", "have_same_labels"]


def find_namesakes(
    members: Sequence[Mapping[str, Node]], groups: Sequence[str]
) -> dict[str, list[str]]:
    """Return the datasets below that have the name of a dataset, by its path.

    In a tree, groups inherit an indexed coordinate. xarray shows it instead of their own variable
    of that name, and refuses the tree if the values differ.
    """
    own: dict[str, dict[str, object]] = {}
    for nodes in members:
        for path, node in nodes.items():
            if isinstance(node, DatasetHeader):
                group, name = posixpath.split(path)
                around = nodes.get(group)
                link = around.links.get(name) if isinstance(around, GroupHeader) else path
                own.setdefault(group, {})[name] = link
    found: dict[str, list[str]] = {}
    for group in groups:
        for outer in ancestors(group):
            for name in own.get(group, {}).keys() & own.get(outer, {}).keys():
                if own[group][name] != own[outer][name]:
                    below = posixpath.join(group, name)
                    found.setdefault(posixpath.join(outer, name), []).append(below)
    return found


def have_same_labels(datasets: Mapping[str, xr.Dataset], outer: str, below: str) -> bool:
    """Return whether two coordinates have equal labels; read them if necessary."""
    one, other = (
        datasets[group].xindexes.get(name) for group, name in map(posixpath.split, (outer, below))
    )
    if one is None:
        return True  # groups inherit only coordinates with an index
    return other is not None and one.equals(other)
