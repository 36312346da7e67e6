"""Version 2 B-trees: the name index of a group or of an object's attributes (section III.A.2)."""

from __future__ import annotations

from dataclasses import dataclass

from xr_icesat2.errors import CorruptGranuleError

from .binary import Cursor, check_checksum, check_signature
from .parser_driver import Parser, UnsupportedError, read

__all__ = ["ATTRIBUTE_NAMES", "LINK_NAMES", "read_records"]

LINK_NAMES, ATTRIBUTE_NAMES = 5, 8
HEADER_BYTES = 38
MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class _Tree:
    kind: int
    node_size: int
    record_size: int
    count_bytes: int
    """Bytes that hold the number of records of one child node."""
    total_bytes: tuple[int, ...]
    """For each depth: bytes that hold the number of records below a child at that depth."""


def read_records(address: int, kind: int) -> Parser[list[bytes]]:
    """Return all records of the tree with a header at ``address``."""
    head = yield from read(address, HEADER_BYTES)
    check_signature(head, b"BTHD", "B-tree header")
    check_checksum(head, "B-tree header")
    cursor = Cursor(head, 4)
    if (cursor.number(1), cursor.number(1)) != (0, kind):
        raise UnsupportedError(f"a version 2 B-tree of another kind than {kind}")
    node_size, record_size, depth = cursor.number(4), cursor.number(2), cursor.number(2)
    cursor.skip(2)
    root, count, total = cursor.number(8), cursor.number(2), cursor.number(8)
    if depth > MAX_DEPTH or record_size == 0:
        raise CorruptGranuleError(f"a B-tree of depth {depth} with records of {record_size} bytes")
    tree = _shape(kind, node_size, record_size, depth)
    records: list[bytes] = []
    level = [(root, count)] if total else []
    seen: set[int] = set()
    while level:
        addresses = {child for child, _ in level}
        if len(addresses) < len(level) or not seen.isdisjoint(addresses):
            raise CorruptGranuleError("a B-tree with a node in two places")
        seen |= addresses
        blocks = yield [(child, node_size) for child, _ in level]
        below: list[tuple[int, int]] = []
        for block, (_, number) in zip(blocks, level, strict=True):
            found, children = _node(tree, block, number, depth)
            records += found
            below += children
        level, depth = below, depth - 1
        if len(records) > total:
            raise CorruptGranuleError(
                f"a B-tree that contains more records than the {total} that it declares"
            )
    if len(records) != total:
        raise CorruptGranuleError(
            f"a B-tree that declares {total} records and contains {len(records)}"
        )
    return records


def _shape(kind: int, node_size: int, record_size: int, depth: int) -> _Tree:
    max_records = (node_size - 10) // record_size
    count_bytes, total_bytes, below = _width(max_records), [0], max_records
    for level in range(1, depth + 1):
        pointer = 8 + count_bytes + total_bytes[level - 1]
        max_records = (node_size - 10 - pointer) // (record_size + pointer)
        if max_records < 1:
            raise CorruptGranuleError(f"B-tree nodes of {node_size} bytes are too small")
        below = (max_records + 1) * below + max_records
        total_bytes.append(_width(below))
    return _Tree(kind, node_size, record_size, count_bytes, tuple(total_bytes))


def _width(max_records: int) -> int:
    return (max(max_records, 1).bit_length() - 1) // 8 + 1


def _node(
    tree: _Tree, block: bytes, number: int, depth: int
) -> tuple[list[bytes], list[tuple[int, int]]]:
    signature, what = (b"BTIN", "B-tree node") if depth else (b"BTLF", "B-tree leaf")
    check_signature(block, signature, what)
    used = 6 + number * tree.record_size
    pointer = 0
    if depth:
        pointer = 8 + tree.count_bytes + tree.total_bytes[depth - 1]
        used += (number + 1) * pointer
    if used + 4 > len(block):
        raise CorruptGranuleError(f"a {what} of {number} records in {len(block)} bytes")
    check_checksum(block[: used + 4], what)
    size = tree.record_size
    records = [block[at : at + size] for at in range(6, 6 + number * size, size)]
    cursor = Cursor(block, 6 + number * size)
    children: list[tuple[int, int]] = []
    if depth:
        for _ in range(number + 1):
            address, count = cursor.number(8), cursor.number(tree.count_bytes)
            cursor.skip(tree.total_bytes[depth - 1])
            children.append((address, count))
    return records, children
