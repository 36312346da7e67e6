"""Object headers: the list of messages that describe a group or a dataset (section IV.A.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from xr_icesat2.errors import CorruptGranuleError

from .binary import Cursor, check_checksum, check_signature, padded
from .fetch import Parser, UnsupportedError, read

__all__ = [
    "ATTRIBUTE",
    "ATTRIBUTE_INFO",
    "FILE_SPACE",
    "LINK",
    "LINK_INFO",
    "SHARED",
    "Message",
    "read_first_messages",
    "read_messages",
]

NIL, CONTINUATION = 0x00, 0x10
LINK_INFO, LINK = 0x02, 0x06
ATTRIBUTE, ATTRIBUTE_INFO = 0x0C, 0x15
SHARED = 0x02
MARK_IF_UNKNOWN, WAS_UNKNOWN = 0x10, 0x20
FAIL_IF_UNKNOWN = 0x80
IMPOSSIBLE = frozenset(
    flags
    for flags in range(256)
    if any(flags & both == both for both in (0x02 | 0x04, 0x08 | 0x20))
    or (flags & WAS_UNKNOWN and not flags & MARK_IF_UNKNOWN)
)
"""Flags that contradict each other: shared and not to be shared, unknown and fail if unknown,
unknown when it was not to be marked."""
PREFIX_1 = struct.Struct("<HHB3x")
"""Type, size and flags of a version 1 message."""
FILE_SPACE = 0x17
TRACKS_ATTRIBUTE_ORDER = 0x04
HAS_PHASE_CHANGE = 0x10
HAS_TIMES = 0x20
ANNOUNCED = {LINK: LINK_INFO, ATTRIBUTE: ATTRIBUTE_INFO}
FIRST_READ = 512
"""Bytes asked for at first: most headers fit, and a page is read anyway."""
MOST_BLOCKS = 10_000
"""More continuation blocks than any real header has: a loop in a damaged file."""


@dataclass(frozen=True, slots=True)
class Message:
    """One header message, not yet interpreted."""

    type: int
    flags: int
    body: bytes


def read_messages(address: int, file_size: int) -> Parser[list[Message]]:
    """Read all messages of the object header at ``address``, continuation blocks included."""
    head = yield from read(address, max(0, min(FIRST_READ, file_size - address)))
    if head[:4] == b"OHDR":
        return (yield from _version_2(address, head))
    if head[:1] == b"\x01":
        return (yield from _version_1(address, head))
    msg = f"no object header at byte {address}: found {bytes(head[:4])!r}"
    raise CorruptGranuleError(msg)


def read_first_messages(address: int, file_size: int) -> Parser[list[Message]]:
    """Read the messages of the first block of an object header, not those that continue it."""
    head = yield from read(address, max(0, min(FIRST_READ, file_size - address)))
    if head[:4] == b"OHDR":
        body, flags = yield from _block_2(address, head)
        return list(_split_2(body, flags))
    block, _ = yield from _block_1(address, head)
    return [message for raw in _split_1(block) for message in _known(raw)]


def _block_2(address: int, head: bytes) -> Parser[tuple[bytes, int]]:
    """Give the messages in the first block of a version 2 header, and its flags."""
    cursor = Cursor(head, 4)
    version, flags = cursor.number(1), cursor.number(1)
    if version != 2:
        raise UnsupportedError(f"object header version {version}")
    cursor.skip((16 if flags & HAS_TIMES else 0) + (4 if flags & HAS_PHASE_CHANGE else 0))
    size = cursor.number(1 << (flags & 3))
    start = cursor.position
    block = head[: start + size + 4]
    if len(block) < start + size + 4:
        block = yield from read(address, start + size + 4)
    check_checksum(block, f"object header at byte {address}")
    return block[start:-4], flags


def _version_2(address: int, head: bytes) -> Parser[list[Message]]:
    body, flags = yield from _block_2(address, head)
    bodies = [body]
    messages: list[Message] = []
    while bodies:
        found = [m for body in bodies for m in _split_2(body, flags)]
        messages += [m for m in found if m.type != CONTINUATION]
        spans = [_span(m) for m in found if m.type == CONTINUATION]
        _bound(messages)
        bodies = [_continuation(block) for block in (yield spans)] if spans else []
    _check_announced(messages)
    return messages


def _check_announced(messages: list[Message]) -> None:
    """Leave to the HDF5 library what is not announced: it may not see it, and then nor do we."""
    kinds = {message.type for message in messages}
    for kind, announcement in ANNOUNCED.items():
        if kind in kinds and announcement not in kinds:
            msg = f"messages of type {kind:#04x} without the one that announces them"
            raise UnsupportedError(msg)


def _continuation(block: bytes) -> bytes:
    check_signature(block, b"OCHK", "header continuation")
    check_checksum(block, "header continuation")
    return block[4:-4]


def _split_2(body: bytes, header_flags: int) -> Iterator[Message]:
    prefix = 6 if header_flags & TRACKS_ATTRIBUTE_ORDER else 4
    cursor = Cursor(body)
    while cursor.left >= prefix:
        kind, size, flags = cursor.number(1), cursor.number(2), cursor.number(1)
        cursor.skip(prefix - 4)
        yield from _known(Message(kind, flags, cursor.take(size)))


def _block_1(address: int, head: bytes) -> Parser[tuple[bytes, int]]:
    """Give the first block of a version 1 header, and the number of messages in all of them."""
    cursor = Cursor(head, 2)
    count = cursor.number(2)
    cursor.skip(4)
    size = cursor.number(4)
    cursor.skip(4)
    block = head[16 : 16 + size]
    if len(block) < size:
        block = yield from read(address + 16, size)
    return block, count


def _version_1(address: int, head: bytes) -> Parser[list[Message]]:
    block, count = yield from _block_1(address, head)
    blocks = [block]
    messages: list[Message] = []
    seen = 0
    while blocks:
        found: list[Message] = []
        for block in blocks:
            split = list(_split_1(block))
            seen += len(split)
            found += split
        messages += [m for raw in found for m in _known(raw) if m.type != CONTINUATION]
        spans = [_span(m) for m in found if m.type == CONTINUATION]
        _bound(messages)
        blocks = (yield spans) if spans else []
    if seen != count:
        msg = f"the object header at byte {address} says {count} messages, but holds {seen}"
        raise CorruptGranuleError(msg)
    return messages


def _split_1(block: bytes) -> Iterator[Message]:
    position = 0
    while position < len(block):
        if position + PREFIX_1.size > len(block):
            raise CorruptGranuleError("a version 1 object header ends within a message")
        kind, size, flags = PREFIX_1.unpack_from(block, position)
        position += PREFIX_1.size
        if size != padded(size) or position + size > len(block):
            raise CorruptGranuleError(f"a version 1 header message of {size} bytes")
        yield Message(kind, flags, block[position : position + size])
        position += size


def _known(message: Message) -> Iterator[Message]:
    if message.flags in IMPOSSIBLE:
        raise CorruptGranuleError(f"a header message with flags {message.flags:#04x}")
    if message.type == NIL:
        return
    if message.type > FILE_SPACE:
        if message.flags & FAIL_IF_UNKNOWN:
            raise UnsupportedError(f"header message type {message.type}")
        return
    yield message


def _span(message: Message) -> tuple[int, int]:
    cursor = Cursor(message.body)
    return cursor.number(8), cursor.number(8)


def _bound(messages: list[Message]) -> None:
    if len(messages) > MOST_BLOCKS:
        raise CorruptGranuleError("an object header without end")
