"""Groups and datasets of one file, read by their paths into its tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from xr_icesat2.errors import CorruptGranuleError, NotSupportedError

from .file_space import read_front
from .h5py_fallback import LibraryFile
from .h5py_open_checks import check_extension
from .log_once import Notes
from .model import (
    BY_LIBRARY,
    ChunkTable,
    Contiguous,
    DatasetHeader,
    GroupHeader,
    LeftOut,
    Node,
)
from .node import read_node
from .page_cache import Pages
from .parse_limits import Budget
from .parser_loop import (
    MOST_ASKED,
    OverLimitError,
    Parser,
    RefusedError,
    UnsupportedError,
    run,
    together,
    within,
)
from .paths import ancestors
from .prefetch import Scope, branches, descend
from .superblock import Superblock, read_superblock
from .tree import Tree

__all__ = ["GranuleFile", "NodeReader"]

MOST_SIDE_BY_SIDE = 1 << 12
"""Objects: many more than granules have, and few enough for what is held until they are parsed."""
T = TypeVar("T")
Failure: TypeAlias = UnsupportedError | CorruptGranuleError


@dataclass(slots=True)
class GranuleFile:
    """A file that is read, to our parsers and to the HDF5 library."""

    size: int
    """In bytes."""
    base: int
    """Byte offset from which its addresses count: the size of its user block, once it is known."""
    pages: Pages
    library: LibraryFile
    budget: Budget
    notes: Notes

    def run(self, parsers: Iterable[Parser[T]]) -> list[T | Exception]:
        """Run parsers side by side; what one raises is its result."""
        bounded = [within(parser, self.size, self.base) for parser in parsers]
        return run(together(bounded, MOST_ASKED), self.pages.read)

    def corrupt(self, path: str, error: Exception) -> CorruptGranuleError:
        """Return the error that an object cannot be read."""
        return CorruptGranuleError(
            f"{self.budget.url}: {path} cannot be read, the file is damaged: {error}. "
            "Download it again."
        )


class NodeReader:
    """Reads what a path leads to, and the groups on the way, into a tree.

    Objects are read by :mod:`.hdf5`; one that it does not understand is read
    through the HDF5 library (:mod:`.hdf5_library`) over the same byte source,
    with a log line that says what and why. The index that owns this holds its lock meanwhile.

    Parameters
    ----------
    file
        Where they are read from.
    tree
        What is known; what is read is added.
    tables
        Chunk tables that are known; those that come along are added.
    """

    def __init__(self, file: GranuleFile, tree: Tree, tables: dict[str, ChunkTable]) -> None:
        self._file = file
        self._tree = tree
        self._tables = tables
        # Read before the walk came to them, by the offset of their headers.
        self._ahead: dict[int, Node] = {}
        self._failures: dict[str, Failure] = {}

    def read(self, paths: Iterable[str], ahead: Iterable[str] = ()) -> None:
        """Read the objects at some paths, as far as there are such.

        Parameters
        ----------
        paths
            Of the objects. What is wrong with one, :meth:`failure` tells.
        ahead
            Paths that will be asked for next; see :meth:`.GranuleIndex.load`.

        Raises
        ------
        CorruptGranuleError
            The file cannot be opened.
        """
        paths = list(paths)
        self.open([*paths, *ahead])
        self._walk(paths, self._file.budget.limits.soft_links)

    def failure(self, path: str) -> tuple[str, Failure] | None:
        """Return what of the way to an object cannot be read, and why; None if nothing is known.

        The way goes through the groups around it, and on to the goals of soft links.
        """
        for _ in range(self._file.budget.limits.soft_links):
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
                within(read_superblock(self._file.size), self._file.size), self._file.pages.read
            )
            superblock.check_supported()
        except UnsupportedError as error:
            self._tree.root = BY_LIBRARY
            self._use_library("/", error)
            if isinstance(self._tree.nodes.get("/"), GroupHeader):
                self._tree.root = self._file.library.root()
        except RefusedError as error:
            raise self._not_supported(error) from error
        except CorruptGranuleError as error:
            msg = f"{self._file.budget.url}: {error}. Download it again."
            raise CorruptGranuleError(msg) from error
        else:
            self._tree.root, self._file.base = superblock.root, superblock.base
            self._descend(superblock, wanted)
            self._read_nodes({"/"})

    def release(self) -> None:
        """Forget what came ahead of the walk."""
        self._ahead.clear()

    def _descend(self, superblock: Superblock, wanted: Iterable[str]) -> None:
        """Check where structure is, and at the end of a link read what will be asked for next."""
        size = self._file.size - superblock.base
        parsers: list[Parser[None]] = [check_extension(superblock, size)]
        scope = Scope(self._file.size, self._file.budget)
        if self._file.pages.far and not superblock.base:
            below_root = descend(superblock.root, branches(wanted), scope)
            parsers += [self._front(superblock), below_root]
        checked, *_ = self._file.run(parsers)
        if isinstance(checked, RefusedError):
            raise self._not_supported(checked)
        self._ahead = scope.ahead.nodes
        for path, table in scope.ahead.tables.items():
            self._tables.setdefault(path, table)

    def _not_supported(self, error: Exception) -> NotSupportedError:
        return NotSupportedError(f"{self._file.budget.url} is not supported: {error}")

    def _front(self, superblock: Superblock) -> Parser[None]:
        size = yield from read_front(superblock, self._file.size)
        yield self._file.pages.front(size)

    def _walk(self, paths: Iterable[str], soft_links: int) -> None:
        """Read objects and the groups around them, all of one depth at a time."""
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
                self._read_by_library(path, "the file as a whole")
        read = self._read_at(set(targets.values()))
        for path, at in targets.items():
            result = read[at]
            if isinstance(result, UnsupportedError):
                self._use_library(path, result)
            elif isinstance(result, RefusedError):
                self._tree.nodes[path] = LeftOut(str(result), isinstance(result, OverLimitError))
            elif isinstance(result, CorruptGranuleError):
                self._failures[path] = result
            elif not isinstance(result, Exception):
                self._tree.nodes[path] = result

    def _read_at(self, addresses: set[int]) -> dict[int, Node | Exception]:
        """Give the objects whose headers lie there, or what is wrong with them."""
        read: dict[int, Node | Exception] = {
            at: self._ahead.pop(at) for at in addresses & self._ahead.keys()
        }
        unread = sorted(addresses - read.keys())
        size = self._file.size - self._file.base
        for first in range(0, len(unread), MOST_SIDE_BY_SIDE):
            some = unread[first : first + MOST_SIDE_BY_SIDE]
            results = self._file.run(read_node(at, size, self._file.budget) for at in some)
            read |= zip(some, map(self._moved, results), strict=True)
            if len(some) == MOST_SIDE_BY_SIDE:
                self._file.pages.release()
        return read

    def _moved(self, node: Node | Exception) -> Node | Exception:
        """Say where the values of a dataset are by their byte offset instead of their address."""
        if not (self._file.base and isinstance(node, DatasetHeader)):
            return node
        layout = node.layout
        if not isinstance(layout, Contiguous) or layout.offset is None:
            return node
        return replace(node, layout=Contiguous(self._file.base + layout.offset))

    def _use_library(self, path: str, reason: Exception) -> None:
        self._read_by_library(path, str(reason))
        # Only now: what is not HDF5 at all is an error, and no matter of speed.
        if isinstance(self._tree.nodes.get(path), GroupHeader | DatasetHeader):
            self._file.notes.slow(path, str(reason))

    def _read_by_library(self, path: str, reason: str) -> None:
        try:
            node = self._file.library.node(path, reason, self._file.budget)
        except CorruptGranuleError as error:
            self._failures[path] = error
        else:
            if node is not None:
                self._tree.nodes[path] = node
