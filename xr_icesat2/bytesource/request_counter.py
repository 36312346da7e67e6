"""Count the requests to a byte source, for tests and benchmarks."""

import threading
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from .protocol import BytesLike, ByteSource, FileVersion, FirstRead, OnBytes, Range, RequestCost

__all__ = ["CountingSource"]


class CountingSource:
    """A byte source that records the requests to another one.

    Parameters
    ----------
    source : ByteSource
        Reads the bytes.

    Attributes
    ----------
    log : list of (offset, length)
        Every range that was read, in the order asked; empty ranges cost no
        request and are left out.
    bursts : int
        Calls of :meth:`read` and :meth:`read_each`, each at least one round trip.
    version_requests : int
        Calls of :meth:`file_version` and :meth:`found`, each one round trip.

    Notes
    -----
    A copy that was pickled starts with the counts of the original and counts
    on its own.
    """

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.log: list[Range] = []
        self.bursts = 0
        self.version_requests = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Name of the granule, without secrets."""
        return self.source.url

    @property
    def cost(self) -> RequestCost:
        """The cost of the other source."""
        return self.source.cost

    @property
    def requests(self) -> int:
        """Ranges that were read."""
        return len(self.log)

    @property
    def nbytes(self) -> int:
        """Sum of the lengths of the ranges that were read."""
        return sum(length for _, length in self.log)

    def file_version(self) -> FileVersion:
        """Return the current version of the file."""
        with self._lock:
            self.version_requests += 1
        return self.source.file_version()

    def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version of the file and some bytes, and record these as read."""
        found = self.source.first_read(first, last)
        with self._lock:
            self.version_requests += 1
            self.log.extend((offset, len(piece)) for offset, piece in found.pieces.items())
        return found

    def read(self, ranges: Sequence[Range]) -> Sequence[BytesLike]:
        """Read byte ranges, and record them."""
        self._note(ranges)
        return self.source.read(ranges)

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read byte ranges one by one, and record them."""
        self._note(ranges)
        self.source.read_each(ranges, on_bytes, pool)

    def _note(self, ranges: Sequence[Range]) -> None:
        with self._lock:
            self.bursts += 1
            self.log.extend((offset, length) for offset, length in ranges if length)

    def reset(self) -> None:
        """Start counting from zero."""
        with self._lock:
            self.log.clear()
            self.bursts = self.version_requests = 0

    def close(self) -> None:
        """Close the source."""
        self.source.close()

    def __repr__(self) -> str:
        return f"CountingSource({self.source!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())
