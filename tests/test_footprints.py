"""Footprints of granules match the coordinates in real ones."""

import json
import re
from xml.etree import ElementTree as ET

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import ALL_GRANULES, needs_granules, recorded_answer
from xr_icesat2.earthdata.cmr import CatalogGranule, parse_granule
from xr_icesat2.earthdata.footprint import footprint_lines, is_track
from xr_icesat2.earthdata.ground_track import OrbitExtent, ground_track
from xr_icesat2.earthdata.result_map import svg_maps
from xr_icesat2.errors import SelectionError

NODE_STEP = 360 * 91 / 1387


def kilometres(a, b):
    """Distance on a sphere between points (longitude, latitude) in degrees."""
    lon, lat = np.radians(np.array([a, b])).T
    x = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
    return 6371 * np.linalg.norm(x[0] - x[1])


def middle_beam(path):
    """Crossing longitude, latitudes and longitudes of a real granule, or None."""
    with h5py.File(path) as file:
        for group in ("land_ice_segments", "land_segments", "sea_ice_segments"):
            for beam in ("gt2l", "gt1l"):
                if "orbit_info/lan" in file and f"{beam}/{group}/latitude" in file:
                    rows = file[f"{beam}/{group}"]
                    points = rows["longitude"][:], rows["latitude"][:]
                    return float(file["orbit_info/lan"][0]), *points
    return None


@needs_granules
def test_tracks_match_real_granules():
    compared = 0
    for found in filter(None, map(middle_beam, ALL_GRANULES)):
        crossing, lon, lat = found
        ascending = bool(lat[-1] > lat[0])
        line = ground_track(
            OrbitExtent(
                crossing=crossing,
                start_latitude=float(lat[0]), start_ascending=ascending,
                end_latitude=float(lat[-1]), end_ascending=ascending,
            )
        )  # fmt: skip
        # Between beams lie 3.3 km; one of these granules has an outer beam only.
        assert kilometres(line[0], (lon[0], lat[0])) < 6
        assert kilometres(line[-1], (lon[-1], lat[-1])) < 6
        compared += 1
    assert compared >= 6


@pytest.mark.parametrize(
    ("start", "end", "turns"),
    [
        ((80.0, True), (80.0, False), 0.05),  # over the pole
        ((0.0, True), (0.0, True), 1.0),  # a whole orbit
        ((-27.0, True), (0.0, True), 0.08),  # the last region
    ],
)
def test_tracks_follow_the_flight_direction(start, end, turns):
    extent = OrbitExtent(
        crossing=10.0,
        start_latitude=start[0], start_ascending=start[1],
        end_latitude=end[0], end_ascending=end[1],
    )  # fmt: skip
    line = np.array(ground_track(extent))
    assert abs(len(line) - 180 * turns) < 8
    assert line[:, 1].max() < 88.1
    assert np.allclose([line[0, 1], line[-1, 1]], [start[0], end[0]], atol=1e-6)


def test_four_orbits_end_where_the_fifth_begins():
    extent = OrbitExtent(
        crossing=10.0,
        start_latitude=0.0, start_ascending=True, end_latitude=0.0, end_ascending=True,
    )  # fmt: skip
    line = ground_track(extent, 4)
    assert line[0] == pytest.approx((10.0, 0.0), abs=1e-9)
    assert line[-1] == pytest.approx(((10 - 4 * NODE_STEP + 180) % 360 - 180, 0.0), abs=1e-9)


def test_latitude_beyond_the_poles_is_refused():
    extent = OrbitExtent(
        crossing=10.0,
        start_latitude=91.0, start_ascending=True, end_latitude=0.0, end_ascending=True,
    )  # fmt: skip
    with pytest.raises(SelectionError, match="-90 to 90"):
        ground_track(extent)


@pytest.mark.parametrize("product", ["atl03", "atl06", "atl08"])
def test_recorded_responses_parse(product):
    (item,) = json.loads(recorded_answer(f"{product}_umm.json").read_text())["items"]
    granule = parse_granule(item)
    orbit = item["umm"]["SpatialExtent"]["HorizontalSpatialDomain"]["Orbit"]
    (line,) = footprint_lines(granule)
    assert is_track(granule)
    assert line[0][1] == pytest.approx(orbit["StartLatitude"])
    assert line[-1][1] == pytest.approx(orbit["EndLatitude"])
    west = (line[0][0] - orbit["AscendingCrossing"] + 180) % 360 - 180
    assert west < 0 or orbit["StartDirection"] == "D"


def geometry(**kinds):
    return CatalogGranule(name="x", start=None, end=None, footprint={"Geometry": kinds})


CORNERS = [(0, 0), (1, 0), (1, 2), (0, 0)]
POINTS = [{"Longitude": lon, "Latitude": lat} for lon, lat in CORNERS]


@pytest.mark.parametrize(
    ("granule", "line", "track"),
    [
        (geometry(GPolygons=[{"Boundary": {"Points": POINTS}}]), CORNERS, False),
        (geometry(Lines=[{"Points": POINTS}]), CORNERS, True),
        (geometry(Points=POINTS[1:2]), CORNERS[1:2], False),
        (
            geometry(
                BoundingRectangles=[
                    {
                        "WestBoundingCoordinate": 170, "EastBoundingCoordinate": -170,
                        "SouthBoundingCoordinate": 1, "NorthBoundingCoordinate": 2,
                    }
                ]
            ),
            [(170, 1), (-170, 1), (-170, 2), (170, 2), (170, 1)],
            False,
        ),
    ],
)  # fmt: skip
def test_other_extents_parse(granule, line, track):
    assert footprint_lines(granule) == (tuple(line),)
    assert is_track(granule) == track


def test_granule_without_an_extent_has_no_footprint():
    assert footprint_lines(CatalogGranule(name="x", start=None, end=None)) == ()


points = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
lines = st.lists(st.lists(points, min_size=1, max_size=6).map(tuple), max_size=4)


@given(lines, lines)
def test_any_footprint_draws_maps(tracks, rings):
    drawn = svg_maps(tracks, rings)
    if not tracks and not rings:
        assert drawn == ""
        return
    pictures = ET.fromstring(f"<maps>{drawn}</maps>")  # noqa: S314 - our own
    assert 1 <= len(pictures) <= 2
    for picture, framed in zip(pictures, ([*tracks, *rings], rings), strict=False):
        width, height = float(picture.get("width")), float(picture.get("height"))
        assert 0 < width <= 480
        assert 0 < height <= 360
        paths = [path.get("d") for path in picture if path.get("stroke-linecap")]
        assert len(paths) == len(tracks) + len(rings)
        shown = [np.array([p.split() for p in re.split("[ML]", d)[1:]], float) for d in paths]
        assert all(np.isfinite(each).all() for each in shown)
        # The granules and the area are within the first map, the area within the second.
        for each in shown[len(paths) - len(framed) :]:
            assert (each >= -0.1).all()
            assert (each <= (width + 1, height + 1)).all()
