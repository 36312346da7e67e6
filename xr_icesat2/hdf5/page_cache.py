"""Cache the bytes of a file by pages while its metadata is read.

Pages are requested in blocks. A block that is too small costs further round trips, and one that is
too large costs unneeded bytes. So a block has as many bytes as arrive during a round trip, within
limits. An :class:`.IsolatedRange` is requested as single pages.

After the first read, opening a granule and reading some of it takes :data:`RANGE_READ_ROUND_TRIPS`
sequential round trips and a part of its remaining bytes. If one round trip with all remaining bytes
is faster, the granule is read whole and kept for later reads.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from xr_icesat2.bytesource import ByteSource, OnBytes, Range
from xr_icesat2.bytesource.request_limits import MAX_CONCURRENT_REQUESTS
from xr_icesat2.environment import environment_number
from xr_icesat2.fork_safety import after_fork
from xr_icesat2.thread_pools import wait_all

from .parser_driver import IndependentRanges, IsolatedRange, Ranges

__all__ = ["KEPT_PAGES", "KeptPages", "PageCache"]

PAGE, MAX_BLOCK_BYTES = 16 << 10, 256 << 10
"""Bytes. Headers of one group are within a few kB of each other."""
MERGE_BYTES = 64 << 10
"""Pages at most this far apart are read in one request, with the bytes between them."""
RANGE_READ_ROUND_TRIPS = 2
"""Sequential round trips that reading ranges is assumed to take after the first read."""
RANGE_READ_DIVISOR = 3
"""Reading ranges is assumed to transfer one part in this many of the remaining bytes."""
FRONT_ROUND_TRIPS = 3
"""Round trips saved by reading the front of a file at once, if all structure is there."""
FIRST_BLOCKS = 4
"""Blocks of the first read: they contain the headers of the outer groups, and measure the speed of
the connection."""
FRONT_DIVISOR, MAX_FRONT_BYTES = 128, 4 << 20
"""The first read elsewhere also reads the beginning of the file: at most one part in so many of the
file, and so many bytes. Most metadata of a thousand datasets is stored there."""
MAX_REQUEST_BYTES = 2 << 20
"""Bytes of one request, at most."""
MAX_PARTIAL_BYTES = 16 << 20
"""Bytes kept while parts of granules are among them."""
MIN_SECONDS_CACHED = 30.0
"""Seconds after which the bytes of another granule may replace those of a granule."""


def max_whole_file_bytes() -> int:
    """Return how many bytes of whole granules one process may keep.

    ``XR_ICESAT2_WHOLE_FILE_BYTES``, else 48 MiB. A granule that does not fit is not read whole. So
    of a list of a thousand small granules, of which only parts are needed, few are read whole.
    """
    return int(environment_number("XR_ICESAT2_WHOLE_FILE_BYTES", 48 << 20, "bytes", zero=True))


class KeptPages:
    """The granules whose bytes are cached, within a limit on their bytes.

    Parameters
    ----------
    fresh
        Seconds after which a granule makes room for another.
    """

    def __init__(self, fresh: float = MIN_SECONDS_CACHED) -> None:
        self.fresh = fresh
        self.reset()

    def reset(self) -> None:
        """Forget all granules, which keep their pages, and make the lock anew."""
        self._pages: dict[PageCache, tuple[int, float]] = {}
        self._total = 0
        self._lock = threading.RLock()  # reentrant: forget() of an evicted granule calls drop()

    def admit(self, pages: PageCache, size: int, max_bytes: int) -> bool:
        """Reserve memory for some bytes of a granule; return whether there is enough."""
        now = time.monotonic()
        with self._lock:
            self.drop(pages)
            for old, (_, since) in list(self._pages.items()):
                if self._total + size <= max_bytes or now - since <= self.fresh:
                    break  # older entries keep their place
                old.forget()
            if self._total + size > max_bytes:
                return False
            self._pages[pages] = size, now
            self._total += size
            return True

    def drop(self, pages: PageCache) -> None:
        """Release the memory reserved for a granule."""
        with self._lock:
            self._total -= self._pages.pop(pages, (0, 0.0))[0]


KEPT_PAGES = KeptPages()
"""Those of this process."""
after_fork(KEPT_PAGES, KeptPages.reset)


class PageCache:
    """The bytes of a file, cached by pages.

    Parameters
    ----------
    source
        Provides the bytes.
    size
        Size of the file in bytes; ranges must be within it (:func:`.bounded`).
    kept
        The granules with which it shares memory; by default all of this process.
    """

    def __init__(self, source: ByteSource, size: int, kept: KeptPages = KEPT_PAGES) -> None:
        self._kept = kept
        self._source = source
        self._size = size
        self._pages: dict[int, memoryview] = {}
        self._block = 0
        self._begun = False
        self._front_bytes = 0
        self._whole = False
        self._sparing = False

    @property
    def far(self) -> bool:
        """Whether a round trip costs more than the bytes of a page."""
        return self._block_size > 1

    def add_bytes(self, pieces: Mapping[int, bytes]) -> None:
        """Add parts of the file, keyed by offset, that arrived with its version."""
        if self._begun:
            return
        for offset, piece in pieces.items():
            for page in range(-(-offset // PAGE), (offset + len(piece) - 1) // PAGE + 1):
                data = memoryview(piece)[page * PAGE - offset :][:PAGE]
                if len(data) == min(PAGE, self._size - page * PAGE):
                    self._pages[page] = data

    def keep_no_pages(self) -> None:
        """From now on neither read the file whole nor keep any of it, because it is one of many."""
        self._sparing = True

    def read(self, ranges: Ranges) -> list[Any]:
        """Return the bytes of each range, and request what is missing in one burst.

        If some of :class:`.IndependentRanges` are cached, return these only, with None for the
        others, unless a request costs little.
        """
        pages = self._pages
        if not self._begun and not all(isinstance(span, IsolatedRange) for span in ranges):
            self._begin(pages)
        try:
            return [_cut(pages, *span) for span in ranges]
        except KeyError:
            missing = [span for span in ranges if not _is_cached(pages, *span)]
        apart = self.far and isinstance(ranges, IndependentRanges)
        if not apart or len(missing) == len(ranges):
            self._take(pages, missing)
        return [_cut(pages, *span) if _is_cached(pages, *span) else None for span in ranges]

    def front(self, size: int) -> Ranges:
        """Return ranges that cover the front of a file, if reading it at once is faster."""
        if size > FRONT_ROUND_TRIPS * self._source.cost.round_trip:
            return []
        return [(at, 1) for at in range(0, size, self._block_size * PAGE)]

    def take_whole(self, requests: int) -> None:
        """Read the whole file if some requests and a further round trip would take longer."""
        self._read_whole_within(self._pages, math.ceil(requests / MAX_CONCURRENT_REQUESTS) + 1)

    def read_each_cached(
        self,
        ranges: Sequence[Range],
        on_bytes: OnBytes,
        pool: Executor,
        rest: Callable[[Sequence[int]], None],
    ) -> None:
        """Hand on cached ranges, as :meth:`.ByteSource.read_each` does.

        ``rest`` is called with the numbers of the other ranges.
        """
        pages = self._pages
        missing = [n for n, span in enumerate(ranges) if not _is_cached(pages, *span)]
        there = sorted({*range(len(ranges))}.difference(missing))
        if not missing and len(there) == 1:
            _hand_on(pages, ranges[0], on_bytes, 0)
            return
        jobs = [pool.submit(_hand_on, pages, ranges[n], on_bytes, n) for n in there]
        try:
            if missing:
                rest(missing)
        finally:
            wait_all(jobs)

    def release(self) -> None:
        """Drop all pages, unless they are the whole file or fit into memory.

        They often contain what is requested next.
        """
        if self._whole:
            return
        cached = sum(map(len, self._pages.values()))
        keep = self.far and cached and not self._sparing
        if not (keep and self._kept.admit(self, cached, MAX_PARTIAL_BYTES)):
            self.forget()

    def forget(self) -> None:
        """Drop all pages."""
        # A new one: another thread may be reading from the old.
        self._pages = {}
        self._whole = False
        self._kept.drop(self)

    @property
    def _block_size(self) -> int:
        """Pages of a block, determined once by what a request costs."""
        if not self._block:
            max_pages = min(self._source.cost.round_trip, MAX_BLOCK_BYTES) // PAGE
            self._block = 1 << max(0, max_pages.bit_length() - 1)
        return self._block

    def _around(self, missing: set[int]) -> set[int]:
        """Return the pages of their blocks, and of the blocks that follow a run of cached ones.

        Structure often continues there.
        """
        size = self._block_size
        blocks = {page // size for page in missing - self._pages.keys()}
        if size > 1:
            going_on = {block for block in blocks if block * size - 1 in self._pages}
            blocks |= {block + n for block in going_on for n in range(1, FIRST_BLOCKS)}
        last = (self._size - 1) // PAGE
        return {page for b in blocks for page in range(b * size, (b + 1) * size) if page <= last}

    def _take(self, pages: dict[int, memoryview], missing: Ranges) -> None:
        """Request missing ranges in one burst."""
        alone = {p for span in missing if isinstance(span, IsolatedRange) for p in _pages_of(*span)}
        among = {
            p for span in missing if not isinstance(span, IsolatedRange) for p in _pages_of(*span)
        }
        if among:
            front_bytes, self._front_bytes = self._front_bytes, 0
            among = self._around(among) | set(_pages_of(0, front_bytes))
        self._fetch(pages, alone | among)

    def _begin(self, pages: dict[int, memoryview]) -> None:
        """Read the first blocks unless they are cached, or the whole file if that is cheap."""
        self._begun = True
        if self.far:
            block = self._block_size * PAGE
            self._fetch(
                pages, set(_pages_of(0, min(FIRST_BLOCKS * block, self._size))), max_bytes=block
            )
            self._read_whole_within(pages, RANGE_READ_ROUND_TRIPS)
            self._front_bytes = min(
                self._size // FRONT_DIVISOR, MAX_FRONT_BYTES, self._source.cost.round_trip // 2
            )

    def _read_whole_within(self, pages: dict[int, memoryview], round_trips: int) -> None:
        left = self._size - sum(map(len, pages.values()))
        cheap = (
            left - left // RANGE_READ_DIVISOR <= (round_trips - 1) * self._source.cost.round_trip
        )
        may = self.far and not self._whole and not self._sparing
        if may and cheap and self._kept.admit(self, self._size, max_whole_file_bytes()):
            self._whole = True
            try:
                self._fetch(pages, set(_pages_of(0, self._size)))
            except BaseException:
                self.forget()
                raise

    def _fetch(
        self, pages: dict[int, memoryview], wanted: set[int], max_bytes: int = MAX_REQUEST_BYTES
    ) -> None:
        missing = sorted(wanted - pages.keys())
        runs = _merge(missing, pages, MERGE_BYTES // PAGE, max(1, max_bytes // PAGE))
        spans = [
            (first * PAGE, min((last + 1) * PAGE, self._size) - first * PAGE)
            for first, last in runs
        ]
        if not spans:
            return
        for (first, last), data in zip(runs, self._source.read(spans), strict=True):
            for page in range(first, last + 1):
                start = (page - first) * PAGE
                pages[page] = memoryview(data)[start : start + PAGE]


def _is_cached(pages: Mapping[int, memoryview], offset: int, length: int) -> bool:
    return all(page in pages for page in _pages_of(offset, length))


def _cut(pages: Mapping[int, memoryview], offset: int, length: int) -> bytes:
    first, start = divmod(offset, PAGE)
    if 0 < length <= PAGE - start:
        return bytes(pages[first][start : start + length])
    return b"".join([pages[page] for page in _pages_of(offset, length)])[start : start + length]


def _hand_on(pages: Mapping[int, memoryview], span: Range, on_bytes: OnBytes, number: int) -> None:
    on_bytes(number, _cut(pages, *span))


def _pages_of(offset: int, length: int) -> range:
    if length == 0:
        return range(0)
    return range(offset // PAGE, (offset + length - 1) // PAGE + 1)


def _merge(
    pages: Iterable[int], known: Container[int], near: int, longest: int
) -> list[tuple[int, int]]:
    """Return (first, last) of runs of pages; a gap is bridged unless some of it is known."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        first, last = runs[-1] if runs else (0, -1)
        close = bool(runs) and page - last <= near and page - first < longest
        if close and not any(between in known for between in range(last + 1, page)):
            runs[-1] = (first, page)
        else:
            runs.append((page, page))
    return runs
