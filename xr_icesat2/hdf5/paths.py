"""Paths inside a file: absolute, with ``/`` for the root, without a slash at the end."""

from __future__ import annotations

import posixpath
import sys
from functools import lru_cache

__all__ = ["ancestors", "join", "normalise_path", "parent", "split_path", "way"]

# Beams, and granules of one product, have the same paths.
MAX_PATHS = 1 << 12


@lru_cache(maxsize=MAX_PATHS)
def normalise_path(path: str) -> str:
    """Return the canonical form of a path: ``gt1l//heights/`` is ``/gt1l/heights``."""
    # One text for each path: in a file of very many objects, paths take much of the memory.
    return sys.intern(posixpath.normpath("/" + path.strip("/"))) if path.strip("/") else "/"


@lru_cache(maxsize=MAX_PATHS)
def join(group: str, name: str) -> str:
    """Return the path of ``name`` (which may be ``..`` or absolute) seen from a group."""
    return normalise_path(posixpath.normpath(posixpath.join(group, name)))


def parent(path: str) -> str:
    """Return the group that contains an object; for the root, the root."""
    return split_path(path)[0]


@lru_cache(maxsize=MAX_PATHS)
def split_path(path: str) -> tuple[str, str]:
    """Return the group that contains an object, and its name there."""
    group, name = posixpath.split(path)
    return group or "/", name


@lru_cache(maxsize=MAX_PATHS)
def way(path: str) -> tuple[str, ...]:
    """Return the way to an object: the root, the groups on the way, and itself."""
    return (*reversed(ancestors(path)), path)


@lru_cache(maxsize=MAX_PATHS)
def ancestors(path: str) -> tuple[str, ...]:
    """Return the groups that enclose an object, from the innermost to the root."""
    groups = []
    while path != "/":
        path = parent(path)
        groups.append(path)
    return tuple(groups)
