"""What only the HDF5 library can read: h5py over our byte source.

Slower than our own reading (one request after another, one thread), and so
used for what that does not understand: newer superblocks and layouts, rare
filters, variable-length strings.
"""

from __future__ import annotations

import atexit
import io
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from xr_icesat2.errors import CorruptGranuleError, ICESat2Error, NotAGranuleError

from .hdf5.attributes import HIDDEN, text
from .hdf5.datatype import Padding
from .model import AttributeValue, DatasetHeader, Foreign, GroupHeader, Node

if TYPE_CHECKING:
    from xr_icesat2.bytesource import ByteSource

__all__ = ["BY_LIBRARY", "LibraryFile"]

BY_LIBRARY = -1
"""Stands for a header's offset where the library, not we, finds the object."""
BLOCK = 1 << 18
"""Bytes a read: the library asks for a few hundred bytes at a time."""


class _SourceFile(io.RawIOBase):
    """A byte source as the read-only file that h5py wants."""

    def __init__(self, source: ByteSource, size: int) -> None:
        self._source = source
        self._size = size
        self._position = 0
        self.error: ICESat2Error | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        length = max(0, min(len(buffer), self._size - self._position))
        if length:
            try:
                (data,) = self._source.read([(self._position, length)])
            except ICESat2Error as error:
                # HDF5 would report this as "can't read": keep what really happened.
                self.error = error
                raise OSError(str(error)) from error
            buffer[:length] = data
        self._position += length
        return length


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
        self._raw: _SourceFile | None = None
        self._lock = threading.RLock()

    def node(self, path: str, reason: str) -> Node:
        """Read the header of a group or dataset; ``reason`` says why it came here."""
        with self._translated(path) as file:
            found = file[path]
            attrs = dict(_attributes(found))
            if isinstance(found, h5py.Group):
                return GroupHeader(dict.fromkeys(found, BY_LIBRARY), attrs)
            if found.shape is None:
                raise CorruptGranuleError(f"{self._source.url}: {path} holds no values at all")
            if found.dtype.hasobject and not h5py.check_string_dtype(found.dtype):
                # The library crashes on damaged ones; no granule has any.
                msg = f"{self._source.url}: {path} holds sequences or references, not values"
                raise CorruptGranuleError(msg)
            fill = np.zeros((), found.dtype) if found.dtype.hasobject else found.fillvalue
            return DatasetHeader(
                dtype=_plain(found.dtype),
                shape=tuple(found.shape),
                layout=Foreign(reason),
                fill=np.asarray(fill, found.dtype).tobytes(),
                attrs=attrs,
                dimension_list=_dimension_list(found),
                is_scale=bool(found.is_scale),
            )

    def values(self, path: str, rows: slice) -> np.ndarray:
        """Read a run of rows (all of a scalar) of a dataset."""
        with self._translated(path) as file:
            found = file[path]
            text_like = found.dtype.hasobject and h5py.check_string_dtype(found.dtype)
            view = found.asstr() if text_like else found
            return np.asarray(view[rows] if found.shape else view[()], _plain(found.dtype))

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = self._raw = None

    def renew_lock(self) -> None:
        """Forget who holds the lock: for a process that was forked."""
        self._lock = threading.RLock()

    def _open(self) -> h5py.File:
        if self._file is None:
            self._raw = _SourceFile(self._source, self._size)
            _FILES.add(self)
            try:
                self._file = h5py.File(io.BufferedReader(self._raw, BLOCK), "r")
            except OSError as error:
                if self._raw.error is not None:
                    raise self._raw.error from error
                msg = (
                    f"{self._source.url} is not a readable HDF5 file: {error}. Expected an "
                    "ICESat-2 granule (.h5), not a web page saved under that name or half a "
                    "download."
                )
                raise NotAGranuleError(msg) from error
        return self._file

    @contextmanager
    def _translated(self, path: str) -> Iterator[h5py.File]:
        """Give the open file; what h5py raises while it is used becomes one of our errors."""
        with self._lock:
            try:
                yield self._open()
            except ICESat2Error:
                raise
            except Exception as error:
                # h5py raises OSError, RuntimeError, KeyError, ValueError and more for damage.
                raise self._error(path, error) from error

    def _error(self, path: str, error: BaseException) -> ICESat2Error:
        if self._raw is not None and self._raw.error is not None:
            kept, self._raw.error = self._raw.error, None
            return kept
        return CorruptGranuleError(f"{self._source.url}: {path}: the HDF5 library says: {error}")


_FILES: weakref.WeakSet[LibraryFile] = weakref.WeakSet()
"""Those that were ever opened."""


def _close_files() -> None:
    """Close what is open while there is an interpreter.

    HDF5 closes files when the process ends, and would call back into Python, which is gone by then.
    A forked process does so with its copy alone: nothing is written, and descriptors stay.
    """
    for file in list(_FILES):
        file.close()


def _renew_locks() -> None:
    """Free locks that threads of the parent may hold, which the end would wait for."""
    for file in list(_FILES):
        file.renew_lock()


atexit.register(_close_files)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _plain(dtype: np.dtype) -> np.dtype:
    """Drop the notes that h5py attaches to a dtype."""
    return np.dtype(object) if dtype.hasobject else np.dtype(dtype.str)


def _attributes(found: h5py.Group | h5py.Dataset) -> Iterator[tuple[str, AttributeValue]]:
    for name in found.attrs:
        if name in HIDDEN:
            continue
        identifier = found.attrs.get_id(name)
        if identifier.dtype.hasobject and not h5py.check_string_dtype(identifier.dtype):
            continue  # references and sequences; the library may crash on damaged ones
        value = found.attrs[name]
        if isinstance(value, h5py.Empty):
            yield name, "" if value.dtype.kind in "SO" else np.empty((0,), value.dtype)
        elif identifier.dtype.kind == "S":
            padding = Padding(identifier.get_type().get_strpad())
            yield name, _texts(value, lambda raw, padding=padding: text(raw, padding))
        elif h5py.check_string_dtype(identifier.dtype):
            yield name, _texts(value, _as_text)
        else:
            yield name, value


def _texts(value: Any, convert: Any) -> AttributeValue:
    if isinstance(value, np.ndarray):
        strings = [convert(item) for item in value.ravel()]
        return np.array(strings, dtype=np.str_).reshape(value.shape)
    result: str = convert(value)
    return result


def _as_text(value: str | bytes) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _dimension_list(found: h5py.Dataset) -> tuple[tuple[str, ...], ...]:
    if "DIMENSION_LIST" not in found.attrs:
        return ()
    kind = h5py.check_vlen_dtype(found.attrs.get_id("DIMENSION_LIST").dtype)
    if kind is None or h5py.check_ref_dtype(kind) is not h5py.Reference:
        raise CorruptGranuleError(f"{found.name}: DIMENSION_LIST holds no lists of references")
    return tuple(
        tuple(name for reference in references if (name := _name(found, reference)))
        for references in found.attrs["DIMENSION_LIST"]
    )


def _name(found: h5py.Dataset, reference: h5py.Reference) -> str | None:
    """Give the path of a referenced scale; an extract may have left the scale out."""
    try:
        return str(found.file[reference].name)
    except (KeyError, ValueError):
        return None
