"""Indexes of the file's own dimensions read nothing until they are used."""

import numpy as np
import pytest
import xarray as xr

from xr_icesat2.merge.lazy_index import LazyIndex
from xr_icesat2.testing import write_granule

GROUP = "gt1l/land_ice_segments"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("lazy"), n_segments=40, chunk_rows=16)


@pytest.fixture
def ds(path):
    return xr.open_dataset(path, engine="icesat2", layout="file", group=GROUP, decode_times=False)


def test_opening_reads_no_label(ds):
    assert isinstance(ds.xindexes["delta_time"], LazyIndex)
    assert not ds.variables["delta_time"]._in_memory


def test_selecting_by_label_reads_the_labels(ds, path):
    times = ds.delta_time.to_numpy()
    one = ds.h_li.sel(delta_time=times[7])
    np.testing.assert_array_equal(one, ds.h_li.isel(delta_time=7))
    near = ds.h_li.sel(delta_time=slice(times[3], times[9]))
    assert near.sizes["delta_time"] == 7


def test_selecting_by_position_keeps_the_index_lazy(ds):
    part = ds.isel(delta_time=slice(5, 9))
    assert isinstance(part.xindexes["delta_time"], LazyIndex)
    assert part.sizes["delta_time"] == part.delta_time.size == 4
    assert "delta_time" not in ds.isel(delta_time=0).xindexes


def test_groups_align_by_label(ds, path):
    options = {"engine": "icesat2", "layout": "file", "decode_times": False}
    xr.align(ds, xr.open_dataset(path, group=GROUP, **options), join="exact")
    part = ds.isel(delta_time=slice(10, 20))
    with pytest.raises(ValueError, match="exact"):
        xr.align(ds, part, join="exact")
    difference = ds.latitude - part.latitude
    assert difference.sizes["delta_time"] == 10
    np.testing.assert_array_equal(difference, 0)
    whole, padded = xr.align(ds, part, join="outer")
    assert whole.sizes["delta_time"] == padded.sizes["delta_time"] == 40
    assert padded.latitude.count() == 10


def test_renaming_follows(ds):
    renamed = ds.rename(delta_time="time")
    assert isinstance(renamed.xindexes["time"], LazyIndex)
    expected = ds.h_li.isel(delta_time=3)
    np.testing.assert_array_equal(renamed.h_li.sel(time=float(ds.delta_time[3])), expected)
    assert renamed.indexes["time"].size == 40
