"""Log which host has not answered for a while."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

from xr_icesat2.environment import environment_number
from xr_icesat2.printable import get_logger

__all__ = ["SlowRequestWatch", "heard", "note_peer"]

_log = get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Waiting:
    """A request in progress."""

    name: str
    limit: float
    peer: str
    began: float
    heard: dict[str, float]
    """When each host last sent anything, for all requests on the event loop."""


def patience() -> float:
    """Return the seconds of silence before a warning: ``XR_ICESAT2_WARN_AFTER``, else 5.

    Another one follows each time the silence has lasted twice as long.
    """
    return environment_number("XR_ICESAT2_WARN_AFTER", 5.0, "seconds")


_current: ContextVar[_Waiting | None] = ContextVar("waiting", default=None)


def note_peer(peer: str) -> None:
    """Record the host (or the host of a URL) for which the request of this task waits."""
    waiting = _current.get()
    if waiting is not None:
        waiting.peer = urlsplit(peer).netloc.rpartition("@")[2] or peer


def heard() -> None:
    """Record that a part of the answer to the request of this task has arrived."""
    waiting = _current.get()
    if waiting is not None:
        waiting.heard[waiting.peer] = time.monotonic()


class SlowRequestWatch:
    """Watches the requests in flight on one event loop; all that wait cause one warning."""

    def __init__(self) -> None:
        self._under_way: set[_Waiting] = set()
        self._heard: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def over(self, name: str, limit: float) -> Iterator[None]:
        """Watch over one request, which is made within this context.

        Parameters
        ----------
        name : str
            What is read, without secrets.
        limit : float
            Seconds after which the request gives up.
        """
        waiting = _Waiting(name, limit, name, time.monotonic(), self._heard)
        self._under_way.add(waiting)
        token = _current.set(waiting)
        if self._timer is None:
            self._wind()
        try:
            yield
        finally:
            _current.reset(token)
            self._under_way.discard(waiting)
            self._heard[waiting.peer] = time.monotonic()

    def _wind(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(patience() / 5, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._under_way:
            self._heard.clear()
            self._next.clear()
            return
        latest_first = sorted(self._under_way, key=lambda waiting: -waiting.began)
        for waiting in {waiting.peer: waiting for waiting in latest_first}.values():
            # While a host answers some requests, it will answer the others.
            since = max(waiting.began, self._heard.get(waiting.peer, 0.0))
            self._say(waiting, time.monotonic() - since)
        self._wind()

    def _say(self, waiting: _Waiting, seconds: float) -> None:
        peer = waiting.peer
        if seconds < patience():
            self._next.pop(peer, None)
        elif seconds >= self._next.get(peer, patience()):
            self._next[peer] = 2 * seconds
            _log.warning(
                "waiting for %s for %.0f s, to read %s. The request is given up after %.0f s",
                *(peer, seconds, waiting.name, waiting.limit),
            )
