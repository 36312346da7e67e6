"""Local files as if they lay at the end of a link: what is asked for is counted, and timed."""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from xr_icesat2.bytesource import CountingSource, Range, Take, open_source
from xr_icesat2.bytesource.cost import Cost
from xr_icesat2.bytesource.limits import MAX_IN_FLIGHT
from xr_icesat2.bytesource.protocol import Stamp

PAUSE = 0.005
"""Seconds that a burst really takes: those that are under way at once are seen to be."""

STAMP: Sequence[Range] = ()


class Linked(CountingSource):
    """A counted source that says what a link costs, whatever its own does.

    Parameters
    ----------
    path : Path
        The file.
    cost : Cost
        Of the link.
    pause : float
        Seconds that each burst takes on the clock.

    Attributes
    ----------
    round_trips : int
        The longest chain of bursts of which each began when the one before was answered.
    seconds : float
        What that takes over the link, by its cost; no clock is asked.
    """

    def __init__(self, path: Path, cost: Cost, pause: float = PAUSE) -> None:
        super().__init__(open_source(path))
        self._cost = cost
        self._pause = pause
        self.round_trips = 0
        self.seconds = 0.0

    @property
    def cost(self) -> Cost:
        return self._cost

    def stamp(self) -> Stamp:
        with self._trip(STAMP):
            return super().stamp()

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        with self._trip(ranges):
            return super().read(ranges)

    def read_each(self, ranges: Sequence[Range], take: Take, pool: Executor) -> None:
        with self._trip(ranges):
            super().read_each(ranges, take, pool)

    def reset(self) -> None:
        super().reset()
        self.round_trips, self.seconds = 0, 0.0

    @contextmanager
    def _trip(self, ranges: Sequence[Range]) -> Iterator[None]:
        if ranges is not STAMP and not any(length for _, length in ranges):
            yield  # nothing is asked for
            return
        with self._lock:
            after, begin = self.round_trips, self.seconds
        time.sleep(self._pause)
        yield
        with self._lock:
            self.round_trips = max(self.round_trips, after + 1)
            self.seconds = max(self.seconds, begin + seconds_of(ranges, self._cost))


def seconds_of(ranges: Sequence[Range], cost: Cost) -> float:
    """Give what one burst takes over a link; at least one request."""
    waves = max(1, math.ceil(len(ranges) / MAX_IN_FLIGHT))
    return waves * cost.latency + sum(length for _, length in ranges) / cost.bandwidth


def linked(path: Path, cost: Cost, pause: float = PAUSE) -> Linked:
    """Give a source of a file that costs what is said."""
    return Linked(path, cost, pause)
