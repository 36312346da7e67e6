"""What is predicted of a track excludes no row that is inside a region."""

import os
from dataclasses import dataclass, replace

import numpy as np
import pytest
import shapely
import shapely.geometry
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths import needs_granules
from tests.real_tracks import real_rows
from xr_icesat2.assembly.track_prediction import BeamPrediction, TrackPrediction
from xr_icesat2.granule.reference_track import SEGMENTS_PER_ORBIT
from xr_icesat2.region import make_region
from xr_icesat2.testing.orbit import ground_position

CHUNK = 400
TRACKS = int(os.environ.get("XR_ICESAT2_TEST_TRACKS", "40"))
"""Random tracks; a long test takes 2000."""


@dataclass(frozen=True)
class Beam:
    """Rows of a beam, as in a file."""

    rgt: int
    segment: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray


def beam_of(seed: int, first: int, length: int) -> Beam:
    """Make a beam beside its track, with jumps back and forth, and with pieces missing."""
    rng = np.random.default_rng(seed)
    segment = np.arange(first, first + length, 10)
    for _ in range(rng.integers(0, 4)):
        start = rng.integers(len(segment))
        kept = np.ones(len(segment), bool)
        kept[start : start + rng.integers(1, length // 20)] = False
        kept[[0, -1]] = True
        segment = segment[kept]
    # Off-nadir pointing changes slowly; reference photons jump by some segments.
    left = 40_000 * np.sin(segment / rng.uniform(3e4, 3e5) + rng.uniform(0, 7))
    jump = rng.normal(0, rng.choice([0, 3, 30]), len(segment))
    rgt = int(rng.integers(1, 1388))
    latitude, longitude = ground_position(rgt, segment + jump, left)
    return Beam(rgt, segment, longitude, latitude)


def region_of(seed: int, beam: Beam):
    """Make a region near the track, in degrees or in metres round a pole."""
    rng = np.random.default_rng(seed)
    at = rng.integers(len(beam.segment))
    lon, lat = beam.longitude[at], beam.latitude[at]
    lat += rng.normal(0, 0.3)
    size = 10.0 ** rng.uniform(-2, 0.8)
    wide = size / max(np.cos(np.radians(lat)), 0.05)
    west, east = ((x + 180) % 360 - 180 for x in (lon - wide, lon + wide))
    box = (west, max(lat - size, -90.0), east, min(lat + size, 90.0))
    if rng.random() < 0.5 or abs(lat) + size > 85 or wide > 60:
        return make_region(box)
    ring = shapely.Point(lon, lat).buffer(size).simplify(size / 10)
    return make_region(shapely.difference(ring, shapely.Point(lon, lat).buffer(size / 4)))


def rows_read(prediction: BeamPrediction, beam: Beam):
    """Return what is read at first, and what is read because of it."""
    first = prediction.first_rows()
    rows = first.rows()
    more = prediction.missing_rows(first, beam.segment, beam.longitude[rows], beam.latitude[rows])
    return first, more


def predicted(beam: Beam, region) -> BeamPrediction:
    track = TrackPrediction(beam.rgt, int(beam.segment[0]), int(beam.segment[-1]), region)
    return BeamPrediction(track, len(beam.segment), CHUNK)


@settings(max_examples=TRACKS, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    first=st.integers(0, SEGMENTS_PER_ORBIT),
    length=st.sampled_from([20_000, 200_000, SEGMENTS_PER_ORBIT]),
)
def test_no_row_inside_is_excluded(seed, first, length):
    beam = beam_of(seed, first, length)
    region = region_of(seed + 1, beam)
    inside = np.flatnonzero(region.contains(beam.longitude, beam.latitude))
    first_read, more = rows_read(predicted(beam, region), beam)
    assert first_read.union(more).contains(inside).all()
    assert not first_read.contains(more.rows()).any()


def straight(rgt: int = 658, length: int = 180_000) -> Beam:
    """Make a beam without anything missing, in region 3."""
    segment = np.arange(330_000, 330_000 + length)
    latitude, longitude = ground_position(rgt, segment.astype(float), 3300.0)
    return Beam(rgt, segment, longitude, latitude)


def test_few_chunks_are_read_and_all_at_once():
    beam = straight()
    at = 100_500
    lon, lat = beam.longitude[at], beam.latitude[at]
    region = make_region((lon - 0.1, lat - 0.05, lon + 0.1, lat + 0.05))
    track = TrackPrediction(beam.rgt, int(beam.segment[0]), int(beam.segment[-1]), region)
    prediction = BeamPrediction(track, len(beam.segment), 10_000)
    first, more = rows_read(prediction, beam)
    # A region of 10 km, and 50 km on each side: 5500 rows.
    assert first.count <= 2 * 10_000
    assert more.count == 0
    assert first.contains(np.flatnonzero(region.contains(beam.longitude, beam.latitude))).all()


def test_region_far_away_is_excluded_by_the_ends():
    beam = straight()
    region = make_region((10, -30, 11, -29))
    first, more = rows_read(predicted(beam, region), beam)
    assert first.count == 2 * CHUNK
    assert more.count == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda beam: replace(beam, rgt=beam.rgt + 1),  # another track
        lambda beam: replace(beam, segment=beam.segment - 6000),  # 120 km away
        lambda beam: replace(beam, latitude=-beam.latitude),
        lambda beam: replace(beam, longitude=np.full(len(beam.segment), np.nan)),
    ],
)
def test_everything_is_read_if_prediction_and_ends_differ(wrong):
    beam = wrong(straight())
    prediction = predicted(beam, make_region((10, -30, 11, -29)))
    first, more = rows_read(prediction, beam)
    assert first.count + more.count == len(beam.segment)


def test_rows_of_other_segments_are_read():
    beam = straight()
    beam.segment[50_000:50_010] = 0
    prediction = predicted(beam, make_region((10, -30, 11, -29)))
    _, more = rows_read(prediction, beam)
    assert more.contains(np.arange(50_000, 50_010)).all()
    assert more.count == CHUNK


def test_rows_near_the_turning_latitudes_are_read():
    segment = np.arange(446_000, 556_000)  # region 4, from 80° to 88° and back
    latitude, longitude = ground_position(10, segment.astype(float), 0.0)
    beam = Beam(10, segment, longitude, latitude)
    far = (longitude[0] + 180) % 360 - 180
    region = make_region((far, 85.5, far + 0.1, 86))
    first, more = rows_read(predicted(beam, region), beam)
    assert first.union(more).contains(np.flatnonzero(latitude >= 85)).all()


@needs_granules
def test_real_rows_agree_with_the_prediction():
    compared = 0
    for rows in real_rows():
        first, last = int(rows.segment.min()), int(rows.segment.max())
        track = TrackPrediction(rows.rgt, first, last, make_region((0, 0, 1, 1)))
        assert track.agrees(rows.segment, rows.longitude, rows.latitude)
        wrong = TrackPrediction(rows.rgt % 1387 + 1, first, last, make_region((0, 0, 1, 1)))
        assert not wrong.agrees(rows.segment, rows.longitude, rows.latitude)
        compared += 1
    assert compared > 40
