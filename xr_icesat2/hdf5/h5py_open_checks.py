"""What is looked at before the HDF5 library may open a file.

It opens what a file names in its driver information, and where it cannot open a file it searches
plugins for one that can. So it only gets files of which the superblock and the root group are
sound, and that lie in one piece (sections II.A to II.C). A cache image (IV.A.2.y) holds newer
structure than the rest of the file, which our parsers would miss.
"""

from __future__ import annotations

from .object_header import CACHE_IMAGE, DRIVER, Message, read_messages
from .parser_loop import Parser, RefusedError, UnsupportedError
from .superblock import IN_SEVERAL_FILES, Superblock

__all__ = ["check_extension", "check_root"]

WITH_CACHE_IMAGE = (
    "it has a metadata cache image, which holds its newest structure. Rewrite it with h5repack"
)


def check_extension(superblock: Superblock, size: int) -> Parser[None]:
    """Raise if the superblock's extension says that the structure is not all in its place.

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
        The file goes on in others, or its newest structure is in a cache image.
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

    Parameters
    ----------
    superblock
        Of the file; the parser asks for addresses, which count from its base.
    size
        Bytes from the superblock to the end of the file.

    Raises
    ------
    CorruptGranuleError, RefusedError
        For these.
    """
    yield from check_extension(superblock, size)
    if superblock.has_long_addresses:
        yield from _read_if_known(superblock.root, size)


def _read_if_known(address: int, size: int) -> Parser[list[Message]]:
    try:
        return (yield from read_messages(address, size))
    except UnsupportedError:
        return []
