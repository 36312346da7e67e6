"""Values of ATL03's photon rate."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.granule.reference_track import SEGMENT_LENGTH

from .array_types import ArraysByName, Floats
from .orbit import ALTITUDE
from .photons import NOISE, PhotonCloud, Photons, frame_and_pulse, shot_time

__all__ = ["photon_rows"]


_SEGMENTS_PER_BLOCK = 2000  # bounds memory for any size of blocks
_BUFFER = 15.0  # metres around the ground in which noise is classified as edge of the signal
_NOT_CONSIDERED, _BACKGROUND, _EDGE, _HIGH = -1, 0, 1, 4
_DOUBTED = 0.1  # share of the signal with less confidence; a third of it with low confidence
_SUSPECT = 0.02  # share of the noise, for each quality flag
_CHANNELS = {True: (1, 16), False: (17, 4)}  # first channel and channels, strong and weak
_CHANNELS_PER_SPOT = 20
_WEIGHTS_UNTIL_006 = 255
_WEIGHTS = 65535
_SIGNAL_CLASSES = np.array([0, 5, 4, 3], np.int8)


def photon_rows(cloud: PhotonCloud, start: int, stop: int) -> ArraysByName:
    """Return rows ``start:stop`` of ``heights``, by name."""
    first, last = cloud.rows_of(start, stop)
    parts = []
    for row in range(first, last, _SEGMENTS_PER_BLOCK):
        after = min(row + _SEGMENTS_PER_BLOCK, last)
        begin = int(cloud.first[row])
        wanted = slice(max(start - begin, 0), stop - begin)
        photons = dict(_variables(cloud, cloud.photons(row, after), begin))
        parts.append({name: values[wanted] for name, values in photons.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _variables(
    cloud: PhotonCloud, photons: Photons, begin: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    track, ends = cloud.track, photons.ends
    draw = track.noise.uniform("photon", begin, begin + photons.shot.size)
    frame, pulse = frame_and_pulse(track, photons.shot)
    yield "delta_time", shot_time(track, photons.shot)
    yield from zip(("lat_ph", "lon_ph"), photons.place(), strict=True)
    yield "h_ph", (photons.ground + photons.above).astype(np.float32)
    yield "dist_ph_along", (photons.along * SEGMENT_LENGTH).astype(np.float32)
    yield "dist_ph_across", (track.left * (1 - photons.above / ALTITUDE)).astype(np.float32)
    yield "pce_mframe_cnt", frame.astype(np.uint32)
    yield "ph_id_pulse", pulse.astype(np.uint8)
    yield "ph_id_channel", _channel(cloud, draw)
    yield "ph_id_count", _count_in_shot(photons)
    confidence = _confidence(photons, draw)
    yield (
        "signal_conf_ph",
        np.where(
            np.repeat(ends.types, photons.counts, axis=0),
            confidence[:, None],
            np.int8(_NOT_CONSIDERED),
        ),
    )
    yield "quality_ph", _quality(photons, draw)
    yield "weight_ph", _weight(photons, draw, track.granule.release)
    yield "signal_class_ph", np.where(confidence > _EDGE, _SIGNAL_CLASSES[photons.class_], -1)


def _channel(cloud: PhotonCloud, draw: Floats) -> NDArray[np.uint8]:
    first, channels = _CHANNELS[cloud.track.strong]
    spot = cloud.track.granule.spots.get(cloud.track.beam, 1)
    begin = first + (spot - 1) * _CHANNELS_PER_SPOT
    return (begin + draw * channels).astype(np.uint8)


def _count_in_shot(photons: Photons) -> NDArray[np.uint8]:
    """Count the photons of each shot from 1, which makes their identifiers unique."""
    shot = photons.shot
    rows = np.arange(shot.size, dtype=np.int64)
    new = np.ones(shot.size, np.bool_)
    np.not_equal(shot[1:], shot[:-1], out=new[1:])
    begin = np.maximum.accumulate(np.where(new, rows, 0))
    return (rows - begin + 1).astype(np.uint8)


def _confidence(photons: Photons, draw: Floats) -> NDArray[np.int8]:
    noise = np.where(np.abs(photons.above) < _BUFFER, np.int8(_EDGE), np.int8(_BACKGROUND))
    doubted = (draw < _DOUBTED).astype(np.int8) + (draw < _DOUBTED / 3)
    return np.where(photons.class_ == NOISE, noise, (_HIGH - doubted).astype(np.int8))


def _quality(photons: Photons, draw: Floats) -> NDArray[np.int8]:
    suspect = np.maximum(3 - draw / _SUSPECT, 0)
    return np.where(photons.class_ == NOISE, np.ceil(suspect), 0).astype(np.int8)


def _weight(photons: Photons, draw: Floats, release: str) -> NDArray[Any]:
    heaviest = _WEIGHTS_UNTIL_006 if release < "007" else _WEIGHTS
    share = np.where(photons.class_ == NOISE, 0.3 * draw, 1 - 0.3 * draw)
    return (share * heaviest).astype(np.uint16)
