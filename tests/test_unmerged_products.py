"""Products without tracks open unmerged: groups and values as in the file."""

import h5py
import numpy as np
import pytest
import xarray as xr
from xarray.indexes import PandasIndex

from tests.comparison import assert_array
from tests.counted_link import CountedLink
from tests.oracle import values, walk
from tests.paths import granule, needs_granules
from tests.tiny import write_tiny
from xr_icesat2 import products
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.errors import CorruptGranuleError, SelectionError

ROWS, GRID = np.arange(4.0), np.arange(12.0).reshape(3, 4)
TIME = "20190101001332"
FILES = {
    "ATL02": (f"ATL02_{TIME}_02350102_006_01.h5", {"atlas/pce1/altimetry/strong/ph_tof": ROWS}),
    "ATL14": ("ATL14_GL_0318_100m_003_01.nc", {"x": ROWS, "y": ROWS[:3], "h": GRID}),
    "ATL15": (
        "ATL15_GL_0318_01km_003_01.nc",
        {"delta_h/x": ROWS, "delta_h/y": ROWS[:3], "delta_h/delta_h": GRID},
    ),
    "ATL16": (f"ATL16_{TIME}_00370101_005_01.h5", {"cloud_frac": GRID}),
    "ATL17": (f"ATL17_{TIME}_00370101_005_01.h5", {"cloud_frac": GRID}),
    "ATL18": (f"ATL18_{TIME}_00370101_001_01.h5", {"canopy/h_canopy": GRID}),
    "ATL19": (f"ATL19_{TIME}_00370101_003_01.h5", {"mid_latitude/dot_avg": GRID}),
    "ATL20": (
        f"ATL20-01_{TIME}_00370101_004_01.h5",
        {"grid_x": ROWS, "grid_y": ROWS[:3], "monthly/mean_fb": GRID, "daily/day01/mean_fb": GRID},
    ),
    "ATL21": (f"ATL21-02_{TIME}_00370101_003_01.h5", {"monthly/mean_ssha": GRID}),
    "ATL23": (f"ATL23_{TIME}_00370101_002_01.h5", {"mid_latitude/dot_avg": GRID}),
}


def test_every_product_without_tracks_is_tested():
    assert {*FILES} == {name for name, spec in products.items() if not spec.granules.tracks}


@pytest.fixture(params=FILES)
def written(request, tmp_path):
    name, datasets = FILES[request.param]
    return write_tiny(tmp_path / name, datasets, product=request.param)


def assert_as_in_file(tree, path):
    datasets = {name: obj for name, obj in walk(path) if isinstance(obj, h5py.Dataset)}
    assert datasets
    with h5py.File(path) as file:
        for name in datasets:
            group, _, variable = name.rpartition("/")
            assert_array(tree[group or "/"][variable].values, values(file[name]), name)


@pytest.mark.parametrize("layout", ["spot", "flat", "file"])
def test_tree_is_that_of_the_file(written, layout, caplog):
    with xr.open_datatree(written, engine="icesat2", layout=layout, decode_cf=False) as tree:
        assert_as_in_file(tree, written)
        assert "spot" not in tree.dims
    assert caplog.records == []


def test_beams_are_refused(written):
    with pytest.raises(SelectionError, match=r"which has no beams\. Leave beams out"):
        xr.open_datatree(written, engine="icesat2", beams=["gt1l"])


def write_map(path):
    """Write a map whose groups store their labels all over the file."""
    scales = {"x": np.arange(300.0), "y": np.arange(200.0)[::-1], "time": np.arange(5.0)}
    with h5py.File(path, "w") as file:
        file.attrs["short_name"] = np.bytes_("ATL15")
        for group in ("delta_h", "dhdt_lag1"):
            here = file.create_group(group)
            for name, labels in scales.items():
                here.create_dataset(name, data=labels, chunks=(len(labels),))
                here[name].make_scale(name)
                here[f"h_{name}"] = np.random.default_rng(0).random((5, 200, 300))
            for name in ("h_x", "h_y", "h_time"):
                for axis, scale in enumerate(("time", "y", "x")):
                    here[name].dims[axis].attach_scale(here[scale])
            here["time"].attrs["units"] = np.bytes_("days since 2018-01-01")
    return path


@pytest.fixture
def ice_map(tmp_path):
    return write_map(tmp_path / "ATL15_GL_0318_01km_003_01.nc")


@pytest.mark.parametrize("layout", ["spot", "file"])
def test_map_has_the_indexes_of_other_engines(ice_map, layout):
    options = {"group": "delta_h", "decode_timedelta": False}
    with (
        xr.open_dataset(ice_map, engine="icesat2", layout=layout, **options) as ds,
        xr.open_dataset(ice_map, engine="h5netcdf", **options) as expected,
    ):
        assert {type(index) for index in ds.xindexes.values()} == {PandasIndex}
        xr.testing.assert_identical(ds.drop_encoding(), expected.drop_encoding().load())
        half = expected.isel(x=slice(None, None, 2))
        xr.testing.assert_equal((ds["h_x"] - half["h_x"]).x, half.x)
    with xr.open_datatree(ice_map, engine="icesat2", layout=layout) as tree:
        indexes = [index for node in tree.subtree for index in node.xindexes.values()]
        assert [type(index) for index in indexes] == [PandasIndex] * 6


def test_labels_of_a_map_are_read_in_one_burst_when_it_opens(ice_map, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    bursts = {}
    for options in ({"drop_variables": ["x", "y"]}, {}):
        source = CountedLink(ice_map, RequestCost(latency=0.06, bandwidth=200e6))
        with xr.open_datatree(source, engine="icesat2", layout="file", **options) as tree:
            bursts[bool(options)] = source.bursts
            assert source.requests <= 20
            tree["delta_h"].isel(x=3)
            assert source.bursts == bursts[bool(options)]
    assert bursts[False] == bursts[True] + 1


def test_map_with_damaged_labels_opens(ice_map):
    with h5py.File(ice_map, "r+") as file:
        del file["delta_h/x"]
        packed = file.create_dataset(
            "delta_h/x", data=np.arange(300.0), chunks=(300,), compression=1
        )
        packed.id.write_direct_chunk((0,), b"no deflate stream")
    with xr.open_dataset(ice_map, engine="icesat2", group="delta_h") as ds:
        assert ds["h_x"].shape == (5, 200, 300)
        with pytest.raises(CorruptGranuleError, match="/delta_h/x"):
            ds["x"].load()


@needs_granules
def test_template_of_atl15_opens():
    path = granule("ATL15_template.nc")
    with xr.open_datatree(path, engine="icesat2", decode_cf=False) as tree:
        assert_as_in_file(tree, path)
