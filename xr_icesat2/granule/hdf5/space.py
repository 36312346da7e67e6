"""How a file lays out its space: structure in pages at its front, or wherever it came (II.B)."""

from __future__ import annotations

from xr_icesat2.errors import CorruptGranuleError

from .binary import UNDEFINED, Cursor
from .fetch import Parser, UnsupportedError
from .objects import FILE_SPACE, read_first_messages

__all__ = ["read_front"]

EXTENSION_AT = 20
"""Where a version 2 superblock says where its extension lies (section II.A)."""
PAGED = 1


def read_front(head: bytes, file_size: int) -> Parser[int]:
    """Give the bytes at the front of the file that hold structure and few values, if any.

    It is a hint: of a file that does not say so, or does not say it well, 0.

    Parameters
    ----------
    head
        The superblock.
    file_size
        In bytes.
    """
    if head[8:9] not in (b"\x02", b"\x03"):
        return 0
    address = Cursor(head, EXTENSION_AT).number(8)
    if address == UNDEFINED or address >= file_size:
        return 0
    try:
        messages = yield from read_first_messages(address, file_size)
        body = next((m.body for m in messages if m.type == FILE_SPACE), b"")
        cursor = Cursor(body)
        if cursor.number(1) != 1 or cursor.number(1) != PAGED:
            return 0
        cursor.skip(1 + 8)
        return min(cursor.number(8), file_size)
    except (CorruptGranuleError, UnsupportedError):
        return 0
