"""Paths inside a granule: always absolute, ``/`` the root, no slash at the end."""

from __future__ import annotations

import posixpath
import sys
from functools import lru_cache

__all__ = ["ancestors", "join", "normalise_path", "parent", "split_path", "way"]

# Beams, and granules of one product, have the same paths.
MOST_PATHS = 1 << 12


@lru_cache(maxsize=MOST_PATHS)
def normalise_path(path: str) -> str:
    """Give the one spelling of a path: ``gt1l//heights/`` is ``/gt1l/heights``."""
    # Of a file with very many objects, paths are a good part of what is held: one text each.
    return sys.intern(posixpath.normpath("/" + path.strip("/"))) if path.strip("/") else "/"


@lru_cache(maxsize=MOST_PATHS)
def join(group: str, name: str) -> str:
    """Give the path of ``name`` (which may be ``..`` or absolute) seen from a group."""
    return normalise_path(posixpath.normpath(posixpath.join(group, name)))


def parent(path: str) -> str:
    """Give the group that holds an object; the root's is the root."""
    return split_path(path)[0]


@lru_cache(maxsize=MOST_PATHS)
def split_path(path: str) -> tuple[str, str]:
    """Give the group that holds an object, and its name there."""
    group, name = posixpath.split(path)
    return group or "/", name


@lru_cache(maxsize=MOST_PATHS)
def way(path: str) -> tuple[str, ...]:
    """Give the way to an object: the root, the groups on the way, and itself."""
    return (*reversed(ancestors(path)), path)


@lru_cache(maxsize=MOST_PATHS)
def ancestors(path: str) -> tuple[str, ...]:
    """Give the groups that hold an object, nearest first, the root last."""
    groups = []
    while path != "/":
        path = parent(path)
        groups.append(path)
    return tuple(groups)
