"""Attribute messages of an object, and the committed datatypes they refer to (IV.A.2.m)."""

from __future__ import annotations

from collections.abc import Sequence

from xr_icesat2.errors import CorruptGranuleError

from .binary import UNDEFINED, Cursor, padded
from .btree_v2 import ATTRIBUTE_NAMES, read_records
from .heaps import read_fractal
from .object_header import (
    ATTRIBUTE,
    ATTRIBUTE_INFO,
    DATATYPE,
    SHARED,
    Message,
    message_body,
    read_messages,
)
from .parser_driver import Parser, UnsupportedError

__all__ = ["decode_text", "read_bodies", "split_body"]

SHARED_DATATYPE = 0x01
"""Flag of an attribute message whose datatype is stored in the header of another object."""
COMMITTED = 2
"""Kind of a shared message that is stored in the header of a committed datatype."""


def read_bodies(messages: Sequence[Message], file_size: int) -> Parser[list[bytes]]:
    """Read the attribute messages of an object, which may be stored in a heap.

    A committed datatype is inserted into each message that refers to it.
    """
    bodies: list[bytes] = []
    for message in messages:
        if message.type == ATTRIBUTE:
            if message.flags & SHARED:
                raise UnsupportedError("a shared attribute")
            bodies.append(message.body)
        elif message.type == ATTRIBUTE_INFO:
            bodies += yield from _dense(message.body)
    if any(body[1:2] > b"\0" for body in bodies):  # flags, which are rare
        return (yield from _with_datatypes(bodies, file_size))
    return bodies


def _shares_datatype(body: bytes) -> bool:
    return len(body) > 1 and body[0] in (2, 3) and bool(body[1] & SHARED_DATATYPE)


def _with_datatypes(bodies: Sequence[bytes], file_size: int) -> Parser[list[bytes]]:
    """Replace references to committed datatypes by the datatypes."""
    found: list[bytes] = []
    datatypes: dict[int, bytes] = {}
    for body in bodies:
        if not _shares_datatype(body):
            found.append(body)
            continue
        cursor = Cursor(body, 2)
        name_bytes, reference_bytes, _ = (cursor.number(2) for _ in range(3))
        cursor.skip(name_bytes + (1 if body[0] == 3 else 0))
        start = cursor.position
        address = _committed_address(cursor.take(reference_bytes))
        if address not in datatypes:
            header = yield from read_messages(address, file_size)
            datatypes[address] = message_body(header, DATATYPE)
        datatype = datatypes[address]
        found.append(
            b"".join(
                [
                    bytes([body[0], body[1] & ~SHARED_DATATYPE]),
                    body[2:4],
                    len(datatype).to_bytes(2, "little"),
                    body[6:start],
                    datatype,
                    body[start + reference_bytes :],
                ]
            )
        )
    return found


def _committed_address(reference: bytes) -> int:
    """Return the address of the committed datatype that a shared message refers to (IV.A.2)."""
    cursor = Cursor(reference)
    version, kind = cursor.number(1), cursor.number(1)
    if version not in (1, 2, 3) or (version == 3 and kind != COMMITTED):
        raise UnsupportedError(f"a shared message of version {version} and kind {kind}")
    cursor.skip(14 if version == 1 else 0)  # the address is part of a symbol table entry
    return cursor.number(8)


def _dense(body: bytes) -> Parser[list[bytes]]:
    cursor = Cursor(body, 1)
    flags = cursor.number(1)
    cursor.skip(2 if flags & 1 else 0)
    heap, names = cursor.number(8), cursor.number(8)
    if heap == UNDEFINED:
        return []
    records = yield from read_records(names, ATTRIBUTE_NAMES)
    # A record is a heap ID of 8 bytes, message flags, creation order and hash.
    if any(record[8] & SHARED for record in records):
        raise UnsupportedError("a shared attribute")
    return (yield from read_fractal(heap, [record[:8] for record in records]))


def split_body(body: bytes) -> tuple[str, bytes, bytes, bytes]:
    """Return name, datatype, dataspace and data of an attribute message."""
    cursor = Cursor(body)
    version, flags = cursor.number(1), cursor.number(1)
    if version not in (1, 2, 3) or (version > 1 and flags):
        raise UnsupportedError(f"attribute message version {version} with flags {flags}")
    sizes = [cursor.number(2) for _ in range(3)]
    cursor.skip(1 if version == 3 else 0)
    parts = []
    for size in sizes:
        parts.append(cursor.take(size))
        cursor.skip(padded(size) - size if version == 1 else 0)
    # The byte after the name is a zero; the HDF5 library does not check it.
    name = decode_text(parts[0][:-1])
    if not name or "\0" in name:
        raise CorruptGranuleError(
            f"an attribute is named {name!r}, expected a text without zero characters"
        )
    return name, parts[1], parts[2], cursor.take(cursor.left)


def decode_text(raw: bytes) -> str:
    """Decode a text; bytes that are not UTF-8 are kept."""
    return raw.decode("utf-8", "surrogateescape")
