"""Run Python's cyclic garbage collector less often while granules are opened.

The collector runs after some hundred new objects, and its cost grows with the number of live
objects. Parsing many granules creates hundreds of thousands that live for a moment.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .fork_safety import after_fork

__all__ = ["RELAXED_THRESHOLD", "relaxed_gc"]

RELAXED_THRESHOLD = 50_000
"""New objects between two collections of the youngest generation; some megabytes."""


class _Threshold:
    """The threshold of this process, raised while at least one thread needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._original = gc.get_threshold()

    def raise_it(self) -> None:
        with self._lock:
            if not self._users:
                self._original = gc.get_threshold()
                if 0 < self._original[0] < RELAXED_THRESHOLD:
                    gc.set_threshold(RELAXED_THRESHOLD, *self._original[1:])
            self._users += 1

    def restore(self) -> None:
        with self._lock:
            self._users -= 1
            # A threshold that was set meanwhile is not ours to change.
            if not self._users and gc.get_threshold() == (RELAXED_THRESHOLD, *self._original[1:]):
                gc.set_threshold(*self._original)

    def reset_in_child(self) -> None:
        """Restore the threshold in a forked process, where the threads that used it are gone."""
        if self._users and gc.get_threshold() == (RELAXED_THRESHOLD, *self._original[1:]):
            gc.set_threshold(*self._original)
        self._lock = threading.Lock()
        self._users = 0


_THRESHOLD = _Threshold()
after_fork(_THRESHOLD, _Threshold.reset_in_child)


@contextmanager
def relaxed_gc() -> Iterator[None]:
    """Raise the collector's threshold, unless it is disabled or higher already."""
    _THRESHOLD.raise_it()
    try:
        yield
    finally:
        _THRESHOLD.restore()
