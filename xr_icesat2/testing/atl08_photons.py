"""Photons that ATL08 lists, and the land segments that they form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .array_types import ArraysByName, Ints
from .photons import NOISE, PhotonCloud, Photons, shot_time

__all__ = ["MAX_20M_SEGMENTS", "LandSegments", "SignalPhotons"]


MAX_20M_SEGMENTS = 5
"""20 m segments in the longest land segment."""

_SHORTEST = 2
_WHOLE = 0.7  # share of the land segments with the most 20 m segments
_GAPS = 0.15  # share of them that follow a gap
_LONGEST_GAP = 6  # 20 m segments
_FEWEST = 20  # photons in a land segment
_SEGMENTS_PER_BLOCK = 2000
_NEAR = (-10.0, 40.0)  # metres around the ground in which ATL08 lists noise
_DENSE = 4.0  # metres around the ground in which noise has the signal flag


@dataclass(frozen=True, slots=True)
class SignalPhotons:
    """Photons of a beam that ATL08 lists: all signal, and the noise near it."""

    cloud: PhotonCloud
    """All photons."""
    first: Ints
    """Row of the first one of each 20 m segment, and at the end the count of all."""

    @classmethod
    def of(cls, cloud: PhotonCloud) -> "SignalPhotons":
        """Count the listed photons, which makes every photon of the beam once."""
        counts = [np.zeros(1, np.int64)]
        for row in range(0, cloud.ids.size, _SEGMENTS_PER_BLOCK):
            stop = min(row + _SEGMENTS_PER_BLOCK, cloud.ids.size)
            photons = cloud.photons(row, stop)
            segment = np.repeat(np.arange(stop - row), photons.counts)
            counts.append(np.bincount(segment[cls.listed(photons)], minlength=stop - row))
        return cls(cloud, np.cumsum(np.concatenate(counts)))

    @staticmethod
    def listed(photons: Photons) -> NDArray[np.bool_]:
        """Return whether ATL08 lists each photon."""
        low, high = _NEAR
        near = (photons.above > low) & (photons.above < high)
        return np.asarray(near | (photons.class_ != NOISE))

    def rows(self, start: int, stop: int) -> ArraysByName:
        """Return rows ``start:stop`` of ``signal_photons``, by name."""
        first, last = np.searchsorted(self.first, [start, stop - 1], side="right")
        parts = [
            self._rows(row, min(row + _SEGMENTS_PER_BLOCK, int(last)), start, stop)
            for row in range(int(first) - 1, int(last), _SEGMENTS_PER_BLOCK)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _rows(self, row: int, after: int, start: int, stop: int) -> ArraysByName:
        photons = self.cloud.photons(row, after)
        begin = int(self.first[row])
        chosen = np.flatnonzero(self.listed(photons))[max(start - begin, 0) : stop - begin]
        above, class_ = photons.above[chosen], photons.class_[chosen]
        return {
            "delta_time": shot_time(self.cloud.track, photons.shot[chosen]),
            "ph_segment_id": np.repeat(photons.ends.ids, photons.counts)[chosen],
            "classed_pc_indx": photons.in_segment[chosen] + 1,
            "classed_pc_flag": class_,
            "d_flag": (class_ != NOISE) | (np.abs(above) < _DENSE),
            "ph_h": above.astype(np.float32),
        }


@dataclass(frozen=True, slots=True)
class LandSegments:
    """Groups of 20 m segments that ATL08 summarizes, nominally 100 m."""

    begin: Ints
    """Row of the first 20 m segment of each, increasing."""
    size: Ints
    """How many 20 m segments it has: 2 to 5."""

    @classmethod
    def of(cls, signal: SignalPhotons) -> "LandSegments":
        """Draw sizes and gaps; keep those without a jump and with enough photons."""
        cloud = signal.cloud
        noise, n = cloud.track.noise, cloud.ids.size
        count = n // _SHORTEST + 1
        whole = noise.uniform("whole", 0, count) < _WHOLE
        shorter = noise.uniform("size", 0, count) * (MAX_20M_SEGMENTS - _SHORTEST)
        size = np.where(whole, MAX_20M_SEGMENTS, _SHORTEST + shorter.astype(np.int64))
        gap = noise.uniform("gap", 0, count) / _GAPS
        gap = np.where(gap < 1, gap * _LONGEST_GAP, 0).astype(np.int64)
        begin = np.cumsum(gap + size) - size
        inside = begin + size <= n
        begin, size = begin[inside], size[inside]
        last = begin + size - 1
        listed = np.diff(signal.first)
        kept = (
            (cloud.ids[last] - cloud.ids[begin] == size - 1)
            & (listed[begin] > 0)
            & (listed[last] > 0)
            & (signal.first[last + 1] - signal.first[begin] >= _FEWEST)
        )
        return cls(begin[kept], size[kept])
