"""A byte source that checks the version of the file before its first read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from xr_icesat2.bytesource import BytesLike, ByteSource, FileVersion, FirstRead, OnBytes, Range
from xr_icesat2.bytesource.protocol import RequestCost

__all__ = ["CheckedSource"]


class CheckedSource:
    """Check the version before the first read, for the structure of a file.

    Values are checked while they are read.

    Parameters
    ----------
    source
        Byte source to read from.
    check
        Called once, before the first read; raises if the file has another version.
    """

    def __init__(self, source: ByteSource, check: Callable[[], None]) -> None:
        self._source = source
        self._check = check
        self._checked = False
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """URL without secrets, for messages."""
        return self._source.url

    @property
    def cost(self) -> RequestCost:
        """Cost of a request to the source."""
        return self._source.cost

    def file_version(self) -> FileVersion:
        """Return the version that the file has now."""
        return self._source.file_version()

    def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version of the file with its first and last bytes."""
        return self._source.first_read(first, last)

    def read(self, ranges: Sequence[Range]) -> Sequence[BytesLike]:
        """Check the version, then read byte ranges."""
        self._verify()
        return self._source.read(ranges)

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Check the version, then read byte ranges and pass on each when it arrives."""
        self._verify()
        self._source.read_each(ranges, on_bytes, pool)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _verify(self) -> None:
        with self._lock:
            if not self._checked:
                self._check()
                self._checked = True
