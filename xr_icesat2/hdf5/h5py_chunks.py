"""Check what chunks decompress to before the HDF5 library decompresses them.

The library grows its buffer until a stream ends, so a chunk of a megabyte can fill a gigabyte. What
a chunk can become is bounded by its stored size; only where that bound is too high is it
decompressed here first, up to the size that the dataset declares.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from h5py import h5d, h5p, h5z

from xr_icesat2.errors import CorruptGranuleError

from .filters import FILTERS, Buffer, FilterError, max_decoded_bytes, undo_filters
from .model import Filter

__all__ = [
    "OUR_FILTERS",
    "Step",
    "check_chunk_sizes",
    "chunk_origins",
    "filter_steps",
]

OUR_FILTERS = frozenset(number for number, kind in FILTERS.items() if kind.undo is not None)
"""Filters that :mod:`.filters` undoes."""
SIZED_BY_PARAMETERS = frozenset({h5z.FILTER_NBIT, h5z.FILTER_SCALEOFFSET})
ELEMENTS, ELEMENT_BYTES = 2, 4
"""Positions of the number and size of decoded elements among the parameters of these filters."""
ALLOWED_BYTES = 192 << 20
"""Decompressed bytes up to which a chunk is not checked."""
ALLOWED_TIMES = 3
"""The same, as a multiple of the size of the file."""
SZIP_HEADER = 4
LITERAL, LONG_MATCH = 32, 7
"""LZF: a control byte below the first begins literals. If its length is the second, another byte
extends the length."""


class Step(NamedTuple):
    """One filter of a dataset, in the order of writing."""

    code: int
    parameters: tuple[int, ...]


def filter_steps(properties: h5p.PropDCID) -> list[Step]:
    """Return the filters of a dataset."""
    filters = (properties.get_filter(number) for number in range(properties.get_nfilters()))
    return [Step(code, tuple(parameters)) for code, _, parameters, _ in filters]


def check_chunk_sizes(found: h5d.DatasetID, rows: range, file_size: int, base: int) -> None:
    """Raise unless the chunks that hold some rows decompress to the size that they should have.

    Parameters
    ----------
    found
        A dataset.
    rows
        Along its first dimension.
    file_size
        In bytes.
    base
        Byte offset from which addresses are counted.

    Raises
    ------
    CorruptGranuleError
        A chunk is larger, or chunks overlap.
    """
    properties = found.get_create_plist()
    if properties.get_layout() != h5d.CHUNKED or not rows:
        return
    steps, chunk_shape = filter_steps(properties), properties.get_chunk()
    size = math.prod(chunk_shape) * found.get_type().get_size()
    _check_parameters(steps, size)
    growth = math.prod(FILTERS[step.code].growth for step in steps)
    if growth == 1:
        return
    allowed = max(ALLOWED_BYTES, ALLOWED_TIMES * file_size)
    total = 0
    for start in chunk_origins(found.shape, chunk_shape, rows):
        stored = found.get_chunk_info_by_coord(start)
        if stored.byte_offset is None or stored.byte_offset < base:
            continue
        total += stored.size
        if total > file_size:
            raise CorruptGranuleError("its chunks have more bytes than the file")
        if stored.size * growth > allowed:
            mask, raw = found.read_direct_chunk(start)
            _check_chunk(raw, steps, mask, size)


def chunk_origins(
    shape: tuple[int, ...], chunk_shape: tuple[int, ...], rows: range
) -> Iterator[tuple[int, ...]]:
    """Yield the first element of each chunk that has some of the rows."""
    height = chunk_shape[0]
    along = [range(rows.start // height * height, rows.stop, height)]
    along += [range(0, n, c) for n, c in zip(shape[1:], chunk_shape[1:], strict=True)]
    return itertools.product(*along)


def _check_parameters(steps: Sequence[Step], size: int) -> None:
    for step in steps:
        if step.code not in SIZED_BY_PARAMETERS or len(step.parameters) <= ELEMENT_BYTES:
            continue
        nbytes = step.parameters[ELEMENTS] * step.parameters[ELEMENT_BYTES]
        if nbytes > size:
            raise CorruptGranuleError(
                f"a filter that makes chunks of {nbytes} bytes, expected {size}"
            )


def _check_chunk(raw: Buffer, steps: Sequence[Step], mask: int, size: int) -> None:
    """Undo filters as far as needed to know the size of a chunk; raise if it is too large."""
    used = [step for number, step in enumerate(steps) if not mask >> number & 1]
    growing = [number for number, step in enumerate(used) if FILTERS[step.code].growth > 1]
    if not growing:
        return
    first = growing[0]  # undone last
    ours = used[first + 1 :]
    try:
        if used[first].code in OUR_FILTERS:
            undo_filters(raw, [_filter(step) for step in used[first:]], 0, size, exact=False)
            return
        data = undo_filters(raw, [_filter(step) for step in ours], 0, size, exact=False)
    except FilterError as error:
        raise CorruptGranuleError(f"a damaged chunk: {error}") from error
    is_lzf = used[first].code == h5z.FILTER_LZF
    nbytes = _lzf_size(data) if is_lzf else int.from_bytes(data[:SZIP_HEADER], "little")
    if nbytes > max_decoded_bytes(size):
        raise CorruptGranuleError(f"a chunk of {nbytes} bytes, expected {size}")


def _filter(step: Step) -> Filter:
    return Filter(step.code, step.parameters[0] if step.parameters else 1)


def _lzf_size(data: Buffer) -> int:
    """Return the size of what LZF decompresses to, without decompressing it."""
    position, nbytes = 0, 0
    while position < len(data):
        control = data[position]
        if control < LITERAL:
            position += control + 2
            nbytes += control + 1
            continue
        length = control >> 5
        if length == LONG_MATCH:
            position += 1
            length += data[position] if position < len(data) else 0
        position += 2
        nbytes += length + 2
    return nbytes
