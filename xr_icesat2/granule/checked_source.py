"""A byte source that reads nothing before it has seen that the right version lies there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from xr_icesat2.bytesource import BytesLike, ByteSource, FileVersion, FirstRead, OnBytes, Range
from xr_icesat2.bytesource.protocol import RequestCost

__all__ = ["CheckedSource"]


class CheckedSource:
    """For structure, which tells what else to read; values are checked beside their reading.

    Parameters
    ----------
    source
        Where the bytes come from.
    check
        Raises unless the right version lies there; called once, before the first bytes are read.
    """

    def __init__(self, source: ByteSource, check: Callable[[], None]) -> None:
        self._source = source
        self._check = check
        self._checked = False
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Name of the granule, without secrets."""
        return self._source.url

    @property
    def cost(self) -> RequestCost:
        """That of the other source."""
        return self._source.cost

    def file_version(self) -> FileVersion:
        """Version of the file as it lies there now."""
        return self._source.file_version()

    def first_read(self, first: int, last: int) -> FirstRead:
        """Version of the file, and what comes along with it."""
        return self._source.first_read(first, last)

    def read(self, ranges: Sequence[Range]) -> Sequence[BytesLike]:
        """Read byte ranges of the right version."""
        self._verify()
        return self._source.read(ranges)

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read byte ranges of the right version one by one."""
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
