"""The index of a granule: its tree of groups and datasets, parsed on demand."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial

import numpy as np

from xr_icesat2.bytesource import ByteSource, OnBytes, Range
from xr_icesat2.errors import (
    GroupNotFoundError,
    TooLargeError,
)
from xr_icesat2.limits import DEFAULT_LIMITS, Limits

from .chunk_btree import read_chunk_table
from .h5py_fallback import H5pyFallback
from .limit_counters import LimitUsage
from .model import (
    Chunked,
    ChunkTable,
    DatasetHeader,
    GroupHeader,
    H5pyOnly,
    IndexContents,
    LeftOut,
    Node,
    Object,
    OverlongLink,
    left_out_attributes,
)
from .object_reader import GranuleFile, ObjectReader
from .object_tree import ObjectTree
from .page_cache import PageCache
from .parser_driver import OverLimitError, Parser
from .paths import normalise_path
from .traversal import LinkTargets, Traversal
from .unsupported_object_log import FileLog

__all__ = ["GranuleIndex"]

NODE_BYTES = 1280
"""Memory of a group or dataset with its attributes, most of which beams share."""
CHUNK_BYTES = 16
FEW_TEXTS = 1000
"""Texts that the HDF5 library reads quickly, so that no warning is needed."""


class GranuleIndex:
    """The structure of one granule, read on demand and kept.

    :class:`.ObjectReader` reads the requested objects.

    Parameters
    ----------
    source
        Provides the bytes.
    size
        Size of the file in bytes.
    contents
        An index from a cache, or an empty one.
    limits
        Limits on memory and time.

    Attributes
    ----------
    grown : bool
        Whether anything was read since this was last set to False.
    left_out_attributes : dict of str to LeftOut
        Attributes that are not read, of the objects that are known, keyed ``/path@name``.
    """

    def __init__(
        self,
        source: ByteSource,
        size: int,
        contents: IndexContents,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._source = source
        self._pages = PageCache(source, size)
        self._usage = LimitUsage(limits, source.url)
        self._fallback = H5pyFallback(source, size)
        self._log = FileLog(source.url)
        self._file = GranuleFile(
            size, contents.base, self._pages, self._fallback, self._usage, self._log
        )
        known = {
            path: node
            for path, node in contents.nodes.items()
            if isinstance(node, LeftOut) or not self._usage.may_exceed(node)
        }
        self._tree = ObjectTree(known, contents.root, limits.soft_links)
        self.tables: dict[str, ChunkTable] = dict(contents.tables)
        self._reader = ObjectReader(self._file, self._tree, self.tables)
        self._lock = threading.RLock()
        self.values: dict[str, np.ndarray] = dict(contents.values)
        self.grown = False
        self.left_out_attributes = _left_out_attributes(known)
        # Keyed by whether damaged objects are skipped, which finds fewer.
        self._targets: dict[bool, LinkTargets] = {}

    @property
    def nodes(self) -> dict[str, Node]:
        """Groups and datasets that were read, by path."""
        return self._tree.nodes

    @property
    def contents(self) -> IndexContents:
        """Everything known so far, as a value."""
        nodes = {path: n for path, n in list(self.nodes.items()) if not _depends_on_limits(n)}
        tables, values = dict(self.tables), dict(self.values)
        return IndexContents(nodes, tables, values, self._tree.root, self._file.base)

    @property
    def left_out(self) -> dict[str, LeftOut]:
        """Objects that were found and are not read, keyed by path."""
        return self._tree.left_out()

    @property
    def nbytes(self) -> int:
        """Approximate memory in bytes, without the raw bytes that :meth:`release` drops."""
        chunks = sum(len(table.sizes) for table in list(self.tables.values()))
        return NODE_BYTES * len(self.nodes) + CHUNK_BYTES * chunks

    def add_bytes(self, pieces: Mapping[int, bytes]) -> None:
        """Add parts of the file that arrived with its version."""
        with self._lock:
            self._pages.add_bytes(pieces)

    def keep_no_pages(self) -> None:
        """From now on keep raw bytes only while parsing, because this index is one of many."""
        self._pages.keep_no_pages()

    def remember(self, path: str, values: np.ndarray) -> None:
        """Store the values of a small dataset that every opening needs."""
        self.values[path] = values
        self.grown = True

    def group(self, path: str) -> GroupHeader:
        """Return a group; :class:`GroupNotFoundError` if there is none of that path."""
        node = self.node(path)
        if not isinstance(node, GroupHeader):
            msg = f"{self._source.url}: {path} is a variable, not a group"
            raise GroupNotFoundError(msg)
        return node

    def dataset(self, path: str) -> DatasetHeader:
        """Return a dataset's header; :class:`GroupNotFoundError` if there is none of that path."""
        node = self.node(path)
        if not isinstance(node, DatasetHeader):
            msg = f"{self._source.url}: {path} is a group, not a variable"
            raise GroupNotFoundError(msg)
        return node

    def node(self, path: str) -> Object:
        """Return the group or dataset at a path.

        Raises
        ------
        GroupNotFoundError
            There is none.
        NotSupportedError
            It is left out.
        CorruptGranuleError
            It cannot be read.
        """
        path = normalise_path(path)
        found = self.load([path]).get(path)
        if found is None:
            raise GroupNotFoundError(f"{self._source.url} has no {self._tree.describe_lack(path)}")
        if isinstance(found, LeftOut):
            raise found.error(self._source.url, path)
        return found

    def load(
        self, paths: Iterable[str], ahead: Iterable[str] = (), *, leave_out_damaged: bool = False
    ) -> dict[str, Node]:
        """Read many objects concurrently; objects that do not exist have no entry.

        Parameters
        ----------
        paths
            Of the objects.
        ahead
            Paths that will be requested next (``*`` for everything in a group). Over a network they
            are prefetched with the first object of a granule.
        leave_out_damaged
            Whether an object that cannot be read is a :class:`.LeftOut` instead of an error.

        Raises
        ------
        CorruptGranuleError
            An object that exists cannot be read.
        """
        with self._lock:
            found = self._load(paths, ahead, leave_out_damaged=leave_out_damaged)
            left_out = {path: node for path, node in found.items() if isinstance(node, LeftOut)}
            self._tree.left_out_of_trees |= {p: n for p, n in left_out.items() if n.damaged}
            self._log.left_out(left_out)
            attributes = _left_out_attributes(found)
            self.left_out_attributes |= attributes
            self._log.attributes(attributes)
            return found

    def _load(
        self, paths: Iterable[str], ahead: Iterable[str] = (), *, leave_out_damaged: bool = False
    ) -> dict[str, Node]:
        wanted = [normalise_path(path) for path in paths]
        with self._lock:
            known = len(self.nodes)
            try:
                self._reader.read(wanted, ahead)
            finally:
                self.grown |= len(self.nodes) > known
            found = {path: self.nodes[path] for path in wanted if path in self.nodes}
            for path in wanted:
                if (failure := self._reader.failure(path)) is not None:
                    if not leave_out_damaged:
                        raise self._file.corrupt(*failure) from failure[1]
                    reason = f"it is damaged: {failure[1]}; download the file again"
                    found[path] = LeftOut(reason, damaged=True)
            return found

    def load_below(
        self,
        paths: Iterable[str],
        leave_out: Callable[[str], bool] = lambda _: False,
        *,
        leave_out_damaged: bool = False,
    ) -> dict[str, Node]:
        """Read everything at any depth below some groups, keyed by path; see :class:`.Traversal`.

        Paths for which ``leave_out`` is true are not read, nor is anything below them.
        ``leave_out_damaged`` is as in :meth:`load`.
        """
        load = partial(self.load, leave_out_damaged=leave_out_damaged)
        traversal = Traversal(self._tree, load, self._usage, leave_out)
        found = traversal.load_below(paths)
        if not self._pages.far:
            # Reading again is cheaper than keeping raw bytes with everything that was parsed.
            self._pages.release()
        self._tree.left_out_of_trees |= traversal.left_out
        self._log.left_out(traversal.left_out)
        return found

    def path_of(self, address: int, near: str, *, leave_out_damaged: bool = False) -> str | None:
        """Return the path of an object by the address of its header; see :class:`.LinkTargets`.

        ``leave_out_damaged`` is as in :meth:`load`.
        """
        # Without log lines: these objects were not requested.
        load = partial(self._load, leave_out_damaged=leave_out_damaged)
        everything = Traversal(self._tree, load, self._usage, lambda _: False)
        targets = self._targets.setdefault(leave_out_damaged, LinkTargets())
        return targets.path(address, near, self.group, everything.load_below)

    def chunk_tables(self, wanted: Mapping[str, np.ndarray | None]) -> dict[str, ChunkTable]:
        """Read the chunk tables of some chunked datasets concurrently.

        Parameters
        ----------
        wanted
            For each path, the first rows (int64, ascending) of the chunks to find; None for all.
        """
        rows = {normalise_path(path): starts for path, starts in wanted.items()}
        with self._lock:
            self._reader.open()
            self._pages.take_whole(sum(path not in self.tables for path in rows))
            parsers = {path: self._table_parser(path, starts) for path, starts in rows.items()}
            results = self._file.run(parsers.values())
            for path, result in zip(parsers, results, strict=True):
                if isinstance(result, Exception):
                    raise self._file.corrupt(path, result) from result
                self.grown |= result is not self.tables.get(path)
                self.tables[path] = result
            return {path: self.tables[path] for path in rows}

    def _table_parser(self, path: str, rows: np.ndarray | None) -> Parser[ChunkTable]:
        header = self.dataset(path)
        if not isinstance(header.layout, Chunked):
            raise TypeError(f"{path} is not chunked")
        try:
            # An index from a cache was not checked.
            self._usage.check_chunks(header.shape, header.layout.chunk_shape, header.dtype.itemsize)
        except OverLimitError as error:
            raise TooLargeError(f"{self._source.url}: {path}: {error}") from error
        known = self.tables.get(path)
        base = self._file.base
        size = self._file.size - base
        return read_chunk_table(header, header.layout, size, rows, known, base)

    def h5py_values(self, path: str, rows: slice) -> np.ndarray:
        """Read rows of a dataset whose layout is :class:`.H5pyOnly`."""
        path = normalise_path(path)
        header = self.dataset(path)
        if isinstance(header.layout, H5pyOnly):
            is_small = header.dtype.kind in "OS" and math.prod(header.shape) <= FEW_TEXTS
            note = self._log.texts_by_h5py if is_small else self._log.reading_by_h5py
            note(path, header.layout.reason)
        return self._fallback.values(path, rows, self._usage.limits)

    def read_each_cached(
        self,
        ranges: Sequence[Range],
        on_bytes: OnBytes,
        pool: Executor,
        rest: Callable[[Sequence[int]], None],
    ) -> None:
        """Hand on values that are in cached pages; see :class:`.PageCache`."""
        self._pages.read_each_cached(ranges, on_bytes, pool, rest)

    def release(self) -> None:
        """Drop the raw bytes of the metadata, and keep what was parsed."""
        with self._lock:
            self._reader.release()
            self._targets.clear()
            self._pages.release()

    def close(self) -> None:
        """Close open files; the index opens them again when needed."""
        self._pages.forget()
        self._fallback.close()


def _depends_on_limits(node: Node) -> bool:
    """Whether another reader, with other limits, may find another object."""
    if isinstance(node, LeftOut):
        return node.limited
    links = node.links.values() if isinstance(node, GroupHeader) else ()
    return any(isinstance(link, OverlongLink) for link in links)


def _left_out_attributes(nodes: Mapping[str, Node]) -> dict[str, LeftOut]:
    return {
        key: reason
        for path, node in nodes.items()
        if not isinstance(node, LeftOut) and node.left_out_attrs
        for key, reason in left_out_attributes(path, node).items()
    }
