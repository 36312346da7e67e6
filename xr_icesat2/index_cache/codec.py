"""The index of a granule as bytes, and back.

After a line that names the format come a checksum of the rest, how many bytes
of text and how many chunks there are, and, compressed, that text and the columns
of all chunk tables one after another. The text is JSON (:mod:`.plain`). Nothing
is trusted: not the lengths, not the types, not that what belongs together fits.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from xr_icesat2.hdf5.index_checks import check_contents
from xr_icesat2.hdf5.model import (
    BY_LIBRARY,
    Chunked,
    ChunkTable,
    Compact,
    Contents,
    Contiguous,
    DatasetHeader,
    ExternalLink,
    Filter,
    Foreign,
    GroupHeader,
    Layout,
    LeftOut,
    Link,
    MisnamedLink,
    Node,
    OverlongLink,
    Subtree,
    by_library,
)

from . import json_values as plain

__all__ = ["MAGIC", "inflate", "pack", "unpack"]

MAGIC = b"xr_icesat2 index 7\n"
LENGTHS = struct.Struct("<III")
"""Checksum, bytes of text, chunks."""
MOST_TEXT = 1 << 23
"""Bytes. The text of a granule with a thousand variables has less than a million. As values of
Python it may take twenty times as many."""
MOST_CHUNKS = 1 << 23
LONGEST_FILTERS = 1000
"""Characters."""
COLUMNS: dict[str, np.dtype] = {
    "offsets": np.dtype("<u8"),
    "sizes": np.dtype("<u4"),
    "masks": np.dtype("<u4"),
}
"""Of the chunk tables, those of all tables one after another."""
CHUNK_BYTES = sum(dtype.itemsize for dtype in COLUMNS.values())
MOST_BYTES = MOST_TEXT + MOST_CHUNKS * CHUNK_BYTES + (1 << 20)
"""Of an index; compressed, it may be a little longer than what is in it."""


def pack(contents: Contents) -> bytes:
    """Give an index as bytes.

    Raises
    ------
    TypeError, ValueError
        Something in it has no place in an index, or it is too large.
    """
    tables = list(contents.tables.values())
    attributes: dict[str, int] = {}
    nodes = {path: _from_node(node, attributes) for path, node in contents.nodes.items()}
    text = _dumps(
        {
            # Beams repeat the same attributes to the letter.
            "attributes": [json.loads(attrs) for attrs in attributes],
            "nodes": nodes,
            "tables": {path: _from_table(table) for path, table in contents.tables.items()},
            "values": {path: plain.from_array(v) for path, v in contents.values.items()},
            "root": contents.root,
            "base": contents.base,
        }
    ).encode()
    columns = [
        column.astype(dtype).tobytes()
        for name, dtype in COLUMNS.items()
        for column in (getattr(table, name) for table in tables)
    ]
    chunks = sum(len(table.sizes) for table in tables)
    if len(text) > MOST_TEXT or chunks > MOST_CHUNKS:
        raise ValueError(f"an index with {len(text)} bytes of text and {chunks} chunks")
    body = zlib.compress(b"".join([text, *columns]), level=1)
    rest = LENGTHS.pack(0, len(text), chunks)[4:] + body
    return MAGIC + zlib.crc32(rest).to_bytes(4, "little") + rest


def unpack(data: bytes, file_size: int) -> Contents:
    """Take an index of a granule of some size out of bytes.

    Raises
    ------
    Exception
        Of any kind: this is no index, not one of this version, or it is damaged.
    """
    start = len(MAGIC) + LENGTHS.size
    if data[: len(MAGIC)] != MAGIC or not start <= len(data) <= MOST_BYTES:
        raise ValueError("not an index of this version")
    checksum, length, chunks = LENGTHS.unpack_from(data, len(MAGIC))
    if zlib.crc32(memoryview(data)[len(MAGIC) + 4 :]) != checksum:
        raise ValueError("damaged")
    if length > MOST_TEXT or chunks > MOST_CHUNKS:
        raise ValueError(f"{length} bytes of text and {chunks} chunks are too many")
    body = inflate(memoryview(data)[start:], length + chunks * CHUNK_BYTES)
    text = json.loads(body[:length])
    attributes = [_to_attributes(attrs) for attrs in text["attributes"]]
    nodes = {path: _to_node(node, attributes) for path, node in text["nodes"].items()}
    columns = _columns(body, length, chunks, file_size)
    contents = Contents(
        nodes,
        dict(_to_tables(text["tables"], nodes, columns)),
        {path: plain.to_array(values) for path, values in text["values"].items()},
        None if text["root"] is None else _to_hard_link(text["root"]),
        plain.to_number(text["base"]),
    )
    check_contents(contents, file_size)
    return contents


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def inflate(body: bytes | memoryview, size: int) -> bytes:
    """Give what was compressed; never more than it should be, whatever the body holds."""
    inflater = zlib.decompressobj()
    found = inflater.decompress(body, size + 1)
    if len(found) != size or not inflater.eof:
        raise ValueError("its length is not what it says")
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


def _from_node(node: Node, attributes: dict[str, int]) -> list[Any] | str:
    if isinstance(node, LeftOut):
        return node.reason
    attrs = _dumps({name: plain.from_attribute(value) for name, value in node.attrs.items()})
    number = attributes.setdefault(attrs, len(attributes))
    if isinstance(node, GroupHeader):
        links = {name: _from_link(link) for name, link in node.links.items()}
        return [number, links, node.left_out_attrs]
    return [
        number,
        plain.from_dtype(node.dtype),
        node.shape,
        _from_layout(node.layout),
        plain.from_bytes(node.fill),
        node.dimension_list,
        node.is_scale,
        node.bare,
        node.terminated,
        node.left_out_attrs,
    ]


def _to_attributes(attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain.to_attribute(value) for name, value in attrs.items()}


def _to_node(value: Any, attributes: Sequence[dict[str, Any]]) -> Node:
    if isinstance(value, str):
        return LeftOut(value)
    number, *rest, left_out = value
    attrs = attributes[plain.to_number(number)]
    left_out_attrs = tuple((plain.to_text(name), plain.to_text(why)) for name, why in left_out)
    if len(rest) == 1:
        links = {name: _to_link(link) for name, link in rest[0].items()}
        return GroupHeader(links, attrs, left_out_attrs)
    dtype, shape, layout, fill, scales, is_scale, bare, terminated = rest
    return DatasetHeader(
        dtype=plain.to_dtype(dtype),
        shape=plain.to_tuple(shape),
        layout=_to_layout(layout),
        fill=plain.to_bytes(fill),
        attrs=attrs,
        dimension_list=tuple([tuple(map(_to_place, dim)) for dim in scales]),
        is_scale=is_scale is True,
        bare=bare is True,
        terminated=terminated is True,
        left_out_attrs=left_out_attrs,
    )


def _from_link(link: Link) -> int | str | list[str]:
    if isinstance(link, OverlongLink):
        raise TypeError("a link that depends on the limits is not kept")
    if isinstance(link, MisnamedLink):
        return [link.name]
    return [link.file, link.path] if isinstance(link, ExternalLink) else link


def _to_link(link: Any) -> Link:
    if isinstance(link, list) and len(link) == 1:
        return MisnamedLink(plain.to_text(link[0]))
    if isinstance(link, list):
        file, path = link
        return ExternalLink(plain.to_text(file), plain.to_text(path))
    return _to_place(link)


def _to_place(link: Any) -> int | str:
    return link if isinstance(link, str) else _to_hard_link(link)


def _to_hard_link(link: Any) -> int:
    if type(link) is int and link < 0:
        return link if link == BY_LIBRARY else by_library(plain.to_number(by_library(link)))
    return plain.to_number(link)


def _from_layout(layout: Layout) -> list[Any]:
    if isinstance(layout, Compact):
        return ["compact", plain.from_bytes(layout.data)]
    if isinstance(layout, Contiguous):
        return ["contiguous", layout.offset]
    if isinstance(layout, Foreign):
        return ["foreign", layout.reason]
    filters = _dumps([(f.id, f.element_size) for f in layout.filters])
    return ["chunked", layout.btree, layout.chunk_shape, filters]


def _to_layout(value: Any) -> Layout:
    kind, first, *rest = value
    if kind == "chunked":
        chunk_shape, filters = rest
        shape = plain.to_tuple(chunk_shape)
        if not all(shape):
            raise ValueError("chunks without elements")
        return Chunked(_to_address(first), shape, _to_filters(plain.to_text(filters)))
    if kind == "compact":
        return Compact(plain.to_bytes(first))
    if kind == "contiguous":
        return Contiguous(_to_address(first))
    if kind == "foreign":
        return Foreign(plain.to_text(first))
    raise ValueError(f"a layout {kind!r:.50}")


# Hundreds of datasets have the same few.
@lru_cache(maxsize=256)
def _to_filters(text: str) -> tuple[Filter, ...]:
    if len(text) > LONGEST_FILTERS:
        raise ValueError("more filters than HDF5 has")
    return tuple(Filter(*plain.to_tuple(step)) for step in json.loads(text))


def _to_address(value: Any) -> int | None:
    return None if value is None else plain.to_number(value)


def _from_table(table: ChunkTable) -> list[Any]:
    return [(node.address, node.level, node.first, node.end) for node in table.unread]


def _to_tables(
    tables: Mapping[str, Any], nodes: Mapping[str, Node], columns: Iterable[np.ndarray]
) -> Iterator[tuple[str, ChunkTable]]:
    start, (offsets, sizes, masks) = 0, columns
    for path, unread in tables.items():
        node = nodes[path]
        if not isinstance(node, DatasetHeader) or not isinstance(node.layout, Chunked):
            raise TypeError(f"chunks of {path:.50}, which has none")
        grid = tuple(-(-n // c) for n, c in zip(node.shape, node.layout.chunk_shape, strict=True))
        end = start + math.prod(grid)
        if end > len(sizes):
            raise ValueError("fewer chunks than there should be")
        part = slice(start, end)
        rest = tuple(_to_subtree(subtree, len(grid)) for subtree in unread)
        yield path, ChunkTable(grid, offsets[part], sizes[part], masks[part], rest)
        start = end
    if start != len(sizes):
        raise ValueError("more chunks than there should be")


def _to_subtree(value: Any, dimensions: int) -> Subtree:
    address, level, first, end = value
    keys = plain.to_tuple(first), None if end is None else plain.to_tuple(end)
    if any(key and len(key) != dimensions + 1 for key in keys):
        raise ValueError("a part of a chunk table with keys of another shape")
    return Subtree(plain.to_number(address), _to_address(level), *keys)
