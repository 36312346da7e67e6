"""Default rates of other products than ATL06, and files that are almost granules."""

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array
from tests.oracle import group_dataset, values, walk
from tests.paths import ALL_GRANULES, granule, needs_granules

pytestmark = needs_granules
OTHERS = [path for path in ALL_GRANULES if "ATL06" not in path.name]
MAIN = {
    "ATL03_gt1l.h5": "heights",
    "processed_ATL07-01_20190225115500_09020201_003_02.h5": "sea_ice_segments",
    "processed_ATL08_20200821122613_08730802_004_01.h5": "land_segments",
    "processed_ATL10-01_20200228162543_09770601_006_01.nc": "freeboard_segment",
    "ATL11_078805_0304_02_v002.h5": "ref_pt",
}


@pytest.mark.parametrize(("name", "rate"), MAIN.items(), ids=lambda value: value[:30])
def test_default_rate_needs_no_name(name, rate):
    path = granule(name)
    xr.testing.assert_identical(
        xr.open_dataset(path, engine="icesat2").load(),
        xr.open_dataset(path, engine="icesat2", group=rate).load(),
    )


def test_default_rate_of_atl10_has_freeboard():
    path = granule("processed_ATL10-01_20200228162543_09770601_006_01.nc")
    ds = xr.open_dataset(path, engine="icesat2")
    with h5py.File(path) as file:
        for gt in ("gt1l", "gt3r"):
            stored = values(file[f"{gt}/freeboard_segment/beam_fb_height"])
            beam = ds["beam_fb_height"].isel(gran_idx=0, spot=(ds["gt"] == gt).values[0])
            found = beam.values[0, : len(stored)]
            np.testing.assert_array_equal(found, np.where(stored > 1e38, np.nan, stored))
    assert {"delta_time", "latitude", "longitude"} <= set(ds.coords)
    leads = xr.open_dataset(path, engine="icesat2", group="leads")
    assert "lead_height" in leads
    sections = xr.open_dataset(path, engine="icesat2", group="reference_surface_section")
    assert sections["beam_fb_hist_refsurf"].sizes["histogram_bin"] == 161


def test_granule_identified_by_metadata_alone_opens():
    ds = xr.open_dataset(granule("ATL03_gt1l.h5"), engine="icesat2", group="heights")
    assert ds["gran_idx"].values.tolist() == [2350104]
    assert ds["spot"].values.tolist() == [1, 2, 3, 4, 5, 6]
    assert ds["n_obs"].values.tolist() == [[0, 0, 0, 0, 0, 2909]]


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name[:30])
def test_every_file_opens_in_the_file_layout(path):
    tree = xr.open_datatree(path, engine="icesat2", layout="file").load()
    datasets = [name for name, obj in walk(path) if isinstance(obj, h5py.Dataset)]
    assert datasets
    for name in datasets:
        assert name.rpartition("/")[2] in tree[name.rpartition("/")[0] or "/"].variables


def test_groups_are_decoded_as_by_xarray():
    path = granule("processed_ATL08_20200821122613_08730802_004_01.h5")
    group = "gt1l/land_segments/terrain"
    ds = xr.open_dataset(path, engine="icesat2", layout="file", group=group)
    with h5py.File(path) as file:
        raw = {name: values(dataset) for name, dataset in file[group].items()}
    for name, array in raw.items():
        attrs = group_dataset(path, group)[name].attrs
        variable = xr.Variable(ds[name].dims, array, attrs)
        expected = xr.conventions.decode_cf_variable(name, variable, decode_timedelta=False)
        assert_array(ds[name].values, expected.values, name)
