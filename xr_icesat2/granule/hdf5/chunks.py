"""The chunk table of a dataset, from its version 1 B-tree (section III.A.1), node by node."""

from __future__ import annotations

import math

import numpy as np

from xr_icesat2.errors import CorruptGranuleError
from xr_icesat2.granule.model import Chunked, ChunkTable

from .binary import check_signature
from .fetch import Parser

__all__ = ["read_chunk_table"]

NODE_HEADER_BYTES = 24
FIRST_ENTRIES = 64
"""Entries that HDF5 writes into a chunk B-tree node by default: a node is read in one piece."""
MOST_CHUNKS = 50_000_000
MOST_DEPTH = 64


def read_chunk_table(layout: Chunked, shape: tuple[int, ...], file_size: int) -> Parser[ChunkTable]:
    """Read where every chunk of a dataset lies.

    Raises
    ------
    CorruptGranuleError
        The tree is not one: keys out of order, chunks off the grid or outside
        the file, nodes that contain themselves.
    """
    grid = tuple(-(-n // c) for n, c in zip(shape, layout.chunk_shape, strict=True))
    if math.prod(grid) > MOST_CHUNKS:
        raise CorruptGranuleError(f"a dataset of shape {shape} in chunks of {layout.chunk_shape}")
    table = ChunkTable(
        grid,
        np.zeros(math.prod(grid), np.uint64),
        np.zeros(math.prod(grid), np.uint32),
        np.zeros(math.prod(grid), np.uint32),
    )
    if layout.btree is not None:
        entries = yield from _leaf_entries(layout.btree, len(shape), file_size)
        _place(table, entries, layout.chunk_shape, file_size)
    return table


def _entry_dtype(ndim: int) -> np.dtype:
    return np.dtype(
        [("size", "<u4"), ("mask", "<u4"), ("start", "<u8", (ndim + 1,)), ("child", "<u8")]
    )


def _leaf_entries(root: int, ndim: int, file_size: int) -> Parser[np.ndarray]:
    dtype = _entry_dtype(ndim)
    nodes = np.array([root], np.uint64)
    depth: int | None = None
    visited = 0
    while True:
        heads = yield [
            (int(at), _clip(int(at), NODE_HEADER_BYTES + FIRST_ENTRIES * dtype.itemsize, file_size))
            for at in nodes
        ]
        level, counts = _levels(heads)
        if depth is not None and level != depth - 1:
            raise CorruptGranuleError("a chunk B-tree whose levels do not count down")
        depth = level
        spans = [
            (int(at), NODE_HEADER_BYTES + count * dtype.itemsize)
            for at, count in zip(nodes, counts, strict=True)
        ]
        bodies = yield spans
        entries = np.concatenate(
            [np.frombuffer(body, dtype, offset=NODE_HEADER_BYTES) for body in bodies]
        )
        if depth == 0:
            return entries
        nodes = entries["child"]
        visited += len(nodes)
        if visited > MOST_CHUNKS or not len(nodes):
            raise CorruptGranuleError("a chunk B-tree without end")


def _clip(at: int, length: int, file_size: int) -> int:
    return max(NODE_HEADER_BYTES, min(length, file_size - at))


def _levels(heads: list[bytes]) -> tuple[int, list[int]]:
    for head in heads:
        check_signature(head, b"TREE\x01", "chunk B-tree")
    levels = {head[5] for head in heads}
    if len(levels) != 1 or max(levels) > MOST_DEPTH:
        raise CorruptGranuleError("a chunk B-tree whose nodes are of differing levels")
    return levels.pop(), [int.from_bytes(head[6:8], "little") for head in heads]


def _place(
    table: ChunkTable, entries: np.ndarray, chunk_shape: tuple[int, ...], file_size: int
) -> None:
    starts = entries["start"][:, :-1]
    positions, rest = np.divmod(starts, np.array(chunk_shape, np.uint64))
    if rest.any() or entries["start"][:, -1].any():
        raise CorruptGranuleError("a chunk that lies off the chunk grid")
    # Chunks beyond the present extent remain when a dataset was made smaller.
    inside = (positions < np.array(table.grid, np.uint64)).all(axis=1)
    if not _increasing(positions):
        raise CorruptGranuleError("a chunk B-tree whose keys are out of order")
    entries, positions = entries[inside], positions[inside]
    flat = np.ravel_multi_index(tuple(positions.T.astype(np.intp)), table.grid)
    ends = entries["child"] + entries["size"]
    if (ends > file_size).any() or (ends < entries["child"]).any() or not entries["size"].all():
        raise CorruptGranuleError("a chunk that lies outside the file")
    table.offsets[flat] = entries["child"]
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
