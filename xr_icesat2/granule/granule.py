"""A granule: its byte source, its version and its index. This is what is pickled."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from xr_icesat2.bytesource import FileVersion
from xr_icesat2.errors import ChangedGranuleError
from xr_icesat2.fork_safety import after_fork
from xr_icesat2.hdf5.index import GranuleIndex
from xr_icesat2.hdf5.model import IndexContents
from xr_icesat2.index_cache.store import IndexStore
from xr_icesat2.limits import DEFAULT_LIMITS, Limits
from xr_icesat2.printable import get_logger

from .index_registry import IndexRegistry, Key
from .version_checked_source import CheckedSource

if TYPE_CHECKING:
    from xr_icesat2.bytesource import ByteSource, OnBytes, Range

__all__ = ["Granule", "has_index"]

log = get_logger(__name__)

_INDEXES = IndexRegistry()
# Threads of the parent may hold its lock, and those of the indexes, at the moment of a fork.
after_fork(_INDEXES, IndexRegistry.reset)


def has_index(url: str) -> bool:
    """Return whether this process has an index of any version of a granule."""
    return _INDEXES.has_url(url)


@cache
def _warn_not_saved(directory: str, reason: str) -> None:
    """Log once in a process that indexes cannot be written to a directory."""
    log.warning("cannot save an index in %s: %s", directory, reason)


@dataclass(frozen=True, slots=True)
class Granule:
    """A reference to one version of one granule.

    It pickles to little more than the url. The index is found where it is needed: in this process,
    in ``store``, or in the file.
    """

    source: ByteSource
    file_version: FileVersion
    """Size and tag when it was opened; other versions are never read."""
    store: IndexStore | None = None
    """Where the index is saved between processes."""
    limits: Limits = DEFAULT_LIMITS
    """How much time and memory a file may use."""

    @property
    def url(self) -> str:
        """URL without secrets, for messages."""
        return self.source.url

    @property
    def index(self) -> GranuleIndex:
        """Structure of the file, as far as this process has read it."""
        return _INDEXES.get(self._key, self._new_index)

    @property
    def _key(self) -> Key:
        # A read-only store gives the version: such an index checks it before it reads.
        store = self.store.path if self.store is not None and self.store.read_only else None
        return self.url, self.file_version, store, self.limits

    def _new_index(self) -> GranuleIndex:
        source, size, known = self.source, self.file_version.size, None
        if self.store is not None and self.file_version.tag:
            if self.store.read_only:
                # The version is the store's: the file may have another one by now.
                source = CheckedSource(source, self.check_unchanged)
            known = self.store.load(self.url, self.file_version)
        return GranuleIndex(source, size, known or IndexContents(), self.limits)

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        """Read byte ranges and pass on each when it arrives; see :class:`.ByteSource`."""

        def rest(numbers: Sequence[int]) -> None:
            spans = [ranges[number] for number in numbers]
            self.source.read_each(spans, lambda n, data: on_bytes(numbers[n], data), pool)

        self.index.read_each_cached(ranges, on_bytes, pool, rest)

    def check_unchanged(self) -> None:
        """Raise :class:`ChangedGranuleError` if the file has another version now."""
        now = self.source.file_version()
        if now != self.file_version:
            raise ChangedGranuleError(self._changed(now))

    def _changed(self, now: FileVersion) -> str:
        was = self.file_version
        versions = f"{was.size} bytes and tag {was.tag!r}, now {now.size} and {now.tag!r}"
        if self.store is not None and self.store.read_only:
            return (
                f"{self.url} has changed since its index was saved in {self.store.path}: it had "
                f"{versions}. Open it without index_cache, or save the index again with "
                "xr_icesat2.save_indexes."
            )
        return f"{self.url} was replaced after it was opened: it had {versions}. Open it again."

    def save_index(self) -> None:
        """Save the index in the store, if it has grown, and free the bytes it was parsed from."""
        index = self.index
        index.release()
        _INDEXES.set_size(self._key, index.nbytes)
        # Without a tag, another version of the same size cannot be recognised.
        if self.store is not None and self.file_version.tag and index.grown:
            index.grown = False
            try:
                self.store.save(self.url, self.file_version, index.contents)
            except (OSError, TypeError, ValueError) as error:  # values are right without it
                _warn_not_saved(self.store.path, getattr(error, "strerror", None) or str(error))

    def close(self) -> None:
        """Close the file and drop the index; a later read opens them again."""
        _INDEXES.remove(self._key)
        self.source.close()
