"""Read groups and datasets of one file by their paths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from xr_icesat2.errors import CorruptGranuleError, NotSupportedError

from .h5py_fallback import H5pyFallback
from .limit_counters import LimitUsage
from .model import (
    BY_H5PY,
    ChunkTable,
    Contiguous,
    DatasetHeader,
    GroupHeader,
    LeftOut,
    Node,
)
from .object_parser import read_object
from .object_tree import ObjectTree
from .page_cache import PageCache
from .parser_driver import (
    MAX_CONCURRENT_BYTES,
    OverLimitError,
    Parser,
    RefusedError,
    UnsupportedError,
    bounded,
    concurrently,
    run,
)
from .paths import ancestors
from .prefetch import PrefetchScope, path_tree, prefetch
from .superblock import Superblock, check_extension, read_front, read_superblock
from .unsupported_object_log import FileLog

__all__ = ["GranuleFile", "ObjectReader"]

MAX_CONCURRENT_PARSERS = 1 << 12
"""Objects parsed concurrently: more than any granule has, and their raw bytes fit into memory."""
T = TypeVar("T")
Failure: TypeAlias = UnsupportedError | CorruptGranuleError


@dataclass(slots=True)
class GranuleFile:
    """What parsers and the HDF5 library need to read a file."""

    size: int
    """In bytes."""
    base: int
    """Byte offset from which its addresses count: the size of its user block, once it is known."""
    pages: PageCache
    fallback: H5pyFallback
    usage: LimitUsage
    log: FileLog

    def run(self, parsers: Iterable[Parser[T]]) -> list[T | Exception]:
        """Run parsers concurrently; an error that a parser raises is its result."""
        limited = [bounded(parser, self.size, self.base) for parser in parsers]
        return run(concurrently(limited, MAX_CONCURRENT_BYTES), self.pages.read)

    def corrupt(self, path: str, error: Exception) -> CorruptGranuleError:
        """Return the error that an object cannot be read."""
        return CorruptGranuleError(
            f"{self.usage.url}: {path} cannot be read, the file is damaged: {error}. "
            "Download it again."
        )


class ObjectReader:
    """Reads objects by their paths, and the groups on the way, into a tree.

    An object that :mod:`.object_parser` does not support is read through :mod:`.h5py_fallback`,
    with a log line that names the reason. The caller must hold the lock of the index.

    Parameters
    ----------
    file
        The file.
    tree
        Known objects, to which new ones are added.
    tables
        Known chunk tables, to which prefetched ones are added.
    """

    def __init__(self, file: GranuleFile, tree: ObjectTree, tables: dict[str, ChunkTable]) -> None:
        self._file = file
        self._tree = tree
        self._tables = tables
        # Prefetched objects, keyed by the address of their headers.
        self._ahead: dict[int, Node] = {}
        self._failures: dict[str, Failure] = {}

    def read(self, paths: Iterable[str], ahead: Iterable[str] = ()) -> None:
        """Read the objects at some paths, if they exist.

        Parameters
        ----------
        paths
            Paths of objects. :meth:`failure` returns what is wrong with one.
        ahead
            Paths that will be requested next; see :meth:`.GranuleIndex.load`.

        Raises
        ------
        CorruptGranuleError
            The file cannot be opened.
        """
        paths = list(paths)
        self.open([*paths, *ahead])
        self._walk(paths, self._file.usage.limits.soft_links)

    def failure(self, path: str) -> tuple[str, Failure] | None:
        """Return the unreadable object on the path to another, and the cause; None if none is.

        The path leads through enclosing groups and soft links.
        """
        for _ in range(self._file.usage.limits.soft_links):
            if not self._failures or path in self._tree.nodes:
                return None
            steps = [path, *ancestors(path)]
            for step in steps:
                if step in self._failures:
                    return step, self._failures[step]
            goals = (self._tree.goal(step) for step in steps)
            goal = next((goal for goal in goals if goal is not None), None)
            if goal is None:
                return None
            path = goal
        return None

    def open(self, wanted: Iterable[str] = ()) -> None:
        """Read the superblock and the root group, unless they are known."""
        if (failure := self.failure("/")) is not None:
            raise self._file.corrupt(*failure)
        if self._tree.root is not None or "/" in self._tree.nodes:
            return
        try:
            superblock = run(
                bounded(read_superblock(self._file.size), self._file.size), self._file.pages.read
            )
            superblock.check_supported()
        except UnsupportedError as error:
            self._tree.root = BY_H5PY
            self._use_h5py("/", error)
            if isinstance(self._tree.nodes.get("/"), GroupHeader):
                self._tree.root = self._file.fallback.root()
        except RefusedError as error:
            raise self._not_supported(error) from error
        except CorruptGranuleError as error:
            msg = f"{self._file.usage.url}: {error}. Download it again."
            raise CorruptGranuleError(msg) from error
        else:
            self._tree.root, self._file.base = superblock.root, superblock.base
            self._descend(superblock, wanted)
            self._read_nodes({"/"})

    def release(self) -> None:
        """Drop prefetched objects."""
        self._ahead.clear()

    def _descend(self, superblock: Superblock, wanted: Iterable[str]) -> None:
        """Check where structure is stored, and over a network prefetch the wanted objects."""
        size = self._file.size - superblock.base
        parsers: list[Parser[None]] = [check_extension(superblock, size)]
        scope = PrefetchScope(self._file.size, self._file.usage)
        if self._file.pages.far and not superblock.base:
            below_root = prefetch(superblock.root, path_tree(wanted), scope)
            parsers += [self._front(superblock), below_root]
        checked, *_ = self._file.run(parsers)
        if isinstance(checked, RefusedError):
            raise self._not_supported(checked)
        self._ahead = scope.ahead.nodes
        for path, table in scope.ahead.tables.items():
            self._tables.setdefault(path, table)

    def _not_supported(self, error: Exception) -> NotSupportedError:
        return NotSupportedError(f"{self._file.usage.url} is not supported: {error}")

    def _front(self, superblock: Superblock) -> Parser[None]:
        size = yield from read_front(superblock, self._file.size)
        yield self._file.pages.front(size)

    def _walk(self, paths: Iterable[str], soft_links: int) -> None:
        """Read objects and their enclosing groups, one depth after another."""
        depth = 0
        unknown = [path for path in paths if path not in self._tree.nodes]
        while steps := {s for p in unknown if (s := self._tree.step(p, depth)) is not None}:
            steps -= self._tree.nodes.keys()
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
                self._tree.nodes[path] = target
            else:
                self._read_by_h5py(path, "the file as a whole")
        read = self._read_at(set(targets.values()))
        for path, at in targets.items():
            result = read[at]
            if isinstance(result, UnsupportedError):
                self._use_h5py(path, result)
            elif isinstance(result, RefusedError):
                self._tree.nodes[path] = LeftOut(str(result), isinstance(result, OverLimitError))
            elif isinstance(result, CorruptGranuleError):
                self._failures[path] = result
            elif not isinstance(result, Exception):
                self._tree.nodes[path] = result

    def _read_at(self, addresses: set[int]) -> dict[int, Node | Exception]:
        """Return the objects with headers at some addresses, or what is wrong with them."""
        read: dict[int, Node | Exception] = {
            at: self._ahead.pop(at) for at in addresses & self._ahead.keys()
        }
        unread = sorted(addresses - read.keys())
        size = self._file.size - self._file.base
        for first in range(0, len(unread), MAX_CONCURRENT_PARSERS):
            some = unread[first : first + MAX_CONCURRENT_PARSERS]
            results = self._file.run(read_object(at, size, self._file.usage) for at in some)
            read |= zip(some, map(self._moved, results), strict=True)
            if len(some) == MAX_CONCURRENT_PARSERS:
                self._file.pages.release()
        return read

    def _moved(self, node: Node | Exception) -> Node | Exception:
        """Convert the address of the values of a dataset to a byte offset."""
        if not (self._file.base and isinstance(node, DatasetHeader)):
            return node
        layout = node.layout
        if not isinstance(layout, Contiguous) or layout.offset is None:
            return node
        return replace(node, layout=Contiguous(self._file.base + layout.offset))

    def _use_h5py(self, path: str, reason: Exception) -> None:
        self._read_by_h5py(path, str(reason))
        # Only now, because a file that is not HDF5 is an error without this warning.
        if isinstance(self._tree.nodes.get(path), GroupHeader | DatasetHeader):
            self._file.log.reading_by_h5py(path, str(reason))

    def _read_by_h5py(self, path: str, reason: str) -> None:
        try:
            node = self._file.fallback.node(path, reason, self._file.usage)
        except CorruptGranuleError as error:
            self._failures[path] = error
        else:
            if node is not None:
                self._tree.nodes[path] = node
