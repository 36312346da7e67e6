"""Metadata is read by pages, which are kept while a granule is being opened."""

from __future__ import annotations

from collections.abc import Container, Iterable

from xr_icesat2.bytesource import ByteSource

from .fetch import Ranges

__all__ = ["PAGE_SIZE", "Pages"]

PAGE_SIZE = 16 * 1024
"""Bytes a page. Headers of one group lie within a few kB of each other."""

MERGE_PAGES = 4
"""Pages this near to each other are read in one request, with what lies between."""


class Pages:
    """The bytes of a file, by pages, each read once.

    Parameters
    ----------
    source
        Where the bytes come from.
    size
        Size of the file in bytes; ranges lie within it (:func:`.fetch.within`).
    """

    def __init__(self, source: ByteSource, size: int) -> None:
        self._source = source
        self._size = size
        self._pages: dict[int, bytes] = {}

    def read(self, ranges: Ranges) -> list[bytes]:
        """Give the bytes of each range, fetching what is missing in one burst."""
        wanted = {page for span in ranges for page in _pages_of(*span)}
        self._fetch(wanted - self._pages.keys())
        return [self._cut(*span) for span in ranges]

    def release(self) -> None:
        """Forget all pages."""
        self._pages.clear()

    def _fetch(self, missing: set[int]) -> None:
        runs = _merge(sorted(missing), self._pages)
        spans = [
            (first * PAGE_SIZE, min((last + 1) * PAGE_SIZE, self._size) - first * PAGE_SIZE)
            for first, last in runs
        ]
        if not spans:
            return
        for (first, last), data in zip(runs, self._source.read(spans), strict=True):
            for page in range(first, last + 1):
                start = (page - first) * PAGE_SIZE
                self._pages[page] = data[start : start + PAGE_SIZE]

    def _cut(self, offset: int, length: int) -> bytes:
        pages = _pages_of(offset, length)
        if len(pages) == 1:
            start = offset - pages[0] * PAGE_SIZE
            return self._pages[pages[0]][start : start + length]
        joined = b"".join(self._pages[page] for page in pages)
        start = offset - pages[0] * PAGE_SIZE if pages else 0
        return joined[start : start + length]


def _pages_of(offset: int, length: int) -> range:
    if length == 0:
        return range(0)
    return range(offset // PAGE_SIZE, (offset + length - 1) // PAGE_SIZE + 1)


def _merge(pages: Iterable[int], known: Container[int]) -> list[tuple[int, int]]:
    """Give (first, last) of runs of pages; a gap is bridged unless some of it is known."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        near = runs and page - runs[-1][1] <= MERGE_PAGES
        if near and not any(between in known for between in range(runs[-1][1] + 1, page)):
            runs[-1] = (runs[-1][0], page)
        else:
            runs.append((page, page))
    return runs
