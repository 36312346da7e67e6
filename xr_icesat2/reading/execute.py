"""Fill many arrays in one plan: one burst of requests a granule, granules in parallel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from xr_icesat2.granule.granule import Granule
from xr_icesat2.progress import ProgressCallback, no_progress
from xr_icesat2.relaxed_gc import relaxed_gc
from xr_icesat2.thread_pools import decode_pool, granule_pool, wait_all

from .granule_reader import DatasetRead, read_selections
from .selection import Selection, orthogonal

__all__ = ["PendingArray", "execute"]

MAX_INLINE_PADDING_BYTES = 1 << 18
"""Bytes of padding up to which another thread costs more than it saves."""


@dataclass(frozen=True, slots=True)
class PendingArray:
    """An array to be filled, and the reads that fill it."""

    result: np.ndarray
    padding: Any
    padded: Sequence[tuple[Selection, ...]]
    """Boxes of the result that no part covers."""
    reads: Mapping[Granule, Sequence[DatasetRead]]

    def pad(self, box: tuple[Selection, ...]) -> None:
        """Fill one of the boxes with padding."""
        self.result[orthogonal(box)] = self.padding


def execute(pending: Sequence[PendingArray], count: ProgressCallback = no_progress) -> None:
    """Fill all arrays; ``count`` counts bytes."""
    padding = list(_begin_padding(pending))
    try:
        _read_all(pending, count)
    finally:
        # After an error too: no thread may still write into a result.
        wait_all(padding)


def _begin_padding(pending: Iterable[PendingArray]) -> Iterator[Future[None]]:
    """Start padding on all cores, while the first bytes are in transit; little at once."""
    pool = decode_pool()
    for one in pending:
        for box in one.padded:
            if math.prod(map(len, box)) * one.result.itemsize > MAX_INLINE_PADDING_BYTES:
                yield pool.submit(one.pad, box)
            else:
                one.pad(box)


def _read_all(pending: Iterable[PendingArray], count: ProgressCallback) -> None:
    wanted: dict[Granule, list[DatasetRead]] = {}
    for one in pending:
        for granule, reads in one.reads.items():
            wanted.setdefault(granule, []).extend(reads)
    if len(wanted) == 1:
        _read(*next(iter(wanted.items())), count)
    elif wanted:
        pool = granule_pool()
        with relaxed_gc():
            wait_all([pool.submit(_read, *item, count) for item in wanted.items()])


def _read(granule: Granule, reads: Sequence[DatasetRead], count: ProgressCallback) -> None:
    read_selections(granule, reads, count)
    granule.save_index()
