"""Keywords that select variables and how they are decoded."""

import re
import warnings
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import xarray as xr
from xarray.coders import CFDatetimeCoder, CFTimedeltaCoder

from tests.comparison import assert_array, with_pandas_indexes, words_of_file
from tests.expected_rates import ATL06
from tests.laziness import is_loaded
from tests.oracle import group_dataset
from tests.oracle_rates import spot_layout
from tests.paths import GRANULES, needs_granules
from tests.written_granules import written_granules

MAIN = ATL06[0]

ORIGINAL = GRANULES / "ATL06_20181014001049_02350102_003_01.h5"
SEGMENTS = "gt1l/land_ice_segments"


def without_addresses(parameter: Any) -> str:
    """Name of a parameter that is the same in every process."""
    return re.sub(r"<\S+?(\w+) object at \w+>", r"\1", str(parameter))


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return written_granules(tmp_path_factory)["missing beams"]


def opened(path: Path, **kw: Any) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", **kw)


def check(ds: xr.Dataset, name: str, path: Path, **how: Any) -> None:
    assert_array(ds[name].values, spot_layout([path], MAIN, **how)[name][1], name)


def test_mask_and_scale_applies_to_named_variables(path):
    ds = opened(path, mask_and_scale={"h_li": False, "bsnow_conf": False, "dem_h": True})
    for name in ("h_li", "bsnow_conf"):
        check(ds, name, path, masked=False)
        assert "_FillValue" in ds[name].attrs
    for name in ("dem_h", "n_fit_photons"):
        check(ds, name, path)
        assert "_FillValue" not in ds[name].attrs


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("times", [True, False])
def test_decode_times_false_keeps_numbers(path, times, masked):
    ds = opened(path, decode_times=times, mask_and_scale=masked)
    check(ds, "delta_time", path, times=times, masked=masked)
    assert ("units" in ds["delta_time"].attrs) == (not times)
    assert ("units" in ds["delta_time"].encoding) == times


def test_decode_times_applies_to_named_variables(path):
    check(opened(path, decode_times={"delta_time": False}), "delta_time", path, times=False)


# xarray itself falls back to nanoseconds where a value has a fraction; ours is of the unit
# that was asked for, since types never follow from the data.
@pytest.mark.filterwarnings("ignore:Can't decode floating point datetimes")
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: {"delta_time": c}], ids=["all", "one"])
def test_decode_times_accepts_a_coder(path, unit, wrap):
    ds = opened(path, decode_times=wrap(CFDatetimeCoder(time_unit=unit)))
    expected = spot_layout([path], MAIN)["delta_time"][1].astype(f"datetime64[{unit}]")
    assert_array(ds["delta_time"].values, expected, "delta_time")


def test_use_cftime_returns_calendar_objects(path):
    coder = CFDatetimeCoder(use_cftime=True)
    ds = opened(path, decode_times=coder, beams=["gt1l"])
    expected = spot_layout([path], MAIN, spots=(6,))["delta_time"][1]
    assert ds["delta_time"].dtype == object
    times = ds["delta_time"].values
    got = np.array([np.datetime64(time.isoformat(), "us") for time in times.ravel()])
    got = got.reshape(times.shape)
    assert (np.abs(got - expected) <= np.timedelta64(1, "us")).all()


@needs_granules
@pytest.mark.parametrize(
    "kw",
    [
        {},
        {"mask_and_scale": False},
        {"mask_and_scale": {"h_li": False}},
        {"decode_times": False},
        {"decode_times": CFDatetimeCoder(time_unit="ns")},
        {"decode_coords": False},
        {"decode_coords": "all"},
        {"decode_cf": False},
        {"concat_characters": False},
        {"drop_variables": ["latitude", "h_li"]},
    ],
    ids=without_addresses,
)
def test_group_of_the_file_is_decoded_as_by_xarray(kw):
    raw = group_dataset(ORIGINAL, SEGMENTS)
    ds = opened(ORIGINAL, layout="file", group=SEGMENTS, **kw)
    if kw == {"decode_cf": False}:
        xr.testing.assert_identical(with_pandas_indexes(ds), raw)
    else:
        expected = xr.decode_cf(raw, **{"decode_timedelta": False, **kw})
        xr.testing.assert_identical(words_of_file(with_pandas_indexes(ds)), expected)
        assert set(ds.coords) == set(expected.coords)
        assert {n: v.dtype for n, v in ds.variables.items()} == {
            n: v.dtype for n, v in expected.variables.items()
        }


@needs_granules
@pytest.mark.parametrize(
    "timedelta",
    [None, False, True, CFTimedeltaCoder(time_unit="ns", decode_via_units=True)],
    ids=without_addresses,
)
def test_durations_stay_numbers_by_default(timedelta):
    group = "ancillary_data/land_ice"
    raw = group_dataset(ORIGINAL, group)
    durations = [name for name in raw.variables if raw[name].attrs.get("units") == "seconds"]
    assert len(durations) == 4
    ds = opened(ORIGINAL, layout="file", group=group, decode_timedelta=timedelta)
    expected = xr.decode_cf(raw[durations], decode_timedelta=timedelta or False)
    for name in durations:
        assert_array(ds[name].values, expected[name].values, name)
        assert (ds[name].dtype.kind == "m") == bool(timedelta)


def test_gps_epoch_stays_a_number(path):
    ds = opened(path, layout="file", group="ancillary_data")
    assert ds["atlas_sdp_gps_epoch"].dtype == np.float64
    # Words of which no reader of CF makes a time, 18 seconds wrong.
    assert ds["atlas_sdp_gps_epoch"].units.startswith("seconds after 1980-01-06")
    decoded = xr.decode_cf(ds, decode_timedelta=False)
    assert decoded["atlas_sdp_gps_epoch"].dtype == np.float64


@pytest.mark.parametrize("times", [False, {"atlas_sdp_gps_epoch": False}], ids=str)
def test_units_are_kept_without_decode_times(path, times):
    ds = opened(path, layout="file", group="ancillary_data", decode_times=times)
    assert ds["atlas_sdp_gps_epoch"].units.startswith("seconds since 1980-01-06")


def test_decode_cf_false_decodes_nothing(path):
    ds = opened(path, decode_cf=False)
    for name in ("h_li", "segment_id", "delta_time", "bsnow_conf"):
        check(ds, name, path, masked=False, times=False)


@pytest.mark.parametrize("coords", [True, False, "all"])
def test_decode_coords_does_not_change_values(path, coords):
    ds = opened(path, decode_coords=coords)
    for name in ("latitude", "h_li"):
        check(ds, name, path)


def test_create_default_indexes_false_makes_none(path):
    # xarray lets a backend have indexes of its own; ours cost neither memory nor a read.
    ds = opened(path, create_default_indexes=False)
    assert not is_loaded(ds["h_li"])
    xr.testing.assert_identical(ds.load(), opened(path).load())


@pytest.mark.parametrize(
    "dropped",
    ["h_li", ["h_li"], ["fit_statistics/h_mean", "h_li"], ["geophysical/*"], ["h_*", "tide_*"]],
    ids=str,
)
def test_drop_variables_removes_variables(path, dropped):
    everything, ds = opened(path), opened(path, drop_variables=dropped)
    gone = set(everything.variables) - set(ds.variables)
    asked = {
        "h_li": {"h_li"},
        "fit_statistics/h_mean": {"h_mean"},
        "geophysical/*": set(_below(path, "geophysical")),
        "h_*": {str(name) for name in everything.data_vars if str(name).startswith("h_")},
        "tide_*": {str(name) for name in everything.data_vars if str(name).startswith("tide_")},
    }
    patterns = [dropped] if isinstance(dropped, str) else dropped
    assert gone == set().union(*(asked[pattern] for pattern in patterns))
    check(ds, "segment_id", path)


@pytest.mark.parametrize(
    ("kept", "names"),
    [
        ("h_li", ["h_li"]),
        (["h_li", "fit_statistics/*"], ["h_li", "fit_statistics"]),
        (["*/h_mean"], ["h_mean"]),
        (["dem_h", "segment_id"], ["dem_h", "segment_id"]),
    ],
    ids=str,
)
def test_variables_keeps_only_named_variables(path, kept, names):
    ds = opened(path, variables=kept)
    if "fit_statistics" in names:
        names = [*names[:-1], *_below(path, "fit_statistics")]
    assert set(ds.data_vars) == set(names)
    assert set(ds.coords) == set(opened(path).coords)
    for name in names:
        check(ds, name, path)


def _below(path: Path, group: str) -> list[str]:
    return [str(name) for name in group_dataset(path, f"{SEGMENTS}/{group}").variables]


@pytest.mark.parametrize(
    "chunks", [{}, "auto", -1, {"segment_idx": 100}, {"segment_idx": 70, "spot": 2}], ids=str
)
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_chunks_makes_dask_arrays(path, layout, chunks):
    if layout == "flat" and isinstance(chunks, dict):
        chunks = {dim: size for dim, size in chunks.items() if dim != "spot"}
    with warnings.catch_warnings():
        # The granule is smaller than the chunks that we prefer, and xarray says so.
        warnings.filterwarnings("ignore", ".*separate the stored chunks")
        ds = opened(path, layout=layout, chunks=chunks)
    assert isinstance(ds["h_li"].data, dask.array.Array)
    if chunks not in ({}, "auto", -1):
        assert ds["h_li"].chunksizes["segment_idx"][0] == chunks["segment_idx"]
    xr.testing.assert_identical(ds.compute(), opened(path, layout=layout).load())


def test_opening_without_chunks_loads_nothing(path):
    ds = opened(path)
    assert all(not is_loaded(ds[name]) for name in ("h_li", "latitude", "delta_time"))
    ds["h_li"][0, 0, :5].load()
    assert not is_loaded(ds["h_li"])


def test_source_encoding_is_kept(path):
    ds = opened(path)
    in_file = ds.icesat2.source_encoding
    assert in_file["h_li"]["dtype"] == np.float32
    assert ds.encoding["source"].endswith(path.name)
