"""Read files in any fsspec filesystem: S3, HTTPS, memory, caching ones and more."""

import time
from asyncio import AbstractEventLoop
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from fsspec.asyn import get_loop

from xr_icesat2.environment import environment_number
from xr_icesat2.fork_safety import after_fork, keep_in_children

from .fsspec_location import FileLocation
from .fsspec_transport import transport_for
from .protocol import BytesLike, FileVersion, FirstRead, OnBytes, Range, RequestCost, checked_ranges
from .range_requests import RangeRequests
from .request_limits import request_limit
from .request_scheduler import RequestScheduler, in_daemon_thread, scheduler_of

__all__ = ["ObservedCost", "RemoteSource"]

UNSEEN = RequestCost(latency=0.05, bandwidth=50e6)
"""What a request is assumed to cost before the first one."""


_SMALL = 64 << 10
"""Bytes up to which the time of a request is its latency."""


class ObservedCost:
    """The cost of requests to one file, as measured so far.

    Parameters
    ----------
    prior : RequestCost
        Assumed until a request was measured.
    """

    def __init__(self, prior: RequestCost) -> None:
        self._prior = prior
        self._latency: float | None = None
        self._bandwidth: float | None = None

    @property
    def cost(self) -> RequestCost:
        """The least latency and the greatest bandwidth seen: what the link can do.

        ``XR_ICESAT2_LINK_LATENCY`` and ``XR_ICESAT2_LINK_BANDWIDTH`` take precedence.
        """
        latency = self._prior.latency if self._latency is None else self._latency
        bandwidth = self._prior.bandwidth if self._bandwidth is None else self._bandwidth
        return RequestCost(
            environment_number("XR_ICESAT2_LINK_LATENCY", latency, "seconds"),
            environment_number("XR_ICESAT2_LINK_BANDWIDTH", bandwidth, "bytes a second"),
        )

    def note(self, nbytes: int, seconds: float) -> None:
        """Record a burst of requests that ran at the same time."""
        if nbytes <= _SMALL:
            self._latency = min(seconds, self._latency or seconds)
            return
        moving = max(seconds - self.cost.latency, seconds / 10)
        self._bandwidth = max(nbytes / moving, self._bandwidth or 0.0)


@dataclass(frozen=True)
class _Connection:
    """What one process needs for requests; made at the first one, never pickled."""

    requests: RangeRequests
    scheduler: RequestScheduler


class RemoteSource:
    """A granule in an fsspec filesystem.

    Parameters
    ----------
    origin : Origin
        Which filesystem, and where in it.

    Notes
    -----
    Nothing but the origin is pickled: URL and storage options as the user gave
    them, or the user's filesystem, which pickles as its options.
    """

    def __init__(self, location: FileLocation) -> None:
        self._location = location
        self.url = location.name
        self._connection: _Connection | None = None
        self._observed = ObservedCost(UNSEEN)
        # Of the latest version: ranges of a damaged granule outside of it are not requested.
        self._size: int | None = None
        after_fork(self, RemoteSource.close)

    @property
    def location(self) -> FileLocation:
        """The filesystem, and where in it."""
        return self._location

    @property
    def cost(self) -> RequestCost:
        """The cost of its requests so far."""
        return self._observed.cost

    def file_version(self) -> FileVersion:
        """Return the version of the file; each call asks the server.

        Raises
        ------
        GranuleNotFoundError, AccessDeniedError, NotAGranuleError
            Nothing there, not for us, or a directory.
        TransferError
            The server fails, or (:class:`TransferTimeoutError`) does not answer.
        """
        connection = self._connect()
        limit = request_limit(0)
        began = time.monotonic()
        version = connection.scheduler.run(connection.requests.file_version(), limit, self.url)
        self._observed.note(0, time.monotonic() - began)
        self._size = version.size
        return version

    def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version of the file, with some of its bytes; see :class:`.ByteSource`."""
        connection = self._connect()
        limit = connection.requests.limit([(0, first), (0, last)])
        began = time.monotonic()
        found = connection.scheduler.run(
            connection.requests.first_read(first, last), limit, self.url
        )
        seconds = time.monotonic() - began
        self._observed.note(0, found.latency or seconds)
        self._observed.note(sum(map(len, found.pieces.values())), seconds)
        self._size = found.file_version.size
        return found

    def read(self, ranges: Sequence[Range]) -> Sequence[BytesLike]:
        """Read byte ranges; see :class:`~xr_icesat2.bytesource.ByteSource`."""
        plain = checked_ranges(ranges, self._size, self.url)
        longest = max((length for _, length in plain), default=0)
        if not longest:
            return [b""] * len(plain)
        connection = self._connect()
        limit = connection.requests.limit(plain)
        began = time.monotonic()
        answers = connection.scheduler.run(connection.requests.read(plain), limit, self.url)
        self._observed.note(sum(map(len, answers)), time.monotonic() - began)
        return answers

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read byte ranges one by one; see :class:`~xr_icesat2.bytesource.ByteSource`."""
        plain = checked_ranges(ranges, self._size, self.url)
        connection = self._connect()
        limit = connection.requests.limit(plain)
        work = connection.requests.read_each(plain, on_bytes, pool)
        connection.scheduler.run(work, limit, self.url)

    def _connect(self) -> _Connection:
        connection = self._connection
        if connection is None:
            filesystem, path = self._resolve()
            keep_in_children(filesystem)
            transport = transport_for(filesystem, path, self.url)
            loop = getattr(filesystem, "loop", None) or _loop()
            scheduler = scheduler_of(loop)
            requests = RangeRequests(transport, scheduler, self.url)
            connection = _Connection(requests, scheduler)
            # Two threads may both get here; both connections are good.
            self._connection = connection
        return connection

    def _resolve(self) -> tuple[object, str]:
        if self._location.asks_no_network:
            return self._location.resolve()
        # Some constructors connect (SFTP, archives over a network): within a time limit.
        scheduler, limit = scheduler_of(_loop()), request_limit(0)

        async def attempt() -> tuple[object, str]:
            return await in_daemon_thread(self._location.resolve)

        return scheduler.run(scheduler.request(attempt, limit, self.url), limit, self.url)

    def close(self) -> None:
        """Forget the filesystem; a later read gets it again."""
        self._connection = None

    def __reduce__(self) -> tuple[type["RemoteSource"], tuple[FileLocation]]:
        return RemoteSource, (self._location,)

    def __repr__(self) -> str:
        return f"RemoteSource({self.url!r})"


def _loop() -> AbstractEventLoop:
    """Return the event loop that fsspec runs for all its filesystems."""
    loop: AbstractEventLoop = get_loop()
    return loop
