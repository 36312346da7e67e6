"""Values of ATL03's 20 m segments: positions, photons, corrections, background."""

import numpy as np

from xr_icesat2.granule.reference_track import SEGMENT_LENGTH

from .array_types import ArraysByName, Floats, Ints
from .beam_track import BeamTrack
from .geophysical_models import (
    background_rate,
    dem_source,
    geoid_height,
    neutral_delay,
    solar_position,
    tides,
)
from .orbit import ALTITUDE, wrap_longitude
from .photons import PER_SEGMENT, WINDOW, PhotonCloud, frame_and_pulse, shot_time, window_seconds
from .surface import surface_height, surface_types

__all__ = [
    "SHOTS_IN_SUM",
    "background_rows",
    "correction_rows",
    "finder_rows",
    "geolocation_rows",
]


SHOTS_IN_SUM = 50
"""Shots of a row of ``bckgrd_atlas``."""

_SEGMENTS_PER_BLOCK = 2000  # so that memory stays bounded
_SPEED = 7_600.0  # metres a second
_POINTING = 0.02  # of the spacecraft's attitude, degrees


def geolocation_rows(cloud: PhotonCloud, start: int, stop: int) -> ArraysByName:
    """Return rows ``start:stop`` of ``geolocation``, by name."""
    track, ids = cloud.track, cloud.ids[start:stop]
    counts = np.diff(cloud.first[start : stop + 1])
    _, shot, reference = _reference(cloud, start, stop)
    latitude, longitude = _reference_photon(cloud, start, stop)
    time = shot_time(track, shot)
    elevation, azimuth = solar_position(time, latitude, longitude)
    ground = surface_height(latitude, longitude, track.granule.cycle_number)
    heading = np.radians(track.azimuth(ids.astype(np.float64)))
    attitude = np.sin(ids / 900.0)
    return {
        "delta_time": time,
        "reference_photon_lat": latitude,
        "reference_photon_lon": longitude,
        "reference_photon_index": reference,
        "segment_id": ids,
        "segment_ph_cnt": counts,
        "ph_index_beg": np.where(counts > 0, cloud.first[start:stop] + 1, 0),
        "segment_dist_x": ids * SEGMENT_LENGTH,
        "segment_length": np.full(ids.shape, SEGMENT_LENGTH),
        "surf_type": surface_types(*track.middles(ids)[:2]),
        "solar_elevation": elevation,
        "solar_azimuth": azimuth,
        "velocity_sc": np.stack(
            [_SPEED * np.sin(heading), _SPEED * np.cos(heading), attitude], axis=-1
        ),
        "altitude_sc": ALTITUDE - 14_000 * np.cos(np.radians(2 * latitude)),
        "ref_azimuth": heading,
        "ref_elev": np.full(ids.shape, np.pi / 2 - 0.007),
        "pitch": _POINTING * attitude,
        "roll": -_POINTING * attitude,
        "yaw": 10 * _POINTING * attitude,
        "neutat_ht": ground,
        "neutat_delay_total": neutral_delay(ground),
        "neutat_delay_derivative": np.full(ids.shape, -2.4e-4),
        "podppd_flag": np.where(ids % 1000 < 5, 1, 0),
        "sigma_lat": np.full(ids.shape, 6.3e-5),
        "sigma_lon": 6.3e-5 / np.cos(np.radians(latitude)),
    }


def _reference(
    cloud: PhotonCloud, start: int, stop: int
) -> tuple[tuple[Floats, Floats], Ints, Ints]:
    """Return the ground below each reference photon, its shot and its number.

    Numbers are from 1; where there is no photon: the middle of the segment, and 0.
    """
    ends = cloud.ends(start, stop)
    number, shot = cloud.central(ends, start, stop)
    along = np.maximum(shot / PER_SEGMENT - ends.ids, 0)
    latitude, longitude = (
        begin + (end - begin) * along for begin, end in (ends.latitude, ends.longitude)
    )
    return (latitude, wrap_longitude(longitude)), shot, number


def _reference_photon(cloud: PhotonCloud, start: int, stop: int) -> tuple[Floats, Floats]:
    """Return the position of each reference photon."""
    (latitude, longitude), _, _ = _reference(cloud, start, stop)
    for row in range(start, stop, _SEGMENTS_PER_BLOCK):
        after = min(row + _SEGMENTS_PER_BLOCK, stop)
        photons = cloud.photons(row, after)
        some = photons.counts > 0
        first = cloud.first[row:after] - cloud.first[row]
        central = (first + (photons.counts - 1) // 2)[some]
        for values, of_photons in zip((latitude, longitude), photons.place(), strict=True):
            values[row - start : after - start][some] = of_photons[central]
    return latitude, longitude


def correction_rows(cloud: PhotonCloud, start: int, stop: int) -> ArraysByName:
    """Return rows ``start:stop`` of ``geophys_corr``, by name."""
    track, ids = cloud.track, cloud.ids[start:stop]
    (latitude, longitude), shot, _ = _reference(cloud, start, stop)
    time = shot_time(track, shot)
    height = surface_height(latitude, longitude, track.granule.cycle_number)
    geoid, to_mean = geoid_height(latitude, longitude)
    return {
        "delta_time": time,
        "dem_flag": dem_source(latitude),
        "dem_h": surface_height(latitude, longitude) + 0.5 * track.random("dem_h", ids),
        "geoid": geoid,
        "geoid_free2mean": to_mean,
        "tide_oc_pole": np.full(ids.shape, -1.7e-5),
        **tides(time, latitude, longitude, height),
    }


def background_rows(track: BeamTrack, begin: int, start: int, stop: int) -> ArraysByName:
    """Return rows ``start:stop`` of ``bckgrd_atlas``; row 0 is sum number `begin`."""
    sums = np.arange(begin + start, begin + stop)
    shot = sums * SHOTS_IN_SUM
    segment = shot / PER_SEGMENT
    place = track.place(segment)
    time = shot_time(track, shot)
    elevation, _ = solar_position(time, *place)
    rate = background_rate(elevation)
    bottom, top = WINDOW
    seconds = SHOTS_IN_SUM * window_seconds(top - bottom)
    deviation = track.noise.normal("sum", int(sums[0]), int(sums[-1]) + 1)
    noise = np.maximum(rate * seconds + np.sqrt(rate * seconds) * deviation, 0).round()
    signal, _ = track.returned(np.arange(int(segment[0]), int(segment[-1]) + 1))
    signal = signal[segment.astype(np.int64) - int(segment[0])]
    signal = (signal * (SHOTS_IN_SUM / PER_SEGMENT)).astype(np.int64)
    ground = surface_height(*place, track.granule.cycle_number)
    frame, _ = frame_and_pulse(track, shot)
    return {
        "delta_time": time,
        "bckgrd_counts": noise + signal,
        "bckgrd_counts_reduced": noise,
        "bckgrd_rate": noise / seconds,
        "bckgrd_hist_top": ground + top,
        "bckgrd_int_height": np.full(sums.shape, top - bottom),
        "bckgrd_int_height_reduced": np.full(sums.shape, top - bottom - 1.5),
        "pce_mframe_cnt": frame,
        "tlm_height_band1": np.full(sums.shape, top - bottom),
        "tlm_height_band2": np.zeros(sums.shape),
        "tlm_top_band1": ground + top,
        "tlm_top_band2": np.zeros(sums.shape),
    }


def finder_rows(track: BeamTrack, ids: Ints) -> ArraysByName:
    """Return rows of ``signal_find_output``, one for each segment."""
    latitude, longitude, time = track.middles(ids)
    elevation, _ = solar_position(time, latitude, longitude)
    bin_height = 1.6  # metres
    mean = background_rate(elevation) * window_seconds(bin_height) * PER_SEGMENT
    return {
        "delta_time": time,
        "bckgrd_mean": mean,
        "bckgrd_sigma": np.sqrt(mean),
        "t_pc_delta": np.full(ids.shape, 0.04572),
        "z_pc_delta": np.full(ids.shape, bin_height),
    }
