"""Local files as if they lay at the end of a link: what is asked for is counted, and timed."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from xr_icesat2.bytesource import Answer, CountingSource, Look, Range, Take, open_source
from xr_icesat2.bytesource.link_speed import Cost
from xr_icesat2.bytesource.request_limits import MAX_IN_FLIGHT


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

    def __init__(self, path: Path, cost: Cost) -> None:
        super().__init__(open_source(path))
        self._cost = cost
        self.round_trips = 0
        self.seconds = 0.0

    @property
    def cost(self) -> Cost:
        return self._cost

    def look(self, first: int, last: int) -> Look:
        stamp = self.stamp()
        spans = [(0, min(first, stamp.size)), (max(0, stamp.size - last), min(last, stamp.size))]
        spans = [span for span in spans if span[1]]
        pieces = self.source.read(spans)
        self.log += spans
        self.seconds += sum(map(len, pieces)) / self._cost.bandwidth
        return Look(stamp, {at: piece for (at, _), piece in zip(spans, pieces, strict=True)})

    def read(self, ranges: Sequence[Range]) -> Sequence[Answer]:
        self._wait(ranges)
        return super().read(ranges)

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
        self._wait(ranges)
        super().read_each(ranges, take, pool)

    def _wait(self, ranges: Sequence[Range]) -> None:
        if any(length for _, length in ranges):
            waves = math.ceil(len(ranges) / MAX_IN_FLIGHT)
            nbytes = sum(length for _, length in ranges)
            self.round_trips += 1
            self.seconds += waves * self._cost.latency + nbytes / self._cost.bandwidth
