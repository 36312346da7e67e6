"""Anything that fsspec reaches: S3, HTTPS, memory, caches over them and more."""

import os
import time
from asyncio import AbstractEventLoop
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from fsspec.asyn import get_loop

from xr_icesat2.bytesource.cost import Cost, Observed
from xr_icesat2.bytesource.limits import request_limit
from xr_icesat2.bytesource.origin import Origin
from xr_icesat2.bytesource.protocol import Range, Stamp, Take
from xr_icesat2.bytesource.ranges import checked_ranges, outside
from xr_icesat2.bytesource.traffic import (
    Traffic,
    in_daemon_thread,
    one_by_one,
    together,
    traffic_on,
)
from xr_icesat2.bytesource.translate import ShortAnswerError, status_of
from xr_icesat2.bytesource.transports import Transport, transport_for
from xr_icesat2.errors import TransferError

__all__ = ["RemoteSource"]

UNSEEN = Cost(latency=0.05, bandwidth=50e6)

T = TypeVar("T")


@dataclass(frozen=True)
class _Connection:
    """What one process needs to ask for bytes; made at the first request, never pickled."""

    pid: int
    transport: Transport
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
        work = connection.traffic.request(connection.transport.stamp, limit, self.url)
        began = time.monotonic()
        stamp = connection.traffic.wait(work, limit, self.url)
        self._observed.note(0, time.monotonic() - began)
        self._size = stamp.size
        return stamp

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read byte ranges; see :class:`~xr_icesat2.bytesource.ByteSource`."""
        plain = checked_ranges(ranges, self._size, self.url)
        longest = max((length for _, length in plain), default=0)
        if not longest:
            return [b""] * len(plain)
        connection = self._connect()
        work = (self._one(connection, *each) for each in plain)
        began = time.monotonic()
        answers = self._wait(connection, work, longest)
        self._observed.note(sum(map(len, answers)), time.monotonic() - began)
        return answers

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
        """Read byte ranges one by one; see :class:`~xr_icesat2.bytesource.ByteSource`."""
        plain = checked_ranges(ranges, self._size, self.url)
        connection = self._connect()
        traffic = connection.traffic

        async def hand_on(number: int, offset: int, length: int) -> None:
            async with traffic.room.of(length):
                data = await self._one(connection, offset, length)
                await traffic.aside(pool, partial(take, number, data))

        work = (hand_on(number, *each) for number, each in enumerate(plain))
        self._wait(connection, work, max((length for _, length in plain), default=0))

    def _wait(
        self, connection: _Connection, work: Iterable[Coroutine[Any, Any, T]], longest: int
    ) -> list[T]:
        """Do all of the work, at once if that is safe; no request is of more bytes than longest."""
        limit = request_limit(longest, whole_file=connection.transport.whole_file)
        in_turn = together if connection.transport.parallel else one_by_one
        return connection.traffic.wait(in_turn(work), limit, self.url)

    async def _one(self, connection: _Connection, offset: int, length: int) -> bytes:
        if not length:
            return b""
        limit = request_limit(length, whole_file=connection.transport.whole_file)

        async def attempt() -> bytes:
            return await self._attempt(connection.transport, offset, length)

        return await connection.traffic.request(attempt, limit, self.url)

    async def _attempt(self, transport: Transport, offset: int, length: int) -> bytes:
        """Ask once for a range, and tell "outside the file" from "did not come whole"."""
        try:
            data = await transport.fetch(offset, length)
        except Exception as error:
            if status_of(error) != 416:
                raise
            await self._refuse_outside(transport, offset, length)
            raise TransferError(
                f"the server of {self.url} refuses {length} bytes at {offset} (HTTP 416), though "
                "they lie in the file: download it, or give simplecache:: before the URL"
            ) from error
        if len(data) > length:
            raise TransferError(
                f"asked {self.url} for {length} bytes at {offset}, got {len(data)}: the server "
                "ignores byte ranges. Download the file, or give simplecache:: before the URL"
            )
        if len(data) < length:
            await self._refuse_outside(transport, offset, length)
            raise ShortAnswerError(f"asked for {length} bytes at {offset}, got {len(data)}")
        return data

    async def _refuse_outside(self, transport: Transport, offset: int, length: int) -> None:
        try:
            size = (await transport.stamp()).size
        except TransferError:  # the server does not say: then what it answered has to do
            return
        if offset + length > size:
            raise outside(offset, length, size, self.url)

    def _connect(self) -> _Connection:
        connection = self._connection
        if connection is None or connection.pid != os.getpid():
            filesystem, path = self._resolve()
            transport = transport_for(filesystem, path, self.url)
            loop = getattr(filesystem, "loop", None) or _loop()
            connection = _Connection(os.getpid(), transport, traffic_on(loop))
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
