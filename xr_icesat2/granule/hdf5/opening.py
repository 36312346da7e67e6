"""What is looked at before the HDF5 library may open a file.

It opens what a file names in its driver information, and where it cannot open a file it searches
plugins for one that can. So it only gets files of which the superblock and the root group are
sound, and that lie in one piece (sections II.A to II.C).
"""

from __future__ import annotations

from dataclasses import dataclass

from xr_icesat2.errors import CorruptGranuleError

from .binary import UNDEFINED, Cursor, check_checksum
from .fetch import Parser, RefusedError, UnsupportedError, read
from .messages import IN_SEVERAL_FILES, SIGNATURE, SUPERBLOCK_BYTES
from .objects import DRIVER, Message, read_messages

__all__ = ["check_root", "find_superblock", "read_opening"]

FIRST_BLOCK = 512
"""Behind a block of a user's the superblock lies at this many bytes, or twice, four times …"""
ADDRESS_BYTES = 8


@dataclass(frozen=True, slots=True)
class Opening:
    """What a superblock says of where things are, in bytes from its own place."""

    root: int
    extension: int | None
    """Header of what does not fit into the superblock."""
    plain: bool
    """Whether addresses have 8 bytes, as everywhere but in a few old files."""


def find_superblock(file_size: int) -> Parser[int | None]:
    """Give the byte offset of the superblock; None if there is none."""
    place = 0
    while place + len(SIGNATURE) <= file_size:
        if (yield from read(place, len(SIGNATURE))) == SIGNATURE:
            return place
        place = max(FIRST_BLOCK, 2 * place)
    return None


def read_opening(size: int, end: int) -> Parser[Opening]:
    """Read a superblock of any version.

    Parameters
    ----------
    size
        Bytes from the superblock to the end of the file.
    end
        Bytes of the whole file, a user's block included.

    Raises
    ------
    CorruptGranuleError
        It is damaged, or the file is truncated.
    RefusedError
        The file goes on in others.
    UnsupportedError
        A superblock that nobody knows.
    """
    head = yield from read(0, min(SUPERBLOCK_BYTES, size))
    version = Cursor(head, len(SIGNATURE)).number(1)
    if version in (0, 1):
        opening, stored_end = _version_0(head, version)
    elif version in (2, 3):
        opening, stored_end = _version_2(head)
    else:
        raise UnsupportedError(f"superblock version {version}")
    if stored_end > end:
        msg = (
            f"the file is truncated: it says that it has {stored_end} bytes, but {end} are here. "
            "Download it again."
        )
        raise CorruptGranuleError(msg)
    return opening


def _version_0(head: bytes, version: int) -> tuple[Opening, int]:
    width = Cursor(head, 13).number(1)
    cursor = Cursor(head, 24 + 4 * version)
    _, _, end, driver, _, root = (cursor.number(width) for _ in range(6))
    if driver != _nowhere(width):
        raise RefusedError(IN_SEVERAL_FILES)
    return Opening(root, None, width == ADDRESS_BYTES), end


def _version_2(head: bytes) -> tuple[Opening, int]:
    width = Cursor(head, 9).number(1)
    cursor = Cursor(head, 12)
    _, extension, end, root = (cursor.number(width) for _ in range(4))
    check_checksum(head[: cursor.position + 4], "superblock")
    found = None if extension == _nowhere(width) else extension
    if found is not None and width != ADDRESS_BYTES:
        raise UnsupportedError(f"addresses of {width} bytes")
    return Opening(root, found, width == ADDRESS_BYTES), end


def _nowhere(width: int) -> int:
    return UNDEFINED >> 8 * (ADDRESS_BYTES - width) if width <= ADDRESS_BYTES else -1


def check_root(opening: Opening, size: int) -> Parser[None]:
    """Raise if the file goes on in others, or if the header of the root group is damaged.

    Raises
    ------
    CorruptGranuleError, RefusedError
        For these.
    """
    if opening.extension is not None:
        messages = yield from read_messages(opening.extension, size)
        if any(message.type == DRIVER for message in messages):
            raise RefusedError(IN_SEVERAL_FILES)
    if opening.plain:
        yield from _read_if_known(opening.root, size)


def _read_if_known(address: int, size: int) -> Parser[list[Message]]:
    try:
        return (yield from read_messages(address, size))
    except UnsupportedError:
        return []
