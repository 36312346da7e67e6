"""Metadata is read by pages, which are kept while a granule is being opened.

How large a page is, and whether a small granule is rather read whole, follows
from what a request costs. A page costs a round trip more than it must if it
is too small, and bytes that nobody needs if it is too large; so it is as large
as what comes in the time of a round trip, within limits. To open a granule and
read something of it takes some :data:`ROUND_TRIPS`, each waiting for the one
before: a granule that comes whole in less time is read whole, and kept for the
reads that follow.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial

from xr_icesat2.bytesource import ByteSource, Range, Take
from xr_icesat2.bytesource.threads import all_done

from .fetch import Ranges

__all__ = ["LEAST_PAGE", "Pages"]

LEAST_PAGE, MOST_PAGE = 16 << 10, 256 << 10
"""Bytes a page. Headers of one group lie within a few kB of each other."""
MERGE_BYTES = 64 << 10
"""Pages this near to each other are read in one request, with what lies between."""
ROUND_TRIPS = 3
FRONT_ROUND_TRIPS = 3
"""Which a file with all its structure at its front saves, if that is read at once."""
FIRST_PAGES = 4
"""Read at once at first: the headers of the outer groups lie there, and it shows how fast the
link is."""
MOST_RUN = 2 << 20
"""Bytes a request."""
MOST_WHOLE = 48 << 20
"""Bytes of granules read whole that one process keeps. While there is no room, none is read so:
of a list of a thousand small granules, most of which is not needed, a few come whole."""
MOST_PARTS = 16 << 20
"""Bytes kept while parts of granules are among them."""
FRESH = 30.0
"""Seconds after which what is kept of a granule makes room for another."""


class _Kept:
    """The granules of this process of which bytes are kept."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        self._pages: dict[Pages, tuple[int, float]] = {}
        self._total = 0
        self._lock = threading.RLock()  # who is dropped, drops itself

    def admit(self, pages: Pages, size: int, most: int) -> bool:
        """Whether there is room for so many bytes of a granule, which then is taken."""
        now = time.monotonic()
        with self._lock:
            self.drop(pages)
            for old, (_, since) in list(self._pages.items()):
                if self._total + size <= most or now - since <= FRESH:
                    break  # the first came first
                old.forget()
            if self._total + size > most:
                return False
            self._pages[pages] = size, now
            self._total += size
            return True

    def drop(self, pages: Pages) -> None:
        with self._lock:
            self._total -= self._pages.pop(pages, (0, 0.0))[0]


_KEPT = _Kept()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_KEPT.begin_anew)


class Pages:
    """The bytes of a file, by pages, each read once.

    Parameters
    ----------
    source
        Where the bytes come from.
    size
        Size of the file in bytes; ranges lie within it (:func:`.fetch.within`).
    most_page
        Bytes that a page has at most.
    """

    def __init__(self, source: ByteSource, size: int, most_page: int = MOST_PAGE) -> None:
        self._source = source
        self._size = size
        self._most_page = most_page
        self._pages: dict[int, bytes] = {}
        self._page_size = 0
        self._begun = False
        self._whole = False
        self._sparing = False

    @property
    def far(self) -> bool:
        """Whether a round trip costs more than the bytes of a page."""
        return self._settle() > LEAST_PAGE

    def prime(self, pieces: Mapping[int, bytes]) -> None:
        """Take parts of the file, by offset, that came along when its version was asked."""
        if not pieces or self._begun:
            return
        size = self._settle()
        for offset, piece in pieces.items():
            for page in range(-(-offset // size), (offset + len(piece) - 1) // size + 1):
                data = piece[page * size - offset :][:size]
                if len(data) == min(size, self._size - page * size):
                    self._pages[page] = data

    def spare(self) -> None:
        """From now on neither read the file whole nor keep any of it: it is one of many."""
        self._sparing = True

    def read(self, ranges: Ranges) -> list[bytes]:
        """Give the bytes of each range, fetching what is missing in one burst."""
        if not self._begun:
            self._begin()
        pages = self._pages
        wanted = {page for span in ranges for page in self._pages_of(*span)}
        missing = wanted - pages.keys()
        self._fetch(pages, missing | self._ahead(missing))
        return [self._cut(pages, *span) for span in ranges]

    def take_front(self, size: int) -> None:
        """Read the front of the file in one burst, unless it is cheaper to ask bit by bit."""
        if 0 < size <= FRONT_ROUND_TRIPS * self._source.cost.round_trip:
            wanted = set(range(-(-size // self._page_size)))
            self._fetch(self._pages, wanted - self._pages.keys())

    def hold(self, ranges: Sequence[Range]) -> bool:
        """Whether all of the ranges are there already."""
        return self._all_in(self._pages, ranges)

    def take_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> bool:
        """Hand ranges on, as :meth:`.ByteSource.read_each` does, if all of them are there."""
        pages = self._pages
        if not self._all_in(pages, ranges):
            return False
        jobs = [partial(take, n, self._cut(pages, *span)) for n, span in enumerate(ranges)]
        if len(jobs) == 1:
            jobs[0]()
        else:
            all_done([pool.submit(job) for job in jobs])
        return True

    def release(self) -> None:
        """Forget all pages, unless they are the whole file or there is room for them.

        Of a file with its structure at its front, what is asked for next is among them.
        """
        if self._whole:
            return
        held = sum(map(len, self._pages.values()))
        keep = self.far and held and not self._sparing
        if not (keep and _KEPT.admit(self, held, MOST_PARTS)):
            self.forget()

    def forget(self) -> None:
        """Forget all pages."""
        # A new one: another thread may be reading from the old.
        self._pages = {}
        self._whole = False
        _KEPT.drop(self)

    def _ahead(self, missing: set[int]) -> set[int]:
        """Give the pages behind those that continue what was read: structure goes on there."""
        if self._page_size == LEAST_PAGE:
            return set()
        last = self._last_page()
        going_on = {page for page in missing if page - 1 in self._pages}
        ahead = {page + n for page in going_on for n in range(1, FIRST_PAGES)}
        return {page for page in ahead - self._pages.keys() if page <= last}

    def _settle(self) -> int:
        """Settle the size of a page by what a request costs."""
        if not self._page_size:
            page = LEAST_PAGE
            while page < self._most_page and 2 * page <= self._source.cost.round_trip:
                page *= 2
            self._page_size = page
        return self._page_size

    def _begin(self) -> None:
        """Read the first pages, if they did not come along; the whole file if that is cheap."""
        self._begun = True
        page = self._settle()
        if page == LEAST_PAGE:
            return
        first = set(range(min(FIRST_PAGES, self._last_page() + 1)))
        self._fetch(self._pages, first - self._pages.keys(), most=page)
        cheap = self._size <= (ROUND_TRIPS - 1) * self._source.cost.round_trip
        if cheap and not self._sparing and _KEPT.admit(self, self._size, MOST_WHOLE):
            self._read_whole()

    def _read_whole(self) -> None:
        self._whole = True
        try:
            self._fetch(self._pages, set(range(self._last_page() + 1)) - self._pages.keys())
        except BaseException:
            self.forget()
            raise

    def _last_page(self) -> int:
        return (self._size - 1) // self._page_size

    def _fetch(self, pages: dict[int, bytes], missing: set[int], most: int = MOST_RUN) -> None:
        size = self._page_size
        near, longest = MERGE_BYTES // size, max(1, most // size)
        runs = _merge(sorted(missing), pages, near, longest)
        spans = [
            (first * size, min((last + 1) * size, self._size) - first * size)
            for first, last in runs
        ]
        if not spans:
            return
        for (first, last), data in zip(runs, self._source.read(spans), strict=True):
            for page in range(first, last + 1):
                start = (page - first) * size
                pages[page] = data[start : start + size]

    def _all_in(self, pages: Mapping[int, bytes], ranges: Sequence[Range]) -> bool:
        return bool(pages) and all(p in pages for span in ranges for p in self._pages_of(*span))

    def _cut(self, pages: Mapping[int, bytes], offset: int, length: int) -> bytes:
        wanted = self._pages_of(offset, length)
        start = offset - wanted.start * self._page_size
        if len(wanted) == 1:
            return pages[wanted[0]][start : start + length]
        joined = b"".join(pages[page] for page in wanted)
        return joined[start : start + length]

    def _pages_of(self, offset: int, length: int) -> range:
        if length == 0:
            return range(0)
        return range(offset // self._page_size, (offset + length - 1) // self._page_size + 1)


def _merge(
    pages: Iterable[int], known: Container[int], near: int, longest: int
) -> list[tuple[int, int]]:
    """Give (first, last) of runs of pages; a gap is bridged unless some of it is known."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        first, last = runs[-1] if runs else (0, -1)
        close = bool(runs) and page - last <= max(1, near) and page - first < longest
        if close and not any(between in known for between in range(last + 1, page)):
            runs[-1] = (first, page)
        else:
            runs.append((page, page))
    return runs
