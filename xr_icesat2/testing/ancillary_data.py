"""Ancillary data of every product, and values for attributes."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from xr_icesat2.granule.beams import STRONG
from xr_icesat2.granule.reference_track import SEGMENTS_PER_ORBIT, node_longitude

from .array_types import ArraysByName
from .beam_track import BeamTrack
from .identity import EPOCH, SyntheticGranule
from .orbit import first_segment, orbit_number, seconds_to

__all__ = ["AncillaryValues", "Extent", "beam_attribute_values"]

BeamTracks = Mapping[str, BeamTrack]

_CONTROL_LENGTH = 100_000  # too long to be compact
_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
_LEAP_SECONDS = 18  # GPS less UTC since 2017
_WEEK = 7 * 86400
_SINCE_TURN = 40_000.0  # seconds
_AFTERWARDS = timedelta(days=45)
_POLYGON_SIDE = 5  # points
_POLYGON = np.linspace(0, 4, 2 * _POLYGON_SIDE + 1)
_WORLD = ((-90.0, 90.0, 90.0, -90.0, -90.0), (-180.0, -180.0, 180.0, 180.0, -180.0))


@dataclass(frozen=True, slots=True)
class Extent:
    """The part of the world and of time that a granule's rows cover."""

    first: int
    """Segment of the first row of all beams, counted on from orbit to orbit."""
    last: int
    """Segment of the last row."""
    begin: float
    """Time of the first row, seconds since 2018-01-01."""
    end: float
    """Time of the last row."""
    latitude: NDArray[np.float64]
    """Corners of a polygon around the rows, the last one again the first; degrees north."""
    longitude: NDArray[np.float64]
    """The same, degrees east."""

    @classmethod
    def of(cls, granule: SyntheticGranule, tracks: BeamTracks) -> "Extent":
        """Find where rows are that follow the postings of tracks through one region."""
        rows_of_beams = {beam: track.segment_rows for beam, track in tracks.items()}
        ends = {
            beam: (
                int(segment_rows.ids(0, 1)[0]),
                int(segment_rows.ids(segment_rows.n - 1, segment_rows.n)[0]),
            )
            for beam, segment_rows in rows_of_beams.items()
            if segment_rows.n
        }
        first, last, begin, end = _span(granule, tracks, ends)
        latitude, longitude = _outline(granule, first, last)
        return cls(first, last, begin, end, latitude, longitude)

    @classmethod
    def worldwide(
        cls, granule: SyntheticGranule, tracks: BeamTracks, ends: Mapping[str, tuple[int, int]]
    ) -> "Extent":
        """Create the extent of whole orbits, whose polygon is the whole world.

        Parameters
        ----------
        granule
            The granule.
        tracks
            Track of each beam.
        ends
            First and last segment of those beams that have rows.
        """
        latitude, longitude = (np.interp(_POLYGON, (0, 1, 2, 3, 4), c) for c in _WORLD)
        return cls(*_span(granule, tracks, ends), latitude, longitude)


class AncillaryValues:
    """Values that granules of all products have, as part of :class:`.GranuleValues`.

    Parameters
    ----------
    granule
        The granule.
    extent
        What its rows cover.
    """

    def __init__(self, granule: SyntheticGranule, extent: Extent) -> None:
        self._granule = granule
        self._extent = extent

    def fixed(self, rate: str) -> ArraysByName:
        """Return the values of a rate's variables that have no rows: by default none."""
        del rate
        return {}

    def constants(self) -> ArraysByName:
        """Return the values of variables stored once in a file, by path."""
        return ancillary_constants(self._granule, self._extent)

    def attribute_values(self) -> Mapping[str, Any]:
        """Return the values that attributes contain."""
        return granule_attribute_values(self._granule, self._extent)


def _span(
    granule: SyntheticGranule, tracks: BeamTracks, ends: Mapping[str, tuple[int, int]]
) -> tuple[int, int, float, float]:
    """Return first and last segment and time of all beams, or the start of the track."""
    if not ends:
        first = first_segment(granule.granule_region)
        time = float(BeamTrack(granule, "gt1l").time(first))
        return first, first, time, time
    times = [
        (float(tracks[beam].time(first)), float(tracks[beam].time(last)))
        for beam, (first, last) in ends.items()
    ]
    return (
        min(first for first, _ in ends.values()),
        max(last for _, last in ends.values()),
        min(begin for begin, _ in times),
        max(end for _, end in times),
    )


def _outline(
    granule: SyntheticGranule, first: int, last: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points around the data: up the left side, down the right side, closed."""
    along = np.linspace(first - 10, last + 10, _POLYGON_SIDE)
    up = BeamTrack(granule, "gt1l").place(along)
    down = BeamTrack(granule, "gt3r").place(along[::-1])
    latitude, longitude = (np.concatenate([a, b, a[:1]]) for a, b in zip(up, down, strict=True))
    return latitude, longitude


def _utc(seconds: float) -> str:
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"


def ancillary_constants(granule: SyntheticGranule, extent: Extent) -> dict[str, NDArray[Any]]:
    """Return the values of orbit_info, ancillary_data and quality_assessment."""
    epoch = (EPOCH - _GPS_EPOCH).total_seconds() + _LEAP_SECONDS
    rgts = np.array(granule.rgts)
    nodes = granule.crossing_time + seconds_to(SEGMENTS_PER_ORBIT * (rgts - granule.rgt))
    values: dict[str, Any] = {
        "orbit_info/crossing_time": nodes,
        "orbit_info/cycle_number": np.full(rgts.shape, granule.cycle_number),
        "orbit_info/lan": np.array([node_longitude(rgt) for rgt in granule.rgts]),
        "orbit_info/orbit_number": orbit_number(rgts, granule.cycle_number),
        "orbit_info/rgt": rgts,
        "orbit_info/sc_orient": granule.sc_orient,
        "orbit_info/sc_orient_time": granule.crossing_time - _SINCE_TURN,
        "orbit_info/bounding_polygon_lat1": extent.latitude,
        "orbit_info/bounding_polygon_lon1": extent.longitude,
        "ancillary_data/atlas_sdp_gps_epoch": epoch,
        "ancillary_data/control": f"OUT={granule.name}\n".ljust(_CONTROL_LENGTH),
        "ancillary_data/qa_at_interval": 0.0,
        "ancillary_data/release": granule.release.ljust(80),
        "ancillary_data/version": granule.version.ljust(80),
        "quality_assessment/qa_granule_fail_reason": 0,
        "quality_assessment/qa_granule_pass_fail": 0,
    }
    regions = granule.regions
    for side, region, segment, time in (
        ("start", regions[0], extent.first, extent.begin),
        ("end", regions[-1], extent.last, extent.end),
    ):
        week, second = divmod(time + epoch, _WEEK)
        orbit, geoseg = divmod(segment, SEGMENTS_PER_ORBIT)
        here = f"ancillary_data/{side}"
        values |= {
            f"{here}_cycle": granule.cycle_number,
            f"{here}_delta_time": time,
            f"{here}_geoseg": geoseg,
            f"{here}_gpssow": second,
            f"{here}_gpsweek": week,
            f"{here}_orbit": orbit_number(granule.rgt + orbit, granule.cycle_number),
            f"{here}_region": region,
            f"{here}_rgt": granule.rgt + orbit,
            f"ancillary_data/data_{side}_utc": _utc(time),
        }
    start = (granule.begin - EPOCH).total_seconds()
    values["ancillary_data/granule_start_utc"] = _utc(start)
    values["ancillary_data/granule_end_utc"] = _utc(extent.end + 1)
    return {
        path: np.atleast_1d(value.encode("ascii") if isinstance(value, str) else value)
        for path, value in values.items()
    }


def granule_attribute_values(granule: SyntheticGranule, extent: Extent) -> dict[str, Any]:
    """Return values that the attributes of any group may contain."""
    created = granule.begin + _AFTERWARDS
    return {
        "product": granule.product,
        "release": granule.release,
        "track": f"{granule.rgt:04d}{granule.cycle_number:02d}{granule.granule_region:02d}",
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, granule.name)),
        "created": f"{created:%Y-%m-%dT%H:%M:%S.%fZ}",
        "created_date": f"{created:%Y-%m-%d}",
        "hdf5": h5py.version.hdf5_version,
        "data_start": _utc(extent.begin),
        "data_end": _utc(extent.end),
        "duration": np.float64(extent.end - extent.begin),
        "north": np.float64(extent.latitude.max()),
        "south": np.float64(extent.latitude.min()),
        "east": np.float64(extent.longitude.max()),
        "west": np.float64(extent.longitude.min()),
        "cycle": np.int32(granule.cycle_number),
        "orbit": np.int32(orbit_number(granule.rgt, granule.cycle_number)),
        "rgt": np.int32(granule.rgt),
        "region": np.int32(granule.granule_region),
        "start_geoseg": np.int32(extent.first % SEGMENTS_PER_ORBIT),
        "end_geoseg": np.int32(extent.last % SEGMENTS_PER_ORBIT),
    }


def beam_attribute_values(granule: SyntheticGranule, beam: str) -> dict[str, str]:
    """Return values that the attributes of a beam's group may contain.

    While the spacecraft turns, the spot and all that depends on it are missing.
    """
    attribute_values = {"beam": beam, "profile": f"profile_{beam[2]}"}
    spot = granule.spots.get(beam)
    if spot is None:
        return attribute_values
    return attribute_values | {
        "spot": str(spot),
        "pce": f"pce{(spot + 1) // 2}",
        "strength": "strong" if spot in STRONG else "weak",
        "orientation": "Forward" if granule.sc_orient else "Backward",
    }
