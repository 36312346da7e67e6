"""Prefetch objects along many paths at once, before the traversal reads them.

The traversal reads an object completely before the objects below it. The blocks of a header are
often apart, and each contains the address of the next, so each costs a round trip. But the first
block of a group already contains its links. For datasets that are requested by name, the root of
the chunk B-tree and small values are prefetched too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .chunk_btree import NO_ROWS, read_chunk_table
from .group_links import read_links
from .limit_counters import LimitUsage
from .model import Chunked, ChunkTable, Contiguous, DatasetHeader, Node
from .object_header import FIRST_READ, Message, read_first_messages, read_messages
from .object_parser import read_object
from .parser_driver import IsolatedRange, Parser, Ranges, concurrently
from .paths import join

__all__ = ["PathTree", "PrefetchScope", "Prefetched", "path_tree", "prefetch"]

PathTree: TypeAlias = "Mapping[str, PathTree]"
"""Wanted members of a group, keyed by name; ``*`` for the first bytes of every member."""
FEW_BYTES = 4096
"""Bytes of values that are prefetched, and of their stored form."""


@dataclass(frozen=True, slots=True)
class Prefetched:
    """Objects and tables that were prefetched."""

    nodes: dict[int, Node] = field(default_factory=dict)
    """Keyed by the address of their headers."""
    tables: dict[str, ChunkTable] = field(default_factory=dict)
    """By path."""


@dataclass(frozen=True, slots=True)
class PrefetchScope:
    """What every parser of a prefetch needs."""

    file_size: int
    usage: LimitUsage
    ahead: Prefetched = field(default_factory=Prefetched)


def path_tree(paths: Iterable[str]) -> PathTree:
    """Return paths as a tree."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for name in path.strip("/").split("/"):
            node = node.setdefault(name, {})
    return tree


def prefetch(address: int, wanted: PathTree, scope: PrefetchScope, path: str = "/") -> Parser[None]:
    """Read an object and the wanted objects below it, each as soon as its place is known.

    Results are put into ``scope.ahead``. Missing or damaged objects are skipped, because the
    traversal reports them.
    """
    parsers: list[Parser[object]] = [_alone(address, scope, path)]
    if wanted:
        parsers.append(_below(address, wanted, scope, path))
    yield from concurrently(parsers)


def _alone(address: int, scope: PrefetchScope, path: str) -> Parser[None]:
    node = scope.ahead.nodes[address] = yield from read_object(
        address, scope.file_size, scope.usage
    )
    if isinstance(node, DatasetHeader):
        if isinstance(node.layout, Chunked):
            table = yield from read_chunk_table(node, node.layout, scope.file_size, NO_ROWS)
            scope.ahead.tables[path] = table
        if math.prod(node.shape) * node.dtype.itemsize <= FEW_BYTES:
            places = _places(node, scope.ahead.tables.get(path))
            yield [place for place in places if place[1] <= FEW_BYTES]


def _places(header: DatasetHeader, table: ChunkTable | None) -> Ranges:
    """Return the byte ranges of the values of a dataset, as far as its table has them."""
    if table is not None:
        places = zip(table.offsets.ravel().tolist(), table.sizes.ravel().tolist(), strict=True)
        return [IsolatedRange(offset, size) for offset, size in places if size]
    layout = header.layout
    if not isinstance(layout, Contiguous) or layout.offset is None:
        return []
    return [IsolatedRange(layout.offset, math.prod(header.shape) * header.dtype.itemsize)]


def _below(address: int, wanted: PathTree, scope: PrefetchScope, path: str) -> Parser[None]:
    first = yield from _targets(
        (yield from read_first_messages(address, scope.file_size)), scope.usage
    )
    parsers = [_into(first, wanted, scope, path)]
    unseen = {name: below for name, below in wanted.items() if name not in first}
    if unseen.keys() - {"*"}:
        parsers.append(_further(address, unseen, scope, path))
    yield from concurrently(parsers)


def _further(address: int, wanted: PathTree, scope: PrefetchScope, path: str) -> Parser[None]:
    """Continue with members that only later blocks of a header link to."""
    targets = yield from _targets((yield from read_messages(address, scope.file_size)), scope.usage)
    yield from _into(targets, wanted, scope, path)


def _into(
    targets: Mapping[str, int], wanted: PathTree, scope: PrefetchScope, path: str
) -> Parser[None]:
    if "*" in wanted:
        inside = [at for at in targets.values() if 0 <= at < scope.file_size]
        yield [(at, min(FIRST_READ, scope.file_size - at)) for at in inside]
    yield from concurrently(
        prefetch(targets[name], below, scope, join(path, name))
        for name, below in wanted.items()
        if name in targets
    )


def _targets(messages: Sequence[Message], usage: LimitUsage) -> Parser[dict[str, int]]:
    links = yield from read_links(messages, usage)
    return {name: target for name, target in links.items() if isinstance(target, int)}
