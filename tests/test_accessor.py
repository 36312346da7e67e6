"""The accessor ``ds.icesat2`` describes how a file stores a variable."""

import numpy as np
import pytest
import xarray as xr

import xr_icesat2
from tests import typed_use
from tests.laziness import is_loaded
from xr_icesat2.testing import write_granule


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_granule(tmp_path_factory.mktemp("accessor"), n_segments=20, chunk_rows=16)


def test_source_encoding_describes_storage_in_the_file(path):
    ds = xr.open_dataset(path, engine="icesat2")
    stored = ds.icesat2.source_encoding["segment_id"]
    assert stored["path"] == "/gt1l/land_ice_segments/segment_id"
    assert stored["dtype"] == np.dtype("int32")
    assert stored["layout"] == "chunked"
    assert stored["chunks"] == (16,)
    assert stored["filters"] == ("shuffle", "deflate")
    # Declared wrongly: 0 is never masked, and so is not in the encoding to be written.
    assert stored["_FillValue"] == 0
    assert "_FillValue" not in ds.segment_id.encoding
    assert ds.icesat2.source_encoding["delta_time"]["units"] == "seconds since 2018-01-01"


def test_source_encoding_has_the_fill_value_of_padded_raw_integers(path):
    ds = xr.open_dataset(path, engine="icesat2", mask_and_scale=False)
    assert ds.icesat2.source_encoding["segment_id"]["pad_value"] == np.iinfo(np.int32).max


def test_source_encoding_survives_selection_and_exists_on_each_node(path):
    ds = xr.open_dataset(path, engine="icesat2").isel(segment_idx=slice(3))
    assert ds.icesat2.source_encoding["h_li"]["dtype"] == np.dtype("float32")
    tree = xr.open_datatree(path, engine="icesat2")
    assert "h_li" in tree["land_ice_segments"].icesat2.source_encoding
    assert "h_mean" in tree["land_ice_segments/fit_statistics"].icesat2.source_encoding
    assert "variables" in repr(tree.icesat2)


def test_source_encoding_is_empty_for_other_datasets():
    assert dict(xr.Dataset().icesat2.source_encoding) == {}


def test_accessor_methods_are_listed_for_completion(path):
    tree = xr.open_datatree(path, engine="icesat2")
    for accessor in (tree.icesat2, tree["land_ice_segments"].to_dataset().icesat2):
        public = {name for name in dir(accessor) if not name.startswith("_")}
        assert {"contents", "load", "source_encoding"} <= public


def test_icesat2_function_returns_the_accessor(path):
    ds = xr.open_dataset(path, engine="icesat2")
    assert type(xr_icesat2.icesat2(ds)) is type(ds.icesat2)
    assert xr_icesat2.icesat2(ds).load("h_li") is ds
    assert is_loaded(ds.h_li)
    tree = xr.open_datatree(path, engine="icesat2")
    assert type(xr_icesat2.icesat2(tree)) is type(tree.icesat2)
    assert xr_icesat2.icesat2(tree).load("h_li") is tree


@pytest.mark.parametrize("other", [xr.DataArray(1), np.zeros(1), None])
def test_icesat2_function_refuses_other_objects(other):
    with pytest.raises(TypeError, match=type(other).__name__):
        xr_icesat2.icesat2(other)


def test_typed_program_runs(path):
    # That its types are right is checked by mypy, of which it is one of the files.
    typed_use.use_accessors(path)
    typed_use.use_engine(path)
    typed_use.use_pictures(path)
    typed_use.use_products()
    typed_use.use_regions()
