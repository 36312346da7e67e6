"""An array made of parts, each in its own box; positions that no part covers are padding.

Along some axes a part may have single positions of its box instead of filling it: percentiles
25, 50, 60 … among 10, 15, 20 …. Along others only some rows of a part may be kept, which are then
moved together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from .row_ranges import RowRanges
from .selection import Piece, Selection, interval, orthogonal, rest, scattered

__all__ = ["Cut", "Mosaic", "gaps"]


@dataclass(frozen=True, slots=True)
class Cut:
    """What a selection takes from one part."""

    part: int
    source: tuple[Selection, ...]
    """Along each dimension of the part."""
    target: tuple[Selection, ...]
    """Along each dimension of the selected array, as many positions as ``source``, and one in
    each of the leading dimensions that the part does not have."""


@lru_cache(maxsize=1 << 10)
def _single(
    shape: tuple[int, ...], lead: int, box: tuple[tuple[int, ...], tuple[int, ...]]
) -> Mosaic:
    """Build one of a single part, which the variables of a file with many of them share."""
    origin, extent = (np.array([one], np.int64) for one in (box[0], (1,) * lead + box[1]))
    for corner in (origin, extent):
        corner.flags.writeable = False
    return Mosaic(shape, lead, origin, extent, {})


@dataclass(frozen=True, slots=True)
class Mosaic:
    """The boxes of the parts of an array.

    Boxes do not overlap. A part has ``lead`` dimensions fewer than the array:
    its box is one thick along the first ``lead`` (granule and spot, say).
    """

    shape: tuple[int, ...]
    lead: int
    origins: np.ndarray
    """int64 (parts, dimensions): first corner of each box."""
    extents: np.ndarray
    """int64 (parts, dimensions): its size."""
    places: Mapping[tuple[int, int], np.ndarray] = field(default_factory=dict)
    """(part, axis) → int64, one for each of the part's elements along the axis: its position in
    the array. Where there is no entry, the elements fill the box."""
    kept: Mapping[tuple[int, int], RowRanges] = field(default_factory=dict)
    """(part, axis) → elements of the part along the axis that fill the box; all do where there is
    no entry."""

    @classmethod
    def of(
        cls,
        shape: Sequence[int],
        lead: int,
        boxes: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
        places: Mapping[tuple[int, int], np.ndarray] | None = None,
        kept: Mapping[tuple[int, int], RowRanges] | None = None,
    ) -> Mosaic:
        """Build from (origin, extent of the part) pairs, in the order of the parts.

        Where elements of a part are ``kept``, its extent is their number.
        """
        if not places and not kept and len(boxes) == 1:
            return _single(tuple(shape), lead, boxes[0])
        box = (len(boxes), len(shape))
        origins = np.array([origin for origin, _ in boxes], np.int64).reshape(box)
        extents = [(1,) * lead + tuple(extent) for _, extent in boxes]
        sizes = np.array(extents, np.int64).reshape(box)
        for part, axis in places or ():
            origins[part, axis], sizes[part, axis] = 0, shape[axis]
        return cls(tuple(shape), lead, origins, sizes, places or {}, kept or {})

    def select_rows(
        self, axis: int, rows: Mapping[tuple[int, ...], RowRanges], length: int
    ) -> Mosaic:
        """Return the mosaic of some positions along an axis, moved together.

        Parameters
        ----------
        axis
            The first one that parts have.
        rows
            Positions along the axis, by the position of a part along the leading dimensions.
        length
            Size of the result along the axis.
        """
        origins, extents, kept = self.origins.copy(), self.extents.copy(), dict(self.kept)
        for part in range(len(origins)):
            start, size = int(origins[part, axis]), int(extents[part, axis])
            chosen = rows[tuple(origins[part, : self.lead].tolist())]
            inside = chosen.intersection(RowRanges.of_range(start, start + size)).shifted(-start)
            origins[part, axis] = chosen.intersection(RowRanges.of_range(0, start)).count
            extents[part, axis] = inside.count
            before = self.kept.get((part, axis))
            kept[part, axis] = inside if before is None else before.compose(inside)
        shape = (*self.shape[:axis], length, *self.shape[axis + 1 :])
        return Mosaic(shape, self.lead, origins, extents, self.places, kept)

    def cut(self, selections: Sequence[Selection]) -> Iterator[Cut]:
        """Yield what a selection along every dimension takes from each part."""
        for part in self._touched(selections):
            pieces = [self._piece(int(part), axis, s) for axis, s in enumerate(selections)]
            if all(len(piece.target) for piece in pieces):
                yield Cut(
                    int(part),
                    tuple(piece.source for piece in pieces[self.lead :]),
                    tuple(piece.target for piece in pieces),
                )

    def _piece(self, part: int, axis: int, selection: Selection) -> Piece:
        places = self.places.get((part, axis))
        if places is not None:
            return scattered(selection, places, self.shape[axis])
        start = int(self.origins[part, axis])
        piece = interval(selection, start, start + int(self.extents[part, axis]))
        kept = self.kept.get((part, axis))
        return piece if kept is None else replace(piece, source=kept.at(piece.source))

    def _touched(self, selections: Sequence[Selection]) -> np.ndarray:
        """Return the parts whose box intersects the bounds of the selection."""
        near = np.ones(len(self.origins), bool)
        for axis, selection in enumerate(selections):
            if not len(selection):
                return np.empty(0, np.intp)
            low, high = _bounds(selection)
            start = self.origins[:, axis]
            near &= (start <= high) & (start + self.extents[:, axis] > low)
        return np.flatnonzero(near)


def _bounds(selection: Selection) -> tuple[int, int]:
    if isinstance(selection, range):
        low, high = sorted((selection[0], selection[-1]))
        return low, high
    return int(selection.min()), int(selection.max())


def gaps(
    shape: tuple[int, ...], lead: int, cuts: Sequence[Cut]
) -> list[tuple[Selection, ...]] | None:
    """Return boxes of all positions that no cut covers, each position once.

    Parameters
    ----------
    shape
        Of the selected array.
    lead
        Its leading dimensions that parts do not have.
    cuts
        What is taken from each part.

    Returns
    -------
    list or None
        None if parts follow each other and do not cover all: then any position may be a gap.
    """
    if sum(math.prod(map(len, cut.target)) for cut in cuts) == math.prod(shape):
        return []
    parts = np.zeros(shape[:lead], int)
    for cut in cuts:
        parts[orthogonal(cut.target[:lead])] += 1
    if (parts > 1).any():
        return None
    whole = tuple(range(size) for size in shape)
    found: list[tuple[Selection, ...]] = [
        (*(range(n, n + 1) for n in place), *whole[lead:])
        for place in np.argwhere(parts == 0).tolist()
    ]
    for cut, axis in itertools.product(cuts, range(lead, len(shape))):
        found += [
            (*cut.target[:axis], left_out, *whole[axis + 1 :])
            for left_out in rest(cut.target[axis], shape[axis])
        ]
    return found
