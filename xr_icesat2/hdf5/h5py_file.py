"""Present a byte source as a file to the HDF5 library, and check its global heaps."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from xr_icesat2.errors import CorruptGranuleError, ICESat2Error

from .heaps import GLOBAL_HEADER_BYTES, check_collection

if TYPE_CHECKING:
    from xr_icesat2.bytesource import ByteSource

__all__ = ["ByteSourceFile", "HeapCheckingReader"]

BLOCK = 1 << 18
"""Bytes a read: the library asks for a few hundred bytes at a time."""
SIGNATURE = b"GCOL"


class ByteSourceFile(io.RawIOBase):
    """A byte source as a read-only binary file."""

    def __init__(self, source: ByteSource, size: int) -> None:
        self.source = source
        self.size = size
        self._position = 0
        self.error: ICESat2Error | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read bytes from the source."""
        length = max(0, min(len(buffer), self.size - self._position))
        if length:
            try:
                (data,) = self.source.read([(self._position, length)])
            except ICESat2Error as error:
                # HDF5 would report only "can't read": keep the real error.
                self.error = error
                raise OSError(str(error)) from error
            buffer[:length] = data
        self._position += length
        return length


class HeapCheckingReader(io.BufferedReader):
    """Reads for the HDF5 library, and refuses a damaged global heap before the library parses it.

    The library loops for ever on an object whose size wraps around. It reads a collection from
    its first byte, because h5py's driver for Python files combines no reads.

    Parameters
    ----------
    file
        The file to read.
    """

    def __init__(self, file: ByteSourceFile) -> None:
        super().__init__(file, BLOCK)
        self._file = file
        self._checked: set[int] = set()
        self._checked_bytes = 0
        self.length_bytes = 8
        """Size of lengths in the file."""

    def readinto(self, buffer: Any) -> int:
        """Read for the HDF5 library, which calls nothing else."""
        at = self.tell()
        count = super().readinto(buffer)
        if count >= GLOBAL_HEADER_BYTES and at not in self._checked:
            head = bytes(memoryview(buffer)[:GLOBAL_HEADER_BYTES])
            if head.startswith(SIGNATURE):
                self._check(at, head)
                self._checked.add(at)
                self.seek(at + count)
        return count

    def _check(self, at: int, head: bytes) -> None:
        try:
            self._check_collection(at, int.from_bytes(head[8 : 8 + self.length_bytes], "little"))
        except CorruptGranuleError as error:
            self._file.error = error
            raise OSError(str(error)) from error

    def _check_collection(self, at: int, size: int) -> None:
        if not GLOBAL_HEADER_BYTES <= size <= self._file.size - at:
            raise CorruptGranuleError(f"a global heap of {size} bytes")
        self._checked_bytes += size
        if self._checked_bytes > self._file.size:
            raise CorruptGranuleError("global heaps that overlap")
        self.seek(at)
        check_collection(self.read(size), self.length_bytes)
