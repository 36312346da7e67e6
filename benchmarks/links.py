"""Simulated network links between a user and the bucket."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LINKS", "UNSHAPED", "Link"]


@dataclass(frozen=True)
class Link:
    """Latency and bandwidth of a link."""

    title: str
    latency: float = 0.0
    """Seconds from a request to the first byte of its answer."""
    each: float = 0.0
    """Bytes a second of one connection; 0 for no limit."""
    total: float = 0.0
    """Bytes a second of all connections together; 0 for no limit."""


UNSHAPED = Link("loopback, unmodified")

LINKS = {
    "region": Link("in region: 60 ms to the first byte, 90 MB/s for each connection", 0.060, 90e6),
    "laptop": Link("laptop: 150 ms to the first byte, 12 MB/s in total", 0.150, 0.0, 12e6),
}
