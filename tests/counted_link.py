"""Local files at the end of a computed link: requests are counted, and timed."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from xr_icesat2.bytesource import BytesLike, CountingSource, FirstRead, OnBytes, Range, open_source
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.bytesource.request_limits import MAX_CONCURRENT_REQUESTS


class CountedLink(CountingSource):
    """A counted source that says what a link costs, whatever its own does.

    Attributes
    ----------
    round_trips : int
        Bursts that asked for something: who reads from one thread waits as often. Looks and
        stamps are not among them, for most stamps are taken while something else is under way.
    seconds : float
        What these take over the link, by its cost, and the bytes that came with a look; no clock
        is asked.
    """

    def __init__(self, path: Path, cost: RequestCost) -> None:
        super().__init__(open_source(path))
        self._cost = cost
        self.round_trips = 0
        self.seconds = 0.0

    @property
    def cost(self) -> RequestCost:
        return self._cost

    def first_read(self, first: int, last: int) -> FirstRead:
        version = self.file_version()
        spans = [
            (0, min(first, version.size)),
            (max(0, version.size - last), min(last, version.size)),
        ]
        spans = [span for span in spans if span[1]]
        pieces = self.source.read(spans)
        self.log += spans
        self.seconds += sum(map(len, pieces)) / self._cost.bandwidth
        return FirstRead(version, {at: piece for (at, _), piece in zip(spans, pieces, strict=True)})

    def read(self, ranges: Sequence[Range]) -> Sequence[BytesLike]:
        self._wait(ranges)
        return super().read(ranges)

    def read_each(self, ranges: Sequence[Range], on_bytes: OnBytes, pool: Executor) -> None:
        self._wait(ranges)
        super().read_each(ranges, on_bytes, pool)

    def _wait(self, ranges: Sequence[Range]) -> None:
        if any(length for _, length in ranges):
            waves = math.ceil(len(ranges) / MAX_CONCURRENT_REQUESTS)
            nbytes = sum(length for _, length in ranges)
            self.round_trips += 1
            self.seconds += waves * self._cost.latency + nbytes / self._cost.bandwidth
