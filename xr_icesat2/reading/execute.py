"""Many arrays of granules read in one plan, rather than one after another."""

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

LITTLE = 1 << 18
"""Bytes of padding for which another thread is not worth the trouble."""


@dataclass(frozen=True, slots=True)
class PendingArray:
    """An array that is to be filled, and what is to be read for it."""

    result: np.ndarray
    padding: Any
    padded: Sequence[tuple[Selection, ...]]
    """Boxes of the result in which no part lies."""
    reads: Mapping[Granule, Sequence[DatasetRead]]

    def pad(self, box: tuple[Selection, ...]) -> None:
        """Put padding into one of the boxes."""
        self.result[orthogonal(box)] = self.padding


def execute(pending: Sequence[PendingArray], count: ProgressCallback = no_progress) -> None:
    """Fill all arrays: one burst a granule, many granules side by side; ``count`` counts bytes."""
    padding = list(_begin_padding(pending))
    try:
        _read_all(pending, count)
    finally:
        # After an error too: no thread goes on writing into a result.
        wait_all(padding)


def _begin_padding(pending: Iterable[PendingArray]) -> Iterator[Future[None]]:
    """Pad on all cores, while the first bytes are on their way; at once where it is little."""
    pool = decode_pool()
    for one in pending:
        for box in one.padded:
            if math.prod(map(len, box)) * one.result.itemsize > LITTLE:
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
