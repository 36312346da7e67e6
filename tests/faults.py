"""Requests that a loopback server received, and faults that were ordered."""

import threading
from dataclasses import dataclass, field

FAULTS = {
    "short",  # an honest answer with fewer bytes than asked
    "truncate",  # says how long the body is, then closes in the middle
    "ignore-range",  # the whole file, status 200
    "wrong-range",  # the bytes of another place, and says so
    "too-long",  # says 206 and the range asked, sends more
    "hang",  # no answer at all
    "slow",  # answers after SLOW seconds
    "no-length",  # does not say how long the body is
    "no-size",  # does not say how long the file is
    "no-tag",  # nothing that tells one version from another
    "html",  # a login page, status 200
    "loop",  # redirects for ever
    "expire",  # all S3 keys given so far are dead from this request on
    "reset",  # closes the connection without a word
}
SLOW = 0.2


@dataclass(frozen=True)
class Request:
    """One request as the server saw it; ``range`` is the header, "" without one."""

    method: str
    path: str
    range: str


@dataclass
class _Fault:
    what: str | int
    left: int | None


@dataclass
class Script:
    """The requests of a server, and the faults that were ordered."""

    log: list[Request] = field(default_factory=list)
    heads: list[tuple[str, dict[bytes, bytes]]] = field(default_factory=list)  # path as it came, S3
    sent: int = 0  # bytes of bodies that clients took, about
    released: threading.Event = field(default_factory=threading.Event)
    _faults: dict[str, list[_Fault]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, name, what, times=None):
        """Let the next ``times`` requests (None: all) for ``name`` have a fault.

        ``what`` is an HTTP status, one of ``FAULTS``, or None for none; several faults for a
        name take turns in the order given.
        """
        assert what is None or isinstance(what, int) or what in FAULTS, what
        with self._lock:
            self._faults.setdefault(name, []).append(_Fault(what, times))

    def heal(self):
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def note(self, method, path, asked):
        """Log a request and say which fault it meets: a status, a name, or None."""
        with self._lock:
            self.log.append(Request(method, path, asked or ""))
            faults = self._faults.get(path.rpartition("/")[2], [])
            while faults and faults[0].left == 0:
                faults.pop(0)
            if not faults:
                return None
            if faults[0].left is not None:
                faults[0].left -= 1
            return faults[0].what

    def reads(self, name=""):
        """Ranges of the GET requests whose path ends with ``name``."""
        return [
            request.range
            for request in self.log
            if request.method == "GET" and request.path.endswith(name)
        ]

    def clear(self):
        self.heal()
        self.log.clear()
        self.heads.clear()
