"""Indexes in the memory of this process, evicted by number and size."""

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

Key: TypeAlias = "tuple[str, FileVersion, str | None, Limits]"
"""URL and version of a granule, the path of the read-only store that the version is from, and the
limits of the index."""


@dataclass(slots=True, eq=False)
class _Slot:
    """An index with its own lock: making one does not block the others."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    index: GranuleIndex | None = None
    nbytes: int = 0


class IndexRegistry:
    """Indexes shared by all arrays of a granule; the least recently used are evicted.

    Parameters
    ----------
    max_count
        Indexes at most.
    max_bytes
        Bytes of all of them at most, by :attr:`.GranuleIndex.nbytes`.
    """

    def __init__(self, max_count: int = 4096, max_bytes: int = 1 << 32) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self.reset()

    def reset(self) -> None:
        """Forget all indexes and locks, as a forked process must."""
        self._kept: OrderedDict[Key, _Slot] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], GranuleIndex]) -> GranuleIndex:
        """Return an index; make it if there is none."""
        with self._lock:
            slot = self._kept.setdefault(key, _Slot())
            self._kept.move_to_end(key)
            evicted = self._evict()
        _close(evicted)
        with slot.lock:
            if slot.index is None:
                slot.index = make()
            return slot.index

    def has_url(self, url: str) -> bool:
        """Return whether there is an index of any version of a granule."""
        with self._lock:
            return any(key[0] == url for key in self._kept)

    def set_size(self, key: Key, nbytes: int) -> None:
        """Set the size of an index, and evict others if all exceed the maximum."""
        with self._lock:
            slot = self._kept.get(key)
            if slot is not None:
                self._nbytes += nbytes - slot.nbytes
                slot.nbytes = nbytes
                self._kept.move_to_end(key)
            evicted = self._evict()
        _close(evicted)

    def remove(self, key: Key) -> None:
        """Remove and close an index."""
        with self._lock:
            slot = self._kept.pop(key, None)
            self._nbytes -= slot.nbytes if slot is not None else 0
        _close([] if slot is None else [slot])

    def _evict(self) -> list[_Slot]:
        evicted = []
        while len(self._kept) > 1 and (
            len(self._kept) > self._max_count or self._nbytes > self._max_bytes
        ):
            _, slot = self._kept.popitem(last=False)
            self._nbytes -= slot.nbytes
            evicted.append(slot)
        return evicted


def _close(slots: list[_Slot]) -> None:
    """Close indexes outside of all locks; an index that is still in use goes on working."""
    for slot in slots:
        if slot.index is not None:
            slot.index.close()
