"""Selections along one dimension, split into pieces by interval.

A selection is a ``range`` (slices, single numbers) or an int64 array (outer
indexing: any order, repeats allowed), always of positions within the
dimension. Everything here is arithmetic on positions; nothing is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "Index",
    "Piece",
    "Selection",
    "compose",
    "crossed",
    "indexer",
    "interval",
    "normalise",
    "orthogonal",
    "positions",
    "rest",
    "scattered",
    "split",
]

Selection: TypeAlias = "range | np.ndarray"
Index: TypeAlias = "slice | np.ndarray"


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a selection in one interval of the dimension."""

    number: int
    """Which interval."""
    source: Selection
    """Positions within the interval."""
    target: Selection
    """Positions within the selection that they answer."""


def normalise(key: Any, size: int) -> Selection:
    """Return an indexer (int, slice or 1-D array of int or bool) as positions ≥ 0.

    Raises
    ------
    IndexError
        A position outside the dimension.
    """
    if isinstance(key, slice):
        return range(*key.indices(size))
    array = np.asarray(key)
    if array.dtype == bool:
        array = np.flatnonzero(array)
    array = array.astype(np.int64)
    if array.size and not (-size <= array.min() and array.max() < size):
        raise IndexError(f"index out of bounds for a dimension of size {size}")
    array = np.where(array < 0, array + size, array)
    return range(int(array), int(array) + 1) if array.ndim == 0 else array


def interval(selection: Selection, start: int, stop: int) -> Piece:
    """Return the part of a selection in ``[start, stop)``."""
    if isinstance(selection, range):
        target = _inside(selection, start, stop)
        inside = selection[target.start : target.stop]
        return Piece(0, _shifted(inside, -start), target)
    positions = np.flatnonzero((selection >= start) & (selection < stop))
    return Piece(0, selection[positions] - start, positions)


def scattered(selection: Selection, places: np.ndarray, size: int) -> Piece:
    """Return the part of a selection of ``size`` positions at some distinct ``places``."""
    number = np.full(size, -1, np.int64)
    number[places] = np.arange(len(places))
    found = number[positions(selection)]
    target = np.flatnonzero(found >= 0)
    return Piece(0, found[target], target)


def split(selection: Selection, step: int) -> Iterator[Piece]:
    """Cut a selection at the multiples of ``step``; intervals without any of it are left out."""
    if not len(selection):
        return
    if isinstance(selection, range):
        first, last = sorted((selection[0] // step, selection[-1] // step))
        for number in range(first, last + 1):
            piece = interval(selection, number * step, (number + 1) * step)
            if len(piece.target):
                yield Piece(number, piece.source, piece.target)
        return
    numbers = selection // step
    changes = np.diff(numbers)
    if (changes >= 0).all():
        edges = [0, *(np.flatnonzero(changes) + 1).tolist(), len(selection)]
        for start, stop in pairwise(edges):
            number = int(numbers[start])
            source = selection[start:stop] - number * step
            yield Piece(number, _as_range(source), range(start, stop))
        return
    order = np.argsort(numbers, kind="stable")
    borders = np.flatnonzero(np.diff(numbers[order])) + 1
    for positions in np.split(order, borders):
        number = int(numbers[positions[0]])
        yield Piece(number, selection[positions] - number * step, positions)


def _as_range(ascending: np.ndarray) -> Selection:
    """Return positions as a range if they are consecutive."""
    if (np.diff(ascending) == 1).all():
        return range(int(ascending[0]), int(ascending[-1]) + 1)
    return ascending


def compose(outer: Selection, inner: Selection) -> Selection:
    """Return the positions of ``outer`` at the positions ``inner``."""
    if isinstance(outer, range) and isinstance(inner, range):
        step = outer.step * inner.step
        first = outer[inner[0]] if len(inner) else 0
        return range(first, first + step * len(inner), step)
    composed: np.ndarray = positions(outer)[positions(inner)]
    return composed


def indexer(selection: Selection) -> Index:
    """Return a selection as a NumPy index."""
    if isinstance(selection, np.ndarray):
        return selection
    if not len(selection):
        return slice(0, 0)
    stop: int | None = selection.stop
    if selection.step < 0 and selection.stop < 0:
        stop = None
    return slice(selection.start, stop, selection.step)


def orthogonal(selections: Sequence[Selection]) -> tuple[Any, ...]:
    """Return one NumPy index that applies each selection along its own dimension."""
    return crossed([indexer(s) for s in selections])


def crossed(indices: Sequence[Index]) -> tuple[Any, ...]:
    """Return one NumPy index of indexes from :func:`indexer`, one a dimension."""
    if sum(isinstance(index, np.ndarray) for index in indices) > 1:
        return np.ix_(*map(_spelt_out, indices))
    return tuple(indices)


def rest(selection: Selection, size: int) -> list[Selection]:
    """Return the positions along a dimension that a selection leaves out."""
    if isinstance(selection, range) and selection.step == 1:
        sides = (range(selection.start), range(selection.stop, size))
        return [side for side in sides if len(side)]
    free = np.ones(size, bool)
    free[indexer(selection)] = False
    positions = np.flatnonzero(free)
    return [positions] if len(positions) else []


def _spelt_out(index: Index) -> np.ndarray:
    if isinstance(index, np.ndarray):
        return index
    stop = -1 if index.stop is None else index.stop
    return np.arange(index.start, stop, index.step, dtype=np.int64)


def positions(selection: Selection) -> np.ndarray:
    """Return a selection as an array."""
    if isinstance(selection, np.ndarray):
        return selection
    # numpy would go through a range number by number, and take an empty one for floats.
    return np.arange(selection.start, selection.stop, selection.step, dtype=np.int64)


def _inside(selection: range, start: int, stop: int) -> range:
    """Return which positions of a range of numbers are in ``[start, stop)``."""
    first, step = selection.start, selection.step
    if step > 0:
        low, high = -((first - start) // step), -((first - stop) // step)
    else:
        low, high = (first - stop) // -step + 1, (first - start) // -step + 1
    low, high = max(0, low), min(len(selection), high)
    return range(low, max(low, high))


def _shifted(selection: range, by: int) -> range:
    return range(selection.start + by, selection.stop + by, selection.step)
