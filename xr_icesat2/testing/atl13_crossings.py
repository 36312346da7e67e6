"""Short segments of ATL13, where a beam crosses lakes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.reference_track import SEGMENTS_PER_ORBIT

from .array_types import Ints
from .beam_track import BeamTrack
from .lakes import all_lakes

__all__ = ["Crossings", "middle_of"]


_WINDOW = 8192  # short segments that are examined together
_LENGTHS = {True: 3, False: 10}  # segments with some hundred photons, of strong and weak beams
_APART = 1000  # segments; a larger distance separates two crossings
_LOST = 0.03  # share of the short segments in which no surface was found


@dataclass(frozen=True, slots=True)
class Crossings:
    """Rows of one beam in order of time, as arrays of one length."""

    length: int
    """Segments of 20 m in a short segment."""
    first: Ints
    """First segment of each, counted on from orbit to orbit."""
    cells: Ints
    """Cell of the lake of each short segment."""
    transect: Ints
    """Number of the crossing of each, from 0."""
    size: Ints
    """Number of short segments in that crossing."""

    @classmethod
    def find(cls, track: BeamTrack, n: int, orbits: int) -> "Crossings":
        """Find the first rows of each orbit, as many as make `n` in all.

        Raises
        ------
        SelectionError
            The beam crosses less water.
        """
        length = _LENGTHS[track.strong]
        found = [
            _in_orbit(track, length, orbit, (n + orbits - 1 - orbit) // orbits)
            for orbit in range(orbits)
        ]
        first, cells = (np.concatenate(parts) for parts in zip(*found, strict=True))
        apart = (np.diff(cells) != 0) | (np.diff(first) > _APART)
        transect = np.concatenate([[0], np.cumsum(apart)])[: first.size].astype(np.int64)
        return cls(length, first, cells, transect, np.bincount(transect)[transect])


def middle_of(first: Ints, length: int) -> NDArray[np.float64]:
    """Return the middles of short segments, as fractional segment numbers."""
    return np.asarray(first + (length - 1) / 2, np.float64)


def _in_orbit(track: BeamTrack, length: int, orbit: int, n: int) -> tuple[Ints, Ints]:
    """Return first segments and cells of the first `n` short segments in one orbit."""
    lakes, last = all_lakes(), SEGMENTS_PER_ORBIT // length
    parts: list[tuple[Ints, Ints]] = [(np.empty(0, np.int64),) * 2]
    missing, start = n, 0
    while missing > 0 and start < last:
        stop = min(start + _WINDOW, last)
        numbers = np.arange(start, stop)
        first = orbit * SEGMENTS_PER_ORBIT + 1 + length * numbers
        cells = lakes.cells(*track.place(middle_of(first, length)))
        seen = track.noise.uniform(f"lost in orbit {orbit}", start, stop) >= _LOST
        wet = np.flatnonzero((cells >= 0) & seen)[:missing]
        parts.append((first[wet], cells[wet]))
        missing, start = missing - wet.size, stop
    if missing > 0:
        raise SelectionError(
            f"{n} rows of {track.beam} in the orbit of track {track.granule.rgt + orbit}: it "
            f"crosses water for {n - missing} only; ask for fewer segments"
        )
    first, cells = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return first, cells
