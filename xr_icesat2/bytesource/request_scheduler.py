"""Schedule requests on the event loop of fsspec, with bounds on requests and on bytes.

An fsspec filesystem belongs to one event loop, which runs in a thread of its
own. Any number of threads send requests to it. Each loop has one scheduler,
which bounds the requests in flight and their bytes in memory. No caller waits
for a loop that has died.
"""

import asyncio
import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from xr_icesat2.errors import TransferError, TransferTimeoutError

from . import request_limits as limits
from .retry import retry
from .slow_requests import SlowRequestWatch

__all__ = [
    "ByteBudget",
    "RequestScheduler",
    "gather",
    "in_daemon_thread",
    "in_order",
    "scheduler_of",
]

T = TypeVar("T")
Attempt = Callable[[], Awaitable[T]]


class ByteBudget:
    """A bound on bytes in memory, on one event loop; first come, first served.

    Parameters
    ----------
    max_bytes : int
        Bytes at most. A larger range is admitted alone.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._reserved = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, length: int) -> AsyncIterator[None]:
        """Reserve ``length`` bytes while the context is open."""
        await self._enter(length)
        try:
            yield
        finally:
            self._reserved -= length
            self._admit()

    async def _enter(self, length: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((length, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._reserved -= length
            self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting:
            length, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
                continue
            if self._reserved and self._reserved + length > self._max_bytes:
                return
            self._waiting.popleft()
            self._reserved += length
            turn.set_result(None)


class RequestScheduler:
    """The requests of this library on one event loop.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        Running in another thread than those that call :meth:`run`.

    Attributes
    ----------
    budget : ByteBudget
        Of answers in transit or not processed yet.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots = asyncio.Semaphore(limits.MAX_CONCURRENT_REQUESTS)
        self._watch = SlowRequestWatch()
        self.budget = ByteBudget(limits.MAX_BUFFERED_BYTES)
        # Every request with a slot has ended by then, if the loop runs.
        self._deadline = 0.0

    async def request(self, attempt: Attempt[T], limit: float, name: str) -> T:
        """Make one request, with its retries, as soon as a slot is free.

        Parameters
        ----------
        attempt : callable
            Starts one attempt.
        limit : float
            Seconds from getting the slot to giving up.
        name : str
            What to call the granule in messages.
        """
        async with self._slots:
            self._deadline = max(self._deadline, time.monotonic() + limit)
            with self._watch.over(name, limit):
                return await retry(attempt, limit, name)

    async def run_in_pool(self, pool: Executor, function: Callable[[], T]) -> T:
        """Await a call in a thread of a pool; if cancelled, still await its end."""
        future = pool.submit(function)
        done = asyncio.wrap_future(future)
        try:
            while not done.done():
                # A busy pool is not a dead loop, and requests that wait for the budget start later.
                self._deadline = max(self._deadline, time.monotonic() + limits.timeout())
                await asyncio.wait([done], timeout=limits.timeout() / 2)
            self._deadline = max(self._deadline, time.monotonic() + limits.timeout())
            return done.result()
        except asyncio.CancelledError:
            if not future.cancel():
                await asyncio.gather(done, return_exceptions=True)
            raise

    def run(self, work: Coroutine[Any, Any, T], limit: float, name: str) -> T:
        """Run ``work`` on the loop and wait for it, from any other thread.

        Parameters
        ----------
        work : coroutine
            Made of :meth:`request`; each of them ends within its limit, so it
            ends too.
        limit : float
            Seconds of its longest request.
        name : str
            What to call the granule in messages.

        Raises
        ------
        TransferTimeoutError
            The loop does not run, or something blocks it.
        """
        refusal = self._refusal(name)
        if refusal is not None:
            work.close()
            raise refusal
        self._deadline = max(self._deadline, time.monotonic() + limit)
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            while not future.done():
                patience = self._deadline + limits.GRACE - time.monotonic()
                if patience <= 0:
                    raise TransferTimeoutError(
                        f"No answer for {name}: the event loop of fsspec does not run, or other "
                        "code blocks it."
                    )
                concurrent.futures.wait([future], timeout=patience)
            return future.result()
        finally:
            future.cancel()  # no effect if done; otherwise the caller gave up or was interrupted

    def _refusal(self, name: str) -> TransferError | None:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            return TransferError(
                f"Cannot read {name} in the event loop that sends its requests. Read it in "
                "another thread, for example with asyncio.to_thread."
            )
        if self._loop.is_closed():
            return TransferError(f"Cannot read {name}: the event loop of its filesystem is closed")
        return None


async def gather(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of all, in order; if one fails, cancel the others."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_order(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of all, each begun after the one before it has ended."""
    return [await one for one in work]


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """Await a blocking call in a thread that does not keep Python from exiting.

    (``asyncio.to_thread`` uses threads that the interpreter waits for at exit.)
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(setter: Callable[[Any], None], outcome: Any) -> None:
        if not future.done():
            setter(outcome)

    def work() -> None:
        try:
            setter, outcome = future.set_result, function()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            setter, outcome = future.set_exception, error  # type: ignore[assignment]
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, setter, outcome)

    threading.Thread(target=work, name="xr_icesat2", daemon=True).start()
    return await future


_schedulers: dict[asyncio.AbstractEventLoop, RequestScheduler] = {}


def scheduler_of(loop: asyncio.AbstractEventLoop) -> RequestScheduler:
    """Return the one :class:`RequestScheduler` of an event loop."""
    # setdefault is atomic: two threads get the same one.
    return _schedulers.setdefault(loop, RequestScheduler(loop))
