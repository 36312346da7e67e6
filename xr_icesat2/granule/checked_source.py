"""A byte source that reads nothing before it has seen that the right version lies there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from xr_icesat2.bytesource import Answer, ByteSource, Look, Range, Stamp, Take
from xr_icesat2.bytesource.link_speed import Cost

__all__ = ["VerifiedSource"]


class VerifiedSource:
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
    def cost(self) -> Cost:
        """That of the other source."""
        return self._source.cost

    def stamp(self) -> Stamp:
        """Version of the file as it lies there now."""
        return self._source.stamp()

    def look(self, first: int, last: int) -> Look:
        """Version of the file, and what comes along with it."""
        return self._source.look(first, last)

    def read(self, ranges: Sequence[Range]) -> Sequence[Answer]:
        """Read byte ranges of the right version."""
        self._verify()
        return self._source.read(ranges)

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
        """Read byte ranges of the right version one by one."""
        self._verify()
        self._source.read_each(ranges, take, pool)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _verify(self) -> None:
        with self._lock:
            if not self._checked:
                self._check()
                self._checked = True
