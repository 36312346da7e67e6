"""Read fractal heaps (section III.G), local heaps (III.D) and global heaps (III.E)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from xr_icesat2.errors import CorruptGranuleError

from .binary import UNDEFINED, Cursor, check_checksum, check_signature, checksum, padded
from .btree_v2 import read_records
from .parser_driver import Parser, UnsupportedError, read

__all__ = [
    "GLOBAL_HEADER_BYTES",
    "GlobalReference",
    "check_collection",
    "read_fractal",
    "read_global",
    "read_local",
]

FRACTAL_HEADER = struct.Struct("<4xB2xHBI8xQ80xHQQH2xQH4x")
"""Version, length of encoded filters, flags, largest managed object, B-tree of huge objects; then
of the doubling table its width, sizes of blocks, bits of offsets, root block and its rows."""
DIRECT_HAS_CHECKSUM = 0x02
LOCAL_HEADER_BYTES = 32
FREE_BLOCK_BYTES = 16
NO_FREE_BLOCK = 1
GLOBAL_HEADER_BYTES = 16
GLOBAL_OBJECT = struct.Struct("<H6xQ")
"""Head of an object in a collection: its index and its size; references and padding between."""
MAX_HEAP_BYTES = 1 << 28
LONGEST_KEPT = 1 << 20
"""Bytes of a collection that is kept parsed."""
MANAGED, HUGE, TINY = 0, 1, 2
HUGE_OBJECTS = 1
"""Kind of the B-tree that finds huge objects by their number."""


@dataclass(frozen=True, slots=True)
class _Fractal:
    address: int
    checksummed: bool
    width: int
    start_size: int
    max_direct: int
    offset_bytes: int
    length_bytes: int
    root: int
    root_rows: int
    huge: int
    """Byte offset of the B-tree of objects too large for the heap's own blocks."""

    def row_size(self, row: int) -> int:
        return self.start_size << max(0, row - 1)

    @property
    def direct_rows(self) -> int:
        return self.max_direct.bit_length() - self.start_size.bit_length() + 2

    def rows_of(self, size: int) -> int:
        """Rows of an indirect block that spans ``size`` bytes of the heap."""
        return size.bit_length() - (self.start_size * self.width).bit_length() + 1


def read_fractal(address: int, ids: Sequence[bytes]) -> Parser[list[bytes]]:
    """Return the object behind each heap ID, from its first byte to the end of its block."""
    head = yield from read(address, FRACTAL_HEADER.size)
    heap = _fractal_header(address, head)
    if heap.root_rows == 0:
        direct, indirect = [(0, heap.root, heap.start_size)], []
    else:
        direct, indirect = [], [(0, heap.root, heap.root_rows)]
    seen: set[int] = set()
    while indirect:
        addresses = {at for _, at, _ in indirect}
        if len(addresses) < len(indirect) or not seen.isdisjoint(addresses):
            raise CorruptGranuleError("a fractal heap with a block in two places")
        seen |= addresses
        sizes = [5 + 8 + heap.offset_bytes + rows * heap.width * 8 + 4 for _, _, rows in indirect]
        found = yield [(at, size) for (_, at, _), size in zip(indirect, sizes, strict=True)]
        below: list[tuple[int, int, int]] = []
        for block, (offset, _, rows) in zip(found, indirect, strict=True):
            for child, at, size, is_direct in _indirect_block(heap, block, offset, rows):
                if is_direct:
                    direct.append((child, at, size))
                else:
                    below.append((child, at, heap.rows_of(size)))
        indirect = below
        if len(direct) + len(indirect) > MAX_HEAP_BYTES // heap.start_size:
            raise CorruptGranuleError("a fractal heap of more blocks than fit into a file")
    if len({at for _, at, _ in direct}) < len(direct):
        raise CorruptGranuleError("a fractal heap with a block in two places")
    direct.sort()
    bodies = yield [(at, size) for _, at, size in direct]
    parts = zip(bodies, direct, strict=True)
    blocks = _Blocks(
        [offset for offset, _, _ in direct],
        [_direct_block(heap, body, offset) for body, (offset, _, _) in parts],
    )
    huge = yield from _huge_objects(heap, ids)
    objects = [_heap_object(heap, blocks, huge, identifier) for identifier in ids]
    # Each piece is a copy: many that overlap would be larger than the heap.
    if sum(map(len, objects)) > blocks.nbytes + sum(map(len, huge.values())) + 16 * len(ids):
        raise CorruptGranuleError("a fractal heap with objects that overlap")
    return [bytes(one) for one in objects]


class _Blocks:
    """The direct blocks of a heap, by where each begins in it."""

    def __init__(self, starts: list[int], bodies: list[bytes]) -> None:
        self._starts = starts
        self._bodies = [memoryview(body) for body in bodies]
        self.nbytes = sum(map(len, bodies))

    def part(self, offset: int, length: int) -> memoryview | None:
        """Return some bytes of the heap, if they are in one block."""
        number = bisect_right(self._starts, offset) - 1
        if number < 0:
            return None
        at, body = offset - self._starts[number], self._bodies[number]
        return body[at : at + length] if at + length <= len(body) else None


def _huge_objects(heap: _Fractal, ids: Sequence[bytes]) -> Parser[dict[int, bytes]]:
    """Read the objects outside the heap's blocks, keyed by number."""
    numbers = {_huge_number(i) for i in ids if _kind(i) == HUGE}
    if not numbers:
        return {}
    records = [Cursor(raw) for raw in (yield from read_records(heap.huge, HUGE_OBJECTS))]
    places = [(record.number(8), record.number(8), record.number(8)) for record in records]
    wanted = [place for place in places if place[2] in numbers]
    bodies = yield [(at, length) for at, length, _ in wanted]
    return {number: body for (_, _, number), body in zip(wanted, bodies, strict=True)}


def _kind(identifier: bytes) -> int:
    if identifier[0] >> 6:
        raise UnsupportedError("a fractal heap ID of another version")
    return identifier[0] >> 4


def _huge_number(identifier: bytes) -> int:
    return int.from_bytes(identifier[1:], "little")


def _fractal_header(address: int, head: bytes) -> _Fractal:
    check_signature(head, b"FRHP", "fractal heap")
    version, filtered, flags, max_object, huge, *rest = FRACTAL_HEADER.unpack_from(head)
    if version != 0 or filtered:
        raise UnsupportedError("a fractal heap with filters, or of another version")
    check_checksum(head, "fractal heap")
    width, start, max_direct, bits, root, rows = rest
    sane = 0 < start <= max_direct <= MAX_HEAP_BYTES and 0 < width <= 1024 and 0 < bits <= 64
    if not sane or start & (start - 1) or max_direct & (max_direct - 1):
        raise CorruptGranuleError("a fractal heap with impossible block sizes")
    length_bytes = (min(max_direct, max_object).bit_length() - 1) // 8 + 1
    checksummed = bool(flags & DIRECT_HAS_CHECKSUM)
    offset_bytes = (bits + 7) // 8
    return _Fractal(
        address, checksummed, width, start, max_direct, offset_bytes, length_bytes,
        root, rows, huge,
    )  # fmt: skip


def _indirect_block(
    heap: _Fractal, block: bytes, offset: int, rows: int
) -> Iterator[tuple[int, int, int, bool]]:
    """Return (heap offset, address, size, is direct) of each child."""
    check_signature(block, b"FHIB", "fractal heap indirect block")
    check_checksum(block, "fractal heap indirect block")
    cursor = Cursor(block, 5)
    if cursor.number(8) != heap.address or cursor.number(heap.offset_bytes) != offset:
        raise CorruptGranuleError("a fractal heap block that names another heap or another offset")
    for row in range(rows):
        size = heap.row_size(row)
        for _ in range(heap.width):
            at = cursor.number(8)
            if at != UNDEFINED:
                yield offset, at, size, row < heap.direct_rows
            offset += size


def _direct_block(heap: _Fractal, block: bytes, offset: int) -> bytes:
    check_signature(block, b"FHDB", "fractal heap direct block")
    cursor = Cursor(block, 5)
    if cursor.number(8) != heap.address or cursor.number(heap.offset_bytes) != offset:
        raise CorruptGranuleError("a fractal heap block that names another heap or another offset")
    if heap.checksummed:
        at = cursor.position
        stored = cursor.number(4)
        if checksum(block[:at] + bytes(4) + block[at + 4 :]) != stored:
            raise CorruptGranuleError("a fractal heap direct block fails its checksum")
    return block


def _heap_object(
    heap: _Fractal, blocks: _Blocks, huge: Mapping[int, bytes], identifier: bytes
) -> memoryview:
    # Without a cursor, for speed: a granule has hundreds of them.
    kind = _kind(identifier)
    if kind == HUGE and _huge_number(identifier) in huge:
        return memoryview(huge[_huge_number(identifier)])
    if kind == TINY:
        return memoryview(Cursor(identifier, 1).take((identifier[0] & 0x0F) + 1))
    split = 1 + heap.offset_bytes
    if split + heap.length_bytes > len(identifier):
        raise CorruptGranuleError(f"a fractal heap ID of {len(identifier)} bytes")
    offset = int.from_bytes(identifier[1:split], "little")
    length = int.from_bytes(identifier[split : split + heap.length_bytes], "little")
    found = blocks.part(offset, length) if kind == MANAGED else None
    if found is not None:
        return found
    raise CorruptGranuleError(f"a fractal heap has no block for its object {identifier!r}")


def read_local(address: int) -> Parser[bytes]:
    """Return the data segment of a local heap: the names of an old-style group."""
    head = yield from read(address, LOCAL_HEADER_BYTES)
    check_signature(head, b"HEAP", "local heap")
    if head[4] != 0:
        raise UnsupportedError(f"local heap version {head[4]}")
    size, free, at = (Cursor(head, position).number(8) for position in (8, 16, 24))
    data = yield from read(at, size)
    _check_free_blocks(data, free)
    return data


# Groups of a hostile file may have one heap of megabytes in common.
@lru_cache(maxsize=16)
def _check_free_blocks(data: bytes, free: int) -> None:
    """Raise unless the list of free blocks has an end."""
    size = len(data)
    for _ in range(size // FREE_BLOCK_BYTES + 1):
        if free == NO_FREE_BLOCK:
            return
        if not 0 < free <= size - FREE_BLOCK_BYTES:
            break
        start, block = free, Cursor(data, free)
        free, length = block.number(8), block.number(8)
        if start + length > size:
            break
    raise CorruptGranuleError(
        "a local heap whose list of free blocks leaves the heap or does not end"
    )


@dataclass(frozen=True, slots=True)
class GlobalReference:
    """Reference to a variable-length value (section IV.A.2.d, class 9)."""

    length: int
    """Elements, of however many bytes the base type has."""
    collection: int
    index: int

    @classmethod
    def parse(cls, raw: bytes) -> GlobalReference:
        """Read one from the 16 bytes stored in an attribute."""
        cursor = Cursor(raw)
        return cls(cursor.number(4), cursor.number(8), cursor.number(4))


def read_global(references: Sequence[GlobalReference], item_size: int) -> Parser[list[bytes]]:
    """Return the bytes of each variable-length value; an empty one refers to nothing."""
    collections = sorted({r.collection for r in references if r.length})
    objects: dict[int, Mapping[int, bytes]] = {}
    heads = (yield [(at, GLOBAL_HEADER_BYTES) for at in collections]) if collections else []
    spans = [(at, _collection_size(head)) for at, head in zip(collections, heads, strict=True)]
    bodies = (yield spans) if spans else []
    for (at, _), body in zip(spans, bodies, strict=True):
        objects[at] = _collection(body)
    return [_global_object(objects, r, item_size) for r in references]


def _collection_size(head: bytes) -> int:
    check_signature(head, b"GCOL", "global heap")
    if head[4] != 1:
        raise UnsupportedError(f"global heap version {head[4]}")
    return Cursor(head, 8).number(8)


def _collection(body: bytes) -> Mapping[int, bytes]:
    return (_split_collection if len(body) > LONGEST_KEPT else _split_collection_kept)(body)


def _split_collection(body: bytes) -> Mapping[int, bytes]:
    """Return the objects of a collection."""
    return {index: body[start : start + size] for index, start, size in _objects(body)}


def check_collection(body: bytes, length_bytes: int) -> None:
    """Raise unless the objects of a global heap collection follow each other within it.

    Parameters
    ----------
    body
        The whole collection.
    length_bytes
        Size of lengths in the file, from its superblock.
    """
    for _ in _objects(body, length_bytes):
        pass


def _objects(body: bytes, length_bytes: int = 8) -> Iterator[tuple[int, int, int]]:
    """Yield index, start and size of each object of a collection."""
    position = GLOBAL_HEADER_BYTES
    mask = (1 << 8 * length_bytes) - 1
    while position + GLOBAL_OBJECT.size <= len(body):
        index, size = GLOBAL_OBJECT.unpack_from(body, position)
        size &= mask  # short lengths are padded
        # Object 0 is the free space, of which the size includes this head.
        whole = GLOBAL_OBJECT.size + padded(size) if index else size
        if whole < GLOBAL_OBJECT.size or position + whole > len(body):
            raise CorruptGranuleError(f"a global heap with an object of {size} bytes")
        if index:
            yield index, position + GLOBAL_OBJECT.size, size
        position += whole


# The dimension lists of neighbouring datasets share one collection.
_split_collection_kept = lru_cache(maxsize=64)(_split_collection)


def _global_object(
    objects: Mapping[int, Mapping[int, bytes]], reference: GlobalReference, item_size: int
) -> bytes:
    if not reference.length:
        return b""
    data = objects[reference.collection].get(reference.index)
    size = reference.length * item_size
    if data is None or len(data) < size:
        msg = f"the global heap at byte {reference.collection} lacks its object {reference.index}"
        raise CorruptGranuleError(msg)
    return data[:size]
