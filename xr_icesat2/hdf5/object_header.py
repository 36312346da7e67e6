"""Read object headers: the messages that describe a group or a dataset (section IV.A.1)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from xr_icesat2.errors import CorruptGranuleError

from .binary import Cursor, check_checksum, check_signature
from .parser_driver import Parser, UnsupportedError, read

__all__ = [
    "ATTRIBUTE",
    "ATTRIBUTE_INFO",
    "CACHE_IMAGE",
    "DATATYPE",
    "DRIVER",
    "FILE_SPACE",
    "FIRST_READ",
    "LINK",
    "LINK_INFO",
    "SHARED",
    "Message",
    "message_body",
    "read_first_messages",
    "read_messages",
]

NIL, CONTINUATION = 0x00, 0x10
LINK_INFO, DATATYPE, LINK = 0x02, 0x03, 0x06
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
PREFIX_2, PREFIX_2_ORDERED = struct.Struct("<BHB"), struct.Struct("<BHB2x")
"""The same of version 2, without and with the order of creation."""
SPAN = struct.Struct("<QQ")
"""Offset and length of a continuation block."""
DRIVER, FILE_SPACE, CACHE_IMAGE = 0x14, 0x17, 0x18
TRACKS_ATTRIBUTE_ORDER = 0x04
HAS_PHASE_CHANGE = 0x10
HAS_TIMES = 0x20
ANNOUNCED = {LINK: LINK_INFO, ATTRIBUTE: ATTRIBUTE_INFO}
FIRST_READ = 512
"""Bytes requested at first: most headers fit, and whole pages are read anyway."""
MAX_BLOCKS = 10_000
"""More continuation blocks than any real header has."""
MAX_CACHED_BLOCKS, MAX_CACHED_BLOCK_BYTES = 1 << 10, 8 << 10
"""Of parsed header blocks, and bytes of one. Long blocks have texts that no other block repeats."""
CONTINUED = 4
"""Where the messages of a continuation block begin."""


class Message(NamedTuple):
    """One header message, not yet interpreted."""

    type: int
    flags: int
    body: bytes


class _Block(NamedTuple):
    """The parsed messages of one block of an object header."""

    messages: Sequence[Message]
    """Messages of known types."""
    continued: Sequence[tuple[int, int]]
    """Offset and length of further blocks."""
    number: int
    """Of all its messages."""


def read_messages(address: int, file_size: int) -> Parser[list[Message]]:
    """Read all messages of the object header at ``address``, continuation blocks included."""
    head = yield from read(address, max(0, min(FIRST_READ, file_size - address)))
    if head[:4] == b"OHDR":
        return (yield from _version_2(address, head))
    if head[:1] == b"\x01":
        return (yield from _version_1(address, head))
    msg = f"no object header at byte {address}: found {bytes(head[:4])!r}"
    raise CorruptGranuleError(msg)


def read_first_messages(address: int, file_size: int) -> Parser[Sequence[Message]]:
    """Read the messages of the first block of an object header, not those that continue it."""
    head = yield from read(address, max(0, min(FIRST_READ, file_size - address)))
    if head[:4] == b"OHDR":
        block, start, flags = yield from _block_2(address, head)
        return _taken_apart_2(block, start, flags).messages
    block, _ = yield from _block_1(address, head)
    return _taken_apart_1(block).messages


def _block_2(address: int, head: bytes) -> Parser[tuple[bytes, int, int]]:
    """Return the first block of a version 2 header, where its messages begin, and its flags."""
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
    return block, start, flags


def _version_2(address: int, head: bytes) -> Parser[list[Message]]:
    block, start, flags = yield from _block_2(address, head)
    found = [_taken_apart_2(block, start, flags)]
    messages: list[Message] = []
    seen: set[tuple[int, int]] = set()
    while found:
        messages += [message for part in found for message in part.messages]
        spans = _continued(found, seen)
        blocks = (yield spans) if spans else []
        found = [_taken_apart_2(block, CONTINUED, flags) for block in blocks]
    _check_announced(messages)
    return messages


def _check_announced(messages: list[Message]) -> None:
    """Leave unannounced messages to the HDF5 library, which may ignore them."""
    kinds = {message.type for message in messages}
    for kind, announcement in ANNOUNCED.items():
        if kind in kinds and announcement not in kinds:
            msg = f"messages of type {kind:#04x} without the one that announces them"
            raise UnsupportedError(msg)


def _taken_apart_2(block: bytes, start: int, header_flags: int) -> _Block:
    # Objects have byte-identical blocks of attributes.
    split = _split_2 if len(block) > MAX_CACHED_BLOCK_BYTES else _split_2_kept
    return split(block, start, header_flags)


def _split_2(block: bytes, start: int, header_flags: int) -> _Block:
    """Check a block of a version 2 header, and take it apart."""
    if start == CONTINUED:
        check_signature(block, b"OCHK", "header continuation")
    check_checksum(block, "object header")
    prefix = PREFIX_2_ORDERED if header_flags & TRACKS_ATTRIBUTE_ORDER else PREFIX_2
    messages: list[Message] = []
    position, end = start, len(block) - 4
    while position + prefix.size <= end:
        kind, size, flags = prefix.unpack_from(block, position)
        position += prefix.size
        if position + size > end:
            raise CorruptGranuleError(f"a header message of {size} bytes ends beyond its block")
        messages.append(Message(kind, flags, block[position : position + size]))
        position += size
    return _sorted_out(messages)


_split_2_kept = lru_cache(maxsize=MAX_CACHED_BLOCKS)(_split_2)


def _block_1(address: int, head: bytes) -> Parser[tuple[bytes, int]]:
    """Return the first block of a version 1 header, and the number of messages in all of them."""
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
    number = 0
    seen: set[tuple[int, int]] = set()
    while blocks:
        found = [_taken_apart_1(block) for block in blocks]
        number += sum(part.number for part in found)
        messages += [message for part in found for message in part.messages]
        spans = _continued(found, seen)
        blocks = (yield spans) if spans else []
    if number != count:
        msg = (
            f"the object header at byte {address} declares {count} messages, but contains {number}"
        )
        raise CorruptGranuleError(msg)
    return messages


def _taken_apart_1(block: bytes) -> _Block:
    return (_split_1 if len(block) > MAX_CACHED_BLOCK_BYTES else _split_1_kept)(block)


def _split_1(block: bytes) -> _Block:
    messages: list[Message] = []
    position = 0
    while position < len(block):
        if position + PREFIX_1.size > len(block):
            raise CorruptGranuleError("a version 1 object header ends within a message")
        kind, size, flags = PREFIX_1.unpack_from(block, position)
        position += PREFIX_1.size
        if size % 8 or position + size > len(block):
            raise CorruptGranuleError(f"a version 1 header message of {size} bytes")
        messages.append(Message(kind, flags, block[position : position + size]))
        position += size
    return _sorted_out(messages)


_split_1_kept = lru_cache(maxsize=MAX_CACHED_BLOCKS)(_split_1)


def _sorted_out(messages: Sequence[Message]) -> _Block:
    known = [message for message in messages if _is_known(message.type, message.flags)]
    return _Block(
        tuple(message for message in known if message.type != CONTINUATION),
        tuple(_span(message) for message in known if message.type == CONTINUATION),
        len(messages),
    )


def _is_known(kind: int, flags: int) -> bool:
    """Whether the type of a message is known; raise if it may not be skipped."""
    if flags in IMPOSSIBLE:
        raise CorruptGranuleError(f"a header message with flags {flags:#04x}")
    if kind > CACHE_IMAGE and flags & FAIL_IF_UNKNOWN:
        raise UnsupportedError(f"header message type {kind}")
    return NIL < kind <= CACHE_IMAGE


def _span(message: Message) -> tuple[int, int]:
    if len(message.body) < SPAN.size:
        raise CorruptGranuleError(f"a header continuation message of {len(message.body)} bytes")
    offset, length = SPAN.unpack_from(message.body)
    return offset, length


def _continued(parts: Sequence[_Block], seen: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the further blocks of a header; raise if one is named twice."""
    spans = [span for part in parts for span in part.continued]
    for span in spans:
        if span in seen or len(seen) > MAX_BLOCKS:
            raise CorruptGranuleError(
                f"an object header of more than {MAX_BLOCKS:,} blocks, or one that contains itself"
            )
        seen.add(span)
    return spans


def message_body(messages: Sequence[Message], kind: int) -> bytes:
    """Return the body of the one message of a type."""
    bodies = [m for m in messages if m.type == kind]
    if len(bodies) != 1:
        raise CorruptGranuleError(f"an object header with {len(bodies)} messages of type {kind}")
    if bodies[0].flags & SHARED:
        raise UnsupportedError(f"a shared header message of type {kind}")
    return bodies[0].body
