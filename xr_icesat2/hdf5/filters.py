"""Undo the filters of one chunk (HDF5 File Format Specification, section IV.A.2.l)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numcodecs.fletcher32 import Fletcher32

from .model import Filter
from .parser_driver import RefusedError

__all__ = [
    "FILTERS",
    "Buffer",
    "FilterError",
    "FilterKind",
    "check_order",
    "filter_of",
    "max_decoded_bytes",
    "undo_filters",
]

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
SZIP, NBIT, SCALEOFFSET, LZF = 4, 5, 6, 32000
MAX_LIBDEFLATE_RATIO = 24
"""Above this ratio of sizes zlib-ng is faster than libdeflate, because its matches are long.

It also bounds the buffer for a damaged chunk."""


def _first(*names: str) -> Any:
    """Import the first module that is installed; return None if none is."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


zlib = _first("zlib_ng.zlib_ng", "zlib")
libdeflate = _first("deflate")

Buffer: TypeAlias = bytes | bytearray | memoryview


class FilterError(ValueError):
    """A chunk that its filters cannot restore."""


def check_order(numbers: Sequence[int]) -> None:
    """Raise unless the size of chunks can be known before the HDF5 library decompresses them.

    Parameters
    ----------
    numbers
        The filters of a dataset, in the order of writing.

    Raises
    ------
    RefusedError
        Behind a filter that compresses is one that is not undone here.
    """
    first = next(
        (n for n, number in enumerate(numbers) if FILTERS[number].growth > 1), len(numbers)
    )
    for number in numbers[first + 1 :]:
        if FILTERS[number].undo is None:
            raise RefusedError(
                f"it is compressed by filter {numbers[first]} before filter {number}, so that the "
                "size of its chunks cannot be checked before the HDF5 library decompresses them"
            )


def undo_filters(
    raw: Buffer, filters: Sequence[Filter], mask: int, size: int, *, exact: bool = True
) -> Buffer:
    """Restore the bytes of a chunk.

    Parameters
    ----------
    raw
        The chunk as stored.
    filters
        In the order in which they were applied on writing.
    mask
        Bit i is set where filter i was skipped for this chunk.
    size
        Bytes that the chunk must have in the end.
    exact
        Whether it must have just as many; if not, it may be shorter, or a little longer.

    Raises
    ------
    FilterError
        A checksum fails, a stream is broken, or the size is wrong.
    """
    data = raw
    for number in reversed(range(len(filters))):
        if not mask >> number & 1:
            data = _undo(filters[number], data, size)
    if exact and len(data) != size:
        raise FilterError(f"{len(data)} bytes, expected {size}")
    return data


def _undo(step: Filter, data: Buffer, size: int) -> Buffer:
    undo = FILTERS[step.id].undo
    if undo is None:
        raise FilterError(f"{FILTERS[step.id].name} is undone by the HDF5 library alone")
    return undo(data, step, size)


def _check_and_cut(data: Buffer, step: Filter, size: int) -> Buffer:
    """Check the checksum at the end of a chunk, and cut it off."""
    del step, size
    if len(data) <= 4:
        raise FilterError(
            f"fletcher32: {len(data)} bytes, expected a value and a checksum of 4 bytes"
        )
    try:
        restored: Buffer = memoryview(Fletcher32().decode(np.frombuffer(data, np.uint8)))
    except (RuntimeError, ValueError) as error:
        raise FilterError(f"fletcher32: {error}") from error
    return restored


def _inflate(data: Buffer, step: Filter, size: int) -> Buffer:
    del step
    if libdeflate is not None and size <= MAX_LIBDEFLATE_RATIO * len(data):
        # It reports no cause, and reads only streams of this size; zlib does both.
        with suppress(libdeflate.DeflateError):
            whole: bytearray = libdeflate.zlib_decompress(data, size)
            return whole
    return _inflate_stream(data, size)


def _inflate_stream(data: Buffer, size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        restored: bytes = stream.decompress(data, max_decoded_bytes(size))
    except zlib.error as error:
        raise FilterError(str(error)) from error
    if not stream.eof:
        raise FilterError(
            f"a deflate stream that does not end within the {size} bytes of its chunk"
        )
    return restored


def max_decoded_bytes(size: int) -> int:
    """Return how many bytes a chunk may have while its filters are undone.

    The chunk, its checksum and the overhead of a filter that was applied before: more is damage,
    and would fill the memory.
    """
    return size + size // 1000 + 4096


def _unshuffle(data: Buffer, step: Filter, size: int) -> Buffer:
    del size
    element_size = step.element_size
    # The last bytes, fewer than an element, are not shuffled.
    count = len(data) // element_size
    if element_size == 1 or not count:
        return data
    whole = count * element_size
    raw = np.frombuffer(data, np.uint8)
    restored = np.empty(len(data), np.uint8)
    elements = restored[:whole].reshape(count, element_size)
    # As fast as a loop in C, and it releases the GIL.
    for number, column in enumerate(raw[:whole].reshape(element_size, count)):
        elements[:, number] = column
    restored[whole:] = raw[whole:]
    return restored.data


@dataclass(frozen=True, slots=True)
class FilterKind:
    """A filter that can be undone, here or by the HDF5 library."""

    name: str
    undo: Callable[[Buffer, Filter, int], Buffer] | None = None
    """Restores bytes, given the filter and the size of the chunk. None: the library does it."""
    growth: int = 1
    """How many times its stored size a chunk can have once the filter is undone."""


FILTERS: Mapping[int, FilterKind] = {
    DEFLATE: FilterKind("deflate", _inflate, growth=1032),
    SHUFFLE: FilterKind("shuffle", _unshuffle),
    FLETCHER32: FilterKind("fletcher32", _check_and_cut),
    # 64 blocks of 32 elements of 4 bytes, all zero, in a byte or more
    SZIP: FilterKind("szip", growth=8192),
    NBIT: FilterKind("nbit"),
    SCALEOFFSET: FilterKind("scaleoffset"),
    LZF: FilterKind("lzf", growth=88),
}
"""The filters of the HDF5 library, and h5py's own: for others, plugins would be searched."""


def filter_of(number: int, parameters: Sequence[int]) -> Filter | None:
    """Return a filter with its parameters, if it is undone here."""
    if number == SHUFFLE:
        valid = len(parameters) == 1 and parameters[0] > 0
        return Filter(SHUFFLE, parameters[0]) if valid else None
    kind = FILTERS.get(number)
    return Filter(number) if kind is not None and kind.undo is not None else None
