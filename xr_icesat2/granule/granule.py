"""One granule: where it lies, which version of it, and its index. This is what travels."""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xr_icesat2.bytesource import Stamp
from xr_icesat2.errors import ChangedGranuleError

from . import store
from .index import GranuleIndex
from .model import Contents

if TYPE_CHECKING:
    from xr_icesat2.bytesource import ByteSource, Range, Take

__all__ = ["Granule"]

log = logging.getLogger(__name__)

MOST_INDEXES = 4096
"""Indexes that a process keeps; the one not used for longest goes first."""


class _Indexes:
    """The indexes of this process, shared by every array that reads the same granule."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Stamp], GranuleIndex] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, granule: Granule) -> GranuleIndex:
        key = (granule.url, granule.stamp)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _new_index(granule)
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_INDEXES:
                self._kept.popitem(last=False)
            return self._kept[key]

    def begin_anew(self) -> None:
        self._kept = OrderedDict()
        self._lock = threading.Lock()

    def drop(self, granule: Granule) -> None:
        with self._lock:
            index = self._kept.pop((granule.url, granule.stamp), None)
        if index is not None:
            index.close()


def _new_index(granule: Granule) -> GranuleIndex:
    known = None
    if granule.cache is not None and granule.stamp.tag:
        known = store.load(granule.cache, granule.url, granule.stamp)
    return GranuleIndex(granule.source, granule.stamp.size, known or Contents())


_INDEXES = _Indexes()
if hasattr(os, "register_at_fork"):
    # Threads of the parent may hold this lock, and those of the indexes, at the moment of the fork.
    os.register_at_fork(after_in_child=_INDEXES.begin_anew)


@dataclass(frozen=True, slots=True)
class Granule:
    """A reference to one version of one granule.

    It pickles to little more than the url: the index is looked up where it is
    needed, in this process, in ``cache``, or in the granule itself.
    """

    source: ByteSource
    stamp: Stamp
    """Size and tag when it was opened; another version is never read."""
    cache: str | None = None
    """Directory in which indexes are kept, or None."""

    @property
    def url(self) -> str:
        """What to call it; holds no secrets."""
        return self.source.url

    @property
    def index(self) -> GranuleIndex:
        """Its structure, as far as this process knows it."""
        return _INDEXES.get(self)

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
        """Read byte ranges, and hand each on as it comes; see :class:`.ByteSource`."""
        if not self.index.take_each(ranges, take, pool):
            self.source.read_each(ranges, take, pool)

    def check_unchanged(self) -> None:
        """Raise :class:`ChangedGranuleError` if another version lies there now."""
        now = self.source.stamp()
        if now != self.stamp:
            msg = (
                f"{self.url} was replaced after it was opened: it had {self.stamp.size} bytes and "
                f"tag {self.stamp.tag!r}, now {now.size} and {now.tag!r}. Open it again."
            )
            raise ChangedGranuleError(msg)

    def keep(self) -> None:
        """Save what is known of the index, if there is a directory for it, and free the rest."""
        index = self.index
        index.release()
        # Without a tag nothing tells that a granule was replaced by one of the same size.
        if self.cache is not None and self.stamp.tag and index.grown:
            index.grown = False
            try:
                store.save(self.cache, self.url, self.stamp, index.contents)
            except OSError as error:  # values are right without it
                log.warning("cannot keep an index in %s: %s", self.cache, error)

    def close(self) -> None:
        """Let go of open files and of the index; a later read opens them again."""
        _INDEXES.drop(self)
        self.source.close()
