"""Check an index from a cache, whoever wrote it.

The parsers check a file in the same way, and everything that they return passes. An index that
fails would lead to sizes that no array can have. Addresses of headers are not checked here, because
every read of metadata is.
"""

from __future__ import annotations

import math

import numpy as np

from .filters import filter_of
from .model import (
    BY_H5PY,
    Chunked,
    Compact,
    Contiguous,
    DatasetHeader,
    Filter,
    GroupHeader,
    H5pyOnly,
    IndexContents,
    LeftOut,
    LinkTarget,
    Node,
    Subtree,
    h5py_link,
)

__all__ = ["check_contents"]

MAX_DIMENSIONS = 32
MAX_DATASET_BYTES = 1 << 60
"""Bytes of a dataset. Decoding may need eight times as many, which is numpy's limit."""
MAX_CHUNK_BYTES = (1 << 32) - 1
MAX_FILTERS = 32
MAX_DEPTH = 64
SUPERBLOCK_BYTES = 48
"""Bytes of the smallest superblock."""
UNNAMED = {"", ".", ".."}
"""Parts of a path that are not names."""


def check_contents(contents: IndexContents, file_size: int) -> None:
    """Raise ``ValueError`` if this cannot be the index of a file of that size."""
    for path, node in contents.nodes.items():
        _check_path(path)
        _check_node(path, node, file_size)
    _check_link(BY_H5PY if contents.root is None else contents.root, file_size)
    for path, table in contents.tables.items():
        for subtree in table.unread:
            _check_unread(path, subtree)
    for path, values in contents.values.items():
        _check_path(path)
        found = contents.nodes.get(path)
        if isinstance(found, DatasetHeader) and values.shape != found.shape:
            raise ValueError(f"values of {path:.50} of shape {values.shape}, not {found.shape}")
    if contents.base > file_size:
        raise ValueError(f"a user block of {contents.base} bytes")
    _check_overlap(contents)


def _check_overlap(contents: IndexContents) -> None:
    """Raise where bytes belong to two datasets; several paths may lead to one dataset."""
    spans = [
        np.array([[node.layout.offset, math.prod(node.shape) * node.dtype.itemsize]], np.uint64)
        for node in contents.nodes.values()
        if isinstance(node, DatasetHeader)
        and isinstance(node.layout, Contiguous)
        and node.layout.offset is not None
    ]
    spans += [np.column_stack([one.offsets, one.sizes]) for one in contents.tables.values()]
    superblock = np.array([[contents.base, SUPERBLOCK_BYTES]], np.uint64)
    every = np.concatenate([superblock, *spans])
    every = np.unique(every[every[:, 1] > 0], axis=0)
    if (every[1:, 0] < every[:-1].sum(axis=1)).any():
        raise ValueError("values of two datasets in one place")


def _check_path(path: str) -> None:
    names = path[1:].split("/")
    if path != "/" and (path[:1] != "/" or not UNNAMED.isdisjoint(names)):
        raise ValueError(f"{path!r:.50} is not the path of an object")


def _check_node(path: str, node: Node, file_size: int) -> None:
    if isinstance(node, GroupHeader):
        for name, link in node.links.items():
            if name in UNNAMED or "/" in name:
                raise ValueError(f"{name!r:.50} is not the name of an object")
            _check_link(link, file_size)
        return
    if isinstance(node, LeftOut):
        return
    size = math.prod(node.shape) * node.dtype.itemsize
    if len(node.shape) > MAX_DIMENSIONS or max((*node.shape, size)) > MAX_DATASET_BYTES:
        raise ValueError(f"{path:.50} has the shape {node.shape!s:.50}")
    if len(node.fill) != node.dtype.itemsize or not node.fill:
        raise ValueError(f"{path:.50} has a fill value of {len(node.fill)} bytes")
    for link in (link for axis in node.dimension_list for link in axis):
        _check_link(link, file_size)
    _check_layout(path, node, size)


def _check_link(link: LinkTarget, file_size: int) -> None:
    # Other links may lead out of the file, as in a damaged one: each read is checked.
    if isinstance(link, int) and link < 0 and link != BY_H5PY and h5py_link(link) >= file_size:
        raise ValueError(f"byte {h5py_link(link)} is beyond the end of the granule")


def _check_layout(path: str, node: DatasetHeader, size: int) -> None:
    layout = node.layout
    if node.dtype.hasobject and not isinstance(layout, H5pyOnly):
        raise ValueError(f"{path:.50} has texts of any length, but is {type(layout).__name__}")
    if isinstance(layout, Compact) and len(layout.data) < size:
        raise ValueError(f"{path:.50} has {len(layout.data)} bytes, expected {size}")
    if isinstance(layout, Contiguous) and (layout.offset or 0) > MAX_DATASET_BYTES:
        raise ValueError(f"{path:.50} begins at byte {layout.offset}")
    if isinstance(layout, Chunked):
        _check_chunks(path, node, layout)


def _check_chunks(path: str, node: DatasetHeader, layout: Chunked) -> None:
    same_axes = len(layout.chunk_shape) == len(node.shape) > 0
    nbytes = math.prod(layout.chunk_shape) * node.dtype.itemsize
    if not same_axes or not 0 < nbytes <= MAX_CHUNK_BYTES:
        raise ValueError(f"{path:.50} has chunks of shape {layout.chunk_shape!s:.50}")
    if len(layout.filters) > MAX_FILTERS or not all(map(_is_known, layout.filters)):
        raise ValueError(f"{path:.50} has unknown filters")


def _is_known(step: Filter) -> bool:
    return filter_of(step.id, [step.element_size]) is not None


def _check_unread(path: str, subtree: Subtree) -> None:
    keys = (*subtree.first, *(subtree.end or ()))
    if (subtree.level or 0) > MAX_DEPTH or max(keys, default=0) > MAX_DATASET_BYTES:
        raise ValueError(f"the chunks of {path:.50} are {subtree.level} levels deep")
