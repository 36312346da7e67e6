"""How much memory is available."""

from __future__ import annotations

import math
from pathlib import Path

__all__ = ["available_memory", "fits"]

LARGE = 1 << 28
"""Bytes of an array before which it is asked how much memory is available."""


def fits(nbytes: int) -> bool:
    """Return whether so many bytes are available; few are not asked for."""
    return nbytes <= LARGE or nbytes <= available_memory()


def available_memory() -> float:
    """Return the bytes of memory that can be had without swapping; infinity if that is unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        return math.inf
