"""Asking along many paths at once for what a walk from the root will read.

A walk reads an object whole before what lies below it: the blocks of a header
that was added to often lie apart, each known from the one before, and each
costs a round trip. But what a group links to is known from its first block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from xr_icesat2.granule.model import Node

from .fetch import Parser, together
from .links import read_links
from .nodes import read_node
from .objects import FIRST_READ, read_first_messages

__all__ = ["Branches", "branches", "descend"]

Branches: TypeAlias = "Mapping[str, Branches]"
"""By name, what is wanted of a group; ``*`` for the first bytes of all that lies in it."""


def branches(paths: Iterable[str]) -> Branches:
    """Give paths as a tree."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for name in path.strip("/").split("/"):
            node = node.setdefault(name, {})
    return tree


def descend(address: int, wanted: Branches, file_size: int, found: dict[int, Node]) -> Parser[None]:
    """Ask for an object and for what is wanted below it, each as soon as its place is known.

    What could be read is put into ``found``, by the offset of its header. What is missing or
    damaged is passed over, for the walk itself will say so.
    """
    parsers: list[Parser[object]] = [_alone(address, file_size, found)]
    if wanted:
        parsers.append(_below(address, wanted, file_size, found))
    yield from together(parsers)


def _alone(address: int, file_size: int, found: dict[int, Node]) -> Parser[None]:
    found[address] = yield from read_node(address, file_size)


def _below(address: int, wanted: Branches, file_size: int, found: dict[int, Node]) -> Parser[None]:
    messages = yield from read_first_messages(address, file_size)
    links = yield from read_links(messages)
    targets = {name: target for name, target in links.items() if isinstance(target, int)}
    if "*" in wanted:
        inside = [at for at in targets.values() if 0 <= at < file_size]
        yield [(at, min(FIRST_READ, file_size - at)) for at in inside]
    yield from together(
        descend(targets[name], below, file_size, found)
        for name, below in wanted.items()
        if name in targets
    )
