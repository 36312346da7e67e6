"""Requests for byte ranges of one file: each retried, checked and within a time limit."""

from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeVar

from xr_icesat2.errors import TransferError

from . import request_limits as limits
from .error_translation import ShortResponseError, http_status
from .protocol import (
    BytesLike,
    FileVersion,
    FirstRead,
    OnBytes,
    Range,
    Transport,
    range_error,
)
from .request_limits import request_limit
from .request_scheduler import RequestScheduler, gather, in_order

__all__ = ["RangeRequests"]

T = TypeVar("T")


class RangeRequests:
    """The requests for one file over one transport.

    Parameters
    ----------
    transport : Transport
        Makes one request, without retries.
    scheduler : RequestScheduler
        Of the event loop on which the methods here are awaited.
    name : str
        What to call the granule in messages.
    """

    def __init__(self, transport: Transport, scheduler: RequestScheduler, name: str) -> None:
        self._transport = transport
        self._scheduler = scheduler
        self._name = name

    def limit(self, ranges: Sequence[Range]) -> float:
        """Return the seconds that a request of a burst may take: all share one link."""
        total = sum(length for _, length in ranges)
        longest = max((length for _, length in ranges), default=0)
        in_transit = max(longest, min(total, limits.MAX_BUFFERED_BYTES))
        return request_limit(in_transit, whole_file=self._transport.whole_file)

    async def file_version(self) -> FileVersion:
        """Return the current version of the file."""
        return await self._scheduler.request(
            self._transport.file_version, request_limit(0), self._name
        )

    async def first_read(self, first: int, last: int) -> FirstRead:
        """Return the version of the file, with some bytes if they cost no round trip."""

        async def attempt() -> FirstRead:
            return await self._transport.first_read(first, last)

        limit = self.limit([(0, first), (0, last)])
        return await self._scheduler.request(attempt, limit, self._name)

    async def read(self, ranges: Sequence[Range]) -> list[BytesLike]:
        """Return the bytes of each range, exactly as many as requested."""
        limit = self.limit(ranges)
        return await self._all(self._one(*each, limit) for each in ranges)

    async def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Pass on each range as it arrives, within the byte budget."""
        limit = self.limit(ranges)

        async def pass_on(number: int, offset: int, length: int) -> None:
            async with self._scheduler.budget.reserve(length):
                data = await self._one(offset, length, limit)
                await self._scheduler.run_in_pool(pool, partial(on_bytes, number, data))

        await self._all(pass_on(number, *each) for number, each in enumerate(ranges))

    async def _all(self, work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """Run all requests, concurrently if that is safe."""
        return await (gather if self._transport.parallel else in_order)(work)

    async def _one(self, offset: int, length: int, limit: float) -> BytesLike:
        if not length:
            return b""

        async def attempt() -> BytesLike:
            return await self._attempt(offset, length)

        return await self._scheduler.request(attempt, limit, self._name)

    async def _attempt(self, offset: int, length: int) -> BytesLike:
        """Request a range once, and distinguish "outside the file" from "incomplete"."""
        try:
            data = await self._transport.fetch(offset, length)
        except Exception as error:
            if http_status(error) != 416:
                raise
            await self._refuse_outside(offset, length)
            raise TransferError(
                f"The server of {self._name} refuses {length} bytes at {offset} (HTTP 416), which "
                "are within the file. Download it, or put simplecache:: before the URL."
            ) from error
        if len(data) > length:
            raise TransferError(
                f"Requested {length} bytes at {offset} of {self._name}, but received {len(data)}: "
                "the server ignores byte ranges. Download the file, or put simplecache:: before "
                "the URL."
            )
        if len(data) < length:
            await self._refuse_outside(offset, length)
            raise ShortResponseError(
                f"requested {length} bytes at {offset}, but received {len(data)}"
            )
        return data

    async def _refuse_outside(self, offset: int, length: int) -> None:
        try:
            size = (await self._transport.file_version()).size
        except TransferError:  # without the size, the caller's own error is raised
            return
        if offset + length > size:
            raise range_error(offset, length, size, self._name)
