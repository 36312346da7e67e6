"""Anything that fsspec reaches: S3, HTTPS, memory, caches over them and more."""

import time
from asyncio import AbstractEventLoop
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from fsspec.asyn import get_loop

from xr_icesat2.fork_safety import after_fork, keep_in_children

from .fsspec_target import Origin
from .fsspec_transport import transport_for
from .link_speed import Cost, Observed
from .protocol import Answer, Look, Range, Stamp, Take
from .range_checks import checked_ranges
from .ranged_requests import Requests
from .request_limits import request_limit
from .request_scheduler import Traffic, in_daemon_thread, traffic_on

__all__ = ["RemoteSource"]

UNSEEN = Cost(latency=0.05, bandwidth=50e6)
"""What a link is taken for before anything was asked over it."""


@dataclass(frozen=True)
class _Connection:
    """What one process needs to ask for bytes; made at the first request, never pickled."""

    requests: Requests
    traffic: Traffic


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

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.url = origin.name
        self._connection: _Connection | None = None
        self._observed = Observed(UNSEEN)
        # Of the latest stamp: absurd ranges of a damaged granule need not be asked for.
        self._size: int | None = None
        after_fork(self, RemoteSource.close)

    @property
    def cost(self) -> Cost:
        """What its requests took so far."""
        return self._observed.cost

    def stamp(self) -> Stamp:
        """Version of the file, asked of the server at each call.

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
        stamp = connection.traffic.wait(connection.requests.stamp(), limit, self.url)
        self._observed.note(0, time.monotonic() - began)
        self._size = stamp.size
        return stamp

    def look(self, first: int, last: int) -> Look:
        """Version of the file, with some of its bytes; see :class:`.ByteSource`."""
        connection = self._connect()
        limit = connection.requests.limit([(0, first), (0, last)])
        began = time.monotonic()
        look = connection.traffic.wait(connection.requests.look(first, last), limit, self.url)
        seconds = time.monotonic() - began
        self._observed.note(0, look.waited or seconds)
        self._observed.note(sum(map(len, look.pieces.values())), seconds)
        self._size = look.stamp.size
        return look

    def read(self, ranges: Sequence[Range]) -> Sequence[Answer]:
        """Read byte ranges; see :class:`~xr_icesat2.bytesource.ByteSource`."""
        plain = checked_ranges(ranges, self._size, self.url)
        longest = max((length for _, length in plain), default=0)
        if not longest:
            return [b""] * len(plain)
        connection = self._connect()
        limit = connection.requests.limit(plain)
        began = time.monotonic()
        answers = connection.traffic.wait(connection.requests.read(plain), limit, self.url)
        self._observed.note(sum(map(len, answers)), time.monotonic() - began)
        return answers

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
        """Read byte ranges one by one; see :class:`~xr_icesat2.bytesource.ByteSource`."""
        plain = checked_ranges(ranges, self._size, self.url)
        connection = self._connect()
        limit = connection.requests.limit(plain)
        work = connection.requests.read_each(plain, take, pool)
        connection.traffic.wait(work, limit, self.url)

    def _connect(self) -> _Connection:
        connection = self._connection
        if connection is None:
            filesystem, path = self._resolve()
            keep_in_children(filesystem)
            transport = transport_for(filesystem, path, self.url)
            loop = getattr(filesystem, "loop", None) or _loop()
            traffic = traffic_on(loop)
            requests = Requests(transport, traffic, self.url)
            connection = _Connection(requests, traffic)
            # Two threads may both get here; both connections are good.
            self._connection = connection
        return connection

    def _resolve(self) -> tuple[object, str]:
        if self._origin.quiet:
            return self._origin.resolve()
        # Some constructors connect (SFTP, archives over a network): within a time limit.
        traffic, limit = traffic_on(_loop()), request_limit(0)

        async def attempt() -> tuple[object, str]:
            return await in_daemon_thread(self._origin.resolve)

        return traffic.wait(traffic.request(attempt, limit, self.url), limit, self.url)

    def close(self) -> None:
        """Let go of the filesystem; a later read gets it again."""
        self._connection = None

    def __reduce__(self) -> tuple[type["RemoteSource"], tuple[Origin]]:
        return RemoteSource, (self._origin,)

    def __repr__(self) -> str:
        return f"RemoteSource({self.url!r})"


def _loop() -> AbstractEventLoop:
    """Give the event loop that fsspec runs for all its filesystems."""
    loop: AbstractEventLoop = get_loop()
    return loop
