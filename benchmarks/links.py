"""The links between a user and the bucket that are measured."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LINKS", "UNSHAPED", "Link"]


@dataclass(frozen=True)
class Link:
    """How long a request waits and how fast its answer comes."""

    title: str
    latency: float = 0.0
    """Seconds from a request to the first byte of its answer."""
    each: float = 0.0
    """Bytes a second of one connection; 0 for no limit."""
    total: float = 0.0
    """Bytes a second of all connections together; 0 for no limit."""


UNSHAPED = Link("loopback as it is")

LINKS = {
    "region": Link("in region: 60 ms to the first byte, 90 MB/s a connection", 0.060, 90e6),
    "laptop": Link("laptop: 150 ms to the first byte, 12 MB/s in all", 0.150, 0.0, 12e6),
}
