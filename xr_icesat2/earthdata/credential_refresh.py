"""A value that expires, renewed once for all who wait for it."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

__all__ = ["ExpiringValue", "RefreshedValue"]

T = TypeVar("T")

# Share of its lifetime after which a value is renewed, so that it does not expire during a request.
_USED = 0.95


@dataclass(frozen=True, slots=True)
class ExpiringValue(Generic[T]):
    """A value, and the seconds until it expires."""

    value: T = field(repr=False)
    seconds: float
    since: float = field(default_factory=time.monotonic)


# Errors are results: asyncio warns of an exception that nobody retrieves.
Outcome: TypeAlias = ExpiringValue[T] | BaseException


class RefreshedValue(Generic[T]):
    """An expiring value, fetched when it is first needed.

    Parameters
    ----------
    renew : callable
        Fetches a new value. It blocks, within its own time limit, and runs in its own thread.
    """

    def __init__(self, renew: Callable[[], ExpiringValue[T]]) -> None:
        self._renew = renew
        self._lock = threading.Lock()
        self._future: Future[Outcome[T]] | None = None

    async def get(self) -> T:
        """Return the current value, from any event loop.

        Raises
        ------
        Exception
            What ``renew`` raised, to all who wait. The next call tries again.
        """
        # A cancelled wait does not cancel the others: a running future cannot be cancelled.
        return _value(await asyncio.wrap_future(self._current()))

    def wait(self, seconds: float) -> T:
        """Return the current value like :meth:`get`, blocking for at most ``seconds``."""
        return _value(self._current().result(seconds))

    def refuse(self, value: T) -> None:
        """Discard a value that a server refuses before it expires.

        Does nothing if it has been renewed meanwhile.
        """
        with self._lock:
            future = self._future
            outcome = future.result() if future is not None and future.done() else None
            if isinstance(outcome, ExpiringValue) and outcome.value is value:
                self._future = None

    def _current(self) -> Future[Outcome[T]]:
        with self._lock:
            if self._future is None or _is_expired(self._future):
                self._future = _run_in_thread(self._renew)
            return self._future


def _value(outcome: Outcome[T]) -> T:
    if isinstance(outcome, ExpiringValue):
        return outcome.value
    raise outcome


def _is_expired(future: Future[Outcome[T]]) -> bool:
    if not future.done():
        return False
    outcome = future.result()
    if isinstance(outcome, ExpiringValue):
        return time.monotonic() >= outcome.since + _USED * outcome.seconds
    return True


def _run_in_thread(function: Callable[[], ExpiringValue[T]]) -> Future[Outcome[T]]:
    """Run ``function`` in a daemon thread, which does not keep Python from exiting."""
    future: Future[Outcome[T]] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        outcome: Outcome[T]
        try:
            outcome = function()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            outcome = error
        future.set_result(outcome)

    threading.Thread(target=work, name="xr_icesat2 login", daemon=True).start()
    return future
