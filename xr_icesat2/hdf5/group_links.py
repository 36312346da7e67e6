"""Read the links of a group: link messages, dense links, symbol tables (IV.A.2.c, g, r)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from xr_icesat2.errors import CorruptGranuleError

from .binary import UNDEFINED, Cursor, check_signature
from .btree_v2 import LINK_NAMES, read_records
from .heaps import read_fractal, read_local
from .limit_counters import LimitUsage
from .model import ExternalLink, LinkTarget, MisnamedLink, OverlongLink
from .object_header import LINK, LINK_INFO, Message
from .parser_driver import Parser, UnsupportedError

__all__ = ["SYMBOL_TABLE", "Links", "Members", "read_links"]

SYMBOL_TABLE = 0x11
HARD, SOFT, EXTERNAL = 0, 1, 64
LEAST_LINK = 4
"""Bytes of a link message up to where its name may begin."""
SYMBOL_BYTES = 40
SOFT_SYMBOL = 2
NODE_HEADER_BYTES = 24
MAX_TARGET_BYTES = 1 << 16
"""Bytes of the path of a soft link."""

Links = dict[str, LinkTarget]


def read_links(messages: Sequence[Message], usage: LimitUsage) -> Parser[Links]:
    """Return the links of a group, keyed by name."""
    members = Members(usage)
    usage.use_links(sum(message.type == LINK for message in messages))
    for message in messages:
        if message.type == LINK:
            members.add_message(message.body)
        elif message.type == LINK_INFO:
            yield from _dense(members, message.body)
        elif message.type == SYMBOL_TABLE:
            yield from _symbol_table(members, message.body)
    return members.links


# Groups share the text of equal names.
@lru_cache(maxsize=1 << 13)
def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


class Members:
    """Collects the members of a group within the limits."""

    def __init__(self, usage: LimitUsage) -> None:
        self.usage = usage
        self.links: Links = {}
        self._numbers: Counter[str] = Counter()

    def add(self, name: bytes, target: LinkTarget) -> None:
        """Add a link."""
        if (overlong := self.usage.overlong(name)) is not None:
            self.links[self._free(overlong.shown)] = overlong
            return
        text = _decode(name)
        if MisnamedLink.has(text):
            target = MisnamedLink(text)
            text = self._free(target.escaped)
        elif isinstance(self.links.get(text), MisnamedLink | OverlongLink):
            other = self._free(text)
            self.links[other] = self.links.pop(text)
        if text in self.links or not text:
            raise CorruptGranuleError(
                f"a group with two links named {text!r}, or with an empty name"
            )
        self.links[text] = target

    def _free(self, name: str) -> str:
        """Return a name that no other link of the group has, numbered where several begin alike."""
        free = name
        while free in self.links:
            # Each number is tried once, or the cost would grow with the square of the links.
            self._numbers[name] += 1
            number = self._numbers[name]
            free = f"{name}~{number}" if number > 1 else f"{name}~"
        return free

    def add_message(self, body: bytes) -> None:
        """Add a link from its message (section IV.A.2.g)."""
        # Without a cursor, for speed: a granule has hundreds of links.
        if len(body) < LEAST_LINK:
            raise CorruptGranuleError(f"a link message of {len(body)} bytes")
        version, flags = body[0], body[1]
        if version != 1:
            raise UnsupportedError(f"link message version {version}")
        kind = body[2] if flags & 0x08 else HARD
        at = 2 + (flags >> 3 & 1) + (8 if flags & 0x04 else 0) + (flags >> 4 & 1)
        start = at + (1 << (flags & 3))
        end = start + int.from_bytes(body[at:start], "little")
        name, target = body[start:end], body[end : end + 8]
        if kind == HARD and len(target) == 8:
            self.add(name, int.from_bytes(target, "little"))
        elif kind == HARD:
            raise CorruptGranuleError(f"a link message of {len(body)} bytes")
        elif kind == SOFT:
            cursor = Cursor(body, end)
            self.add(name, cursor.take(cursor.number(2)).decode("utf-8", "surrogateescape"))
        elif kind == EXTERNAL:
            cursor = Cursor(body, end)
            self.add(name, _external(cursor.take(cursor.number(2))))
        else:
            raise UnsupportedError(f"a link of type {kind}")


def _external(value: bytes) -> ExternalLink:
    # A byte of version and flags, then both texts, each terminated by a zero.
    file, path, *_ = (*value[1:].split(b"\0"), b"")
    return ExternalLink(
        file.decode("utf-8", "surrogateescape"), path.decode("utf-8", "surrogateescape")
    )


def _dense(members: Members, body: bytes) -> Parser[None]:
    cursor = Cursor(body, 1)
    flags = cursor.number(1)
    cursor.skip(8 if flags & 1 else 0)
    heap, names = cursor.number(8), cursor.number(8)
    if heap == UNDEFINED:
        return
    records = yield from read_records(names, LINK_NAMES)
    members.usage.use_links(len(records))
    # A record is the hash of the name and the heap ID of the link message.
    for link in (yield from read_fractal(heap, [record[4:] for record in records])):
        members.add_message(link)


@dataclass(frozen=True, slots=True)
class _Branch:
    """A node of a group's B-tree or a symbol table, and the range of its names."""

    address: int
    above: bytes
    last: bytes | None
    """The greatest name that it may contain; None for the root."""

    def check(self, names: Sequence[bytes], longest: int) -> None:
        """Raise unless the HDF5 library, which searches by these names, would find them all.

        Names of more than ``longest`` bytes are known by their beginnings only.
        """
        ordered = all(
            one < other or (one == other and len(one) > longest)
            for one, other in pairwise((self.above, *names))
        )
        if not ordered or (names and self.last is not None and names[-1] > self.last):
            raise CorruptGranuleError("a symbol table whose names are out of order")


def _symbol_table(members: Members, body: bytes) -> Parser[None]:
    cursor = Cursor(body)
    tree, heap = cursor.number(8), cursor.number(8)
    names = _Names((yield from read_local(heap)), members.usage.limits.name_bytes)
    level = [_Branch(tree, b"", None)]
    seen: set[int] = set()
    tables: list[_Branch] = []
    while level:
        _see(level, seen)
        heads = yield [(branch.address, NODE_HEADER_BYTES) for branch in level]
        counts = [_node_entries(head) for head in heads]
        spans = [
            (branch.address + NODE_HEADER_BYTES, count * 16 + 8)
            for branch, (_, count) in zip(level, counts, strict=True)
        ]
        below: list[_Branch] = []
        for entries, (depth, count) in zip((yield spans), counts, strict=True):
            (below if depth else tables).extend(_branches(names, entries, count))
        level = below
    _see(tables, seen)
    heads = (yield [(table.address, 8) for table in tables]) if tables else []
    spans = [
        (table.address + 8, _symbol_count(head) * SYMBOL_BYTES)
        for table, head in zip(tables, heads, strict=True)
    ]
    members.usage.use_links(sum(size for _, size in spans) // SYMBOL_BYTES)
    for table, symbols in zip(tables, (yield spans) if spans else [], strict=True):
        starts = range(0, len(symbols), SYMBOL_BYTES)
        found = [_add_symbol(members, names, Cursor(symbols, start)) for start in starts]
        table.check([name[: names.longest + 1] for name in found], names.longest)


def _see(branches: Sequence[_Branch], seen: set[int]) -> None:
    """Note the addresses of nodes; raise if one is in two places."""
    addresses = {branch.address for branch in branches}
    if len(addresses) < len(branches) or not seen.isdisjoint(addresses):
        raise CorruptGranuleError("a group B-tree with a node in two places")
    seen |= addresses


def _branches(names: _Names, entries: bytes, count: int) -> Iterator[_Branch]:
    keys = [names.key(Cursor(entries, 16 * n).number(8)) for n in range(count + 1)]
    for n in range(count):
        yield _Branch(Cursor(entries, 8 + 16 * n).number(8), keys[n], keys[n + 1])


def _node_entries(head: bytes) -> tuple[int, int]:
    check_signature(head, b"TREE\x00", "group B-tree")
    return head[5], int.from_bytes(head[6:8], "little")


def _symbol_count(head: bytes) -> int:
    check_signature(head, b"SNOD\x01", "symbol table")
    return int.from_bytes(head[6:8], "little")


def _add_symbol(members: Members, names: _Names, cursor: Cursor) -> bytes:
    name_at, address, kind = cursor.number(8), cursor.number(8), cursor.number(4)
    cursor.skip(4)
    name = names.name(name_at)
    if kind > SOFT_SYMBOL:
        raise CorruptGranuleError(f"a symbol of kind {kind}")
    if kind == SOFT_SYMBOL:
        target = names.target(cursor.number(4)).decode("utf-8", "surrogateescape")
        members.add(name, target)
    else:
        members.add(name, address)
    return name


class _Names:
    """The names of a group, and the paths of its soft links, in its local heap."""

    def __init__(self, heap: bytes, longest: int) -> None:
        self.longest = longest
        self._heap = heap
        self._left = len(heap)

    def key(self, at: int) -> bytes:
        """Return the name that begins at a byte, or a byte more than ``longest`` of it."""
        return self._text(at, self.longest)

    def name(self, at: int) -> bytes:
        """Return the whole name of a member; names do not overlap."""
        return self._once(self._text(at, len(self._heap)))

    def target(self, at: int) -> bytes:
        """Return the path of a soft link."""
        return self._once(self._text(at, MAX_TARGET_BYTES))

    def _text(self, at: int, max_bytes: int) -> bytes:
        """Return a text up to its end, or a little more than ``max_bytes`` bytes of it."""
        end = self._heap.find(b"\0", at, at + max_bytes + 1)
        if at >= len(self._heap) or (end < 0 and at + max_bytes >= len(self._heap)):
            msg = f"a local heap of {len(self._heap)} bytes has no name at {at}"
            raise CorruptGranuleError(msg)
        return self._heap[at:end] if end >= 0 else self._heap[at : at + max_bytes + 1]

    def _once(self, text: bytes) -> bytes:
        self._left -= len(text) + 1
        if self._left < 0:
            raise CorruptGranuleError("a local heap with names that overlap")
        return text
