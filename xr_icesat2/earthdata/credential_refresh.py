"""A value that goes stale, renewed once however many ask for it."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

__all__ = ["ExpiringValue", "RefreshedValue"]

T = TypeVar("T")

# The part of its life after which a value is no longer handed out: an answer must
# not meet the end of it.
_USED = 0.95


@dataclass(frozen=True, slots=True)
class ExpiringValue(Generic[T]):
    """A value, and the seconds that it is good for from now on."""

    value: T = field(repr=False)
    seconds: float
    since: float = field(default_factory=time.monotonic)


# An error is a result too: asyncio would complain of one that nobody waits for any more.
Outcome: TypeAlias = ExpiringValue[T] | BaseException


class RefreshedValue(Generic[T]):
    """Holder of such a value.

    Parameters
    ----------
    renew : callable
        Fetches a new value; blocks, within a time limit of its own, and runs
        in a thread of its own.
    """

    def __init__(self, renew: Callable[[], ExpiringValue[T]]) -> None:
        self._renew = renew
        self._lock = threading.Lock()
        self._future: Future[Outcome[T]] | None = None

    async def get(self) -> T:
        """Value that is good now; from any event loop.

        Raises
        ------
        Exception
            What ``renew`` met, to all who wait; who asks later has it tried again.
        """
        # Who gives up waiting takes it from nobody: a future that runs cannot be cancelled.
        return _value(await asyncio.wrap_future(self._current()))

    def wait(self, seconds: float) -> T:
        """As :meth:`get`, from a thread that may block, for so long at most."""
        return _value(self._current().result(seconds))

    def refuse(self, value: T) -> None:
        """Have it renewed, though its time is not over: a server says so.

        Nothing if it has been renewed meanwhile.
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
    """Run ``function`` in a thread that does not keep Python from ending."""
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
