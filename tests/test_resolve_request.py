"""Requests on lists of any length: each granule is identified once, ``group`` means one thing."""

from collections import Counter

import numpy as np
import pytest
import xarray as xr

from tests.tiny import write_tiny
from xr_icesat2.assembly import available_rates, identity_reader

MAIN = "land_ice_segments"
RATES = (MAIN, "one", "two", "three")
MANY = 17
"""Granules of a list of which each is parsed as soon as it is opened."""


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resolve")
    names = ("delta_time", "latitude", "longitude", "h_li")
    rows = {f"gt1l/{g}/{n}": np.arange(3.0) for g in RATES for n in names} | {"orbit_info/x": [1.0]}
    paths = [folder / f"ATL06_20200101000000_{n:04d}0101_006_01.h5" for n in range(1, MANY + 1)]
    return [write_tiny(path, rows, product="ATL06") for path in paths]


@pytest.fixture
def calls(monkeypatch):
    """Calls by the url of the granule."""
    counted = {"identify": Counter(), "infer_rates": Counter()}
    identify, infer_rates = identity_reader.identify, available_rates.infer_rates

    def count_identify(evidence):
        counted["identify"][evidence.url] += 1
        return identify(evidence)

    def count_infer_rates(granule, *given):
        counted["infer_rates"][granule.url] += 1
        return infer_rates(granule, *given)

    monkeypatch.setattr(identity_reader, "identify", count_identify)
    monkeypatch.setattr(available_rates, "infer_rates", count_infer_rates)
    return counted


@pytest.mark.parametrize("count", [1, 2, MANY])
@pytest.mark.parametrize("opener", [xr.open_dataset, xr.open_datatree])
def test_each_granule_is_identified_once(paths, calls, count, opener):
    with opener(paths[:count], engine="icesat2"):
        assert calls["identify"] == Counter(map(str, paths[:count]))


@pytest.mark.parametrize("count", [1, 2, MANY])
def test_rates_of_each_granule_are_inferred_once(paths, calls, count):
    with xr.open_datatree(paths[:count], engine="icesat2") as tree:
        assert set(RATES) <= set(tree.children)
        assert calls["infer_rates"] == Counter(map(str, paths[:count]))


@pytest.mark.parametrize("group", [None, MAIN, "two", f"gt1l/{MAIN}", "orbit_info"])
def test_group_means_the_same_in_a_short_and_in_a_long_list(paths, group):
    with (
        xr.open_dataset(paths[:2], engine="icesat2", group=group) as few,
        xr.open_dataset(paths, engine="icesat2", group=group) as many,
    ):
        xr.testing.assert_identical(many.isel(gran_idx=[0, 1]).load(), few.load())
