"""A group of the file, opened from many granules along ``gran_idx``."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xr_icesat2.testing import write_granule

SEGMENTS = "gt1l/land_ice_segments"
OF_EACH = {"source_file", "release", "version", "data_start_utc", "data_end_utc", "granule_region"}


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("many")
    return [
        write_granule(folder, cycle_number=cycle, n_segments=rows, chunk_rows=16)
        for cycle, rows in ((2, 20), (1, 30))
    ]


def opened(given, group: str, **options) -> xr.Dataset:
    return xr.open_dataset(given, engine="icesat2", group=group, **options)


@pytest.mark.parametrize("group", [SEGMENTS, "ancillary_data"])
def test_granules_have_the_labels_of_the_default_layout(paths, group):
    ds, rate = opened(paths, group), xr.open_dataset(paths, engine="icesat2")
    names = {name for name, coord in rate.coords.items() if coord.dims == ("gran_idx",)}
    assert OF_EACH | {"gran_idx", "cycle_number"} <= names
    for name in names - set(ds.data_vars):
        xr.testing.assert_identical(ds[name].variable, rate[name].variable)
    assert (
        names - set(ds.coords)
        == {
            SEGMENTS: set(),
            "ancillary_data": {"release", "version", "data_start_utc", "data_end_utc"},
        }[group]
    )
    assert ds.encoding["source"] == [str(path) for path in paths]
    assert ds.icesat2.source_encoding.keys() <= set(ds.variables)
    assert ds.sel(gran_idx=rate.gran_idx[1]).source_file == paths[1].name


@pytest.mark.parametrize("group", [SEGMENTS, "orbit_info", "ancillary_data"])
def test_coordinates_equal_those_of_one_granule(paths, group):
    ds, one = opened(paths, group), opened(paths[1], group)
    own = {
        name
        for name in ds.coords
        if name not in xr.open_dataset(paths[:1], engine="icesat2").coords
    }
    plain = {"latitude", "longitude", "delta_time"} & set(ds.coords)
    assert own | plain == set(one.coords)
    assert set(ds.data_vars) == set(one.data_vars)
    for name in one.variables:
        stored = ds[name].isel(gran_idx=1)
        assert ds[name].dims[0] == "gran_idx"
        np.testing.assert_array_equal(stored, one[name].values.astype(stored.dtype), err_msg=name)


def test_names_of_the_group_take_precedence(paths):
    ds, one = opened(paths, "orbit_info"), opened(paths[0], "orbit_info")
    for name in ("rgt", "cycle_number", "sc_orient"):
        assert name in ds.data_vars
        assert ds[name].isel(gran_idx=0).values.tolist() == one[name].values.tolist()
    assert ds["gran_idx"].values.tolist() == [6580203, 6580103]


def test_decode_coords_false_adds_no_coordinates(paths):
    ds = opened(paths, SEGMENTS, decode_coords=False)
    assert {"latitude", "longitude", "delta_time"} <= set(ds.data_vars)


def test_group_opens_as_a_tree(paths):
    tree = xr.open_datatree(paths, engine="icesat2", group="gt1l")
    assert set(tree.coords) >= OF_EACH
    below = tree["land_ice_segments"]
    assert below["gran_idx"].values.tolist() == [6580203, 6580103]
    xr.testing.assert_identical(
        below["latitude"].variable, opened(paths, SEGMENTS)["latitude"].variable
    )
    assert set(below.to_dataset(inherit=False).coords) == {"latitude", "longitude", "delta_time"}


def test_file_layout_needs_no_granule_identity(paths):
    ds = opened(paths, SEGMENTS, layout="file")
    assert "gran_idx" not in ds.coords
    assert {"latitude", "longitude", "delta_time"} == set(ds.coords)
