"""How a file lays out its space: structure in pages at its front, or wherever it came (II.B)."""

from __future__ import annotations

from xr_icesat2.errors import CorruptGranuleError

from .binary import Cursor
from .object_header import FILE_SPACE, read_first_messages
from .parser_loop import Parser, UnsupportedError
from .superblock import Superblock

__all__ = ["read_front"]

PAGED = 1


def read_front(superblock: Superblock, file_size: int) -> Parser[int]:
    """Give the bytes at the front of the file that hold structure and few values, if any.

    It is a hint: of a file that does not say so, or does not say it well, 0.

    Parameters
    ----------
    superblock
        Of the file.
    file_size
        In bytes, from the superblock on.
    """
    address = superblock.extension
    if address is None or address >= file_size:
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
