"""Limits of the server itself; results are meaningful only far below them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import obstore

from benchmarks.links import UNSHAPED
from benchmarks.peers.bucket import bucket_store, key_of
from benchmarks.server import environment, set_link

__all__ = ["Ceiling", "measure_ceiling"]


@dataclass(frozen=True)
class Ceiling:
    """Limits without a simulated link; the client shares the machine, as all do."""

    bandwidth: float
    """Bytes a second, with 16 concurrent ranges of 4 MiB."""
    rate: float
    """Requests a second, with 32 concurrent requests of 1 kB."""

    def __str__(self) -> str:
        """Describe the limits in one sentence."""
        return (
            f"Without a simulated link, the server sends {self.bandwidth / 1e6:.0f} MB/s "
            f"and answers {self.rate:.0f} requests a second."
        )


def measure_ceiling(endpoint: str, url: str) -> Ceiling:
    """Measure both limits with one object."""
    set_link(endpoint, UNSHAPED)
    store, key = bucket_store(url, environment(endpoint)), key_of(url)
    size: int = obstore.head(store, key)["size"]
    part = min(4 << 20, size)
    large, small = 64, 1000
    bandwidth = large * part / _seconds(store, key, size, (large, part, 16))
    return Ceiling(bandwidth, small / _seconds(store, key, size, (small, min(1000, size), 32)))


def _seconds(store: Any, key: str, size: int, burst: tuple[int, int, int]) -> float:
    """Return the seconds of a burst: number of ranges, their length, concurrency."""
    count, length, concurrency = burst

    async def run() -> None:
        slots = asyncio.Semaphore(concurrency)

        async def one(number: int) -> None:
            start = number * 40_009 % (size - length + 1)
            async with slots:
                await obstore.get_range_async(store, key, start=start, length=length)

        await asyncio.gather(*map(one, range(count)))

    begin = time.perf_counter()
    asyncio.run(run())
    return time.perf_counter() - begin
