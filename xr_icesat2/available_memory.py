"""Measure the available memory."""

from __future__ import annotations

import math
from pathlib import Path

__all__ = ["available_memory", "fits"]

LARGE = 1 << 28
"""Bytes of an array from which the available memory is checked."""


def fits(nbytes: int) -> bool:
    """Return whether so many bytes are available; few are assumed to be."""
    return nbytes <= LARGE or nbytes <= available_memory()


def available_memory() -> float:
    """Return the bytes of memory available without swapping; infinity if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        return math.inf
