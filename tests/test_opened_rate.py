"""What a Dataset is, is found whichever way it was opened and selected; else an error says why."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.paths import granule
from tests.tiny import write_tiny
from xr_icesat2.errors import RateError
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.products import PRODUCTS
from xr_icesat2.testing import write_granule

PASS = {"n_segments": {"gt1l": 6, "gt2r": 9}, "seed": 3}


@pytest.fixture(scope="module")
def photons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_granule(tmp_path_factory.mktemp("photons"), "ATL03", release="006", **PASS)


def opened(path: Path, layout: str = "spot", **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", layout=layout, **keywords)


@pytest.mark.parametrize(("layout", "beam_dim"), [("spot", "spot"), ("flat", None)])
def test_names_of_a_rate(photons, layout, beam_dim):
    ds = opened(photons, layout)
    by_node = xr.open_datatree(photons, engine="icesat2", layout=layout)["heights"]
    few = ds[["h_ph"]].isel(photon_idx=slice(2, 5)).sortby("photon_idx", ascending=False)
    for given in (ds, by_node, few, ds.chunk(), few.load(), ds.isel(photon_idx=[])):
        rate = OpenedRate.of(given)
        assert (rate.product, rate.release, rate.name) == ("ATL03", "006", "heights")
        assert (rate.along, rate.beam_dim) == ("photon_idx", beam_dim)
        assert (rate.latitude, rate.longitude, rate.time) == ("lat_ph", "lon_ph", "delta_time")
        assert rate.require("longitude", "time") == ("lon_ph", "delta_time")
        assert rate.spec is PRODUCTS["ATL03"]
        assert rate.rate is rate.spec.rates[0]
        assert rate.beam_coordinate == "spot"
    assert OpenedRate.of(ds.isel(photon_idx=slice(3)).drop_vars("spot")).beam_coordinate == "gt"


def test_one_beam_has_no_dimension_of_beams(photons):
    assert OpenedRate.of(opened(photons).sel(spot=1)).beam_dim is None


def test_renamed_coordinates_are_found_by_standard_name(photons):
    ds = opened(photons).rename(lat_ph="y", lon_ph="x", photon_idx="row")
    rate = OpenedRate.of(ds)
    assert (rate.along, rate.latitude, rate.longitude) == ("row", "y", "x")


def test_missing_coordinates_are_errors_that_say_what_to_do(photons):
    ds = opened(photons)
    dropped = OpenedRate.of(ds.drop_vars("lat_ph"))
    assert dropped.latitude is None
    with pytest.raises(RateError, match="ATL03 heights lacks the coordinate lat_ph, the latitude"):
        dropped.require("latitude")
    with pytest.raises(RateError, match=r"data variable.*set_coords\('lat_ph'\)"):
        OpenedRate.of(ds.reset_coords("lat_ph")).require("latitude")
    with pytest.raises(RateError, match="lat_ph"):
        OpenedRate.of(opened(photons, decode_coords=False)).require("latitude")
    background = OpenedRate.of(opened(photons, group="bckgrd_atlas"))
    assert (background.latitude, background.time) == (None, "delta_time")
    with pytest.raises(RateError, match="bckgrd_atlas has no latitude of its own; take it from"):
        background.require("latitude")


def test_what_is_not_a_rate_is_an_error(photons):
    ds = opened(photons)
    for given in (ds["h_ph"], 3, None):
        with pytest.raises(RateError, match="pass the Dataset that contains"):
            OpenedRate.of(given)
    unmerged = opened(photons, "spot", group="gt1l/heights")
    for given in (
        unmerged,
        ds.drop_vars("photon_idx"),
        ds.isel(photon_idx=0),
        xr.Dataset(),
        xr.open_datatree(photons, engine="icesat2"),
    ):
        with pytest.raises(RateError, match="opened with engine='icesat2' and has rows of one"):
            OpenedRate.of(given)
    segments = opened(photons, group="geolocation")
    both = xr.merge([ds[["h_ph"]], segments[["ph_index_beg"]]], compat="override", join="outer")
    with pytest.raises(RateError, match="several rates: photon_idx, segment_idx"):
        OpenedRate.of(both)


def test_rate_outside_the_specification(tmp_path):
    path = write_tiny(
        tmp_path / "ATL07-01_20190810040322_06580401_006_01.h5",
        {"gt1l/fine/delta_time": np.arange(3.0), "gt1l/fine/latitude": np.arange(3.0)},
        attrs={"gt1l/fine/latitude": {"standard_name": "latitude"}},
    )
    rate = OpenedRate.of(opened(path, group="fine", beams=["gt1l"]))
    assert not rate.is_specified
    assert (rate.product, rate.name, rate.latitude) == ("ATL07", "fine", "latitude")
    with pytest.raises(RateError, match="fine lacks the coordinate longitude"):
        rate.require("longitude")


@pytest.mark.parametrize(
    ("name", "dims"),
    [
        ("ATL11_078805_0304_02_v002.h5", ("ref_pt_idx", "pair_track")),
        ("processed_ATL10-01_20200228162543_09770601_006_01.nc", ("segment_idx", "spot")),
        ("test_atl08.h5", ("land_segments_idx", "gt")),
    ],
)
def test_real_granules(name, dims):
    keywords = {"beams": ["gt1l", "gt2l"]} if name == "test_atl08.h5" else {}
    rate = OpenedRate.of(opened(granule(name), **keywords))
    assert (rate.along, rate.beam_dim) == dims
    assert rate.latitude
    assert rate.longitude
