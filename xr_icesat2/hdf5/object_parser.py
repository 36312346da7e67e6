"""Parse a group or dataset from the address of its header."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xr_icesat2.errors import CorruptGranuleError

from .attributes import Attributes, read_attributes
from .dataset_messages import (
    check_virtual_sources,
    is_virtual,
    read_chunk_shape,
    read_compact_layout,
    read_dataspace,
    read_fill,
    read_filters,
    read_layout,
)
from .datatype import NOT_READ, Datatype, Kind, Padding, read_datatype, with_flag_attributes
from .group_links import SYMBOL_TABLE, read_links
from .limit_counters import LimitUsage
from .model import (
    Compact,
    Contiguous,
    DatasetHeader,
    DatasetLayout,
    GroupHeader,
    H5pyOnly,
    Node,
)
from .object_header import (
    ATTRIBUTE,
    DATATYPE,
    LINK,
    LINK_INFO,
    Message,
    message_body,
    read_messages,
)
from .parser_driver import Parser, RefusedError, UnsupportedError

__all__ = ["NOTHING", "STORED_ELSEWHERE", "read_compact", "read_object"]

DATASPACE, OLD_FILL, FILL, EXTERNAL, LAYOUT, FILTERS = 1, 4, 5, 7, 8, 0xB
MAX_DATASET_BYTES = 1 << 60
"""Bytes of a dataset. Decoding may need eight times as many, which is numpy's limit."""
MAX_CHUNK_BYTES = (1 << 32) - 1
"""The limit of HDF5."""
STORED_ELSEWHERE = "its values are stored in another file, and only the granule itself is read"
NOTHING = "it has no values (a null dataspace)"
GROUP_MARKS = {LINK_INFO, LINK, SYMBOL_TABLE}
DATASET_MARKS = {DATASPACE, DATATYPE, LAYOUT}


def read_object(address: int, file_size: int, usage: LimitUsage) -> Parser[Node]:
    """Read the group or dataset with an object header at ``address``."""
    messages = yield from read_messages(address, file_size)
    kinds = {message.type for message in messages}
    attributes = yield from read_attributes(messages, file_size, usage)
    if kinds >= DATASET_MARKS and not kinds & GROUP_MARKS:
        for body in (m.body for m in messages if m.type == LAYOUT and is_virtual(m.body)):
            yield from check_virtual_sources(body)
        # Without the attribute messages, which are most and are parsed already.
        return _dataset([m for m in messages if m.type < ATTRIBUTE], attributes, usage)
    if kinds & GROUP_MARKS and not kinds & DATASET_MARKS:
        links = yield from read_links(messages, usage)
        # Sorted by name, as the HDF5 library lists them: dense groups are stored by hash.
        return GroupHeader(dict(sorted(links.items())), attributes.values, attributes.left_out)
    raise UnsupportedError("an object that is neither a group nor a dataset")


def _dataset(
    messages: Sequence[Message], attributes: Attributes, usage: LimitUsage
) -> DatasetHeader:
    if any(m.type == EXTERNAL for m in messages):
        raise RefusedError(STORED_ELSEWHERE)
    datatype = read_datatype(message_body(messages, DATATYPE))
    shape = read_dataspace(message_body(messages, DATASPACE))
    if shape is None:
        raise RefusedError(NOTHING)
    if datatype.kind in NOT_READ:
        raise RefusedError(NOT_READ[datatype.kind])
    if max((*shape, math.prod(shape) * datatype.size)) > MAX_DATASET_BYTES:
        raise RefusedError(f"it has the shape {shape}: more than any array can hold")
    usage.use_element(datatype.size)
    fill = bytes(datatype.size)
    if any(m.type == FILL for m in messages):
        fill = read_fill(message_body(messages, FILL), datatype.size)
    elif any(m.type == OLD_FILL for m in messages):
        raise UnsupportedError("an old fill value message")
    layout = _layout(messages, datatype, shape)
    if isinstance(layout, H5pyOnly):
        fill = bytes(datatype.dtype.itemsize)  # h5py fills in unwritten values
    chunk_shape = read_chunk_shape(message_body(messages, LAYOUT))
    if chunk_shape is not None and len(chunk_shape) == len(shape) and all(chunk_shape):
        usage.check_chunks(shape, chunk_shape, datatype.size)
    return DatasetHeader(
        datatype.dtype,
        shape,
        layout,
        fill,
        with_flag_attributes(attributes.values, datatype.members, datatype.dtype),
        attributes.scales,
        attributes.is_scale,
        attributes.dimension_only,
        datatype.kind is Kind.STRING and datatype.padding is Padding.NULL_TERMINATED,
        attributes.left_out,
    )


def _layout(
    messages: Sequence[Message], datatype: Datatype, shape: tuple[int, ...]
) -> DatasetLayout:
    body = message_body(messages, LAYOUT)
    if is_virtual(body):
        # The library lists its source files.
        raise UnsupportedError("a virtual dataset")
    if datatype.kind is Kind.VARIABLE_STRING:
        return H5pyOnly("variable-length strings")
    if datatype.kind is Kind.STRING and datatype.padding is Padding.SPACE_PADDED:
        return H5pyOnly("strings that are padded with blanks")
    try:
        has_filters = any(m.type == FILTERS for m in messages)
        filters = read_filters(message_body(messages, FILTERS)) if has_filters else ()
        layout = read_layout(body, filters, datatype.size)
    except UnsupportedError as error:
        return H5pyOnly(str(error))
    _check_size(layout, math.prod(shape) * datatype.size, len(shape), datatype.size)
    return layout


def _check_size(layout: DatasetLayout, size: int, ndim: int, item_size: int) -> None:
    if isinstance(layout, Compact) and len(layout.data) < size:
        raise CorruptGranuleError(f"{len(layout.data)} bytes of compact values, expected {size}")
    if isinstance(layout, Contiguous | Compact | H5pyOnly):
        return
    too_large = math.prod(layout.chunk_shape) * item_size > MAX_CHUNK_BYTES
    if len(layout.chunk_shape) != ndim or ndim == 0 or too_large:
        raise CorruptGranuleError(
            f"chunks {layout.chunk_shape} of a dataset with {ndim} dimensions"
        )


def read_compact(messages: Sequence[Message]) -> bytes | None:
    """Return values that are stored in the header of a dataset; None if they are elsewhere."""
    return read_compact_layout(message_body(messages, LAYOUT))
