"""Thread pools of this process, and waiting for the work given to them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from .fork_safety import PerProcess

__all__ = ["check_pool", "decode_pool", "granule_pool", "wait_all"]

T = TypeVar("T")

MAX_GRANULE_THREADS = 32
"""Granules whose values are read at the same time."""
MAX_CHECK_THREADS = 32
"""Granules whose version is checked at the same time."""

decode_pool = PerProcess(lambda: _pool(os.cpu_count() or 1, "decode"))
"""Threads that decode chunks, one a core."""
check_pool = PerProcess(lambda: _pool(MAX_CHECK_THREADS, "check"))
"""Threads that check whether a granule was replaced."""
granule_pool = PerProcess(lambda: _pool(MAX_GRANULE_THREADS, "granule"))
"""Threads that each read one granule."""


def _pool(size: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, f"xr_icesat2-{name}")


def wait_all(futures: Sequence[Future[T]]) -> list[T]:
    """Wait for all, then raise the first error: no thread writes into a result after that."""
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:
        # After an error, or when we are interrupted, what has not begun does not begin.
        for future in futures:
            future.cancel()
        wait(futures)
    return [future.result() for future in futures if not future.cancelled()]
