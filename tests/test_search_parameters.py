"""Arguments of a search become parameters of CMR, without a request."""

import datetime as dt
import sys
from dataclasses import replace
from fnmatch import fnmatchcase

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
from xr_icesat2.errors import MissingExtraError, SelectionError
from xr_icesat2.granule.gran_idx import first_of
from xr_icesat2.granule.name import format_name, parse_name
from xr_icesat2.region import make_region

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
        (("2019-11-06T21", "2019-11-06T23:30+0100"),
         "2019-11-06T21:00:00.000Z,2019-11-06T22:30:00.000Z"),
    ],
)  # fmt: skip
def test_times_become_cmr_ranges(asked, written):
    assert temporal_parameter(asked) == written


@pytest.mark.parametrize(
    "asked",
    ["yesterday", "2019-13", ("2020", "2019"), ("2019",), ("2019", "2020", "2021"), ("", None),
     (3.5j, None), 2019, (2019, 2020), ("NaT", None), "06/11/2019", "13.11.2019", "6 Nov 2019",
     ("20191106", None), "now"],
)  # fmt: skip
def test_impossible_times_are_refused(asked):
    with pytest.raises(SelectionError, match=r"'2019-11-06'|ends before"):
        temporal_parameter(asked)


SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]


def test_area_is_the_region_that_opening_takes():
    for given_ in (SQUARE, zip(*np.array(SQUARE).T, strict=True), (170, -80, -170, -70)):
        known = list(given_)
        assert parse_area(None, iter(known)) == make_region(known)
    assert parse_area((350, 0, 10, 1), None) == make_region((350, 0, 10, 1))
    assert parse_area(None, None) is None


@pytest.mark.parametrize(
    ("bbox", "region", "says"),
    [
        ((1, 2, 3), None, "bbox=.*west, south, east, north"),
        ((68.9, -50.5, 69.4, 148.0), None, "bbox=.*seem to be swapped"),
        ("Greenland", None, "west, south"),
        ((0, 0, 1, 1), SQUARE, "one of them"),
        (None, SQUARE[:2], "2 points"),
        (None, 7, "expected a box"),
    ],
)
def test_impossible_areas_are_refused(bbox, region, says):
    with pytest.raises(SelectionError, match=says):
        parse_area(bbox, region)


def test_without_shapely_the_box_around_points_is_searched(monkeypatch):
    monkeypatch.setitem(sys.modules, "shapely", None)
    with pytest.warns(UserWarning, match=r"box around the points.*xr-icesat2\[geo\]"):
        area = parse_area(None, SQUARE)
    assert area.cmr_parameters() == [("bounding_box", "0,0,10,10")]
    assert parse_area(None, (1, 2, 3, 4)).cmr_parameters() == [("bounding_box", "1,2,3,4")]
    with pytest.warns(UserWarning, match="box around"):
        across = parse_area(None, [(-190, 0), (-170, 0), (-170, 5)])
    assert across.bounds == (170, 0, -170, 5)
    with pytest.raises(SelectionError, match="either way"):
        parse_area(None, [(179, 0), (-179, 0), (-179, 5), (179, 5)])
    with pytest.raises(MissingExtraError, match=r"shapely.*xr-icesat2\[geo\]"):
        parse_area(None, {"type": "Polygon", "coordinates": [SQUARE]})
