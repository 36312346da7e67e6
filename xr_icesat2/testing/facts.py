"""What every product says of its granule: ancillary data, and values for attributes."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from xr_icesat2.granule.beams import STRONG
from xr_icesat2.testing.granule import EPOCH, Granule
from xr_icesat2.testing.orbit import first_segment, node_longitude, orbit_number
from xr_icesat2.testing.segments import BeamTrack

__all__ = ["ancillary_constants", "beam_facts", "granule_facts"]

Tracks = Mapping[str, BeamTrack]

_CONTROL_LENGTH = 100_000  # too long to be compact
_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
_LEAP_SECONDS = 18  # GPS less UTC since 2017
_WEEK = 7 * 86400
_SINCE_TURN = 40_000.0  # seconds
_AFTERWARDS = timedelta(days=45)
_POLYGON_SIDE = 5  # points


def _ends(granule: Granule, tracks: Tracks) -> tuple[int, int, float, float]:
    """First and last segment and time of all beams; where no row is, those of the track."""
    postings = {beam: track.posting for beam, track in tracks.items()}
    spans = [
        (tracks[beam], int(posting.ids(0, 1)[0]), int(posting.ids(posting.n - 1, posting.n)[0]))
        for beam, posting in postings.items()
        if posting.n
    ]
    if not spans:
        first = first_segment(granule.region)
        time = float(BeamTrack(granule, "gt1l").time(first))
        return first, first, time, time
    times = [(float(track.time(first)), float(track.time(last))) for track, first, last in spans]
    return (
        min(first for _, first, _ in spans),
        max(last for _, _, last in spans),
        min(begin for begin, _ in times),
        max(end for _, end in times),
    )


def _outline(granule: Granule, tracks: Tracks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points around the data: up the left side, down the right one, back to the first."""
    first, last, _, _ = _ends(granule, tracks)
    along = np.linspace(first - 10, last + 10, _POLYGON_SIDE)
    up = BeamTrack(granule, "gt1l").place(along)
    down = BeamTrack(granule, "gt3r").place(along[::-1])
    latitude, longitude = (np.concatenate([a, b, a[:1]]) for a, b in zip(up, down, strict=True))
    return latitude, longitude


def _utc(seconds: float) -> str:
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"


def ancillary_constants(granule: Granule, tracks: Tracks) -> dict[str, NDArray[Any]]:
    """Values of orbit_info, ancillary_data and quality_assessment, by path."""
    first, last, begin, end = _ends(granule, tracks)
    latitude, longitude = _outline(granule, tracks)
    epoch = (EPOCH - _GPS_EPOCH).total_seconds() + _LEAP_SECONDS
    orbit = orbit_number(granule.rgt, granule.cycle)
    values: dict[str, Any] = {
        "orbit_info/crossing_time": granule.crossing_time,
        "orbit_info/cycle_number": granule.cycle,
        "orbit_info/lan": node_longitude(granule.rgt),
        "orbit_info/orbit_number": orbit,
        "orbit_info/rgt": granule.rgt,
        "orbit_info/sc_orient": granule.sc_orient,
        "orbit_info/sc_orient_time": granule.crossing_time - _SINCE_TURN,
        "orbit_info/bounding_polygon_lat1": latitude,
        "orbit_info/bounding_polygon_lon1": longitude,
        "ancillary_data/atlas_sdp_gps_epoch": epoch,
        "ancillary_data/control": f"OUT={granule.name}\n".ljust(_CONTROL_LENGTH),
        "ancillary_data/qa_at_interval": 0.0,
        "ancillary_data/release": granule.release.ljust(80),
        "ancillary_data/version": granule.version.ljust(80),
        "quality_assessment/qa_granule_fail_reason": 0,
        "quality_assessment/qa_granule_pass_fail": 0,
    }
    for side, segment, time in (("start", first, begin), ("end", last, end)):
        week, second = divmod(time + epoch, _WEEK)
        here = f"ancillary_data/{side}"
        values |= {
            f"{here}_cycle": granule.cycle,
            f"{here}_delta_time": time,
            f"{here}_geoseg": segment,
            f"{here}_gpssow": second,
            f"{here}_gpsweek": week,
            f"{here}_orbit": orbit,
            f"{here}_region": granule.region,
            f"{here}_rgt": granule.rgt,
            f"ancillary_data/data_{side}_utc": _utc(time),
        }
    start = (granule.begin - EPOCH).total_seconds()
    values["ancillary_data/granule_start_utc"] = _utc(start)
    values["ancillary_data/granule_end_utc"] = _utc(end + 1)
    return {
        path: np.atleast_1d(value.encode("ascii") if isinstance(value, str) else value)
        for path, value in values.items()
    }


def granule_facts(granule: Granule, tracks: Tracks) -> dict[str, Any]:
    """Values that the attributes of any group may refer to."""
    first, last, begin, end = _ends(granule, tracks)
    latitude, longitude = _outline(granule, tracks)
    created = granule.begin + _AFTERWARDS
    return {
        "product": granule.product,
        "release": granule.release,
        "track": f"{granule.rgt:04d}{granule.cycle:02d}{granule.region:02d}",
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, granule.name)),
        "created": f"{created:%Y-%m-%dT%H:%M:%S.%fZ}",
        "created_date": f"{created:%Y-%m-%d}",
        "hdf5": h5py.version.hdf5_version,
        "data_start": _utc(begin),
        "data_end": _utc(end),
        "duration": np.float64(end - begin),
        "north": np.float64(latitude.max()),
        "south": np.float64(latitude.min()),
        "east": np.float64(longitude.max()),
        "west": np.float64(longitude.min()),
        "cycle": np.int32(granule.cycle),
        "orbit": np.int32(orbit_number(granule.rgt, granule.cycle)),
        "rgt": np.int32(granule.rgt),
        "region": np.int32(granule.region),
        "start_geoseg": np.int32(first),
        "end_geoseg": np.int32(last),
    }


def beam_facts(granule: Granule, beam: str) -> dict[str, str]:
    """Values that the attributes of a beam's group refer to.

    While the spacecraft turns, nothing is said of the spot and what depends on it.
    """
    facts = {"beam": beam, "profile": f"profile_{beam[2]}"}
    spot = granule.spots.get(beam)
    if spot is None:
        return facts
    return facts | {
        "spot": str(spot),
        "pce": f"pce{(spot + 1) // 2}",
        "strength": "strong" if spot in STRONG else "weak",
        "orientation": "Forward" if granule.sc_orient else "Backward",
    }
