"""The threads that work on values."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from xr_icesat2.fork_safety import PerProcess

__all__ = ["check_pool", "decode_pool", "granule_pool"]

GRANULES_AT_ONCE = 32
"""Granules of which values are read side by side."""

MOST_CHECKS = 32
"""Granules that are asked at once whether they were replaced."""

decode_pool = PerProcess(lambda: _threads(os.cpu_count() or 1, "decode"))
"""Threads that decode, one a core."""
check_pool = PerProcess(lambda: _threads(MOST_CHECKS, "check"))
"""Threads that ask whether a granule was replaced."""
granule_pool = PerProcess(lambda: _threads(GRANULES_AT_ONCE, "granule"))
"""Threads that wait for granules."""


def _threads(most: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(most, f"xr_icesat2-{name}")
