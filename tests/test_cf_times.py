"""Times in any CF units equal those of xarray's own engines, in all groups."""

import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from xarray.coders import CFDatetimeCoder
from xarray.conventions import decode_cf_variable

from tests.paths import SHARED, granule
from xr_icesat2.errors import NotSupportedError
from xr_icesat2.testing import write_granule

ATL15 = "made_ATL15_AK_0314_40km_004_01.nc"
UNITS = st.builds(
    "{} since {}".format,
    st.sampled_from(["days", "Days", "day", "hours", "h", "minutes", "seconds", "s", "ms", "us"]),
    st.sampled_from(
        [
            "2018-01-01",
            "2018-1-1 12:30:15",
            "2018-01-01T00:00:00.000000Z",
            "2018-01-01 00:00:00 +02:00",
            "2018-01-01 00:00:00 -5:30",
            "1970-01-01",
            "1858-11-17",
            "1600-03-01",
            "0001-01-01",
            "2400-01-01",
        ]
    ),
)
CALENDARS = st.sampled_from(
    [None, "standard", "gregorian", "proleptic_gregorian", "julian", "noleap", "360_day"]
)
NUMBERS = st.lists(
    st.one_of(
        st.integers(-20000, 20000).map(float),
        st.floats(-9000, 9000, allow_nan=False),
        st.floats(0, 1e6, allow_nan=False).map(lambda number: round(number, 3)),
    ),
    min_size=1,
    max_size=6,
)
NUMBER = itertools.count()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("times")


def by_xarray(values: np.ndarray, attrs: dict[str, str], **options) -> np.ndarray:
    """Decode the whole array as :func:`xarray.decode_cf` does."""
    return decode_cf_variable("time", xr.Variable(("row",), values, attrs), **options).to_numpy()


def open_made(folder: Path, values: np.ndarray, attrs: dict[str, str], **options) -> xr.DataArray:
    # One name a file: one that is overwritten within a tick of the clock looks unchanged.
    path = folder / f"{next(NUMBER)}.h5"
    with h5py.File(path, "w") as file:
        stored = file.create_dataset("when", data=values, chunks=(1,))
        stored.attrs.update(attrs)
    return xr.open_dataset(path, engine="icesat2", layout="file", cache=False, **options)["when"]


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    UNITS,
    CALENDARS,
    NUMBERS,
    st.sampled_from(["f8", "f4", "i4", "i8"]),
    st.sampled_from([None, CFDatetimeCoder(use_cftime=True)]),
)
@example("seconds since 2018-01-01", "julian", [0.0], "f8", None)
@pytest.mark.filterwarnings("ignore:.*Unable to decode time axis")
def test_times_of_any_units_equal_xarrays(made, units, calendar, numbers, dtype, coder):
    values = np.array(numbers).astype(dtype)
    attrs = {"units": units} | ({} if calendar is None else {"calendar": calendar})
    options = {} if coder is None else {"decode_times": coder}
    try:
        expected = by_xarray(values, attrs, **options)
    except Exception:  # noqa: BLE001 - xarray raises errors of many types
        expected = None
    found = open_made(made, values, attrs, **options)
    if found.dtype == values.dtype:  # not even the first and the last value can be decoded
        assert expected is None
        assert found.attrs["units"] == units
        np.testing.assert_array_equal(found.values, values)
        return
    ends = by_xarray(values[[0, -1]], attrs, **options)
    if expected is None or expected.dtype != ends.dtype:
        with pytest.raises(NotSupportedError):
            found.load()
        return
    found = found.values
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("units", ["months since 2018-01-01", "days since yesterday", "since", " "])
def test_undecodable_times_stay_numbers(made, units, caplog):
    values = np.array([1.0, 2.0, 40.0])
    found = open_made(made, values, {"units": units})
    np.testing.assert_array_equal(found.values, values)
    assert found.attrs["units"] == units
    if "since" in units:
        assert f"units='{units}' makes no sense" in caplog.text


def test_gps_seconds_stay_numbers_with_their_attributes(made):
    found = open_made(made, np.array([1e9]), {"units": "seconds since 1980-01-06T00:00:00.000000Z"})
    assert found.dtype == "f8"
    assert found.attrs["units"] == "seconds after 1980-01-06T00:00:00.000000Z"
    for units in ("days since 1980-01-06", "seconds since 1980-01-01"):
        assert open_made(made, np.array([1.0]), {"units": units}).dtype == "M8[ns]"


def test_times_beyond_the_dtype_are_an_error(made):
    far = np.array([1.0, 1e9, 2.0])
    with pytest.raises(NotSupportedError, match=r"when .*days since 2018.*decode_times=False"):
        open_made(made, far, {"units": "days since 2018-01-01"}).load()
    raw = open_made(made, far, {"units": "days since 2018-01-01"}, decode_times=False)
    np.testing.assert_array_equal(raw.values, far)


@pytest.mark.parametrize("layout", ["spot", "flat", "file"])
@pytest.mark.parametrize("group", ["delta_h", "dhdt_lag1"])
def test_times_of_a_gridded_product_are_decoded(layout, group):
    path = SHARED / "field" / ATL15
    if not path.exists():
        pytest.skip(f"{ATL15} is not here (../shared/field)")
    options = {"group": group, "decode_timedelta": False}
    found = xr.open_dataset(path, engine="icesat2", layout=layout, **options)
    expected = xr.open_dataset(path, engine="h5netcdf", **options)
    assert found["time"].dtype == "M8[ns]"
    xr.testing.assert_identical(found.drop_encoding(), expected.drop_encoding().load())
    tree = xr.open_datatree(path, engine="icesat2", layout=layout)
    xr.testing.assert_equal(tree[group].to_dataset().load(), expected)


def test_times_of_the_gridded_template_are_decoded():
    path = granule("ATL15_template.nc")
    found = xr.open_datatree(path, engine="icesat2", decode_timedelta=False)
    expected = xr.open_datatree(path, engine="h5netcdf", decode_timedelta=False)
    for group in expected.groups:
        ours, theirs = found[group].to_dataset(), expected[group].to_dataset()
        assert set(ours.variables) == set(theirs.variables)
        assert dict(ours.sizes) == dict(theirs.sizes)
        assert set(ours.coords) == set(theirs.coords)
        xr.testing.assert_equal(ours.load(), theirs.load())


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_days_are_decoded_in_a_merged_group(layout, tmp_path):
    path = write_granule(tmp_path, product="ATL06", n_segments=20)
    expected = xr.open_dataset(path, engine="icesat2", layout=layout, variables="h_li").load()
    with h5py.File(path, "a") as file:
        for beam in (name for name in file if name.startswith("gt")):
            time = file[f"{beam}/land_ice_segments/delta_time"]
            time[...] = time[...] / 86400
            time.attrs["units"] = np.bytes_("days since 2018-01-01")
    found = xr.open_dataset(path, engine="icesat2", layout=layout, variables="h_li")
    assert "delta_time" in found.coords
    gap = np.abs(found["delta_time"].values - expected["delta_time"].values)
    assert gap[~np.isnat(gap)].max() < np.timedelta64(10, "us")
    with h5py.File(path) as file:
        row = {"spot": 0} if layout == "spot" else {}
        ours = found["delta_time"].isel(gran_idx=0, **row) if row else found["delta_time"][:20]
        beam = str(found["gt"].values[0, 0]) if row else str(found["gt"].values[0])
        stored = file[f"{beam}/land_ice_segments/delta_time"]
        decoded = by_xarray(stored[...], {"units": "days since 2018-01-01"})
    np.testing.assert_array_equal(ours.values[: decoded.size], decoded)
