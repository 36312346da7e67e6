"""The indexes that a process holds, up to a number and a size."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from xr_icesat2.bytesource import FileVersion
from xr_icesat2.hdf5.index import GranuleIndex
from xr_icesat2.limits import Limits

__all__ = ["IndexRegistry"]

MOST_INDEXES = 4096
MOST_BYTES = 1 << 32
"""Of all, by :attr:`.GranuleIndex.nbytes`; the one not used for longest goes first."""


Key: TypeAlias = "tuple[str, FileVersion, str | None, Limits]"
"""Url and version of a granule, the file of indexes that the version is from, if it is, and the
limits within which it is read."""


@dataclass(slots=True, eq=False)
class _Slot:
    """An index, made by the first who needs it while others do as they like with other indexes."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    index: GranuleIndex | None = None
    nbytes: int = 0


class IndexRegistry:
    """Indexes by what they are of, shared by every array that reads the same granule."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything, locks too: for a process that was forked."""
        self._kept: OrderedDict[Key, _Slot] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], GranuleIndex]) -> GranuleIndex:
        """Give an index, made if it is not held."""
        with self._lock:
            slot = self._kept.setdefault(key, _Slot())
            self._kept.move_to_end(key)
            surplus = self._surplus()
        _close(surplus)
        with slot.lock:
            if slot.index is None:
                slot.index = make()
            return slot.index

    def knows(self, url: str) -> bool:
        """Whether an index of some version of a granule is held."""
        with self._lock:
            return any(key[0] == url for key in self._kept)

    def weigh(self, key: Key, nbytes: int) -> None:
        """Note how large an index has become, and let go of others if that is too much."""
        with self._lock:
            slot = self._kept.get(key)
            if slot is not None:
                self._nbytes += nbytes - slot.nbytes
                slot.nbytes = nbytes
                self._kept.move_to_end(key)
            surplus = self._surplus()
        _close(surplus)

    def drop(self, key: Key) -> None:
        """Let go of an index."""
        with self._lock:
            slot = self._kept.pop(key, None)
            self._nbytes -= slot.nbytes if slot is not None else 0
        _close([] if slot is None else [slot])

    def _surplus(self) -> list[_Slot]:
        gone = []
        while len(self._kept) > 1 and (len(self._kept) > MOST_INDEXES or self._nbytes > MOST_BYTES):
            _, slot = self._kept.popitem(last=False)
            self._nbytes -= slot.nbytes
            gone.append(slot)
        return gone


def _close(slots: list[_Slot]) -> None:
    """Close indexes, outside of all locks; who still has one can go on with it."""
    for slot in slots:
        if slot.index is not None:
            slot.index.close()
