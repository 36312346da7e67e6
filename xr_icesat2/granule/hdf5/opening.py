"""What is looked at before the HDF5 library may open a file.

It opens what a file names in its driver information, and where it cannot open a file it searches
plugins for one that can. So it only gets files of which the superblock and the root group are
sound, and that lie in one piece (sections II.A to II.C).
"""

from __future__ import annotations

from .fetch import Parser, RefusedError, UnsupportedError
from .objects import DRIVER, Message, read_messages
from .superblock import IN_SEVERAL_FILES, Superblock

__all__ = ["check_root"]


def check_root(superblock: Superblock, size: int) -> Parser[None]:
    """Raise if the file goes on in others, or if the header of the root group is damaged.

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
    if superblock.extension is not None:
        messages = yield from read_messages(superblock.extension, size)
        if any(message.type == DRIVER for message in messages):
            raise RefusedError(IN_SEVERAL_FILES)
    if superblock.has_long_addresses:
        yield from _read_if_known(superblock.root, size)


def _read_if_known(address: int, size: int) -> Parser[list[Message]]:
    try:
        return (yield from read_messages(address, size))
    except UnsupportedError:
        return []
