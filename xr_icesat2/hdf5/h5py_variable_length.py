"""Check values of variable length before the HDF5 library reads them.

A dataset of texts stores a reference for each: its length, and its place in a global heap (*HDF5
File Format Specification*, section IV.B). The library trusts these references, and reads many times
the size of the file if they share one long text. So the references are read first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import h5py
import numpy as np
from h5py import h5d

from xr_icesat2.available_memory import fits
from xr_icesat2.errors import CorruptGranuleError, TooLargeError
from xr_icesat2.limits import Limits

from .attribute_messages import read_bodies, split_body
from .attributes import (
    HIDDEN_ATTRIBUTES,
    REFERENCE_BYTES,
    parse_references,
    read_scales,
)
from .binary import Cursor
from .dataset_messages import read_dataspace
from .datatype import VARIABLE, read_datatype
from .filters import FilterError, undo_filters
from .h5py_chunks import OUR_FILTERS, chunk_origins, filter_steps
from .heaps import read_global
from .limit_counters import FEW_BYTES, TEXT_BYTES, LimitUsage
from .model import Filter
from .object_header import Message
from .parser_driver import OverLimitError, Parser, RefusedError

__all__ = ["UNSEEN", "TextReferences", "check_text_lengths"]

UNSEEN = "the lengths of values are unknown before the HDF5 library reads them"
BLOCK = 1 << 18
"""References to texts of a contiguous dataset that are read at once."""
COPIES = 3
"""Copies of each text while it is read: in the HDF5 library, as bytes, and as ``str``."""


@dataclass(frozen=True, slots=True)
class TextReferences:
    """How a file stores references to texts."""

    read: Callable[[int, int], bytes]
    """Read bytes of the file, from an offset on."""
    compact: Callable[[], bytes | None]
    """Read values from the header of the dataset; None if they cannot be read."""
    address_bytes: int
    """Size of addresses in the file."""
    base: int
    """Byte offset from which addresses count: the size of the user block."""
    file_size: int
    """In bytes."""

    def is_nowhere(self, offset: int | None) -> bool:
        """Return whether nothing is stored; h5py adds a user block to the undefined address."""
        return offset is None or offset < self.base

    @property
    def dtype(self) -> np.dtype:
        """The type of one reference, of which only the length matters here."""
        size = 4 + self.address_bytes + 4
        return np.dtype({"names": ["length"], "formats": ["<u4"], "offsets": [0], "itemsize": size})


@dataclass(slots=True)
class _Total:
    """The texts that were counted so far."""

    limits: Limits
    file_size: int
    _stored: int = field(default=0, init=False)
    _needed: int = field(default=0, init=False)

    def add(self, lengths: np.ndarray) -> None:
        """Count texts that are stored in the file."""
        if not lengths.size:
            return
        self._check_one(int(lengths.max()))
        nbytes = int(lengths.sum(dtype=np.int64))
        self._use_stored(nbytes)
        self._need(COPIES * (nbytes + TEXT_BYTES * int(np.count_nonzero(lengths))))

    def add_unwritten(self, count: int, length: int) -> None:
        """Count elements that were never written, which read as the fill value."""
        self._check_one(length)
        if length > FEW_BYTES:
            self._use_stored(count * length)
        self._need(COPIES * count * (length + TEXT_BYTES if length else 0))

    def _check_one(self, length: int) -> None:
        if length > self.limits.string_bytes:
            what = f"it has a text of {length:,} bytes"
            raise OverLimitError(self.limits.exceeded("string_bytes", what))

    def _use_stored(self, nbytes: int) -> None:
        self._stored += nbytes
        if self._stored > self.file_size:
            raise CorruptGranuleError(
                f"its texts have more bytes ({self._stored:,} or more) than the whole file "
                f"({self.file_size:,}), so that many elements refer to the same text"
            )

    def _need(self, nbytes: int) -> None:
        self._needed += nbytes
        if not fits(self._needed):
            raise TooLargeError(
                f"its texts need {self._needed:.3g} bytes or more while they are read, which "
                "exceeds the available memory. Select less of it first."
            )


def check_text_lengths(
    found: h5d.DatasetID,
    rows: slice,
    references: TextReferences,
    limits: Limits,
) -> None:
    """Raise unless the texts in some rows of a dataset may be read.

    Parameters
    ----------
    found
        The dataset, of which the storage was checked.
    rows
        Along its first dimension.
    references
        How the file stores them.
    limits
        The limits of the file.

    Raises
    ------
    OverLimitError
        A text is too long.
    CorruptGranuleError
        All together are longer than the file.
    TooLargeError
        There is no memory for them.
    RefusedError
        Their lengths cannot be seen.
    """
    total = _Total(limits, references.file_size)
    layout = found.get_create_plist().get_layout()
    first, last, _ = rows.indices(found.shape[0]) if found.shape else (0, 1, 1)
    row_size = math.prod(found.shape[1:])
    if first >= last or not row_size:
        return
    if layout == h5d.CHUNKED:
        _check_chunks(found, range(first, last), references, total)
    elif layout == h5d.CONTIGUOUS:
        _check_contiguous(found, first * row_size, last * row_size, references, total)
    elif layout == h5d.COMPACT and (raw := references.compact()) is not None:
        part = raw[: last * row_size * references.dtype.itemsize]
        total.add(_lengths(part, references)[first * row_size :])
    else:
        raise RefusedError(UNSEEN)


def _lengths(raw: bytes | bytearray | memoryview, references: TextReferences) -> np.ndarray:
    whole = len(raw) // references.dtype.itemsize
    lengths: np.ndarray = np.frombuffer(raw, references.dtype, whole)["length"]
    return lengths


def _check_contiguous(
    found: h5d.DatasetID, first: int, last: int, references: TextReferences, total: _Total
) -> None:
    offset, width = found.get_offset(), references.dtype.itemsize
    if references.is_nowhere(offset):
        _add_unwritten(found, last - first, (0,) * len(found.shape), total)
        return
    if offset + last * width > references.file_size:
        raise CorruptGranuleError("references to texts beyond the end of the file")
    for start in range(first, last, BLOCK):
        count = min(BLOCK, last - start)
        total.add(_lengths(references.read(offset + start * width, count * width), references))


def _check_chunks(
    found: h5d.DatasetID,
    rows: range,
    references: TextReferences,
    total: _Total,
) -> None:
    properties = found.get_create_plist()
    filters, chunk_shape = _filters(properties), properties.get_chunk()
    unwritten = 0
    where: tuple[int, ...] = ()
    for start in chunk_origins(found.shape, chunk_shape, rows):
        inside = _inside(start, chunk_shape, found.shape, rows)
        stored = found.get_chunk_info_by_coord(start)
        if references.is_nowhere(stored.byte_offset):
            unwritten += math.prod(part.stop - part.start for part in inside)
            where = start
            continue
        if stored.size > references.file_size:
            raise CorruptGranuleError(f"a chunk of {stored.size} bytes")
        mask, raw = found.read_direct_chunk(start)
        try:
            data = undo_filters(
                raw, filters, mask, math.prod(chunk_shape) * references.dtype.itemsize
            )
        except FilterError as error:
            raise CorruptGranuleError(f"the chunk at {start} is damaged: {error}") from error
        total.add(_lengths(data, references).reshape(chunk_shape)[inside])
    if unwritten:
        _add_unwritten(found, unwritten, where, total)


def _filters(properties: h5py.h5p.PropDCID) -> tuple[Filter, ...]:
    steps = filter_steps(properties)
    for code, _ in steps:
        if code not in OUR_FILTERS:
            raise RefusedError(f"{UNSEEN}: they are stored through the filter {code}")
    # The library shuffles no texts: it leaves the filter without parameters, and out of each chunk.
    return tuple(Filter(code, values[0] if values else 1) for code, values in steps)


def _inside(
    start: tuple[int, ...], chunk_shape: tuple[int, ...], shape: tuple[int, ...], rows: range
) -> tuple[slice, ...]:
    """Return the part of a chunk that is inside the dataset and the rows."""
    ends = [min(c, n - at) for at, c, n in zip(start, chunk_shape, shape, strict=True)]
    first = max(rows.start - start[0], 0)
    last = min(rows.stop - start[0], ends[0])
    return (slice(first, last), *(slice(0, end) for end in ends[1:]))


def _add_unwritten(found: h5d.DatasetID, count: int, where: tuple[int, ...], total: _Total) -> None:
    """Count elements that were never written; one of them shows the fill value."""
    total.add_unwritten(count, len(h5py.Dataset(found)[where]))


ITEM_SIZE_AT = 12
"""Where the datatype of a sequence stores the size of its elements."""


@dataclass(frozen=True, slots=True)
class VariableLengthAttributes:
    """Attributes that passed the checks."""

    names: frozenset[str] = frozenset()
    """Of attributes."""
    scales: tuple[tuple[int, ...], ...] = ()
    """For each dimension, the addresses of its scales."""


def check_variable_length_attributes(
    messages: Sequence[Message], file_size: int, usage: LimitUsage
) -> Parser[VariableLengthAttributes]:
    """Check the attributes of an object that have values of variable length.

    The HDF5 library crashes on some heaps, and does not report the lengths of such values.

    Raises
    ------
    OverLimitError
        They have more bytes than an object may have.
    """
    bodies = yield from read_bodies(messages, file_size)
    names: set[str] = set()
    scales: tuple[tuple[int, ...], ...] = ()
    size = 0
    for name, datatype, dataspace, rest in map(split_body, bodies):
        if Cursor(datatype).number(1) & 0x0F != VARIABLE:
            continue
        shape = read_dataspace(dataspace)
        # A header may pad the message behind the values.
        data = Cursor(rest).take(0 if shape is None else REFERENCE_BYTES * math.prod(shape))
        if name == "DIMENSION_LIST":
            scales = yield from read_scales(read_datatype(datatype), data, usage, size)
        elif name not in HIDDEN_ATTRIBUTES:
            references = parse_references(data)
            item_size = Cursor(datatype, ITEM_SIZE_AT).number(4)
            length = sum(one.length * item_size + TEXT_BYTES for one in references)
            size = usage.use_attribute_bytes(length, size)
            yield from read_global(references, item_size)
        names.add(name)
    return VariableLengthAttributes(frozenset(names), scales)
