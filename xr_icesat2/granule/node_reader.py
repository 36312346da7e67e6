"""Read the nodes of a granule: from the superblock down, all of one depth at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias, TypeVar

from xr_icesat2.bytesource import ByteSource
from xr_icesat2.errors import CorruptGranuleError, NotSupportedError

from .hdf5.budget import Budget
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
from .model import (
    BY_LIBRARY,
    Contents,
    Contiguous,
    DatasetHeader,
    GroupHeader,
    LeftOut,
    Node,
)
from .notes import Notes
from .paths import ancestors
from .tree import Tree

__all__ = ["NodeReader", "corrupt"]

T = TypeVar("T")
Failure: TypeAlias = UnsupportedError | CorruptGranuleError


class NodeReader:
    """Read groups and datasets into a :class:`.Tree`.

    An object that :mod:`.hdf5` does not understand is read through the HDF5 library, with a log
    line that says what and why. The caller holds a lock: one thread reads at a time.

    Parameters
    ----------
    source
        Where the bytes come from.
    size
        Size of the file in bytes.
    contents
        What is known already.
    budget
        What the file may still ask of its reader.

    Attributes
    ----------
    pages : Pages
    library : LibraryFile
    tree : Tree
        Nodes that were read are added to it.
    tables : dict of str to ChunkTable
        Chunk tables by path; those that are prefetched with the first nodes are added.
    notes : Notes
    base : int
        Byte offset from which addresses are counted.
    grown : bool
        Whether a node was read since this was last set to False.
    """

    def __init__(self, source: ByteSource, size: int, contents: Contents, budget: Budget) -> None:
        self._url = source.url
        self._size = size
        self._budget = budget
        self.pages = Pages(source, size)
        self.library = LibraryFile(source, size)
        self.tree = Tree(contents.nodes, contents.root, budget.limits.soft_links)
        self.tables = dict(contents.tables)
        self.notes = Notes(source.url)
        self.base = contents.base
        self.grown = False
        # Read before the walk came to them, by the offset of their headers.
        self._ahead: dict[int, Node] = {}
        self._failures: dict[str, Failure] = {}

    def forget_ahead(self) -> None:
        """Drop nodes that were prefetched and that nobody asked for."""
        self._ahead.clear()

    def run(self, parsers: Iterable[Parser[T]]) -> list[T | Exception]:
        """Run parsers side by side; return the result of each, or what it raised."""
        bounded = [within(parser, self._size, self.base) for parser in parsers]
        return run(together(bounded, MOST_ASKED), self.pages.read)

    def open(self, wanted: Iterable[str] = ()) -> None:
        """Read the superblock and the root group, unless they are known.

        Where requests are slow, the objects at the ``wanted`` paths are fetched along with them.
        """
        self.raise_failure("/")
        if self.tree.root is not None or "/" in self.tree.nodes:
            return
        try:
            superblock = run(within(read_superblock(self._size), self._size), self.pages.read)
            superblock.check_supported()
        except UnsupportedError as error:
            self.tree.root = BY_LIBRARY
            self._use_library("/", error)
            if isinstance(self.tree.nodes.get("/"), GroupHeader):
                self.tree.root = self.library.root()
        except RefusedError as error:
            raise NotSupportedError(f"{self._url} is not supported: {error}") from error
        except CorruptGranuleError as error:
            raise CorruptGranuleError(f"{self._url}: {error}. Download it again.") from error
        else:
            self.tree.root, self.base = superblock.root, superblock.base
            if self.pages.far and not self.base:
                self._descend(superblock, wanted)
            self._read_nodes({"/"})

    def _descend(self, superblock: Superblock, wanted: Iterable[str]) -> None:
        """Read what will be asked for next, and the front of the file if all structure is there."""
        scope = Scope(self._size, self._budget)
        ahead = scope.ahead
        below_root = descend(superblock.root, branches(wanted), scope)
        self.run([self._front(superblock), below_root])
        self._ahead = ahead.nodes
        for path, table in ahead.tables.items():
            self.tables.setdefault(path, table)

    def _front(self, superblock: Superblock) -> Parser[None]:
        size = yield from read_front(superblock, self._size)
        yield self.pages.front(size)

    def walk(self, paths: Iterable[str], soft_links: int) -> None:
        """Read objects and the groups around them, all of one depth at a time.

        At most ``soft_links`` soft links are followed one after another.
        """
        depth = 0
        unknown = [path for path in paths if path not in self.tree.nodes]
        while steps := {s for p in unknown if (s := self.tree.step(p, depth)) is not None}:
            steps -= self.tree.nodes.keys()
            goals = {goal for s in steps if (goal := self.tree.goal(s)) is not None}
            if goals and soft_links:
                self.walk(goals, soft_links - 1)
            self._read_nodes({step for step in steps if self.tree.target(step) is not None})
            depth += 1

    def _read_nodes(self, paths: Iterable[str]) -> None:
        paths = sorted(path for path in paths if path not in self._failures)
        found = {path: self.tree.target(path) for path in paths}
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
        self.tree.nodes[path] = node
        self.grown = True

    def _read_at(self, addresses: set[int]) -> dict[int, Node | Exception]:
        """Give the objects whose headers lie there, or what is wrong with them."""
        read: dict[int, Node | Exception] = {
            at: self._ahead.pop(at) for at in addresses & self._ahead.keys()
        }
        unread = sorted(addresses - read.keys())
        size = self._size - self.base
        results = self.run(read_node(at, size, self._budget) for at in unread)
        found = (self._moved(result) for result in results)
        return read | dict(zip(unread, found, strict=True))

    def _moved(self, node: Node | Exception) -> Node | Exception:
        """Say where the values of a dataset are by their byte offset instead of their address."""
        if not (self.base and isinstance(node, DatasetHeader)):
            return node
        layout = node.layout
        if not isinstance(layout, Contiguous) or layout.offset is None:
            return node
        return replace(node, layout=Contiguous(self.base + layout.offset))

    def _use_library(self, path: str, reason: Exception) -> None:
        self._read_by_library(path, str(reason))
        # Only now: what is not HDF5 at all is an error, and no matter of speed.
        if isinstance(self.tree.nodes.get(path), GroupHeader | DatasetHeader):
            self.notes.slow(path, str(reason))

    def _read_by_library(self, path: str, reason: str) -> None:
        try:
            node = self.library.node(path, reason, self._budget)
        except CorruptGranuleError as error:
            self._failures[path] = error
        else:
            if node is not None:
                self._know(path, node)

    def raise_failure(self, path: str) -> None:
        """Raise :class:`CorruptGranuleError` if an object, or a group around it, is damaged."""
        for step in [path, *ancestors(path)]:
            if step in self._failures:
                raise corrupt(self._url, step, self._failures[step])


def corrupt(url: str, path: str, error: Exception) -> CorruptGranuleError:
    """Return the error to raise for an object that is damaged."""
    return CorruptGranuleError(
        f"{url}: {path} cannot be read, the file is damaged: {error}. Download it again."
    )
