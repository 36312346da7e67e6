"""Coalesce byte ranges near to each other into single requests."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

__all__ = ["CoalescedRange", "coalesce"]


@dataclass(frozen=True, slots=True)
class CoalescedRange:
    """One request: a range of the file, and the wanted ranges in it."""

    offset: int
    length: int
    members: np.ndarray
    """Indices of the ranges, by rising offset."""


def coalesce(
    offsets: np.ndarray, lengths: np.ndarray, *, max_gap: int, max_bytes: int
) -> list[CoalescedRange]:
    """Merge ranges.

    Parameters
    ----------
    offsets, lengths
        Wanted ranges in bytes, in any order; they may overlap.
    max_gap
        Unwanted bytes that are read rather than asking twice.
    max_bytes
        A merged range is not extended beyond this many bytes (a single range may be longer).

    Returns
    -------
    list of CoalescedRange
        By rising offset; each range is a member of exactly one of them.
    """
    if not len(offsets):
        return []
    order = np.argsort(offsets, kind="stable")
    starts = offsets[order].astype(np.int64)
    ends = starts + lengths[order].astype(np.int64)
    reached = np.maximum.accumulate(ends)
    borders = [0, *(np.flatnonzero(starts[1:] - reached[:-1] > max_gap) + 1).tolist(), len(order)]
    merged: list[CoalescedRange] = []
    for first, last in itertools.pairwise(borders):
        merged += _bounded(order[first:last], starts[first:last], ends[first:last], max_bytes)
    return merged


def _bounded(
    members: np.ndarray, starts: np.ndarray, ends: np.ndarray, max_bytes: int
) -> list[CoalescedRange]:
    merged: list[CoalescedRange] = []
    first = 0
    while first < len(members):
        # Ranges inside the first one cost nothing, however long it is.
        limit = max(int(starts[first]) + max_bytes, int(ends[first]))
        near = max(first + 1, int(np.searchsorted(starts, limit)))
        reached = np.maximum.accumulate(ends[first:near])
        last = first + int(np.searchsorted(reached, limit, side="right"))
        end = int((ends[first:last]).max())
        merged.append(
            CoalescedRange(int(starts[first]), end - int(starts[first]), members[first:last])
        )
        first = last
    return merged
