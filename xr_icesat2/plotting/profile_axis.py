"""Place rows along the axis of a profile, in kilometres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .track_distance import make_ruler
from .tracks import Track

__all__ = ["ProfileAxis"]

Floats = NDArray[np.float64]


class ProfileAxis:
    """The common axis of all beams and cycles of a reference ground track.

    It is the file's distance along the track where the drawn rows have one, and else the length of
    the way from the first row. Other rows are placed by latitude and longitude.

    Parameters
    ----------
    tracks
        The tracks that are drawn; the longest one of each ground track makes the ruler.
    """

    def __init__(self, tracks: Iterable[Track]) -> None:
        groups: dict[Any, list[Track]] = {}
        for track in tracks:
            groups.setdefault(_group(track), []).append(track)
        longest = {key: max(of_group, key=_length) for key, of_group in groups.items()}
        self._is_measured = any(track.x_atc is not None for track in longest.values())
        self._rulers = {
            key: make_ruler(track.latitude, track.longitude, track.x_atc)
            for key, track in longest.items()
        }
        self._origins = {key: _least(of_group) for key, of_group in groups.items()}

    @property
    def is_shared(self) -> bool:
        """Whether all tracks are on one axis."""
        return len(self._rulers) <= 1

    @property
    def label(self) -> str:
        """Label of the axis."""
        if self._is_measured and len(self._rulers) == 1:
            [origin] = self._origins.values()
            return f"Distance along the track (km from x_atc = {origin / 1000:.1f} km)"
        return "Distance along the track (km)"

    def kilometres(self, track: Track) -> Floats:
        """Return where the rows of a track are on the axis; NaN where it is unknown."""
        key = _group(track)
        if self._is_measured and track.x_atc is not None:
            metres = track.x_atc
        else:
            metres = self._rulers[key].measure(track.latitude, track.longitude)
        return np.asarray((metres - self._origins[key]) / 1000)


def _group(track: Track) -> Any:
    return track.labels.get("rgt", track.labels.get("gran_idx"))


def _length(track: Track) -> int:
    return int(np.isfinite(track.latitude).sum())


def _least(tracks: Sequence[Track]) -> float:
    """Return the least distance along the track; 0 where the ruler begins at the first row."""
    finite = [t.x_atc[np.isfinite(t.x_atc)] for t in tracks if t.x_atc is not None]
    return min((float(x.min()) for x in finite if x.size), default=0.0)
