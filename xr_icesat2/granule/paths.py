"""Paths inside a granule: always absolute, ``/`` the root, no slash at the end."""

from __future__ import annotations

import posixpath
from functools import lru_cache

__all__ = ["ancestors", "join", "normalise", "parent"]


def normalise(path: str) -> str:
    """Give the one spelling of a path: ``gt1l//heights/`` is ``/gt1l/heights``."""
    return posixpath.normpath("/" + path.strip("/")) if path.strip("/") else "/"


def join(group: str, name: str) -> str:
    """Give the path of ``name`` (which may be ``..`` or absolute) seen from a group."""
    return normalise(posixpath.normpath(posixpath.join(group, name)))


def parent(path: str) -> str:
    """Give the group that holds an object; the root's is the root."""
    return posixpath.dirname(path) or "/"


@lru_cache(maxsize=1 << 14)
def ancestors(path: str) -> tuple[str, ...]:
    """Give the groups that hold an object, nearest first, the root last."""
    groups = []
    while path != "/":
        path = parent(path)
        groups.append(path)
    return tuple(groups)
