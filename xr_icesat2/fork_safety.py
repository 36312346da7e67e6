"""Reset locks, threads and connections in forked processes.

Only the thread that forks continues in the child. A lock of another thread
stays locked there, thread pools and event loops never answer, and a connection
belongs to two processes. Only this module distinguishes a child from its parent.

Use :class:`PerProcess` for a value that each process makes for itself, and
:func:`after_fork` for an object that must reset itself in a child.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

__all__ = ["PerProcess", "after_fork", "keep_in_children", "was_loaded_before_fork"]

T = TypeVar("T")

_renewals: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()
_connected: WeakValueDictionary[int, Any] = WeakValueDictionary()
_forking: list[Any] = []
_inherited: list[Any] = []
_loaded: set[str] = set()


class PerProcess(Generic[T]):
    """A value that each process makes for itself when it first calls this.

    Parameters
    ----------
    make : callable
        Makes the value; called once a process, under a lock.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[()] | tuple[T] = ()
        after_fork(self, PerProcess.reset)

    def __call__(self) -> T:
        """Return the value of this process."""
        with self._lock:
            if not self._made:
                self._made = (self._make(),)
            return self._made[0]

    def reset(self) -> None:
        """Forget the value: the next call makes another."""
        self._lock = threading.Lock()
        self._made = ()


def after_fork(owner: T, renew: Callable[[T], object]) -> None:
    """Call ``renew(owner)`` in every forked child, before its own code runs.

    Parameters
    ----------
    owner
        What is renewed; it is not kept alive for that.
    renew : callable
        Makes locks anew, and forgets what is the parent's.
    """
    _renewals[owner] = renew


def keep_in_children(connected: Any) -> None:
    """Keep an object with connections alive in forked children.

    There its finalizer would remove connections from the event loop's epoll
    set, which parent and child share: the parent would wait in vain for answers.
    """
    _connected[id(connected)] = connected


def was_loaded_before_fork(module: str) -> bool:
    """Return whether this process was forked from one that had imported ``module``."""
    return module in _loaded


def _before() -> None:
    # References first, in one step: other threads go on and may add some.
    _forking.extend(reference() for reference in _connected.valuerefs())


def _after_in_parent() -> None:
    _forking.clear()


def _after_in_child() -> None:
    _inherited.extend(_forking)
    _forking.clear()
    _loaded.update(sys.modules)
    for owner, renew in list(_renewals.items()):
        renew(owner)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
