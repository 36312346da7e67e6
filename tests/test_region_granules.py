"""Regions and windows of time of lists, trees and saved Datasets."""

import datetime as dt
import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.paths import granule
from xr_icesat2 import links
from xr_icesat2.errors import SelectionError
from xr_icesat2.testing import write_granule

LAYOUTS = ("spot", "flat")
RGTS = (200, 658, 900)
MIDDLE = "ATL06_*_0658*"
COMBINE = {
    "join": "outer",
    "data_vars": "all",
    "coords": "different",
    "compat": "no_conflicts",
    "combine": "nested",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("granules")
    for rgt in RGTS:
        write_granule(folder, "ATL06", rgt=rgt, n_segments=30, beams=("gt1l", "gt2r"), chunk_rows=8)
    write_granule(folder, "ATL03", n_segments=12, beams=("gt1l", "gt2r"), seed=2)
    return folder


@pytest.fixture(scope="module")
def paths(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.glob("ATL06*"))]


@pytest.fixture(scope="module")
def middle(folder: Path) -> Path:
    [path] = folder.glob(MIDDLE)
    return path


@pytest.fixture(scope="module")
def box(middle: Path) -> tuple[float, ...]:
    """Half of the rows of the granule in the middle."""
    ds = opened(middle, "flat")
    lat, lon = ds["latitude"].values, ds["longitude"].values
    return (lon.min() - 0.1, float(np.quantile(lat, 0.25)), lon.max() + 0.1, lat.max() - 1e-3)


def opened(path, layout: str, **keywords) -> xr.Dataset:
    keywords = {"variables": ["h_li", "segment_id"]} | keywords
    return xr.open_dataset(path, engine="icesat2", layout=layout, **keywords)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_granules_without_a_row_inside_are_left_out_and_listed(paths, middle, box, layout):
    ds = opened(paths, layout, region=box)
    assert (
        np.unique(ds["gran_idx"]).tolist() == np.unique(opened(middle, layout)["gran_idx"]).tolist()
    )
    outside = {Path(path).name for path in paths} - {middle.name}
    assert {*ds.attrs["granules_outside"]} == outside
    alone = opened(middle, layout, region=box)
    assert "granules_outside" not in alone.attrs
    xr.testing.assert_equal(ds.load(), alone.load())
    assert repr(alone.attrs["region"]) in repr(ds.attrs["region"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_empty_result_merges_with_others(paths, middle, box, layout):
    nowhere = (100, -10, 101, -9)
    for given in (paths, middle):
        empty = opened(given, layout, region=nowhere)
        some = opened(middle, layout, region=box)
        assert set(empty.variables) == set(some.variables)
        assert empty["h_li"].dims == some["h_li"].dims
        assert empty["h_li"].size == 0
        assert empty.load()["h_li"].dtype == some["h_li"].dtype
        dim = "gran_idx" if layout == "spot" else "segment_idx"
        joined = xr.concat([empty, some], dim, join="outer", combine_attrs="drop_conflicts")
        np.testing.assert_array_equal(joined["h_li"], some["h_li"])
    tree = xr.open_datatree(paths, engine="icesat2", layout=layout, region=nowhere)
    assert tree["land_ice_segments/h_li"].size == 0
    assert len(tree.attrs["granules_outside"]) == len(RGTS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_open_mfdataset_equals_a_list(paths, box, layout):
    south, north = -89, 89
    everywhere = (-180, south, 180, north)
    for region in (box, everywhere):
        ds = xr.open_mfdataset(
            paths,
            engine="icesat2",
            layout=layout,
            variables=["h_li"],
            region=region,
            concat_dim="gran_idx" if layout == "spot" else "segment_idx",
            **COMBINE,
        )
        expected = opened(paths, layout, region=region, variables=["h_li"])
        np.testing.assert_array_equal(ds["h_li"], expected["h_li"])
        np.testing.assert_array_equal(ds["n_rows"], expected["n_rows"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_chunks_and_pickles_of_selected_rows(paths, middle, box, layout, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_CHUNK_BYTES", "200")
    ds = opened(paths, layout, region=box)
    chunked = opened(paths, layout, region=box, chunks={})
    again = opened(paths, layout, region=box, chunks={})
    assert chunked["h_li"].data.name == again["h_li"].data.name
    assert len(chunked.chunks["segment_idx"]) > 1
    xr.testing.assert_equal(chunked.compute(), ds.compute())
    travelled = pickle.loads(pickle.dumps(opened(paths, layout, region=box)))  # noqa: S301
    xr.testing.assert_identical(travelled.load(), ds.load())
    one = opened(middle, layout, region=box, variables="h_li", chunks={})["h_li"]
    whole = opened(middle, layout, variables="h_li", chunks={})["h_li"]
    assert len(pickle.dumps(one.data)) < len(pickle.dumps(whole.data)) + 4000


@pytest.mark.parametrize("layout", LAYOUTS)
def test_selected_rows_are_saved_and_linked_again(folder, tmp_path, layout):
    [path] = folder.glob("ATL03*")
    tree = xr.open_datatree(path, engine="icesat2", layout=layout, drop_variables="METADATA")
    lat = tree["geolocation/reference_photon_lat"].values
    region = (-180, np.nanquantile(lat, 0.3), 180, np.nanquantile(lat, 0.8))
    cut = tree.icesat2.clip(region)
    saved = {}
    for group in ("heights", "geolocation"):
        cut[group].to_dataset().load().to_netcdf(tmp_path / f"{group}.nc", engine="h5netcdf")
        saved[group] = xr.open_dataset(
            tmp_path / f"{group}.nc", engine="h5netcdf", decode_timedelta=False
        )
    found = links.attach(saved["heights"], saved["geolocation"], "segment_id")
    expected = links.attach(
        cut["heights"].to_dataset(), cut["geolocation"].to_dataset(), "segment_id"
    )
    np.testing.assert_array_equal(found["segment_id"], expected["segment_id"])


def test_index_cache_serves_regions(middle, box, tmp_path):
    first = opened(middle, "flat", region=box, index_cache=tmp_path).load()
    xr.testing.assert_identical(
        opened(middle, "flat", region=box, index_cache=tmp_path).load(), first
    )


def windows(times: np.ndarray) -> list[tuple[object, object, object, object]]:
    """Windows as users write them, with the start and end that are meant."""
    first, start, end, last = np.sort(times)[[0, len(times) // 4, len(times) // 2, -1]]
    day = str(first.astype("datetime64[D]"))
    zone = dt.timezone(dt.timedelta(hours=2))
    micro = start.astype("datetime64[us]").astype(dt.datetime)
    return [
        (start, end, start, end),
        (str(start), str(end), start, end),
        (None, end, first, end),
        (start, None, start, last),
        (f"{start}Z", None, start, last),
        (micro.replace(tzinfo=dt.UTC).astimezone(zone), end, np.datetime64(micro), end),
        (micro, end, np.datetime64(micro), end),
        (day, day[:7], first, last),
        (first.astype("datetime64[D]").astype(dt.date), day[:4], first, last),
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_in_a_window_of_time(middle, layout):
    whole = opened(middle, "flat")
    times = whole["delta_time"].values
    for given_start, given_end, start, end in windows(times):
        ds = opened(middle, layout, time=(given_start, given_end))
        inside = (times >= start) & (times <= end)
        assert inside.any()
        found = np.sort(ds["segment_id"].values[~np.isnan(ds["segment_id"].values)])
        expected = np.sort(whole["segment_id"].values[inside])
        np.testing.assert_array_equal(found, expected)
        xr.testing.assert_identical(
            opened(middle, layout).icesat2.clip(time=(given_start, given_end)).load(), ds.load()
        )


def test_photons_are_in_the_window_of_their_segment(folder, box):
    [path] = folder.glob("ATL03*")
    whole = xr.open_datatree(path, engine="icesat2", layout="flat")
    start, end = np.quantile(whole["geolocation/delta_time"].values.astype(np.int64), [0.2, 0.6])
    window = tuple(np.array([start, end]).astype("datetime64[ns]"))
    tree = xr.open_datatree(path, engine="icesat2", layout="flat", time=window)
    own = whole["geolocation/delta_time"].values
    inside = (own >= window[0]) & (own <= window[1])
    assert tree["geolocation"].sizes["segment_idx"] == inside.sum()
    counts = whole["geolocation/segment_ph_cnt"].values[inside].sum()
    assert tree["heights"].sizes["photon_idx"] == counts
    photons = tree["heights"].to_dataset()
    rows = links.match_rows(photons, tree["bckgrd_atlas"].to_dataset()).values
    of_whole = links.match_rows(
        whole["heights"].to_dataset(), whole["bckgrd_atlas"].to_dataset()
    ).values
    assert (rows >= 0).sum() == (of_whole[inside_rows(whole, inside)] >= 0).sum()
    exact = xr.open_dataset(
        path, engine="icesat2", layout="flat", time=window, region_exact=True, variables=["h_ph"]
    )
    times = whole["heights/delta_time"].values
    assert exact.sizes["photon_idx"] == ((times >= window[0]) & (times <= window[1])).sum()


def inside_rows(whole: xr.DataTree, inside: np.ndarray) -> np.ndarray:
    segments = links.match_rows(whole["heights"].to_dataset(), whole["geolocation"].to_dataset())
    return inside[segments.values]


def test_region_and_window_together(middle, box):
    by_region, whole = opened(middle, "flat", region=box), opened(middle, "flat")
    times = whole["delta_time"].values
    window = (np.quantile(times.astype(np.int64), 0.4).astype("datetime64[ns]"), None)
    both = opened(middle, "flat", region=box, time=window)
    inside = by_region["delta_time"].values >= window[0]
    np.testing.assert_array_equal(both["segment_id"], by_region["segment_id"].values[inside])
    assert 0 < len(both["segment_id"]) < inside.size


@pytest.mark.parametrize("keyword", [{"region": (0, 0, 1, 1)}, {"time": ("2018", "2019")}])
def test_groups_without_merged_beams_say_what_to_do(middle, keyword):
    [name] = keyword
    with pytest.raises(SelectionError, match=f"{name}=.*opens unmerged.*open the rate: group="):
        opened(middle, "spot", group="gt1l/land_ice_segments", **keyword)
    with pytest.raises(SelectionError, match=rf"{name}=.*ds\.sel\(x=slice"):
        xr.open_dataset(granule("ATL15_template.nc"), engine="icesat2", group="delta_h", **keyword)


def test_rates_that_cannot_be_located_are_kept_whole_in_a_tree():
    path = granule("processed_ATL06_20191106230008_06270503_006_01.h5")
    whole = xr.open_datatree(path, engine="icesat2", drop_variables="METADATA")
    lat = whole["land_ice_segments/latitude"].values
    region = (-180, np.nanquantile(lat, 0.4), 180, np.nanquantile(lat, 0.6))
    tree = xr.open_datatree(path, engine="icesat2", drop_variables="METADATA", region=region)
    [note] = tree.attrs["region_notes"]
    assert "all rows are kept" in note
    assert "segment_quality" in note
    assert (tree["segment_quality/n_rows"] == whole["segment_quality/n_obs"]).all()
    with pytest.raises(SelectionError, match=r"segment_quality of .* has neither latitude and"):
        opened(path, "spot", group="segment_quality", region=region, variables=None)


def test_photons_of_contradictory_segments_are_tested_themselves(caplog):
    path = granule("clip_ATL03_VegR.h5")
    ds = xr.open_dataset(path, engine="icesat2", layout="flat", region=(-180, -90, 180, 90))
    [note] = ds.attrs["region_notes"]
    assert "selected by lat_ph and lon_ph, not by geolocation" in note
    assert note in caplog.text
    assert (
        "region_notes"
        not in xr.open_dataset(
            granule("ATL03_gt1l.h5"), engine="icesat2", layout="flat", region=(-180, -90, 180, 90)
        ).attrs
    )


def test_rows_without_any_coordinate_are_never_lost():
    path = granule("variable_subset_ATL24_data.h5")
    rows = xr.open_dataset(path, engine="icesat2", layout="flat").sizes
    [along] = rows
    for keyword in ({"region": (-180, -90, 180, 90)}, {"time": ("2018", "2030")}):
        with pytest.raises(SelectionError, match="without a place: sensor_depth_exceeded of"):
            xr.open_dataset(path, engine="icesat2", layout="flat", **keyword)
        tree = xr.open_datatree(path, engine="icesat2", layout="flat", **keyword)
        assert tree["sensor_depth_exceeded"].sizes[along] == rows[along]
        assert "all rows are kept" in tree.attrs["region_notes"][0]


def test_times_that_cannot_be_decoded_select_nothing():
    path = granule("ATL11_078805_0304_02_v002.h5")
    with pytest.raises(SelectionError, match="no times that can be decoded"):
        xr.open_dataset(path, engine="icesat2", layout="flat", time=("2018", "2030"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("06/11/2019", "13/11/2019"), "'06/11/2019' is not a time in ISO 8601; expected"),
        (("2019-11-06", "13.11.2019"), "'13.11.2019' is not a time in ISO 8601; expected"),
        ("2019-11-06", r"Pass time=\('2019-11-06', '2019-11-06'\)"),
        (slice("2019-11", None), r"Pass time=\('2019-11', None\)"),
        ("yesterday", "open end. Times without a zone are UTC.$"),
    ],
)
def test_windows_are_pairs_of_iso_times(middle, given, says):
    with pytest.raises(SelectionError, match=says):
        opened(middle, "flat", time=given)


def test_window_without_a_row_is_logged(middle, caplog):
    assert opened(middle, "flat", time=("2000", "2001")).sizes["segment_idx"] == 0
    [message] = caplog.messages
    assert "No row of the granule is inside the window of time (2000-01-01" in message
