"""How often Python looks for cyclic garbage while much is made that is none.

It looks whenever some hundred objects more were made than freed, and the more of
them are still in use, the more often it goes through all that the process holds.
To parse many granules side by side makes a hundred thousand, in use for a moment.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .fork_safety import after_fork

__all__ = ["seldom_collecting"]

SELDOM = 50_000
"""Objects after which it looks meanwhile: some megabytes."""


class _Threshold:
    """The threshold of this process, raised while anybody wants it so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._usual = gc.get_threshold()

    def raise_it(self) -> None:
        with self._lock:
            if not self._wanted:
                self._usual = gc.get_threshold()
                if 0 < self._usual[0] < SELDOM:
                    gc.set_threshold(SELDOM, *self._usual[1:])
            self._wanted += 1

    def lower_it(self) -> None:
        with self._lock:
            self._wanted -= 1
            # Whoever changed it meanwhile has the last word.
            if not self._wanted and gc.get_threshold() == (SELDOM, *self._usual[1:]):
                gc.set_threshold(*self._usual)

    def begin_anew(self) -> None:
        """Go back to the usual, in a process that was forked: nobody will lower it there."""
        if self._wanted and gc.get_threshold() == (SELDOM, *self._usual[1:]):
            gc.set_threshold(*self._usual)
        self._lock = threading.Lock()
        self._wanted = 0


_THRESHOLD = _Threshold()
after_fork(_THRESHOLD, _Threshold.begin_anew)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Have Python look for garbage seldom; one who turned that off, or down, is let be."""
    _THRESHOLD.raise_it()
    try:
        yield
    finally:
        _THRESHOLD.lower_it()
