"""Encode the index of a granule as bytes, and decode it without trusting them.

The first line names the format. A checksum of the rest follows, then the lengths of the two parts
and, compressed, the parts: msgpack of :class:`.schema.StoredIndex`, and the columns of all chunk
tables one after another.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import Raw
from msgspec.msgpack import Decoder, Encoder

from xr_icesat2.hdf5.index_checks import check_contents
from xr_icesat2.hdf5.model import (
    AttributeValue,
    Chunked,
    ChunkTable,
    Compact,
    Contiguous,
    DatasetHeader,
    DatasetLayout,
    ExternalLink,
    Filter,
    GroupHeader,
    H5pyOnly,
    IndexContents,
    LeftOut,
    LinkTarget,
    MisnamedLink,
    Node,
    OverlongLink,
    Subtree,
)

from . import schema
from .array_values import (
    from_array,
    from_attribute,
    from_dtype,
    to_array,
    to_attribute,
    to_dtype,
)
from .schema import from_text, to_text

__all__ = ["MAGIC", "MAX_ENTRY_BYTES", "decode_index", "decompress", "encode_index"]

MAGIC = b"xr_icesat2 index 8\n"
"""Changes with :mod:`.schema` and with the model: other versions are ignored and rewritten."""
LENGTHS = struct.Struct("<III")
"""Checksum, bytes of msgpack, chunks."""
MAX_STRUCTURE_BYTES = 1 << 23
"""Bytes of msgpack. The structure of a granule with a thousand variables has less than a million;
as Python objects it may take twenty times as many."""
MAX_CHUNKS = 1 << 23
COLUMNS: dict[str, np.dtype] = {
    "offsets": np.dtype("<u8"),
    "sizes": np.dtype("<u4"),
    "masks": np.dtype("<u4"),
}
"""Columns of the chunk tables, each of all tables one after another."""
CHUNK_BYTES = sum(dtype.itemsize for dtype in COLUMNS.values())
MAX_ENTRY_BYTES = MAX_STRUCTURE_BYTES + MAX_CHUNKS * CHUNK_BYTES + (1 << 20)
"""Bytes of an encoded index: compression may make it a little longer than its content."""

_ENCODER = Encoder()
_DECODER = Decoder(schema.StoredIndex)


def encode_index(contents: IndexContents) -> bytes:
    """Return an index as bytes.

    Raises
    ------
    TypeError, ValueError
        It contains something that no index can contain, or it is too large.
    """
    tables = list(contents.tables.values())
    attributes: dict[bytes, int] = {}
    nodes = {from_text(path): _from_node(node, attributes) for path, node in contents.nodes.items()}
    encoded: list[Any] = [Raw(attrs) for attrs in attributes]
    structure = _ENCODER.encode(
        schema.StoredIndex(
            encoded,
            nodes,
            {from_text(path): _from_table(table) for path, table in contents.tables.items()},
            {from_text(path): from_array(values) for path, values in contents.values.items()},
            contents.root,
            contents.base,
        )
    )
    columns = [
        column.astype(dtype).tobytes()
        for name, dtype in COLUMNS.items()
        for column in (getattr(table, name) for table in tables)
    ]
    chunks = sum(len(table.sizes) for table in tables)
    if len(structure) > MAX_STRUCTURE_BYTES or chunks > MAX_CHUNKS:
        raise ValueError(f"an index with {len(structure)} bytes of structure and {chunks} chunks")
    body = zlib.compress(b"".join([structure, *columns]), level=1)
    rest = LENGTHS.pack(0, len(structure), chunks)[4:] + body
    return MAGIC + zlib.crc32(rest).to_bytes(4, "little") + rest


def decode_index(data: bytes, file_size: int) -> IndexContents:
    """Return the index of a granule of ``file_size`` bytes.

    Raises
    ------
    Exception
        Of any kind: the bytes are not an index, one of another version, or damaged.
    """
    start = len(MAGIC) + LENGTHS.size
    if data[: len(MAGIC)] != MAGIC or not start <= len(data) <= MAX_ENTRY_BYTES:
        raise ValueError("not an index of this version")
    checksum, length, chunks = LENGTHS.unpack_from(data, len(MAGIC))
    if zlib.crc32(memoryview(data)[len(MAGIC) + 4 :]) != checksum:
        raise ValueError("damaged")
    if length > MAX_STRUCTURE_BYTES or chunks > MAX_CHUNKS:
        raise ValueError(f"{length} bytes of structure and {chunks} chunks are too many")
    body = decompress(memoryview(data)[start:], length + chunks * CHUNK_BYTES)
    index = _DECODER.decode(memoryview(body)[:length])
    attributes = [
        {to_text(name): to_attribute(value) for name, value in attrs.items()}
        for attrs in index.attributes
    ]
    nodes = {to_text(path): _to_node(node, attributes) for path, node in index.nodes.items()}
    columns = _columns(body, length, chunks, file_size)
    contents = IndexContents(
        nodes,
        dict(_to_tables(index.tables, nodes, columns)),
        {to_text(path): to_array(values) for path, values in index.values.items()},
        index.root,
        index.base,
    )
    check_contents(contents, file_size)
    return contents


def decompress(body: bytes | memoryview, size: int) -> bytes:
    """Return what was compressed; ``ValueError`` unless it has ``size`` bytes."""
    inflater = zlib.decompressobj()
    found = inflater.decompress(body, size + 1)
    if len(found) != size or not inflater.eof:
        raise ValueError("its length is not the one that it declares")
    return found


def _columns(body: bytes, start: int, chunks: int, file_size: int) -> list[np.ndarray]:
    columns: list[Any] = []
    for dtype in COLUMNS.values():
        columns.append(np.frombuffer(body, dtype, chunks, start))
        start += chunks * dtype.itemsize
    offsets, sizes, _ = columns
    size = np.uint64(file_size)
    if (sizes > size).any() or (offsets > size - sizes)[sizes > 0].any():
        raise ValueError("chunks beyond the end of the granule")
    return columns


def _from_node(node: Node, attributes: dict[bytes, int]) -> schema.StoredNode:
    if isinstance(node, LeftOut):
        return schema.LeftOutNode(from_text(node.reason))
    attrs = {from_text(name): from_attribute(value) for name, value in node.attrs.items()}
    number = attributes.setdefault(_ENCODER.encode(attrs), len(attributes))
    left_out = tuple((from_text(name), from_text(why)) for name, why in node.left_out_attrs)
    if isinstance(node, GroupHeader):
        links = {from_text(name): _from_link(link) for name, link in node.links.items()}
        return schema.Group(number, links, left_out)
    return schema.Dataset(
        number,
        from_dtype(node.dtype),
        node.shape,
        _from_layout(node.layout),
        node.fill,
        tuple(tuple(map(_from_scale, scales)) for scales in node.dimension_list),
        node.is_scale,
        node.dimension_only,
        node.null_terminated,
        left_out,
    )


def _to_node(wire: schema.StoredNode, attributes: Sequence[dict[str, AttributeValue]]) -> Node:
    if isinstance(wire, schema.LeftOutNode):
        return LeftOut(to_text(wire.reason))
    attrs = attributes[wire.attributes]
    left_out = tuple([(to_text(name), to_text(why)) for name, why in wire.left_out_attrs])
    if isinstance(wire, schema.Group):
        links = {to_text(name): _to_link(link) for name, link in wire.links.items()}
        return GroupHeader(links, attrs, left_out)
    return DatasetHeader(
        to_dtype(wire.dtype),
        wire.shape,
        _to_layout(wire.layout),
        wire.fill,
        attrs,
        tuple([tuple([_to_scale(scale) for scale in scales]) for scales in wire.dimension_list]),
        wire.is_scale,
        wire.dimension_only,
        wire.null_terminated,
        left_out,
    )


def _from_link(link: LinkTarget) -> schema.Link:
    if isinstance(link, OverlongLink):
        raise TypeError("a link that depends on the limits is not kept")
    if isinstance(link, MisnamedLink):
        return schema.Misnamed(from_text(link.name))
    if isinstance(link, ExternalLink):
        return schema.External(from_text(link.file), from_text(link.path))
    return _from_scale(link)


def _to_link(wire: schema.Link) -> LinkTarget:
    if isinstance(wire, schema.Misnamed):
        return MisnamedLink(to_text(wire.name))
    if isinstance(wire, schema.External):
        return ExternalLink(to_text(wire.file), to_text(wire.path))
    return _to_scale(wire)


def _from_scale(link: int | str) -> int | schema.Text:
    return from_text(link) if isinstance(link, str) else link


def _to_scale(wire: int | schema.Text) -> int | str:
    return wire if isinstance(wire, int) else to_text(wire)


def _from_layout(layout: DatasetLayout) -> schema.StoredLayout:
    if isinstance(layout, Compact):
        return schema.CompactLayout(layout.data)
    if isinstance(layout, Contiguous):
        return schema.ContiguousLayout(layout.offset)
    if isinstance(layout, H5pyOnly):
        return schema.H5pyLayout(from_text(layout.reason))
    filters = tuple((step.id, step.element_size) for step in layout.filters)
    return schema.ChunkedLayout(layout.btree, layout.chunk_shape, filters)


def _to_layout(wire: schema.StoredLayout) -> DatasetLayout:
    if isinstance(wire, schema.ChunkedLayout):
        return Chunked(wire.btree, wire.chunk_shape, _to_filters(wire.filters))
    if isinstance(wire, schema.CompactLayout):
        return Compact(wire.data)
    if isinstance(wire, schema.ContiguousLayout):
        return Contiguous(wire.offset)
    return H5pyOnly(to_text(wire.reason))


# Hundreds of datasets share the same few.
@lru_cache(maxsize=256)
def _to_filters(filters: tuple[tuple[int, int], ...]) -> tuple[Filter, ...]:
    return tuple(Filter(*step) for step in filters)


def _from_table(table: ChunkTable) -> tuple[schema.Unread, ...]:
    return tuple(schema.Unread(s.address, s.level, s.first, s.end) for s in table.unread)


def _to_tables(
    tables: Mapping[schema.Text, Iterable[schema.Unread]],
    nodes: Mapping[str, Node],
    columns: Iterable[np.ndarray],
) -> Iterator[tuple[str, ChunkTable]]:
    start, (offsets, sizes, masks) = 0, columns
    for name, unread in tables.items():
        path = to_text(name)
        node = nodes[path]
        if not isinstance(node, DatasetHeader) or not isinstance(node.layout, Chunked):
            raise TypeError(f"chunks of {path:.50}, which has none")
        grid = tuple(-(-n // c) for n, c in zip(node.shape, node.layout.chunk_shape, strict=True))
        end = start + math.prod(grid)
        if end > len(sizes):
            raise ValueError("fewer chunks than there should be")
        part = slice(start, end)
        rest = tuple([_to_subtree(subtree, len(grid)) for subtree in unread])
        yield path, ChunkTable(grid, offsets[part], sizes[part], masks[part], rest)
        start = end
    if start != len(sizes):
        raise ValueError("more chunks than there should be")


def _to_subtree(wire: schema.Unread, dimensions: int) -> Subtree:
    if any(key and len(key) != dimensions + 1 for key in (wire.first, wire.end)):
        raise ValueError("a part of a chunk table with keys of another shape")
    return Subtree(wire.address, wire.level, wire.first, wire.end)
