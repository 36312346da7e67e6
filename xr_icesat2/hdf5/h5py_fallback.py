"""Read through h5py, over our byte source, what our parsers do not support.

It is slower: one request after another, in one thread. It reads superblocks and layouts that our
parsers do not know, rare filters, and variable-length strings.
"""

from __future__ import annotations

import atexit
import threading
import traceback
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
from .h5py_file import ByteSourceFile, HeapCheckingReader
from .h5py_objects import read_h5py_object, read_h5py_values
from .h5py_variable_length import (
    TextReferences,
    VariableLengthAttributes,
    check_variable_length_attributes,
)
from .limit_counters import LimitUsage
from .model import LeftOut, Node, h5py_link
from .object_header import read_messages
from .object_parser import read_compact
from .parser_driver import (
    OverLimitError,
    Parser,
    Ranges,
    RefusedError,
    UnsupportedError,
    bounded,
    run,
)
from .superblock import Superblock, check_root, read_superblock

if TYPE_CHECKING:
    from xr_icesat2.bytesource import ByteSource

__all__ = ["H5pyFallback"]

T = TypeVar("T")


class H5pyFallback:
    """One file, opened with h5py when it is first needed.

    Parameters
    ----------
    source
        Provides the bytes.
    size
        Size of the file in bytes.
    """

    def __init__(self, source: ByteSource, size: int) -> None:
        self._source = source
        self._size = size
        self._file: h5py.File | None = None
        self._raw: ByteSourceFile | None = None
        self._buffered: HeapCheckingReader | None = None
        self._superblock: Superblock | None = None
        self._lock = threading.RLock()

    def node(self, path: str, reason: str, usage: LimitUsage) -> Node | None:
        """Read the header of a group or dataset; None if there is none of that path.

        ``reason`` is why our parsers do not read it; ``usage`` counts against the file's limits.
        """
        try:
            with self._translated() as file:
                found = open_object(file, path, usage.limits.soft_links)
                if found is None:
                    return None
                return read_h5py_object(file, found, reason, usage, self._varying(found, usage))
        except RefusedError as error:
            return LeftOut(str(error), isinstance(error, OverLimitError))

    def root(self) -> int:
        """Return the link to the root group."""
        with self._translated() as file:
            return h5py_link(int(h5o.get_info(h5g.open(file.id, b"/")).addr))

    def values(self, path: str, rows: slice, limits: Limits) -> np.ndarray:
        """Read a run of rows (all of a scalar) of a dataset."""
        try:
            with self._translated() as file:
                found = open_object(file, path, limits.soft_links)
                return read_h5py_values(file, found, rows, self._references(found), limits)
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
        """Replace the lock in a forked child, where a thread of the parent may hold it."""
        self._lock = threading.RLock()

    def _open(self) -> h5py.File:
        if self._file is None:
            self._raw = ByteSourceFile(self._source, self._size)
            buffered = self._buffered = HeapCheckingReader(self._raw)
            _FILES.add(self)
            after_fork(self, H5pyFallback.renew_lock)
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

    def _references(self, found: ObjectID | None) -> TextReferences:
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

        return TextReferences(read, compact, superblock.widths[0], superblock.base, self._size)

    def _varying(self, found: ObjectID, usage: LimitUsage) -> VariableLengthAttributes:
        """Check the variable-length attributes of an object."""
        superblock, buffered = self._superblock, self._buffered
        if superblock is None or buffered is None or not superblock.has_long_addresses:
            return VariableLengthAttributes()
        address, size = int(h5o.get_info(found).addr), self._size - superblock.base

        def parser() -> Parser[VariableLengthAttributes]:
            messages = yield from read_messages(address, size)
            return (yield from check_variable_length_attributes(messages, size, usage))

        try:
            return self._parsed(buffered, parser(), superblock.base)
        except UnsupportedError:
            return VariableLengthAttributes()

    def _check(self, file: HeapCheckingReader) -> None:
        """Raise unless the library can open the file, and opens no other file for it."""
        try:
            superblock = self._superblock = self._parsed(file, read_superblock(self._size))
            base = superblock.base
            file.length_bytes = superblock.widths[1]
            self._parsed(file, check_root(superblock, self._size - base), base)
        except UnsupportedError as error:
            raise self._not_hdf5(str(error)) from error

    def _parsed(self, file: BinaryIO, parser: Parser[T], base: int = 0) -> T:
        """Run a parser with addresses that are counted from ``base``."""

        def answer(ranges: Ranges) -> list[bytes]:
            answers = []
            for at, length in ranges:
                file.seek(at)
                answers.append(file.read(length))
            return answers

        return run(bounded(parser, self._size, base), answer)

    def _not_hdf5(self, reason: str) -> NotAGranuleError:
        (head,) = self._source.read([(0, min(HEAD_BYTES, self._size))])
        kind = describe_head(bytes(head))
        if kind is not None:
            return NotAGranuleError(f"{self._source.url} is not HDF5, but {kind}.")
        return NotAGranuleError(
            f"{self._source.url} is not a readable HDF5 file: {reason}. Expected an ICESat-2 "
            "granule (.h5), not another kind of file of that name, or an incomplete download."
        )

    @contextmanager
    def _translated(self) -> Iterator[h5py.File]:
        """Return the open file; translate what h5py raises meanwhile, for it is damage."""
        with self._lock:
            if self._raw is not None:
                self._raw.error = None
            try:
                yield self._open()
            except (ICESat2Error, RefusedError):
                raise
            except Exception as error:
                # h5py raises OSError, RuntimeError, KeyError, ValueError and more for damage.
                translated = self._error(error)
                if translated is None:
                    raise
                raise translated from error

    def _error(self, error: BaseException) -> ICESat2Error | None:
        """Return what an error means; None if it is a mistake of this package."""
        if self._raw is not None and self._raw.error is not None:
            kept, self._raw.error = self._raw.error, None
            return kept
        if not _is_from_h5py(error):
            return None
        return CorruptGranuleError(f"the HDF5 library reports: {error}")


def _is_from_h5py(error: BaseException) -> bool:
    """Return whether h5py raised an error when this package called it."""
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        library = str(frame.f_globals.get("__name__")).partition(".")[0]
        if library in ("h5py", "xr_icesat2"):
            return library == "h5py"
    return False


_FILES: weakref.WeakSet[H5pyFallback] = weakref.WeakSet()
"""Those that were ever opened."""


def _close_files() -> None:
    """Close what is open while there is an interpreter.

    HDF5 closes files when the process ends, and would call back into Python, which is gone by then.
    A forked process does so with its copy alone: nothing is written, and descriptors stay.
    """
    for file in list(_FILES):
        file.close()


atexit.register(_close_files)
