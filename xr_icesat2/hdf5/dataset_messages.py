"""Parse header messages that describe the shape, storage and filters of a dataset.

The interpretation of dataspaces and of data layouts is h5coro's; this is the
only module that imports it. h5coro 1.0.7 reads through methods of an object
that also reads and decompresses, and it trusts its input. So it gets one
message in memory at a time, and this module adds what it lacks (checks, maximum sizes,
filter order).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from h5coro.h5dataset import H5Dataset
from h5coro.h5metadata import H5Metadata

from xr_icesat2.errors import CorruptGranuleError

from .binary import UNDEFINED, Cursor, padded
from .filters import FILTERS, check_order, filter_of
from .heaps import GlobalReference, read_global
from .model import Chunked, Compact, Contiguous, DatasetLayout, Filter, H5pyOnly
from .parser_driver import Parser, RefusedError, UnsupportedError

__all__ = [
    "read_chunk_shape",
    "read_compact_layout",
    "read_dataspace",
    "read_fill",
    "read_filters",
    "read_layout",
]

HAS_MAXIMUM = 0x01
SIMPLE_DATASPACE, NULL_DATASPACE = 1, 2
FILL_NEVER = 1
NO_FILL = 0xFFFF_FFFF
"""The size of a fill value that is not defined, in version 1 of its message."""
MAX_DIMENSIONS = 32

COMPACT_OR_CONTIGUOUS = (b"\x00", b"\x01")


class _File:
    """What h5coro's handlers ask of the file they belong to."""

    errorChecking = True  # noqa: N815 - h5coro's name
    verbose = False
    offsetSize = 8  # noqa: N815
    lengthSize = 8  # noqa: N815


class _Message(H5Dataset):  # type: ignore[misc]
    """h5coro's message handlers over one message in memory."""

    def __init__(self, body: bytes) -> None:
        self.resourceObject = _File()
        self.meta = H5Metadata()
        self.sharedBuffer = None
        self.dataset = ""
        self.pos = 0
        self._cursor = Cursor(body)

    def readField(self, size: int) -> int:  # noqa: N802
        self._cursor.position = self.pos
        self.pos += size
        return self._cursor.number(size)


@lru_cache(maxsize=1 << 12)
def read_dataspace(body: bytes) -> tuple[int, ...] | None:
    """Return a shape, or None for the null dataspace (section IV.A.2.b)."""
    ndim, kind = Cursor(body, 1).number(1), Cursor(body, 3).number(1)
    if ndim > MAX_DIMENSIONS:
        raise CorruptGranuleError(
            f"a dataspace of {ndim} dimensions, expected {MAX_DIMENSIONS} at most"
        )
    if body[0] == 2 and (kind > NULL_DATASPACE or (ndim and kind != SIMPLE_DATASPACE)):
        raise CorruptGranuleError(f"a dataspace of class {kind} with {ndim} dimensions")
    if body[0] == 2 and kind == NULL_DATASPACE:
        return None
    message = _Message(body)
    _handle(message.dataspaceMsgHandler, body)
    shape = tuple(message.meta.dimensions)
    if body[2] & HAS_MAXIMUM:
        maximum = Cursor(body, (8 if body[0] == 1 else 4) + 8 * ndim)
        if any(size > maximum.number(8) for size in shape):
            raise CorruptGranuleError(f"a dataspace of shape {shape}, larger than its maximum")
    return shape


def read_layout(body: bytes, filters: tuple[Filter, ...], item_size: int) -> DatasetLayout:
    """Return how the values of a dataset are stored (section IV.A.2.i)."""
    if body[:1] == b"\x04" and body[1:2] in COMPACT_OR_CONTIGUOUS:
        body = b"\x03" + body[1:]  # stored alike; only chunks and virtual datasets are not
    if body[:1] >= b"\x04":
        return H5pyOnly(f"data layout version {body[0]}")
    message = _Message(body)
    _handle(message.datalayoutMsgHandler, body)
    meta = message.meta
    address = None if meta.address == UNDEFINED else meta.address
    if meta.layout == H5Dataset.CHUNKED_LAYOUT:
        if meta.elementSize != item_size or 0 in meta.chunkDimensions:
            msg = f"chunks {meta.chunkDimensions} of {meta.elementSize} bytes an element"
            raise CorruptGranuleError(f"{msg} for a datatype of {item_size} bytes")
        return Chunked(address, tuple(meta.chunkDimensions), filters)
    if filters:
        raise UnsupportedError("filters on a dataset that is not chunked")
    if meta.layout == H5Dataset.COMPACT_LAYOUT:
        return Compact(Cursor(body, meta.address).take(meta.size))
    return Contiguous(address)


def read_chunk_shape(body: bytes) -> tuple[int, ...] | None:
    """Return the chunk shape from any version of a layout message; None without chunks.

    For datasets whose values the HDF5 library reads.
    """
    cursor = Cursor(body)
    version, first, second, third = (cursor.number(1) for _ in range(4))
    if version in (1, 2):
        kind, ndim, start, width = second, first, 16, 4
    elif version == 3:
        kind, ndim, start, width = first, second, 11, 4
    else:
        kind, ndim, start, width = first, third, 5, body[4] if len(body) > 4 else 0
    if kind != H5Dataset.CHUNKED_LAYOUT or not ndim:
        return None
    cursor.position = start
    # The last dimension is the size of an element.
    return tuple(cursor.number(width) for _ in range(ndim))[:-1]


def read_compact_layout(body: bytes) -> bytes | None:
    """Return the values in a layout message of version 3 or later; None if it has none."""
    cursor = Cursor(body)
    version, kind = cursor.number(1), cursor.number(1)
    if version < 3 or kind != H5Dataset.COMPACT_LAYOUT:
        return None
    return cursor.take(cursor.number(2))


def _handle(handler: object, body: bytes) -> None:
    try:
        handler(len(body), 0, 0)  # type: ignore[operator]
    except RuntimeError as error:
        raise UnsupportedError(str(error)) from error


@lru_cache(maxsize=1 << 12)
def read_fill(body: bytes, item_size: int) -> bytes:
    """Return the fill value as stored, of ``item_size`` bytes (section IV.A.2.f).

    Zeros if the file defines none, or declares that it is never written, as in h5py.
    """
    cursor = Cursor(body)
    version = cursor.number(1)
    if version == 3:
        flags = cursor.number(1)
        time, defined = flags >> 2 & 3, bool(flags & 0x20)
        if flags & 0xC0 or flags & 0x30 == 0x30:
            raise CorruptGranuleError(f"a fill value message with flags {flags:#04x}")
    elif version in (1, 2):
        cursor.skip(1)
        time, defined = cursor.number(1), bool(cursor.number(1)) or version == 1
    else:
        raise UnsupportedError(f"fill value message version {version}")
    size = cursor.number(4) if defined else 0
    if size in (0, NO_FILL) or time == FILL_NEVER:
        return bytes(item_size)
    if size != item_size:
        raise CorruptGranuleError(f"a fill value of {size} bytes for elements of {item_size}")
    return cursor.take(size)


@lru_cache(maxsize=1 << 12)
def read_filters(body: bytes) -> tuple[Filter, ...]:
    """Return the filter pipeline in the order of writing (section IV.A.2.l)."""
    cursor = Cursor(body)
    version, count = cursor.number(1), cursor.number(1)
    if version not in (1, 2):
        raise UnsupportedError(f"filter message version {version}")
    if version == 1:
        cursor.skip(6)
    steps = [_read_filter(cursor, version) for _ in range(count)]
    for number, _ in steps:
        if number not in FILTERS:
            reason = f"its filter {number} is not built in, and plugins are not searched"
            raise RefusedError(reason)
    check_order([number for number, _ in steps])
    return tuple(_known_filter(*step) for step in steps)


def _read_filter(cursor: Cursor, version: int) -> tuple[int, list[int]]:
    """Read the number of a filter and its parameters."""
    number = cursor.number(2)
    name_length = cursor.number(2) if version == 1 or number >= 256 else 0
    cursor.skip(2)
    value_count = cursor.number(2)
    cursor.skip(padded(name_length) if version == 1 else name_length)
    parameters = [cursor.number(4) for _ in range(value_count)]
    if version == 1 and value_count % 2:
        cursor.skip(4)
    return number, parameters


def _known_filter(number: int, parameters: Sequence[int]) -> Filter:
    known = filter_of(number, parameters)
    if known is None:
        raise UnsupportedError(f"filter {number} with parameters {parameters}")
    return known


VIRTUAL_LAYOUT, FIRST_WITH_VIRTUAL = 3, 4
"""Class of a layout, and the version of the message from which on there is such a class."""
LIST_HEADER_BYTES = 9
MAX_SOURCES = 10_000
"""Of one virtual dataset, and of those that are its sources."""


def is_virtual(layout: bytes) -> bool:
    """Return whether a layout message is that of a virtual dataset."""
    return len(layout) > 1 and layout[0] >= FIRST_WITH_VIRTUAL and layout[1] == VIRTUAL_LAYOUT


def check_virtual_sources(layout: bytes) -> Parser[None]:
    """Raise unless the list of sources can be read to an end.

    The HDF5 library reads it when it opens the dataset, and does not survive some heaps.

    Raises
    ------
    CorruptGranuleError
        The heap that contains the list is damaged.
    RefusedError
        There are too many sources.
    """
    cursor = Cursor(layout, 2)
    heap, index = cursor.number(8), cursor.number(4)
    if heap == UNDEFINED:
        return
    (head,) = yield from read_global([GlobalReference(1, heap, index)], LIST_HEADER_BYTES)
    count = Cursor(head, 1).number(8)
    if count > MAX_SOURCES:
        raise RefusedError(f"a virtual dataset of {count:,} sources, more than {MAX_SOURCES:,}")
