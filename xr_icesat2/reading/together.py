"""Many arrays of granules read in one plan, rather than one after another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xr_icesat2.bytesource.threads import all_done
from xr_icesat2.granule.granule import Granule
from xr_icesat2.progress import Count, no_count

from .execute import DatasetRead, read_granule

__all__ = ["Pending", "carry_out"]

GRANULES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Pending:
    """An array that is to be filled, and what is to be read for it."""

    result: np.ndarray
    reads: Mapping[Granule, Sequence[DatasetRead]]


def carry_out(pending: Iterable[Pending], count: Count = no_count) -> None:
    """Fill all arrays: one burst a granule, many granules side by side; ``count`` counts bytes."""
    wanted: dict[Granule, list[DatasetRead]] = {}
    for one in pending:
        for granule, reads in one.reads.items():
            wanted.setdefault(granule, []).extend(reads)
    if len(wanted) == 1:
        _read(*next(iter(wanted.items())), count)
    elif wanted:
        pool = _granule_pool(os.getpid())
        all_done([pool.submit(_read, *item, count) for item in wanted.items()])


def _read(granule: Granule, reads: Sequence[DatasetRead], count: Count) -> None:
    read_granule(granule, reads, count)
    granule.keep()


@lru_cache(maxsize=1)
def _granule_pool(process: int) -> ThreadPoolExecutor:
    """Give the threads that wait for granules; a forked process makes its own."""
    return ThreadPoolExecutor(GRANULES_AT_ONCE, f"xr_icesat2-granule-{process}")
