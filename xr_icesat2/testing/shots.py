"""Shots of the laser: 10,000 a second, each seen by all six beams."""

import numpy as np
from numpy.typing import NDArray

from .orbit import seconds_to
from .segments import BeamTrack

__all__ = [
    "PER_FRAME",
    "PER_SEGMENT",
    "first_shot",
    "frame_and_pulse",
    "shot_time",
    "window_seconds",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PER_SECOND = 10_000
PER_SEGMENT = float(seconds_to(1.0)) * _PER_SECOND
"""Shots while 20 m go by: 28.2."""
PER_FRAME = 200
"""Shots in a major frame of the detectors' electronics."""

_LIGHT = 299_792_458.0  # metres a second
_FRAMES_PER_ORBIT = 300_000  # more than there are, so that no two granules share one
_FRAMES = 2**31


def first_shot(segment: Ints) -> Ints:
    """Count the shots from the ascending node to the first one in a segment."""
    return np.asarray(np.ceil(segment * PER_SEGMENT), np.int64)


def shot_time(track: BeamTrack, shot: Ints) -> Floats:
    """Seconds since 2018-01-01 of shots."""
    return np.asarray(float(track.time(0.0)) + shot / _PER_SECOND)


def frame_and_pulse(track: BeamTrack, shot: Ints) -> tuple[Ints, Ints]:
    """Major frame of shots, and their number in it, from 1."""
    granule = track.granule
    begin = (granule.rgt + 1387 * granule.cycle_number) * _FRAMES_PER_ORBIT
    frame, pulse = np.divmod(shot, PER_FRAME)
    return (begin + frame) % _FRAMES, pulse + 1


def window_seconds(height: float) -> float:
    """How long light takes through a window of this height and back."""
    return 2 * height / _LIGHT
