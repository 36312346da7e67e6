"""``ds.icesat2`` says how the file holds a variable."""

import numpy as np
import pytest
import xarray as xr

from xr_icesat2.testing import write_granule


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("accessor"), n_segments=20, chunk_rows=16)


def test_source_encoding_is_what_the_file_holds(path):
    ds = xr.open_dataset(path, engine="icesat2")
    held = ds.icesat2.source_encoding["segment_id"]
    assert held["path"] == "/gt1l/land_ice_segments/segment_id"
    assert held["dtype"] == np.dtype("int32")
    assert held["layout"] == "chunked"
    assert held["chunks"] == (16,)
    assert held["filters"] == ("shuffle", "deflate")
    # Declared wrongly: 0 is never masked, and so is not in the encoding to be written.
    assert held["_FillValue"] == 0
    assert "_FillValue" not in ds.segment_id.encoding
    assert ds.icesat2.source_encoding["delta_time"]["units"] == "seconds since 2018-01-01"


def test_raw_integers_say_how_they_are_padded(path):
    ds = xr.open_dataset(path, engine="icesat2", mask_and_scale=False)
    assert ds.icesat2.source_encoding["segment_id"]["pad_value"] == np.iinfo(np.int32).max


def test_it_survives_a_selection_and_is_there_for_each_node(path):
    ds = xr.open_dataset(path, engine="icesat2").isel(segment_idx=slice(3))
    assert ds.icesat2.source_encoding["h_li"]["dtype"] == np.dtype("float32")
    tree = xr.open_datatree(path, engine="icesat2")
    assert "h_li" in tree["land_ice_segments"].icesat2.source_encoding
    assert "h_mean" in tree["land_ice_segments/fit_statistics"].icesat2.source_encoding
    assert "variables" in repr(tree.icesat2)


def test_it_is_empty_for_other_datasets():
    assert dict(xr.Dataset().icesat2.source_encoding) == {}
