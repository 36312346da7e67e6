"""What only the HDF5 library can read: h5py over our byte source.

Slower than our own reading (one request after another, one thread), and so
used for what that does not understand: newer superblocks and layouts, rare
filters, variable-length strings.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import h5py
import numpy as np
from h5py import h5g, h5o

from xr_icesat2.errors import (
    CorruptGranuleError,
    ICESat2Error,
    NotAGranuleError,
    NotSupportedError,
    TooLargeError,
)
from xr_icesat2.fork_safety import after_fork
from xr_icesat2.limits import Limits

from .file_kind import HEAD_BYTES, describe_head
from .h5py_checks import ObjectID, open_object
from .h5py_file import HeapCheckingReader, SourceFile
from .h5py_objects import read_object, read_values
from .h5py_open_checks import check_root
from .model import LeftOut, Node, by_library
from .node import read_compact
from .object_header import read_messages
from .parse_limits import Budget
from .parser_loop import (
    OverLimitError,
    Parser,
    Ranges,
    RefusedError,
    UnsupportedError,
    run,
    within,
)
from .superblock import Superblock, read_superblock
from .text_lengths import References
from .variable_length import Varying, read_varying

if TYPE_CHECKING:
    from xr_icesat2.bytesource import ByteSource

__all__ = ["LibraryFile"]

T = TypeVar("T")


class LibraryFile:
    """One granule, opened with h5py when first needed.

    Parameters
    ----------
    source
        Where the bytes come from.
    size
        Size of the file in bytes.
    """

    def __init__(self, source: ByteSource, size: int) -> None:
        self._source = source
        self._size = size
        self._file: h5py.File | None = None
        self._raw: SourceFile | None = None
        self._buffered: HeapCheckingReader | None = None
        self._superblock: Superblock | None = None
        self._lock = threading.RLock()

    def node(self, path: str, reason: str, budget: Budget) -> Node | None:
        """Read the header of a group or dataset; None if there is none of that path.

        ``reason`` says why it came here; ``budget`` is what the file may still use of its limits.
        """
        try:
            with self._translated() as file:
                found = open_object(file, path, budget.limits.soft_links)
                if found is None:
                    return None
                return read_object(file, found, reason, budget, self._varying(found, budget))
        except RefusedError as error:
            return LeftOut(str(error), isinstance(error, OverLimitError))

    def root(self) -> int:
        """Return the link to the root group."""
        with self._translated() as file:
            return by_library(int(h5o.get_info(h5g.open(file.id, b"/")).addr))

    def values(self, path: str, rows: slice, limits: Limits) -> np.ndarray:
        """Read a run of rows (all of a scalar) of a dataset."""
        try:
            with self._translated() as file:
                found = open_object(file, path, limits.soft_links)
                return read_values(file, found, rows, self._references(found), limits)
        except TooLargeError as error:
            raise TooLargeError(f"{self._source.url}: {path}: {error}") from error
        except OverLimitError as error:
            raise TooLargeError(f"{self._source.url}: {path}: {error}") from error
        except CorruptGranuleError as error:
            raise CorruptGranuleError(
                f"{self._source.url}: values of {path} cannot be read, the file is damaged: "
                f"{error}. Download it again."
            ) from error
        except RefusedError as error:
            msg = f"{self._source.url}: {path} is not supported: {error}"
            raise NotSupportedError(msg) from error

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = self._raw = self._buffered = None

    def renew_lock(self) -> None:
        """Free the lock, which a thread of the parent may hold, and the end would wait for."""
        self._lock = threading.RLock()

    def _open(self) -> h5py.File:
        if self._file is None:
            self._raw = SourceFile(self._source, self._size)
            buffered = self._buffered = HeapCheckingReader(self._raw)
            _FILES.add(self)
            after_fork(self, LibraryFile.renew_lock)
            try:
                self._check(buffered)
                self._file = h5py.File(buffered, "r")
            except ICESat2Error:
                raise
            except OSError as error:
                if self._raw.error is not None:
                    raise self._raw.error from error
                raise self._not_hdf5(str(error)) from error
        return self._file

    def _references(self, found: ObjectID | None) -> References:
        """Return how references to texts are stored."""
        superblock, buffered = self._superblock, self._buffered
        if superblock is None or buffered is None:
            raise AssertionError("the file is not open")

        def read(offset: int, length: int) -> bytes:
            buffered.seek(offset)
            return buffered.read(length)

        def compact() -> bytes | None:
            if not superblock.has_long_addresses:
                return None
            address, size = int(h5o.get_info(found).addr), self._size - superblock.base
            messages = self._parsed(buffered, read_messages(address, size), superblock.base)
            return read_compact(messages)

        return References(read, compact, superblock.widths[0], superblock.base, self._size)

    def _varying(self, found: ObjectID, budget: Budget) -> Varying:
        """Look at what the library may read of an object's attributes."""
        superblock, buffered = self._superblock, self._buffered
        if superblock is None or buffered is None or not superblock.has_long_addresses:
            return Varying()
        address, size = int(h5o.get_info(found).addr), self._size - superblock.base

        def parser() -> Parser[Varying]:
            messages = yield from read_messages(address, size)
            return (yield from read_varying(messages, size, budget))

        try:
            return self._parsed(buffered, parser(), superblock.base)
        except UnsupportedError:
            return Varying()

    def _check(self, file: HeapCheckingReader) -> None:
        """Raise unless the library can open the file, and nothing else for it."""
        try:
            superblock = self._superblock = self._parsed(file, read_superblock(self._size))
            base = superblock.base
            file.length_bytes = superblock.widths[1]
            self._parsed(file, check_root(superblock, self._size - base), base)
        except UnsupportedError as error:
            raise self._not_hdf5(str(error)) from error

    def _parsed(self, file: BinaryIO, parser: Parser[T], base: int = 0) -> T:
        """Run a parser of which the addresses are counted from ``base``."""

        def answer(ranges: Ranges) -> list[bytes]:
            answers = []
            for at, length in ranges:
                file.seek(at)
                answers.append(file.read(length))
            return answers

        return run(within(parser, self._size, base), answer)

    def _not_hdf5(self, reason: str) -> NotAGranuleError:
        (head,) = self._source.read([(0, min(HEAD_BYTES, self._size))])
        kind = describe_head(bytes(head))
        if kind is not None:
            return NotAGranuleError(f"{self._source.url} is not HDF5, but {kind}.")
        return NotAGranuleError(
            f"{self._source.url} is not a readable HDF5 file: {reason}. Expected an ICESat-2 "
            "granule (.h5), not something else saved under that name or half a download."
        )

    @contextmanager
    def _translated(self) -> Iterator[h5py.File]:
        """Give the open file; what h5py raises while it is used becomes one of our errors."""
        with self._lock:
            if self._raw is not None:
                self._raw.error = None
            try:
                yield self._open()
            except (ICESat2Error, RefusedError):
                raise
            except Exception as error:
                # h5py raises OSError, RuntimeError, KeyError, ValueError and more for damage.
                raise self._error(error) from error

    def _error(self, error: BaseException) -> ICESat2Error:
        if self._raw is not None and self._raw.error is not None:
            kept, self._raw.error = self._raw.error, None
            return kept
        return CorruptGranuleError(f"the HDF5 library says: {error}")


_FILES: weakref.WeakSet[LibraryFile] = weakref.WeakSet()
"""Those that were ever opened."""


def _close_files() -> None:
    """Close what is open while there is an interpreter.

    HDF5 closes files when the process ends, and would call back into Python, which is gone by then.
    A forked process does so with its copy alone: nothing is written, and descriptors stay.
    """
    for file in list(_FILES):
        file.close()


atexit.register(_close_files)
