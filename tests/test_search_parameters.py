"""Arguments of a search become parameters of CMR, without a request."""

import datetime as dt
import json
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_granule_name import every_name
from xr_icesat2 import products
from xr_icesat2.earthdata.search_area import parse_area
from xr_icesat2.earthdata.temporal import temporal_parameter
from xr_icesat2.earthdata.track_query import check_product, parse_passes
from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.gran_idx import first_of
from xr_icesat2.granule.name import format_name, parse_name

T = "?" * 14


@pytest.mark.parametrize(
    ("product", "asked", "patterns"),
    [
        ("ATL06", {"rgt": 627}, [f"ATL06_{T}_0627????_*"]),
        ("ATL06", {"rgt": 627, "cycle_number": 5, "granule_region": 3}, [f"ATL06_{T}_06270503_*"]),
        ("ATL03", {"cycle_number": [1, 12]}, [f"ATL03_{T}_????01??_*", f"ATL03_{T}_????12??_*"]),
        ("ATL08", {"granule_region": range(3, 5)},
         [f"ATL08_{T}_??????03_*", f"ATL08_{T}_??????04_*"]),
        ("ATL24", {"rgt": 805, "cycle_number": 25}, [f"ATL24_{T}_080525??_*"]),
        ("ATL07", {"rgt": 902, "hemisphere": "north"}, [f"ATL07-01_{T}_0902??01_*"]),
        ("ATL10", {"rgt": 902}, [f"ATL10-??_{T}_0902??01_*"]),
        ("ATL09", {"rgt": 26, "cycle_number": 3}, [f"ATL09_{T}_00260301_*"]),
        ("ATL13", {"rgt": 28}, [f"ATL13_{T}_0025??01_*"]),
        ("ATL12", {"rgt": [1385, 1386, 1387]}, [f"ATL12_{T}_1385??01_*"]),
        ("ATL11", {"rgt": 788, "granule_region": 5, "cycle_number": 4}, ["ATL11_078805_*"]),
        ("ATL11", {"cycle_number": 4}, []),
        ("ATL20", {"hemisphere": 2}, ["ATL20-02_*"]),
        ("ATL15", {}, []),
        ("ATL06", {}, []),
        ("ATL03QL", {"rgt": 1, "granule_region": 2}, [f"ATL03QL_{T}_0001??02_*"]),
        ("ATL07QL", {"rgt": 902, "hemisphere": 1}, [f"ATL07QL-01_{T}_0902??01_*"]),
        ("ATL13QL", {"rgt": 6, "cycle_number": 24}, [f"ATL13QL_{T}_00052401_*"]),
    ],
)  # fmt: skip
def test_name_patterns_match_passes(product, asked, patterns):
    assert parse_passes(product, **asked).patterns() == patterns


@given(every_name)
def test_granule_matches_its_own_pass_only(name):
    """CMR's wildcards are those of fnmatch, which is not what the patterns are made with."""
    mapped = products[name.product].granules.is_gridded
    cycle = name.cycle_number if name.first_cycle is None else name.last_cycle
    own = parse_passes(
        name.collection,
        rgt=None if mapped else name.rgt,
        cycle_number=None if mapped else cycle,
        granule_region=name.granule_region,
        hemisphere=name.hemisphere,
    )
    if four(name):
        name = replace(name, rgt=first_of(4, name.rgt))
    written, patterns = format_name(name), own.patterns()
    assert own.accept(name)
    assert bool(patterns) == (own != parse_passes(name.collection))
    assert all(fnmatchcase(written, pattern) for pattern in patterns)
    for field, most in (("rgts", 1387), ("granule_regions", 14), ("hemispheres", 2)):
        for number in getattr(own, field):
            other = replace(own, **{field: (number % most + 1,)})
            assert not other.accept(name)
            assert not any(fnmatchcase(written, pattern) for pattern in other.patterns())


def four(name):
    return products[name.product].granules.orbits == 4


@given(st.integers(1, 1387), st.integers(1, 99), st.sampled_from(["ATL12", "ATL13", "ATL22"]))
def test_track_is_found_in_its_four_orbit_granule(rgt, cycle, product):
    passes = parse_passes(product, rgt=rgt, cycle_number=cycle)
    (first,) = passes.rgts
    assert first % 4 == 1
    assert first <= rgt < first + 4
    assert passes.accept(parse_name(f"{product}_20200101000000_{first:04d}{cycle:02d}01_007_01.h5"))


def test_repeat_granules_match_cycles_in_their_range():
    name = parse_name("ATL11_078805_0304_007_01.h5")
    found = [n for n in range(1, 9) if parse_passes("ATL11", cycle_number=n).accept(name)]
    assert found == [3, 4]
    assert parse_passes("ATL11", cycle_number=[1, 4]).accept(name)


@pytest.mark.parametrize(
    ("product", "asked", "says"),
    [
        ("ATL06", {"rgt": 1388}, "1 to 1387"),
        ("ATL06", {"rgt": 0}, "1 to 1387"),
        ("ATL06", {"rgt": []}, "Leave it out"),
        ("ATL06", {"rgt": "627"}, "numbers from 1"),
        ("ATL06", {"rgt": 1.5}, "numbers from 1"),
        ("ATL06", {"granule_region": 15}, "1 to 14"),
        ("ATL06", {"cycle_number": [3, 100]}, "1 to 99"),
        ("ATL06", {"hemisphere": 1}, "ATL07, ATL10, ATL20, ATL21"),
        ("ATL07", {"hemisphere": "west"}, '"north" .1.'),
        ("ATL07", {"granule_region": 1}, "hemisphere"),
        ("ATL13", {"granule_region": 1}, "no such number"),
        ("ATL15", {"rgt": 1}, "no such number"),
        ("ATL06", {"rgt": range(1, 1388)}, "at most 500"),
    ],
)
def test_impossible_passes_are_refused(product, asked, says):
    with pytest.raises(SelectionError, match=says):
        parse_passes(product, **asked)


def test_product_names_are_normalised():
    assert check_product(" atl06") == "ATL06"
    for given_ in ("ATL99", "ATL05", "", "MOD09", 6):
        with pytest.raises(SelectionError, match=r"ATL03, .*ATL24"):
            check_product(given_)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        (None, None),
        ((None, None), None),
        ("2019-11-06", "2019-11-06T00:00:00.000Z,2019-11-06T23:59:59.999Z"),
        ("2019-11", "2019-11-01T00:00:00.000Z,2019-11-30T23:59:59.999Z"),
        ("2020", "2020-01-01T00:00:00.000Z,2020-12-31T23:59:59.999Z"),
        (("2019-11", "2020-02"), "2019-11-01T00:00:00.000Z,2020-02-29T23:59:59.999Z"),
        (("2019-11-06T23:00:08Z", None), "2019-11-06T23:00:08.000Z,"),
        ((None, dt.date(2019, 1, 2)), ",2019-01-02T23:59:59.999Z"),
        (
            [dt.datetime(2019, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=2))), None],
            "2019-01-02T01:00:00.000Z,",
        ),
        ((dt.datetime(2019, 1, 2, 3), None), "2019-01-02T03:00:00.000Z,"),  # noqa: DTZ001
        ((np.datetime64("2019-01-02"), np.datetime64("2019-01-02T03:04:05.678901234")),
         "2019-01-02T00:00:00.000Z,2019-01-02T03:04:05.678Z"),
        ((pd.Timestamp("2019-01-02"), None), "2019-01-02T00:00:00.000Z,"),
        ("2019-11-06 23:00:08", "2019-11-06T23:00:08.000Z,2019-11-06T23:00:08.000Z"),
    ],
)  # fmt: skip
def test_times_become_cmr_ranges(asked, written):
    assert temporal_parameter(asked) == written


@pytest.mark.parametrize(
    "asked",
    ["yesterday", "2019-13", ("2020", "2019"), ("2019",), ("2019", "2020", "2021"), ("", None),
     (3.5j, None), 2019, (2019, 2020), ("NaT", None)],
)  # fmt: skip
def test_impossible_times_are_refused(asked):
    with pytest.raises(SelectionError, match=r"'2019-11-06'|ends before"):
        temporal_parameter(asked)


SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE, [[4, 4], [5, 4], [5, 5], [4, 4]]]}
COUNTERCLOCKWISE = "0,0,10,0,10,10,0,10,0,0"


@pytest.mark.parametrize(
    "region",
    [
        POLYGON,
        {"type": "Polygon", "coordinates": [SQUARE[:-1]]},  # not closed
        {"type": "Feature", "geometry": POLYGON, "properties": {}},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": POLYGON}]},
        {"type": "GeometryCollection", "geometries": [POLYGON]},
        {"type": "MultiPolygon", "coordinates": [[SQUARE]]},
        {"type": "Polygon", "coordinates": [[p for p in SQUARE for _ in range(2)]]},
        SimpleNamespace(__geo_interface__=POLYGON),
        [tuple(point) for point in SQUARE],
        SQUARE[:-1],
        SQUARE[:-1][::-1],
        np.array(SQUARE),
        zip([0, 10, 10, 0], [0, 0, 10, 10], strict=True),
        [{"lon": lon, "lat": lat} for lon, lat in SQUARE],
        [{"latitude": lat, "longitude": lon} for lon, lat in SQUARE],
        [number for point in SQUARE for number in point],
        [str(number) for point in SQUARE for number in point],
        [[*point, 100.0] for point in SQUARE],
        SimpleNamespace(__geo_interface__=POLYGON, crs=SimpleNamespace(is_geographic=True)),
    ],
)
def test_polygons_become_cmr_parameters(region):
    (ring,) = parse_area(None, region).rings
    at = ring.index((0, 0))
    turned = (*ring[at:-1], *ring[:at], ring[at])  # whatever point it begins with
    assert turned == tuple((float(lon), float(lat)) for lon, lat in SQUARE)


@given(
    st.lists(st.tuples(st.integers(-80, 80), st.integers(-80, 80)), min_size=3, max_size=3),
    st.booleans(),
)
def test_forms_of_one_polygon_mean_the_same(points, closed):
    given_ = [*points, points[0]] if closed else points
    forms = [
        {"type": "Polygon", "coordinates": [given_]},
        given_,
        given_[::-1],
        [{"lon": lon, "lat": lat} for lon, lat in given_],
        [number for point in given_ for number in point],
        [(lon % 360, lat) for lon, lat in given_],
    ]
    found = []
    for form in forms:
        try:
            (ring,) = parse_area(None, form).rings
        except SelectionError:  # two points, or a line
            found.append(None)
        else:
            at = ring.index(min(ring))
            found.append((*ring[at:-1], *ring[:at], ring[at]))
    assert len(set(found)) == 1


def test_polygons_are_counterclockwise():
    clockwise = {"type": "Polygon", "coordinates": [SQUARE[::-1]]}
    (ring,) = parse_area(None, clockwise).rings
    assert set(ring) == {tuple(map(float, point)) for point in SQUARE}
    turns = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    assert turns == 200


def test_geojson_file_is_read(tmp_path):
    path = tmp_path / "fjord.geojson"
    path.write_text(json.dumps(POLYGON))
    for given_ in (path, str(path)):
        assert parse_area(None, given_).parameters() == [("polygon[]", COUNTERCLOCKWISE)]


def test_several_polygons_are_alternatives():
    east = [[x + 100, y] for x, y in SQUARE]
    area = parse_area(None, {"type": "MultiPolygon", "coordinates": [[SQUARE], [east]]})
    assert area.parameters() == [
        ("polygon[]", COUNTERCLOCKWISE),
        ("polygon[]", "100,0,110,0,110,10,100,10,100,0"),
        ("options[polygon][or]", "true"),
    ]


@pytest.mark.parametrize("latitude", [80.0, -75.0])
@pytest.mark.parametrize("backward", [False, True])
def test_ring_around_a_pole_contains_the_pole(latitude, backward):
    ring = [[lon, latitude] for lon in range(-180, 180, 30)][:: -1 if backward else 1]
    (found,) = parse_area(None, {"type": "Polygon", "coordinates": [ring]}).rings
    eastward = (found[1][0] - found[0][0] + 180) % 360 - 180 > 0
    assert eastward == (latitude > 0)


@pytest.mark.parametrize("backward", [False, True])
def test_ring_crosses_the_antimeridian(backward):
    ring = [[179, 0], [-179, 0], [-179, 5], [179, 5], [179, 0]][:: -1 if backward else 1]
    area = parse_area(None, {"type": "Polygon", "coordinates": [ring]})
    assert area.parameters() == [("polygon[]", "179,0,-179,0,-179,5,179,5,179,0")]
    shifted = [[x % 360, y] for x, y in ring]  # longitudes from 0 to 360
    assert parse_area(None, {"type": "Polygon", "coordinates": [shifted]}) == area


@pytest.mark.parametrize(
    ("box", "written"),
    [
        ((-50.5, 68.9, -48.0, 69.4), "-50.5,68.9,-48,69.4"),
        (np.array([170, -80, -170, -70]), "170,-80,-170,-70"),
        ([-0.00000001, 0, 1e-5, 1], "0,0,0.00001,1"),
        ((309.5, 68.9, 312, 69.4), "-50.5,68.9,-48,69.4"),
        ((170, 0, 190, 1), "170,0,-170,1"),
        ((350, 0, 10, 1), "-10,0,10,1"),
        ((10, 0, 350, 1), "10,0,-10,1"),
        ((0, -90, 360, 90), "-180,-90,180,90"),
        ((-10, 0, 350, 1), "-180,0,180,1"),
        ((-180, 0, 180, 1), "-180,0,180,1"),
    ],
)
def test_boxes_become_cmr_parameters(box, written):
    assert parse_area(box, None).parameters() == [("bounding_box", written)]
    assert parse_area(None, box) == parse_area(box, None)


@pytest.mark.parametrize(
    ("bbox", "region", "says"),
    [
        ((1, 2, 3), None, "west, south, east, north"),
        ((68.9, -50.5, 69.4, 148.0), None, "latitudes from -90"),
        ((0, 10, 1, 5), None, "south below north"),
        ((0, float("nan"), 1, 5), None, "latitudes from -90"),
        ("Greenland", None, "west, south"),
        ((0, 0, 1, 1), POLYGON, "one of them"),
        (None, {"type": "Point", "coordinates": [1, 2]}, "'Point', which covers no area"),
        (None, {"type": "FeatureCollection", "features": []}, "no polygon"),
        (None, {"type": "Polygon"}, "not valid GeoJSON"),
        (None, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, "2 points"),
        (None, {"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [0, 0]]]}, "invalid point"),
        (None, {"type": "Polygon", "coordinates": [[[0, 0], [1, 95], [3, 3]]]}, "before latitude"),
        ((68.9, -50.5, 69.4, 148.0), None, "seem to be swapped"),
        (None, [(68.9, -150.5), (69.4, -148), (69.4, -150.5)], "seem to be swapped"),
        (None, [(0, 0), (1, 1)], "2 points"),
        (None, [(0, 0), (1, 1), (0, 0)], "2 points"),
        (None, [(0, 0), (1, 1), (2, 2)], "on one line"),
        (None, [(0, 0), (1, "north"), (2, 2)], "invalid point.*north"),
        (None, [(0, 0), (1, None), (2, 2)], "invalid point"),
        (None, [(0, 0), 1, (2, 2)], "invalid point"),
        (None, [(0, 0), (float("nan"), 1), (2, 2)], "before latitude"),
        (None, [{"lon": 0, "lat": 0}, {"lon": 1}, {"lon": 1, "lat": 1}], "no lon and lat"),
        (None, [(0, 0, 1, 1), (0, 0, 1, 1)], "is not a pair"),
        (None, [[(0, 0), (1, 0), (1, 1)], [(5, 0), (6, 0), (6, 1)]], "invalid point"),
        (None, [0, 0, 1, 0, 1], "5 numbers"),
        (None, [0, 0], "2 numbers"),
        (None, [], "0 numbers"),
        (None, "no-such-file.json", "cannot be read"),
        (None, 7, "longitude first"),
        (None, SimpleNamespace(__geo_interface__=POLYGON,
                               crs=SimpleNamespace(is_geographic=False, name="UTM")), "to_crs"),
    ],
)  # fmt: skip
def test_impossible_areas_are_refused(bbox, region, says):
    with pytest.raises(SelectionError, match=says):
        parse_area(bbox, region)


def test_other_file_is_not_geojson(tmp_path):
    (tmp_path / "outline.shp").write_bytes(b"\x00\x00'\n")
    with pytest.raises(SelectionError, match=r"geopandas\.read_file"):
        parse_area(None, tmp_path / "outline.shp")
