"""The index of a granule: its tree of groups and datasets, parsed as far as it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import TypeAlias, TypeVar

import numpy as np

from xr_icesat2.bytesource import ByteSource, Range, Take
from xr_icesat2.errors import (
    CorruptGranuleError,
    GroupNotFoundError,
    NotSupportedError,
    TooLargeError,
)
from xr_icesat2.limits import DEFAULT_LIMITS, Limits

from .hdf5.budget import Budget
from .hdf5.chunks import read_chunk_table
from .hdf5.descent import Scope, branches, descend
from .hdf5.fetch import (
    MOST_ASKED,
    OverLimitError,
    Parser,
    RefusedError,
    UnsupportedError,
    run,
    together,
    within,
)
from .hdf5.nodes import read_node
from .hdf5.pages import Pages
from .hdf5.space import read_front
from .hdf5.superblock import Superblock, read_superblock
from .hdf5_library import LibraryFile
from .link_targets import LinkTargets
from .model import (
    BY_LIBRARY,
    Chunked,
    ChunkTable,
    Contents,
    Contiguous,
    DatasetHeader,
    Foreign,
    GroupHeader,
    LeftOut,
    Node,
    Object,
)
from .notes import Notes
from .paths import ancestors, normalise
from .traversal import Traversal
from .tree import Tree

__all__ = ["GranuleIndex"]

NODE_BYTES = 1280
"""What a group or dataset takes in memory, with its attributes; beams share most of them."""
CHUNK_BYTES = 16
T = TypeVar("T")
Failure: TypeAlias = UnsupportedError | CorruptGranuleError


class GranuleIndex:
    """The structure of one granule, read on demand and kept.

    Objects are read by :mod:`.hdf5`; one that it does not understand is read
    through the HDF5 library (:mod:`.hdf5_library`) over the same byte source,
    with a log line that says what and why.

    Parameters
    ----------
    source
        Where the bytes come from.
    size
        Size of the file in bytes.
    contents
        What is known already: an index that was kept.
    limits
        On what the file may ask of its reader.

    Attributes
    ----------
    grown : bool
        Whether anything was read since this was last set to False.
    """

    def __init__(
        self,
        source: ByteSource,
        size: int,
        contents: Contents,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._source = source
        self._size = size
        self._base = contents.base
        self._pages = Pages(source, size)
        self._budget = Budget(limits, source.url)
        self._tree = Tree(contents.nodes, contents.root, limits.soft_links)
        self._library = LibraryFile(source, size)
        self._lock = threading.RLock()
        self.tables: dict[str, ChunkTable] = dict(contents.tables)
        self.values: dict[str, np.ndarray] = dict(contents.values)
        self.grown = False
        # Read before the walk came to them, by the offset of their headers.
        self._ahead: dict[int, Node] = {}
        self._failures: dict[str, Failure] = {}
        self._notes = Notes(source.url)
        self._targets = LinkTargets()

    @property
    def nodes(self) -> dict[str, Node]:
        """Groups and datasets that were read, by path."""
        return self._tree.nodes

    @property
    def contents(self) -> Contents:
        """What is known by now, as a value."""
        nodes = {
            path: node
            for path, node in list(self.nodes.items())
            if not (isinstance(node, LeftOut) and node.limited)
        }
        return Contents(nodes, dict(self.tables), dict(self.values), self._tree.root, self._base)

    @property
    def left_out(self) -> dict[str, str]:
        """Path and reason of each object that was come upon and is not read."""
        return self._tree.left_out()

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory, roughly, without the raw ones of :meth:`release`."""
        chunks = sum(len(table.sizes) for table in list(self.tables.values()))
        return NODE_BYTES * len(self.nodes) + CHUNK_BYTES * chunks

    def prime(self, pieces: Mapping[int, bytes]) -> None:
        """Take parts of the file that came along when its version was asked."""
        with self._lock:
            self._pages.prime(pieces)

    def spare(self) -> None:
        """From now on hold no raw bytes but while something is parsed: it is one of many."""
        self._pages.spare()

    def remember(self, path: str, values: np.ndarray) -> None:
        """Keep the values of a small dataset, which opening needs each time."""
        self.values[path] = values
        self.grown = True

    def group(self, path: str) -> GroupHeader:
        """Give a group; :class:`GroupNotFoundError` if there is none of that path."""
        node = self.node(path)
        if not isinstance(node, GroupHeader):
            msg = f"{self._source.url}: {path} is a variable, not a group"
            raise GroupNotFoundError(msg)
        return node

    def dataset(self, path: str) -> DatasetHeader:
        """Give a dataset's header; :class:`GroupNotFoundError` if there is none of that path."""
        node = self.node(path)
        if not isinstance(node, DatasetHeader):
            msg = f"{self._source.url}: {path} is a group, not a variable"
            raise GroupNotFoundError(msg)
        return node

    def node(self, path: str) -> Object:
        """Give the group or dataset at a path.

        Raises
        ------
        GroupNotFoundError
            There is none.
        NotSupportedError
            It is left out.
        """
        path = normalise(path)
        found = self.load([path]).get(path)
        if found is None:
            raise GroupNotFoundError(f"{self._source.url} has no {self._tree.describe_lack(path)}")
        if isinstance(found, LeftOut):
            raise NotSupportedError(f"{self._source.url}: {path} is not supported: {found.reason}")
        return found

    def load(self, paths: Iterable[str], ahead: Iterable[str] = ()) -> dict[str, Node]:
        """Read many objects side by side; there is no entry of those that do not exist.

        Parameters
        ----------
        paths
            Of the objects.
        ahead
            Paths that will be asked for next (``*`` for all that lies in a group): at the end of
            a link they are fetched along with the first that is read of a granule.

        Raises
        ------
        CorruptGranuleError
            An object that exists cannot be read.
        """
        with self._lock:
            found = self._load(paths, ahead)
            self._notes.left_out(found, found)
            return found

    def _load(self, paths: Iterable[str], ahead: Iterable[str] = ()) -> dict[str, Node]:
        wanted = [normalise(path) for path in paths]
        with self._lock:
            self._open([*wanted, *ahead])
            self._walk(wanted, self._budget.limits.soft_links)
            for path in wanted:
                self._raise_failure(path)
            return {path: self.nodes[path] for path in wanted if path in self.nodes}

    def below(
        self, paths: Iterable[str], leave_out: Callable[[str], bool] = lambda _: False
    ) -> dict[str, Node]:
        """Read everything at any depth below some groups, keyed by path; see :class:`.Traversal`.

        What ``leave_out`` says of a path is not read at all, nor what lies below it.
        """
        traversal = Traversal(self._tree, self.load, self._budget, leave_out)
        found = traversal.below(paths)
        self._tree.misplaced |= traversal.left_out
        self._notes.left_out(traversal.left_out, traversal.left_out)
        return found

    def path_of(self, address: int, near: str) -> str | None:
        """Give the path of an object by the address of its header; see :class:`.LinkTargets`."""
        # Of what it comes upon nothing is said: nobody asked for that.
        everything = Traversal(self._tree, self._load, self._budget, lambda _: False)
        return self._targets.path(address, near, self.group, everything.below)

    def chunk_tables(self, wanted: Mapping[str, np.ndarray | None]) -> dict[str, ChunkTable]:
        """Read the chunk tables of some chunked datasets side by side.

        Parameters
        ----------
        wanted
            By path, the rows (int64, ascending) at which the chunks begin that the table must
            tell; None for all.
        """
        rows = {normalise(path): starts for path, starts in wanted.items()}
        with self._lock:
            self._open()
            self._pages.take_whole(sum(path not in self.tables for path in rows))
            parsers = {path: self._table_parser(path, starts) for path, starts in rows.items()}
            results = self._run(parsers.values())
            for path, result in zip(parsers, results, strict=True):
                if isinstance(result, Exception):
                    raise self._corrupt(path, result) from result
                self.grown |= result is not self.tables.get(path)
                self.tables[path] = result
            return {path: self.tables[path] for path in rows}

    def _table_parser(self, path: str, rows: np.ndarray | None) -> Parser[ChunkTable]:
        header = self.dataset(path)
        if not isinstance(header.layout, Chunked):
            raise TypeError(f"{path} is not chunked")
        try:
            # Of an index that was kept, it was not checked.
            self._budget.check_chunks(
                header.shape, header.layout.chunk_shape, header.dtype.itemsize
            )
        except OverLimitError as error:
            raise TooLargeError(f"{self._source.url}: {path}: {error}") from error
        known = self.tables.get(path)
        size, base = self._size - self._base, self._base
        return read_chunk_table(header, header.layout, size, rows, known, base)

    def foreign_values(self, path: str, rows: slice) -> np.ndarray:
        """Read rows of a dataset whose layout is :class:`.Foreign`."""
        path = normalise(path)
        layout = self.dataset(path).layout
        if isinstance(layout, Foreign):
            self._notes.slow(path, layout.reason)
        return self._library.values(path, rows)

    def take_each(
        self,
        ranges: Sequence[Range],
        take: Take,
        pool: Executor,
        rest: Callable[[Sequence[int]], None],
    ) -> None:
        """Hand on values that came with what was read of the structure; see :class:`.Pages`."""
        self._pages.take_each(ranges, take, pool, rest)

    def release(self) -> None:
        """Forget the raw bytes of the metadata; what was parsed of them stays."""
        with self._lock:
            self._ahead.clear()
            self._targets = LinkTargets()
            self._pages.release()

    def close(self) -> None:
        """Let go of what is open; the index goes on working."""
        self._pages.forget()
        self._library.close()

    def _run(self, parsers: Iterable[Parser[T]]) -> list[T | Exception]:
        bounded = [within(parser, self._size, self._base) for parser in parsers]
        return run(together(bounded, MOST_ASKED), self._pages.read)

    def _open(self, wanted: Iterable[str] = ()) -> None:
        self._raise_failure("/")
        if self._tree.root is not None or "/" in self.nodes:
            return
        try:
            superblock = run(within(read_superblock(self._size), self._size), self._pages.read)
            superblock.check_supported()
        except UnsupportedError as error:
            self._tree.root = BY_LIBRARY
            self._use_library("/", error)
            if isinstance(self.nodes.get("/"), GroupHeader):
                self._tree.root = self._library.root()
        except RefusedError as error:
            raise NotSupportedError(f"{self._source.url} is not supported: {error}") from error
        except CorruptGranuleError as error:
            raise CorruptGranuleError(f"{self._source.url}: {error}") from error
        else:
            self._tree.root, self._base = superblock.root, superblock.base
            if self._pages.far and not self._base:
                self._descend(superblock, wanted)
            self._read_nodes({"/"})

    def _descend(self, superblock: Superblock, wanted: Iterable[str]) -> None:
        """Read what will be asked for next, and the front of the file if all structure is there."""
        scope = Scope(self._size, self._budget)
        ahead = scope.ahead
        below_root = descend(superblock.root, branches(wanted), scope)
        self._run([self._front(superblock), below_root])
        self._ahead = ahead.nodes
        self.tables = ahead.tables | self.tables

    def _front(self, superblock: Superblock) -> Parser[None]:
        size = yield from read_front(superblock, self._size)
        yield self._pages.front(size)

    def _walk(self, paths: Iterable[str], soft_links: int) -> None:
        """Read objects and the groups around them, all of one depth at a time."""
        depth = 0
        unknown = [path for path in paths if path not in self.nodes]
        while steps := {s for p in unknown if (s := self._tree.step(p, depth)) is not None}:
            steps -= self.nodes.keys()
            goals = {goal for s in steps if (goal := self._tree.goal(s)) is not None}
            if goals and soft_links:
                self._walk(goals, soft_links - 1)
            self._read_nodes({step for step in steps if self._tree.target(step) is not None})
            depth += 1

    def _read_nodes(self, paths: Iterable[str]) -> None:
        paths = sorted(path for path in paths if path not in self._failures)
        found = {path: self._tree.target(path) for path in paths}
        targets = {path: at for path, at in found.items() if isinstance(at, int) and at >= 0}
        for path in found.keys() - targets.keys():
            target = found[path]
            if isinstance(target, LeftOut):
                self._know(path, target)
            else:
                self._read_by_library(path, "the file as a whole")
        read = self._read_at(set(targets.values()))
        for path, at in targets.items():
            result = read[at]
            if isinstance(result, UnsupportedError):
                self._use_library(path, result)
            elif isinstance(result, RefusedError):
                self._know(path, LeftOut(str(result), isinstance(result, OverLimitError)))
            elif isinstance(result, CorruptGranuleError):
                self._failures[path] = result
            elif not isinstance(result, Exception):
                self._know(path, result)

    def _know(self, path: str, node: Node) -> None:
        self.nodes[path] = node
        self.grown = True

    def _read_at(self, addresses: set[int]) -> dict[int, Node | Exception]:
        """Give the objects whose headers lie there, or what is wrong with them."""
        read: dict[int, Node | Exception] = {
            at: self._ahead.pop(at) for at in addresses & self._ahead.keys()
        }
        unread = sorted(addresses - read.keys())
        size = self._size - self._base
        results = self._run(read_node(at, size, self._budget) for at in unread)
        found = (self._moved(result) for result in results)
        return read | dict(zip(unread, found, strict=True))

    def _moved(self, node: Node | Exception) -> Node | Exception:
        """Say where the values of a dataset are by their byte offset instead of their address."""
        if not (self._base and isinstance(node, DatasetHeader)):
            return node
        layout = node.layout
        if not isinstance(layout, Contiguous) or layout.offset is None:
            return node
        return replace(node, layout=Contiguous(self._base + layout.offset))

    def _use_library(self, path: str, reason: Exception) -> None:
        self._read_by_library(path, str(reason))
        # Only now: what is not HDF5 at all is an error, and no matter of speed.
        if isinstance(self.nodes.get(path), GroupHeader | DatasetHeader):
            self._notes.slow(path, str(reason))

    def _read_by_library(self, path: str, reason: str) -> None:
        try:
            node = self._library.node(path, reason, self._budget)
        except CorruptGranuleError as error:
            self._failures[path] = error
        else:
            if node is not None:
                self._know(path, node)

    def _raise_failure(self, path: str) -> None:
        for step in [path, *ancestors(path)]:
            if step in self._failures:
                raise self._corrupt(step, self._failures[step])

    def _corrupt(self, path: str, error: Exception) -> CorruptGranuleError:
        return CorruptGranuleError(
            f"{self._source.url}: {path} cannot be read, the file is damaged: {error}. "
            "Download it again."
        )
