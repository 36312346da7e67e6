"""The threads that work on values."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

__all__ = ["check_pool", "decode_pool"]

MOST_CHECKS = 32
"""Granules that are asked at once whether they were replaced."""


def decode_pool() -> ThreadPoolExecutor:
    """Give the threads that decode, one a core."""
    return _pool("decode", os.cpu_count() or 1, os.getpid())


def check_pool() -> ThreadPoolExecutor:
    """Give the threads that ask whether a granule was replaced."""
    return _pool("check", MOST_CHECKS, os.getpid())


@lru_cache(maxsize=2)
def _pool(name: str, threads: int, process: int) -> ThreadPoolExecutor:
    """Give the threads of one kind; a forked process makes its own."""
    return ThreadPoolExecutor(threads, f"xr_icesat2-{name}-{process}")
