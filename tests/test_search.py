"""``xr_icesat2.search`` against the stand-in for CMR."""

import dataclasses
import pickle
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import xarray as xr

import xr_icesat2
from tests.earthdata.names import CMR_HOST
from xr_icesat2.errors import GranuleNotFoundError, SelectionError, TransferError
from xr_icesat2.region import make_region
from xr_icesat2.testing import write_granule

JAKOBSHAVN = (-50.5, 68.9, -48.0, 69.4)
FIRST = "ATL06_20190808032023_06270403_007_01.h5"
SECOND = "ATL06_20191106230008_06270503_007_01.h5"
SECOND_AGAIN = "ATL06_20191106230009_06270503_007_02.h5"
OTHER_TRACK = "ATL06_20191107230008_06420503_007_01.h5"
OLD = "ATL06_20191106230008_06270503_006_02.h5"


@pytest.fixture
def archive(earthdata):
    for name in (FIRST, SECOND, SECOND_AGAIN, OTHER_TRACK, OLD):
        earthdata.put(name, name.encode())
    earthdata.records.sort(key=lambda record: record["umm"]["GranuleUR"].split("_")[1])
    return earthdata


def names(found):
    return [granule.name for granule in found]


def test_track_is_found_in_newest_versions(archive):
    found = xr_icesat2.search("ATL06", rgt=627)
    assert names(found) == [FIRST, SECOND_AGAIN]
    assert names(found.older) == [SECOND]
    assert found.urls[0] == f"icesat2://ATL06/007/2019/08/08/{FIRST}"
    assert (
        found[0].s3_url == f"s3://nsidc-cumulus-prod-protected/ATLAS/ATL06/007/2019/08/08/{FIRST}"
    )
    assert found[0].size == len(FIRST)
    assert {request.path for request in archive.script.log} == {
        f"{CMR_HOST}/search/collections.umm_json",
        f"{CMR_HOST}/search/granules.umm_json",
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"rgt": 627, "cycle_number": 5}, [SECOND_AGAIN]),
        ({"rgt": [642, 1], "granule_region": 3}, [OTHER_TRACK]),
        ({"granule_region": 4}, []),
        ({"temporal": "2019-08"}, [FIRST]),
        ({"temporal": ("2019-11-07", None)}, [OTHER_TRACK]),
        ({"temporal": "2019-11", "release": 6}, [OLD]),
        ({"temporal": "2019", "rgt": 627, "release": "007"}, [FIRST, SECOND_AGAIN]),
        ({"bbox": JAKOBSHAVN, "cycle_number": 4}, [FIRST]),
        ({"bbox": (0, 0, 1, 1)}, []),
        ({"bbox": (309.5, 68.9, 312, 69.4), "cycle_number": 4}, [FIRST]),
        ({"region": [(-50, 69), (-49, 69.2), (-49, 69)], "cycle_number": 4}, [FIRST]),
        ({"region": [{"lon": 310, "lat": 69}, {"lon": 311, "lat": 69}, {"lon": 311, "lat": 69.2}],
          "cycle_number": 4}, [FIRST]),
        ({"region": {"type": "Polygon",
                     "coordinates": [[[-50, 69], [-49, 69.2], [-49, 69]]]},
          "cycle_number": 4}, [FIRST]),
        ({"count": 2}, [FIRST, SECOND_AGAIN]),
        ({"count": 1, "temporal": "2019-11"}, [SECOND_AGAIN]),
    ],
)  # fmt: skip
def test_results_describe_granules(archive, asked, expected):
    assert names(xr_icesat2.search("ATL06", **asked)) == expected


def test_results_are_paged(archive):
    archive.page_size = 2
    found = xr_icesat2.search("ATL06", bbox=JAKOBSHAVN)
    assert names(found) == [FIRST, SECOND_AGAIN, OTHER_TRACK]
    pages = [r for r in archive.script.log if r.path.endswith("granules.umm_json")]
    assert len(pages) == 3  # two full ones, and CMR's word that there is no more
    archive.script.log.clear()
    assert names(xr_icesat2.search("ATL06", count=1)) == [FIRST]
    pages = [r for r in archive.script.log if r.path.endswith("granules.umm_json")]
    assert len(pages) == 1


def test_special_product_names_are_accepted(earthdata):
    for name in (
        "ATL07-01_20190225115500_09020201_007_01.h5",
        "ATL07-02_20190225115500_09020201_007_01.h5",
        "ATL13_20190330212241_00250301_007_01.h5",
        "ATL13_20190331212241_00290301_007_01.h5",
    ):
        earthdata.put(name, b"")
    for name in ("ATL11_002505_0318_007_01.h5", "ATL11_002505_0320_007_01.h5"):
        earthdata.put(name, b"", key=f"ATL11/007/2019/03/29/{name}")
    north = xr_icesat2.search("ATL07", rgt=902, hemisphere="north")
    assert names(north) == ["ATL07-01_20190225115500_09020201_007_01.h5"]
    assert names(xr_icesat2.search("ATL13", rgt=28)) == ["ATL13_20190330212241_00250301_007_01.h5"]
    repeats = xr_icesat2.search("ATL11", rgt=25, granule_region=5, cycle_number=19)
    assert names(repeats) == ["ATL11_002505_0320_007_01.h5"]
    assert repeats.urls == ["icesat2://ATL11/007/2019/03/29/ATL11_002505_0320_007_01.h5"]


def test_gridded_products_need_no_filter(earthdata):
    maps = [f"ATL15_{area}_0325_40km_005_01.nc" for area in ("A1", "GL")]
    for name in maps:
        earthdata.put(name, b"", key=f"ATL15/005/2019/01/01/{name}")
    assert sorted(names(xr_icesat2.search("ATL15"))) == maps


def test_quick_look_granules_are_marked(logged_in, tmp_path):
    """They are another collection of the same product, with names and folders of their own."""
    final = write_granule(tmp_path, product="ATL06", n_segments=20, chunk_rows=10)
    data = final.read_bytes()
    name = final.name.replace("ATL06", "ATL06QL")
    logged_in.put(final.name, data)
    logged_in.put(name, data, key=f"ATL06QL/006/{name}")
    logged_in.put("ATL07QL-01_20250225115500_09022601_006_01.h5", b"")
    rgt = int(final.name.split("_")[2][:4])
    assert names(xr_icesat2.search("ATL06", rgt=rgt)) == [final.name]
    found = xr_icesat2.search("atl06ql", rgt=rgt)
    assert names(found) == [name]
    assert found.query.startswith("ATL06QL release 006")
    assert len(xr_icesat2.search("ATL07QL", hemisphere="north")) == 1
    opened = xr.open_dataset(found, engine="icesat2", variables="h_li")
    with xr.open_dataset(final, engine="icesat2", variables="h_li") as expected:
        assert np.array_equal(opened.h_li, expected.h_li, equal_nan=True)
    with xr.open_dataset(f"icesat2://{name}", engine="icesat2", variables="h_li") as by_name:
        assert by_name.source_file.item() == name
    (path,) = xr_icesat2.download(f"icesat2://{name}", tmp_path)
    assert path.read_bytes() == data


def test_empty_result_shows_the_query(archive):
    found = xr_icesat2.search("ATL06", rgt=1, temporal="2019")
    assert len(found) == 0
    assert repr(found) == "<GranuleList: no granules (ATL06 release 007, temporal='2019', rgt=1)>"
    assert "<svg" not in found._repr_html_()


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({}, SelectionError, "every granule of ATL06.*bbox"),
        ({"count": 0}, SelectionError, "count=0"),
        (
            {"polygon": 1},
            SelectionError,
            r"'polygon' is not a keyword of search. Did you mean 'region'.*keywords are: bbox",
        ),
        ({"boundingbox": 1}, SelectionError, "Did you mean 'bbox'"),
        ({"date": "2019"}, SelectionError, "Did you mean 'temporal'"),
        ({"cycles": 1}, SelectionError, "Did you mean 'cycle_number'"),
        ({"zzz": 1}, SelectionError, "'zzz' is not a keyword of search. Its keywords are: bbox"),
        ({"bbox": (68.9, -50.5, 69.4, 148)}, SelectionError, "seem to be swapped"),
        ({"rgt": 1, "release": "7.1"}, SelectionError, '"latest" or a number'),
        ({"rgt": 1, "release": "005"}, GranuleNotFoundError, "one of 006, 007"),
    ],
)
def test_impossible_searches_are_refused(archive, asked, error, says):
    with pytest.raises(error, match=says):
        xr_icesat2.search("ATL06", **asked)


def test_product_outside_the_cloud_is_an_error(archive):
    with pytest.raises(GranuleNotFoundError, match="no ATL22 in the cloud"):
        xr_icesat2.search("ATL22", rgt=1)


def test_catalog_errors_are_reported(archive, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_RETRY_PAUSE", "0.01")
    archive.script.fail("granules.umm_json", 400)
    with pytest.raises(SelectionError, match="rejects the query: ordered to answer 400"):
        xr_icesat2.search("ATL06", rgt=627)
    archive.script.heal()
    archive.script.fail("granules.umm_json", 503)
    with pytest.raises(TransferError, match="Try again later"):
        xr_icesat2.search("ATL06", rgt=627)


def test_result_list_is_immutable(archive):
    found = xr_icesat2.search("ATL06", bbox=JAKOBSHAVN)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert again == found
    assert repr(again) == repr(found)
    first = found[:1]
    assert (names(first), first.older, first.area) == ([FIRST], (), found.area)
    assert names(found[-2:].older) == [SECOND]
    assert found[1] in found


def test_results_print_as_a_table(archive):
    found = xr_icesat2.search("ATL06", bbox=JAKOBSHAVN)
    head, columns, *rows, left_out = repr(found).splitlines()
    assert re.fullmatch(r"<GranuleList: 3 granules, 117 B \(ATL06 release 007, bbox=.*\)>", head)
    assert columns.split() == ["name", "start", "(UTC)", "minutes", "size", "where"]
    assert rows[0].split(maxsplit=6) == [
        *("0", FIRST, "2019-08-08", "03:20:23", "5.0", "39"),
        "B  68.9°N to 69.4°N",
    ]
    assert left_out == "Left out: an older version of the same passes (in .older)"


def test_long_table_is_cut_in_the_middle(archive):
    found = xr_icesat2.search("ATL06", bbox=JAKOBSHAVN)
    many = type(found)(granules=found.granules * 10)
    lines = repr(many).splitlines()
    assert len(lines) == 2 + 21
    assert [line.split()[0] for line in lines[2:]] == [
        *map(str, range(10)), "…", *map(str, range(20, 30)),
    ]  # fmt: skip


SVG = "{http://www.w3.org/2000/svg}"


ORBIT = {
    "AscendingCrossing": -40.4, "StartLatitude": 59.5, "StartDirection": "A",
    "EndLatitude": 80.0, "EndDirection": "A",
}  # fmt: skip


@pytest.fixture
def in_orbit(archive):
    """Granules whose records have the part of an orbit."""
    for record in archive.records:
        record["umm"]["SpatialExtent"]["HorizontalSpatialDomain"] = {"Orbit": ORBIT}


@pytest.mark.usefixtures("in_orbit")
def test_results_draw_a_map():
    found = xr_icesat2.search("ATL06", temporal="2019")
    shown = found._repr_html_()
    assert all(name in shown for name in names(found))
    drawing = ET.fromstring(shown[shown.index("<svg") : shown.index("</svg>") + 6])  # noqa: S314
    width, height = float(drawing.get("width")), float(drawing.get("height"))
    tracks = [p.get("d") for p in drawing.iter(f"{SVG}path") if p.get("stroke") == "#1f77b4"]
    assert len(tracks) == len(found) == 3
    points = np.array([p.split() for p in re.split("[ML]", tracks[0])[1:]], float)
    assert (points >= 0).all()
    assert (points <= (width, height)).all()
    assert (np.diff(points[:, 1]) < 0).all()  # northward
    assert (np.diff(points[:, 0]) < 0).all()  # and westward
    labels = {text.text for text in drawing.iter(f"{SVG}text")}
    assert {"60°N", "80°N"} <= labels


@pytest.mark.usefixtures("in_orbit")
def test_map_shows_whole_granules_and_the_area_larger():
    found = xr_icesat2.search("ATL06", temporal="2019")
    found = dataclasses.replace(found, area=make_region((-49.6, 69.1, -49.3, 69.2)))
    shown = found._repr_html_()
    maps = ET.fromstring(f"<x>{re.search('<svg.*</svg>', shown, re.DOTALL)[0]}</x>")  # noqa: S314
    whole, near = maps
    for drawing, most in ((whole, 16), (near, np.inf)):
        width, height = float(drawing.get("width")), float(drawing.get("height"))
        [outline] = (p for p in drawing.iter(f"{SVG}path") if p.get("stroke") == "#d95f02")
        corners = np.array([p.split() for p in re.split("[ML]", outline.get("d"))[1:]], float)
        assert (corners >= 0).all()
        assert (corners <= (width, height)).all()
        assert np.ptp(corners, axis=0).max() < most
    assert len(list(whole.iter(f"{SVG}circle"))) == 1  # it would hardly be seen
    assert not list(near.iter(f"{SVG}circle"))
    tracks = [p.get("d") for p in whole.iter(f"{SVG}path") if p.get("stroke") == "#1f77b4"]
    points = np.array([p.split() for p in re.split("[ML]", tracks[0])[1:]], float)
    assert (points >= 0).all()
    assert (points <= (float(whole.get("width")), float(whole.get("height")))).all()
