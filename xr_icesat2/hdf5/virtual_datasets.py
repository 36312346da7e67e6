"""What a virtual dataset says of its sources, looked at before the HDF5 library does (IV.A.2.i)."""

from __future__ import annotations

from .binary import UNDEFINED, Cursor
from .heaps import GlobalReference, read_global
from .parser_loop import Parser, RefusedError

__all__ = ["MOST_SOURCES", "check_sources", "is_virtual"]

VIRTUAL_LAYOUT, FIRST_WITH_VIRTUAL = 3, 4
"""Class of a layout, and the version of the message from which on there is such a class."""
LIST_HEADER_BYTES = 9
MOST_SOURCES = 10_000
"""Of one virtual dataset, and of those that are its sources."""


def is_virtual(layout: bytes) -> bool:
    """Return whether a layout message is that of a virtual dataset."""
    return len(layout) > 1 and layout[0] >= FIRST_WITH_VIRTUAL and layout[1] == VIRTUAL_LAYOUT


def check_sources(layout: bytes) -> Parser[None]:
    """Raise unless the list of sources can be read to an end.

    The HDF5 library reads it when it opens the dataset, and does not survive some heaps.

    Raises
    ------
    CorruptGranuleError
        The heap in which the list lies is damaged.
    RefusedError
        There are too many sources.
    """
    cursor = Cursor(layout, 2)
    heap, index = cursor.number(8), cursor.number(4)
    if heap == UNDEFINED:
        return
    (head,) = yield from read_global([GlobalReference(1, heap, index)], LIST_HEADER_BYTES)
    count = Cursor(head, 1).number(8)
    if count > MOST_SOURCES:
        raise RefusedError(f"a virtual dataset of {count:,} sources, more than {MOST_SOURCES:,}")
