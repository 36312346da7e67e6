"""Datasets saved as netCDF or zarr and opened again are identical."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import zarr

from tests.comparison import arrays_of_one_as_scalars
from tests.expected_rates import ATL06
from tests.paths import GRANULES, needs_granules
from tests.written_granules import written_granules

REAL = {
    "original 003": "ATL06_20181014001049_02350102_003_01.h5",
    "pre-release": "ATL06_20181013235645_02340114_209_01.h5",
    "subset 006": "processed_ATL06_20191106230008_06270503_006_01.h5",
}
STORES = ("netcdf4", "h5netcdf", "zarr 2", "zarr 3")
ONE_OF_EACH = ("h5netcdf", "zarr 3")

# Zarr 3 has no settled name yet for strings of fixed length.
pytestmark = pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification")
each_store = pytest.mark.parametrize("store", STORES)
each_layout = pytest.mark.parametrize("layout", ["spot", "flat"])
# Floats and integers, with a fill and without, with one that is void.
OF_EACH_KIND = ["h_li", "x_atc", "segment_id", "n_fit_photons", "bsnow_conf", "dem_flag"]
SELECTIONS: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    "whole": lambda ds: ds,
    "rows": lambda ds: ds.isel({_along(ds): slice(3, 20)}),
    "every other row": lambda ds: ds.isel({_along(ds): slice(None, None, 2)}),
    "one row": lambda ds: ds.isel({_along(ds): 4}),
    "no row": lambda ds: ds.isel({_along(ds): slice(0, 0)}),
}


def _along(ds: xr.Dataset) -> str:
    return next(dim for dim in ds.dims if str(dim).endswith(("segment_idx", "y_idx", "m_idx")))


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    return list(written_granules(tmp_path_factory).values())


def store_kind(store: str) -> dict[str, Any]:
    name, _, version = store.partition(" ")
    return {"zarr_format": int(version), "consolidated": False} if version else {"engine": name}


def written_again(obj: Any, store: str, path: Path) -> Any:
    opening = xr.open_datatree if isinstance(obj, xr.DataTree) else xr.open_dataset
    # A number of seconds stays one, as it does here; before 2026.4 xarray asks an explicit choice.
    times = {"decode_timedelta": False}
    if store.startswith("zarr"):
        obj.to_zarr(path, **store_kind(store))
        return opening(path, engine="zarr", chunks=None, consolidated=False, **times)
    obj.to_netcdf(path, **store_kind(store))
    return opening(path, **times, **store_kind(store))


def check_round_trip(ds: xr.Dataset, store: str, path: Path) -> None:
    with written_again(ds, store, path) as again:
        assert_identical(again.load(), ds.load())


def assert_identical(again: xr.Dataset, ds: xr.Dataset) -> None:
    for name, variable in ds.variables.items():
        if variable.dtype.kind not in "OUTS":
            assert again[name].dtype == variable.dtype, name
    xr.testing.assert_identical(arrays_of_one_as_scalars(again), arrays_of_one_as_scalars(ds))


@needs_granules
@pytest.mark.parametrize(
    ("name", "layout", "store"),
    [
        *(("original 003", "spot", store) for store in ONE_OF_EACH),
        ("original 003", "flat", "h5netcdf"),
        ("pre-release", "spot", "zarr 3"),
        ("subset 006", "spot", "h5netcdf"),
    ],
)
def test_real_granule_round_trips(name, layout, store, tmp_path):
    ds = xr.open_dataset(GRANULES / REAL[name], engine="icesat2", layout=layout)
    check_round_trip(ds, store, tmp_path / "again")


@needs_granules
@pytest.mark.parametrize("store", ONE_OF_EACH)
@pytest.mark.parametrize("rate", ATL06[1:], ids=lambda rate: rate.group)
def test_other_rates_round_trip(rate, store, tmp_path):
    ds = xr.open_dataset(GRANULES / REAL["original 003"], engine="icesat2", group=rate.group)
    check_round_trip(ds, store, tmp_path / "again")


@each_layout
@pytest.mark.parametrize(
    ("selection", "store"),
    [
        *(("whole", store) for store in STORES),
        *((part, store) for part in list(SELECTIONS)[1:] for store in ONE_OF_EACH),
    ],
)
def test_list_round_trips_whole_and_in_part(written, selection, layout, store, tmp_path):
    ds = xr.open_dataset(written, engine="icesat2", layout=layout, variables=OF_EACH_KIND)
    check_round_trip(SELECTIONS[selection](ds), store, tmp_path / "again")


@each_store
@each_layout
def test_list_of_dask_arrays_round_trips(written, layout, store, tmp_path):
    ds = xr.open_dataset(
        written, engine="icesat2", layout=layout, variables=OF_EACH_KIND, chunks={}
    )
    check_round_trip(ds, store, tmp_path / "again")


@each_store
def test_raw_values_round_trip(written, store, tmp_path):
    raw = {"mask_and_scale": False, "decode_times": False}
    ds = xr.open_dataset(written, engine="icesat2", **raw).load()
    opening = {"engine": "zarr", "consolidated": False, "chunks": None}
    path = tmp_path / "again"
    if store.startswith("zarr"):
        ds.to_zarr(path, **store_kind(store))
    else:
        ds.to_netcdf(path, **store_kind(store))
        opening = store_kind(store)
    with xr.open_dataset(path, **opening, **raw) as again:
        for name in ("h_li", "segment_id", "n_fit_photons", "bsnow_conf", "delta_time"):
            assert again[name].dtype == ds[name].dtype
            xr.testing.assert_equal(again[name].variable.load(), ds[name].variable)


@each_store
@pytest.mark.parametrize("listed", [False, True])
def test_gps_epoch_round_trips(written, listed, store, tmp_path):
    given = written[:2] if listed else written[0]
    ds = xr.open_dataset(given, engine="icesat2", group="ancillary_data")
    assert ds["atlas_sdp_gps_epoch"].dtype == "f8"
    assert ds.icesat2.source_encoding["atlas_sdp_gps_epoch"]["units"].startswith("seconds since")
    check_round_trip(ds, store, tmp_path / "again")


@needs_granules
@pytest.mark.parametrize(("layout", "store"), [("spot", "zarr 2"), ("flat", "netcdf4")])
def test_tree_round_trips(layout, store, tmp_path):
    tree = xr.open_datatree(GRANULES / REAL["subset 006"], engine="icesat2", layout=layout)
    check_tree(tree, store, tmp_path / "again")


@pytest.mark.parametrize("store", ["netcdf4", "zarr 3"])
def test_tree_of_a_list_round_trips(written, store, tmp_path):
    tree = xr.open_datatree(written[:2], engine="icesat2", variables=[*OF_EACH_KIND, "count"])
    check_tree(tree, store, tmp_path / "again")


def check_tree(tree: xr.DataTree, store: str, path: Path) -> None:
    with written_again(tree, store, path) as again:
        assert set(again.groups) == set(tree.groups)
        for name in tree.groups:
            stored, expected = again[name].to_dataset(), tree[name].to_dataset()
            assert_identical(stored.load(), expected.load())


def test_tree_saves_to_consolidated_zarr(written, tmp_path):
    # As the page on saving has it.
    path = tmp_path / "rates.zarr"
    with xr.open_datatree(written[0], engine="icesat2") as tree:
        rates = tree.filter(lambda node: "n_obs" in node.coords)
        assert {f"/{rate.group}" for rate in ATL06} <= set(rates.groups)
        assert not [group for group in rates.groups if group.startswith("/METADATA")]
        rates.to_zarr(path, zarr_format=2, consolidated=False)
        zarr.consolidate_metadata(path, zarr_format=2)
        with xr.open_datatree(path, engine="zarr", consolidated=True, chunks=None) as again:
            assert set(again.groups) == set(rates.groups)
            one = "land_ice_segments"
            assert_identical(again[one].to_dataset().load(), rates[one].to_dataset().load())
