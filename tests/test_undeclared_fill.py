"""Fill values and units that only the product's specification declares."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.paths import granule
from xr_icesat2.testing import write_granule

LARGEST = np.finfo("f8").max
QUALITY = "quality_assessment/gt1l"
LAYOUTS = ("spot", "flat", "file")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return write_granule(tmp_path_factory.mktemp("plain"), product="ATL06", n_segments=50)


@pytest.fixture
def undeclared(plain, tmp_path) -> Path:
    """A granule of which the last record of the quality assessment was never filled."""
    path = tmp_path / plain.name
    shutil.copy(plain, path)
    with h5py.File(path, "a") as file:
        for name, dataset in file[QUALITY].items():
            assert name != "delta_time" or "_FillValue" not in dataset.attrs
            if dataset.dtype.kind == "f" and "_FillValue" not in dataset.attrs:
                dataset[-1] = np.finfo(dataset.dtype).max
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_greatest_float_is_missing(undeclared, plain, layout):
    tree = xr.open_datatree(undeclared, engine="icesat2", layout=layout)
    expected = xr.open_datatree(plain, engine="icesat2", layout=layout)
    quality = tree[QUALITY].to_dataset().load()
    assert np.isnat(quality["delta_time"].values[-1])
    assert np.isnan([quality[name].values[-1] for name in ("lat_mean", "lon_mean")]).all()
    before = {dim: slice(None, -1) for dim in quality["lat_mean"].dims}
    xr.testing.assert_identical(
        quality.isel(before), expected[QUALITY].to_dataset().load().isel(before)
    )


LOGGED = """
import logging, sys
import xarray as xr

logging.basicConfig()
for path in sys.argv[1:]:
    for layout in ("spot", "file"):
        xr.open_datatree(path, engine="icesat2", layout=layout).load()
"""


def test_undeclared_fill_is_logged_once(undeclared, tmp_path):
    another = tmp_path / "another" / undeclared.name
    another.parent.mkdir()
    shutil.copy(undeclared, another)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", LOGGED, str(undeclared), str(another)],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    said = "ATL06: quality_assessment/delta_time contains 1.798e+308, which no _FillValue declares"
    assert done.stderr.count(said) == 1


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf", "zarr"])
def test_undeclared_fill_is_saved_as_missing(undeclared, engine, tmp_path):
    quality = xr.open_dataset(undeclared, engine="icesat2", group=QUALITY)
    if engine == "zarr":
        quality.to_zarr(tmp_path / "again", consolidated=False)
        again = xr.open_dataset(tmp_path / "again", engine="zarr", consolidated=False)
    else:
        quality.to_netcdf(tmp_path / "again", engine=engine)
        again = xr.open_dataset(tmp_path / "again", engine=engine)
    xr.testing.assert_equal(again.load(), quality.load())


def test_undecoded_fill_is_a_number(undeclared):
    raw: Mapping[str, Any] = {"mask_and_scale": False, "decode_times": False}
    quality = xr.open_dataset(undeclared, engine="icesat2", group=QUALITY, **raw)
    for name in ("delta_time", "lat_mean", "lon_mean"):
        assert quality[name].values[-1] == LARGEST
    masked = xr.open_dataset(undeclared, engine="icesat2", group=QUALITY, mask_and_scale=False)
    assert np.isnat(masked["delta_time"].values[-1])


def test_other_files_keep_their_numbers(tmp_path):
    with h5py.File(tmp_path / "any.h5", "w") as file:
        file["x"] = file["t"] = np.array([1.0, LARGEST])
        file["t"].attrs["units"] = "days since 2018-01-01"
    ds = xr.open_dataset(tmp_path / "any.h5", engine="icesat2", layout="file")
    assert ds["x"].values.tolist() == [1.0, LARGEST]
    assert np.isnat(ds["t"].values).tolist() == [False, True]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_original_granule_needs_no_undeclared_fill(layout):
    path = granule("ATL06_20230816234629_08822013_006_01.h5")
    tree = xr.open_datatree(path, engine="icesat2", layout=layout)
    for beam in ("gt1l", "gt1r"):
        quality = tree[f"quality_assessment/{beam}"].load()
        with h5py.File(path) as file:
            stored = file[f"quality_assessment/{beam}"]
            for name in ("delta_time", "lat_mean", "lon_mean"):
                missing = stored[name][...] == LARGEST
                assert missing.any()
                np.testing.assert_array_equal(quality[name].isnull().values, missing)


@pytest.mark.parametrize("product", ["ATL03", "ATL06", "ATL08", "ATL13"])
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_granule_without_variable_attributes_is_decoded(product, layout, tmp_path, caplog):
    path = write_granule(tmp_path, product=product, n_segments=12)
    expected = xr.open_dataset(path, engine="icesat2", layout=layout).load()
    lost = tmp_path / "lost" / path.name
    lost.parent.mkdir()
    shutil.copy(path, lost)
    with h5py.File(lost, "a") as file:
        file.visititems(lambda _, found: lose_attributes(found))
    ds = xr.open_dataset(lost, engine="icesat2", layout=layout)
    assert "get the units and fill values of the specification" in caplog.text
    assert set(ds.coords) == set(expected.coords)
    for name, variable in expected.variables.items():
        assert ds[name].dtype == variable.dtype, name
        np.testing.assert_array_equal(ds[name].values, variable.values, err_msg=str(name))
        if variable.dtype.kind in "iuf" and name not in ds.dims:
            assert ds[name].attrs.get("units") == variable.attrs.get("units"), name


def lose_attributes(found: h5py.Group | h5py.Dataset) -> None:
    if isinstance(found, h5py.Dataset):
        for name in list(found.attrs):
            if name not in ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST"):
                del found.attrs[name]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("name", "group"), [("clip_ATL03_VegR.h5", "bckgrd_atlas"), ("clip_ATL08_VegR.h5", None)]
)
def test_clips_written_by_r_have_times(name, group, layout):
    path = granule(name)
    if layout == "file":
        group = f"gt1r/{group or 'land_segments'}"
    ds = xr.open_dataset(path, engine="icesat2", layout=layout, group=group)
    times = ds["delta_time"].values
    times = times[~np.isnat(times)]
    assert times.size
    assert (times > np.datetime64("2022-03-31")).all()
    assert (times < np.datetime64("2022-04-03")).all()


@pytest.mark.parametrize("name", ["clip_ATL03_VegR.h5", "clip_ATL08_VegR.h5"])
def test_clips_written_by_r_have_the_values_of_the_file(name):
    path = granule(name)
    raw: Mapping[str, Any] = {"mask_and_scale": False, "decode_times": False}
    undecoded = xr.open_datatree(path, engine="icesat2", layout="file", **raw).load()
    tree = xr.open_datatree(path, engine="icesat2", layout="file").load()
    with h5py.File(path) as file:
        found: list[h5py.Dataset] = []
        file.visititems(lambda _, obj: found.append(obj) if isinstance(obj, h5py.Dataset) else None)
        for dataset in found:
            values = dataset[...]
            np.testing.assert_array_equal(undecoded[dataset.name].values, values)
            if values.dtype.kind == "f" and tree[dataset.name].dtype.kind == "f":
                missing = values == np.finfo(values.dtype).max
                expected = np.where(missing, np.nan, values)
                np.testing.assert_array_equal(tree[dataset.name].values, expected)
