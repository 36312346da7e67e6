"""The superblock: of any version, at the beginning of a file or behind a user block (II.A)."""

from __future__ import annotations

from dataclasses import dataclass

from xr_icesat2.errors import CorruptGranuleError

from .binary import UNDEFINED, Cursor, check_checksum
from .object_header import (
    CACHE_IMAGE,
    DRIVER,
    FILE_SPACE,
    Message,
    read_first_messages,
    read_messages,
)
from .parser_driver import IsolatedRange, Parser, RefusedError, UnsupportedError, read

__all__ = ["IN_SEVERAL_FILES", "NO_SIGNATURE", "Superblock", "read_superblock"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_BYTES = 2048
"""Enough for every version of the superblock."""
SMALLEST_SUPERBLOCK = 48
SMALLEST_USER_BLOCK = 512
"""Bytes. Others have twice as many, four times …"""
NO_SIGNATURE = "it has no HDF5 signature"
IN_SEVERAL_FILES = (
    "it continues in other files (it has driver information), and only the granule itself is read"
)
ADDRESS_BYTES = 8


@dataclass(frozen=True, slots=True)
class Superblock:
    """The superblock of a file. Addresses in the file are counted from ``base``."""

    base: int
    """Byte offset of the superblock in the file: the size of its user block."""
    root: int
    """Address of the header of the root group."""
    extension: int | None
    """Address of the header of the superblock extension."""
    widths: tuple[int, int]
    """Bytes of an address, and of a length."""
    is_open: bool
    """Whether a program writes to the file, or did not close it."""

    @property
    def has_long_addresses(self) -> bool:
        """Whether addresses and lengths have 8 bytes, as everywhere but in a few old files."""
        return self.widths == (ADDRESS_BYTES, ADDRESS_BYTES)

    def check_supported(self) -> None:
        """Raise :class:`UnsupportedError` if only the HDF5 library can read the file."""
        if self.is_open:
            raise UnsupportedError("a file that is being written, or that was not closed")
        if not self.has_long_addresses:
            raise UnsupportedError(f"offsets and lengths of {self.widths} bytes")


def read_superblock(file_size: int) -> Parser[Superblock]:
    """Find the superblock of a file, and read it.

    The base address that it stores is where it was when the file was written. As in the HDF5
    library, addresses count from where it is now: a user block may have been added since.

    Parameters
    ----------
    file_size
        In bytes.

    Raises
    ------
    CorruptGranuleError
        It is damaged, or the file is shorter than it declares.
    RefusedError
        The file continues in other files.
    UnsupportedError
        There is none, or none of a version that is known.
    """
    base = 0
    head = yield from read(0, min(SUPERBLOCK_BYTES, file_size))
    if not head.startswith(SIGNATURE):
        base = yield from _find_behind_user_block(file_size)
        head = yield from read(base, min(SUPERBLOCK_BYTES, file_size - base))
    if len(head) < SMALLEST_SUPERBLOCK:
        raise CorruptGranuleError(f"the file is truncated: {file_size} bytes")
    version = head[8]
    if version in (0, 1):
        return _version_0(head, version, base, file_size)
    if version in (2, 3):
        return _version_2(head, version, base, file_size)
    raise UnsupportedError(f"superblock version {version}")


def _find_behind_user_block(file_size: int) -> Parser[int]:
    places: list[int] = []
    place = SMALLEST_USER_BLOCK
    while place + len(SIGNATURE) <= file_size:
        places.append(place)
        place *= 2
    found = yield [IsolatedRange(place, len(SIGNATURE)) for place in places]
    for place, data in zip(places, found, strict=True):
        if data == SIGNATURE:
            return place
    raise UnsupportedError(NO_SIGNATURE)


def _version_0(head: bytes, version: int, base: int, file_size: int) -> Superblock:
    if any(Cursor(head, at).number(1) for at in (9, 10, 12)):
        raise UnsupportedError("free space, a root group or shared headers of an unknown version")
    widths = (head[13], head[14])
    # Version 1 has the rank of chunk B-trees, and 2 reserved bytes, before the addresses.
    cursor = Cursor(head, 24 + 4 * version)
    stored_base, _, end, driver, _, root = (cursor.number(widths[0]) for _ in range(6))
    if driver != _undefined(widths[0]):
        raise RefusedError(IN_SEVERAL_FILES)
    _check_end(stored_base, end, base, file_size)
    return Superblock(base, root, None, widths, is_open=False)


def _version_2(head: bytes, version: int, base: int, file_size: int) -> Superblock:
    widths = (head[9], head[10])
    cursor = Cursor(head, 12)
    stored_base, extension, end, root = (cursor.number(widths[0]) for _ in range(4))
    check_checksum(head[: cursor.position + 4], "superblock")
    is_nowhere = extension == _undefined(widths[0])
    if not is_nowhere and widths[0] != ADDRESS_BYTES:
        raise UnsupportedError(f"addresses of {widths[0]} bytes")
    _check_end(stored_base, end, base, file_size)
    # Version 3 differs from 2 in what its flags mean.
    is_open = version == 3 and head[11] != 0
    return Superblock(base, root, None if is_nowhere else extension, widths, is_open)


def _undefined(width: int) -> int:
    return UNDEFINED >> 8 * (ADDRESS_BYTES - width) if width <= ADDRESS_BYTES else -1


def _check_end(stored_base: int, end: int, base: int, file_size: int) -> None:
    """Check where the file ends, which is counted from its beginning."""
    if end < stored_base:
        raise CorruptGranuleError(f"a superblock at {stored_base} of a file that ends at {end}")
    size = base + end - stored_base
    if size > file_size:
        msg = f"the file is truncated: it should have {size} bytes, but has {file_size}"
        raise CorruptGranuleError(msg)


PAGED = 1


def read_front(superblock: Superblock, file_size: int) -> Parser[int]:
    """Return how many bytes at the front of a paged file contain its structure.

    It is a hint: 0 if the file does not declare it, or not correctly.

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


WITH_CACHE_IMAGE = (
    "it has a metadata cache image, which contains its newest structure. Rewrite it with h5repack"
)


def check_extension(superblock: Superblock, size: int) -> Parser[None]:
    """Raise if the superblock extension declares structure that is elsewhere.

    Parameters
    ----------
    superblock
        Of the file; the parser asks for addresses, which count from its base.
    size
        Bytes from the superblock to the end of the file.

    Raises
    ------
    CorruptGranuleError, UnsupportedError
        The extension cannot be read.
    RefusedError
        The file continues in other files, or its newest structure is in a cache image.
    """
    if superblock.extension is None:
        return
    types = {message.type for message in (yield from read_messages(superblock.extension, size))}
    if DRIVER in types:
        raise RefusedError(IN_SEVERAL_FILES)
    if CACHE_IMAGE in types:
        raise RefusedError(WITH_CACHE_IMAGE)


def check_root(superblock: Superblock, size: int) -> Parser[None]:
    """Raise unless the HDF5 library may open the file, and the root group's header is sound.

    Parameters and errors are those of :func:`check_extension`.
    """
    yield from check_extension(superblock, size)
    if superblock.has_long_addresses:
        yield from _read_if_known(superblock.root, size)


def _read_if_known(address: int, size: int) -> Parser[list[Message]]:
    try:
        return (yield from read_messages(address, size))
    except UnsupportedError:
        return []
