"""Products without tracks open unmerged: groups and values as in the file."""

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array
from tests.oracle import values, walk
from tests.paths import granule, needs_granules
from tests.tiny import write_tiny
from xr_icesat2 import products
from xr_icesat2.errors import SelectionError

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


@needs_granules
def test_template_of_atl15_opens():
    path = granule("ATL15_template.nc")
    with xr.open_datatree(path, engine="icesat2", decode_cf=False) as tree:
        assert_as_in_file(tree, path)
