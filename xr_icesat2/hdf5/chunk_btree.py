"""Read the chunk table of a dataset from its version 1 B-tree (section III.A.1)."""

from __future__ import annotations

import math
from itertools import repeat

import numpy as np

from xr_icesat2.errors import CorruptGranuleError

from .binary import check_signature
from .model import Chunked, ChunkTable, DatasetHeader, Subtree
from .parser_driver import IsolatedRange, Parser

__all__ = ["NO_ROWS", "read_chunk_table"]

NO_ROWS = np.empty(0, np.int64)
"""No rows: only the root of the tree is read."""
NODE_HEADER_BYTES = 24
FIRST_ENTRIES = 64
"""Default entries of a chunk B-tree node in HDF5, so that a node is read in one piece."""
MAX_DEPTH = 64


def read_chunk_table(
    header: DatasetHeader,
    layout: Chunked,
    file_size: int,
    rows: np.ndarray | None = None,
    known: ChunkTable | None = None,
    base: int = 0,
) -> Parser[ChunkTable]:
    """Read the byte ranges of some chunks of a dataset.

    Parameters
    ----------
    header, layout
        Header of the dataset, and its layout.
    file_size
        In bytes, from the superblock on.
    rows
        First rows of the chunks to find (int64, ascending); None for all chunks.
    known
        The part of the table that was read before.
    base
        The byte offset from which addresses are counted.

    Raises
    ------
    CorruptGranuleError
        The tree is invalid: keys out of order, chunks off the grid or outside
        the file, nodes that contain themselves.
    """
    table = _empty(header, layout) if known is None else known
    wanted = [node for node in table.unread if node.may_hold(rows)]
    if not wanted:
        return table
    steps = np.array([*layout.chunk_shape, header.dtype.itemsize], np.uint64)
    entries, left = yield from _leaf_entries(wanted, rows, steps, file_size)
    rest = (*(node for node in table.unread if node not in wanted), *left)
    # Copies: another thread may be using the old table.
    columns = (table.offsets.copy(), table.sizes.copy(), table.masks.copy())
    table = ChunkTable(table.grid, *columns, rest)
    _place(table, entries, layout.chunk_shape, file_size, base)
    return table


def _empty(header: DatasetHeader, layout: Chunked) -> ChunkTable:
    grid = tuple(-(-n // c) for n, c in zip(header.shape, layout.chunk_shape, strict=True))
    return ChunkTable(
        grid,
        np.zeros(math.prod(grid), np.uint64),
        np.zeros(math.prod(grid), np.uint32),
        np.zeros(math.prod(grid), np.uint32),
        () if layout.btree is None else (Subtree(layout.btree),),
    )


def _entry_dtype(ndim: int) -> np.dtype:
    return np.dtype(
        [("size", "<u4"), ("mask", "<u4"), ("start", "<u8", (ndim + 1,)), ("child", "<u8")]
    )


def _leaf_entries(
    nodes: list[Subtree], rows: np.ndarray | None, steps: np.ndarray, file_size: int
) -> Parser[tuple[np.ndarray, list[Subtree]]]:
    """Return the entries of leaves in the order of the tree, and the nodes that were not read.

    Keys are multiples of ``steps``.
    """
    dtype = _entry_dtype(len(steps) - 1)
    leaves: list[np.ndarray] = []
    left: list[Subtree] = []
    seen = {node.address for node in nodes}
    while nodes:
        heads = yield [IsolatedRange(n.address, _first_read(n, dtype, file_size)) for n in nodes]
        bodies = yield [
            IsolatedRange(n.address, _length(head, dtype))
            for n, head in zip(nodes, heads, strict=True)
        ]
        below: list[Subtree] = []
        for node, body in zip(nodes, bodies, strict=True):
            entries, keys = _entries(node, body, dtype, steps)
            if body[5]:
                below += _children(body[5] - 1, entries, keys)
            else:
                leaves.append(entries)
        addresses = {node.address for node in below}
        if len(addresses) < len(below) or not seen.isdisjoint(addresses):
            raise CorruptGranuleError("a chunk B-tree with a node in two places")
        seen |= addresses
        left += [node for node in below if not node.may_hold(rows)]
        nodes = [node for node in below if node.may_hold(rows)]
    return np.concatenate([np.empty(0, dtype), *leaves]), left


def _first_read(node: Subtree, dtype: np.dtype, file_size: int) -> int:
    """Return how much to read of a node of unknown length, so that a second read is rare."""
    whole = NODE_HEADER_BYTES + FIRST_ENTRIES * dtype.itemsize + _key_bytes(dtype)
    return max(NODE_HEADER_BYTES, min(whole, file_size - node.address))


def _length(head: bytes, dtype: np.dtype) -> int:
    check_signature(head, b"TREE\x01", "chunk B-tree")
    count = int.from_bytes(head[6:8], "little")
    return NODE_HEADER_BYTES + count * dtype.itemsize + _key_bytes(dtype)


def _key_bytes(dtype: np.dtype) -> int:
    """Return the size of the key that follows the last entry: size, mask and where it starts."""
    return dtype.itemsize - 8


def _entries(
    node: Subtree, body: bytes, dtype: np.dtype, steps: np.ndarray
) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Return the entries of a node, and the key before each and behind the last."""
    count = int.from_bytes(body[6:8], "little")
    entries = np.frombuffer(body, dtype, count, NODE_HEADER_BYTES)
    last = np.frombuffer(body, "<u8", offset=len(body) - _key_bytes(dtype) + 8)
    starts = np.concatenate([entries["start"], last[np.newaxis]])
    keys = [tuple(key) for key in starts.tolist()]
    level = body[5]
    if level > MAX_DEPTH or node.level not in (None, level) or (level and not count):
        raise CorruptGranuleError("a chunk B-tree whose levels do not decrease by one")
    # The HDF5 library searches by these keys: where they do not fit, it would find other chunks.
    inside = keys[0] >= node.first and (node.end is None or not count or keys[-2] < node.end)
    if (starts % steps).any():
        raise CorruptGranuleError("a chunk that does not begin on the chunk grid")
    if not inside or not _increasing(starts):
        raise CorruptGranuleError("a chunk B-tree whose keys are out of order")
    return entries, keys


def _children(level: int, entries: np.ndarray, keys: list[tuple[int, ...]]) -> list[Subtree]:
    children = entries["child"].tolist()
    return [Subtree(*child) for child in zip(children, repeat(level), keys, keys[1:], strict=False)]


def _place(
    table: ChunkTable,
    entries: np.ndarray,
    chunk_shape: tuple[int, ...],
    file_size: int,
    base: int,
) -> None:
    positions = entries["start"][:, :-1] // np.array(chunk_shape, np.uint64)
    if entries["start"][:, -1].any():
        raise CorruptGranuleError("a chunk that begins within an element")
    # Chunks beyond the present extent remain when a dataset was made smaller.
    inside = (positions < np.array(table.grid, np.uint64)).all(axis=1)
    entries, positions = entries[inside], positions[inside]
    flat = np.ravel_multi_index(tuple(positions.T.astype(np.intp)), table.grid)
    ends = entries["child"] + entries["size"]
    if (ends > file_size).any() or (ends < entries["child"]).any() or not entries["size"].all():
        raise CorruptGranuleError("a chunk outside the file")
    table.offsets[flat] = entries["child"] + np.uint64(base)
    table.sizes[flat] = entries["size"]
    table.masks[flat] = entries["mask"]


def _increasing(positions: np.ndarray) -> bool:
    """Whether rows increase in lexicographic order."""
    undecided = np.ones(max(0, len(positions) - 1), bool)
    for column in positions.T:
        before, after = column[:-1], column[1:]
        if (undecided & (after < before)).any():
            return False
        undecided &= after == before
    return not undecided.any()
