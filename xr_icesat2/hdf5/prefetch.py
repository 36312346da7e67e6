"""Asking along many paths at once for what a walk from the root will read.

A walk reads an object whole before what lies below it: the blocks of a header
that was added to often lie apart, each known from the one before, and each
costs a round trip. But what a group links to is known from its first block. Of
datasets that are wanted by name, the first of the chunk table comes along, and so
do values that are few.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .chunk_btree import NO_ROWS, read_chunk_table
from .group_links import read_links
from .model import Chunked, ChunkTable, Contiguous, DatasetHeader, Node
from .node import read_node
from .object_header import FIRST_READ, Message, read_first_messages, read_messages
from .parse_limits import Budget
from .parser_loop import Alone, Parser, Ranges, together
from .paths import join

__all__ = ["Ahead", "Branches", "Scope", "branches", "descend"]

Branches: TypeAlias = "Mapping[str, Branches]"
"""By name, what is wanted of a group; ``*`` for the first bytes of all that lies in it."""
FEW_BYTES = 4096
"""Of values that come along, and of what they are stored in."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was read before the walk came to it."""

    nodes: dict[int, Node] = field(default_factory=dict)
    """By the offset of their headers."""
    tables: dict[str, ChunkTable] = field(default_factory=dict)
    """By path."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What every parser of a descent needs."""

    file_size: int
    budget: Budget
    ahead: Ahead = field(default_factory=Ahead)


def branches(paths: Iterable[str]) -> Branches:
    """Give paths as a tree."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for name in path.strip("/").split("/"):
            node = node.setdefault(name, {})
    return tree


def descend(address: int, wanted: Branches, scope: Scope, path: str = "/") -> Parser[None]:
    """Ask for an object and for what is wanted below it, each as soon as its place is known.

    What could be read is put into ``ahead``. What is missing or damaged is passed over, for the
    walk itself will say so.
    """
    parsers: list[Parser[object]] = [_alone(address, scope, path)]
    if wanted:
        parsers.append(_below(address, wanted, scope, path))
    yield from together(parsers)


def _alone(address: int, scope: Scope, path: str) -> Parser[None]:
    node = scope.ahead.nodes[address] = yield from read_node(address, scope.file_size, scope.budget)
    if isinstance(node, DatasetHeader):
        if isinstance(node.layout, Chunked):
            table = yield from read_chunk_table(node, node.layout, scope.file_size, NO_ROWS)
            scope.ahead.tables[path] = table
        if math.prod(node.shape) * node.dtype.itemsize <= FEW_BYTES:
            places = _places(node, scope.ahead.tables.get(path))
            yield [place for place in places if place[1] <= FEW_BYTES]


def _places(header: DatasetHeader, table: ChunkTable | None) -> Ranges:
    """Give where the values of a dataset lie, as far as its table says."""
    if table is not None:
        places = zip(table.offsets.ravel().tolist(), table.sizes.ravel().tolist(), strict=True)
        return [Alone(offset, size) for offset, size in places if size]
    layout = header.layout
    if not isinstance(layout, Contiguous) or layout.offset is None:
        return []
    return [Alone(layout.offset, math.prod(header.shape) * header.dtype.itemsize)]


def _below(address: int, wanted: Branches, scope: Scope, path: str) -> Parser[None]:
    first = yield from _targets(
        (yield from read_first_messages(address, scope.file_size)), scope.budget
    )
    parsers = [_into(first, wanted, scope, path)]
    unseen = {name: below for name, below in wanted.items() if name not in first}
    if unseen.keys() - {"*"}:
        parsers.append(_further(address, unseen, scope, path))
    yield from together(parsers)


def _further(address: int, wanted: Branches, scope: Scope, path: str) -> Parser[None]:
    """Go on with what is linked in the later blocks of a header only."""
    targets = yield from _targets(
        (yield from read_messages(address, scope.file_size)), scope.budget
    )
    yield from _into(targets, wanted, scope, path)


def _into(targets: Mapping[str, int], wanted: Branches, scope: Scope, path: str) -> Parser[None]:
    if "*" in wanted:
        inside = [at for at in targets.values() if 0 <= at < scope.file_size]
        yield [(at, min(FIRST_READ, scope.file_size - at)) for at in inside]
    yield from together(
        descend(targets[name], below, scope, join(path, name))
        for name, below in wanted.items()
        if name in targets
    )


def _targets(messages: Sequence[Message], budget: Budget) -> Parser[dict[str, int]]:
    links = yield from read_links(messages, budget)
    return {name: target for name, target in links.items() if isinstance(target, int)}
