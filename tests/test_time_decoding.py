"""Times decoded from seconds equal xarray's, to the last bit."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from xarray.coders import CFDatetimeCoder
from xarray.conventions import decode_cf_variable

from xr_icesat2.reading import time_decoding as seconds
from xr_icesat2.reading.decode import make_decoder
from xr_icesat2.reading.decode_options import DecodeOptions
from xr_icesat2.reading.time_decoding import are_plain_seconds, decode_seconds

UNITS = "seconds since 2018-01-01"
FILL = np.finfo(np.float64).max
VALUES = st.one_of(
    st.floats(0, 6e8),
    st.floats(-5e9, 5e9),
    st.floats(0, 6e8).map(lambda second: round(second, 9)),
    st.sampled_from([np.nan, FILL, 0.0, -0.0, 5e-10, seconds.LONGEST, -seconds.LONGEST]),
)
ARRAYS = npst.arrays(np.float64, st.integers(1, 30), elements=VALUES)


def coding_of(attrs, **decoders):
    return make_decoder(
        "delta_time", attrs, np.dtype("f8"), DecodeOptions(**decoders), padded=True
    ).decoder


def by_xarray(values, attrs, **options):
    variable = xr.Variable(("row",), values.copy(), attrs)
    return decode_cf_variable("delta_time", variable, **options).to_numpy()


@settings(deadline=None)  # xarray imports cftime at the first odd value
@given(ARRAYS, st.booleans(), st.sampled_from([None, "standard", "proleptic_gregorian"]))
@example(np.array([np.nan, FILL]), True, None)
def test_times_equal_xarrays(values, filled, calendar):
    attrs = {"units": UNITS}
    attrs |= {"_FillValue": FILL} if filled else {}
    attrs |= {} if calendar is None else {"calendar": calendar}
    decoder = coding_of(attrs)
    assert decoder.seconds
    if not filled:
        values[values == FILL] = 0.0
    decoded = decoder(values)
    expected = by_xarray(values, attrs)
    assert decoded.dtype == expected.dtype == np.dtype("M8[ns]")
    np.testing.assert_array_equal(decoded.view("i8"), expected.view("i8"))


@settings(deadline=None)
@given(ARRAYS)
def test_common_times_are_decoded_here(values):
    out = np.empty(values.shape, "M8[ns]")
    usual = bool((np.abs(values[~np.isnan(values)]) < seconds.LONGEST).all())
    usual &= not np.isnan(values).all()
    assert decode_seconds(values, out, UNITS, None) == usual


def test_probe_warns_of_nothing_that_another_thread_could_show(monkeypatch):
    """xarray suppresses warnings for all threads, and another one can end that meanwhile."""
    monkeypatch.setattr("warnings.simplefilter", lambda *args, **kwargs: None)
    seconds._epoch.cache_clear()
    out = np.empty(3, "M8[ns]")
    assert decode_seconds(np.array([0.0, np.nan, 2.0]), out, UNITS, None)
    assert np.isnat(out).tolist() == [False, True, False]


def test_times_decode_into_a_strided_array():
    stored = np.arange(12.0).reshape(3, 4)
    out = np.zeros((4, 6), "M8[ns]")
    coding_of({"units": UNITS}).into(out[:3, ::2][:, :3], stored[:, :3])
    expected = by_xarray(stored[:, :3].ravel(), {"units": UNITS}).reshape(3, 3)
    np.testing.assert_array_equal(out[:3, ::2], expected)
    assert (out[:3, 1::2] == np.datetime64(0, "ns")).all()


def test_changed_rounding_in_xarray_is_detected(monkeypatch):
    """As if a release of xarray rounded: the probe differs, and xarray decodes all."""
    real = seconds.decode_cf_variable

    def rounding(name, variable, **options):
        decoded = real(name, variable, **options)
        return decoded.copy(data=decoded.to_numpy() + np.timedelta64(1, "ns") * (variable % 1 > 0))

    monkeypatch.setattr(seconds, "decode_cf_variable", rounding)
    seconds._epoch.cache_clear()
    try:
        out = np.empty(3, "M8[ns]")
        assert not decode_seconds(np.arange(3.0), out, UNITS, None)
    finally:
        seconds._epoch.cache_clear()
    monkeypatch.undo()
    assert decode_seconds(np.arange(3.0), out, UNITS, None)


@pytest.mark.parametrize(
    ("attrs", "dtype", "decoders"),
    [
        ({"units": UNITS}, "f4", {}),
        ({"units": UNITS}, "i8", {}),
        ({"units": UNITS, "scale_factor": 2.0}, "f8", {}),
        ({"units": UNITS}, "f8", {"decode_times": CFDatetimeCoder(time_unit="us")}),
        ({"units": UNITS}, "f8", {"decode_times": False}),
        ({"units": "m"}, "f8", {}),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_other_units_are_left_to_xarray(attrs, dtype, decoders):
    decoded = make_decoder("t", attrs, np.dtype(dtype), DecodeOptions(**decoders), padded=False)
    assert not decoded.decoder.seconds


def test_other_calendars_are_left_to_xarray():
    kind = np.dtype("f8"), np.dtype("M8[ns]")
    options = DecodeOptions().options("t", {"units": UNITS})
    assert are_plain_seconds(*kind, {"units": UNITS}, options)
    assert not are_plain_seconds(*kind, {"units": UNITS, "calendar": "noleap"}, options)
    assert not are_plain_seconds(*kind, {"units": UNITS}, options | {"use_cftime": True})
