"""Requests on lists of any length: requests and ``group`` are the same."""

import numpy as np
import pytest
import xarray as xr

from tests.counted_link import CountedLink
from tests.tiny import write_tiny
from xr_icesat2.bytesource.protocol import RequestCost

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


@pytest.mark.parametrize("opener", [xr.open_dataset, xr.open_datatree])
@pytest.mark.parametrize("count", [1, 2, MANY])
def test_granules_of_a_list_of_any_length_are_opened_in_few_requests(
    paths, monkeypatch, opener, count
):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    cost = RequestCost(latency=20e-6, bandwidth=1e9)  # so that pages are requested one by one
    sources = [CountedLink(path, cost) for path in paths[:count]]
    with opener(sources, engine="icesat2"):
        # Measured: 2 and of trees 3; of a tree of a long list, of which no pages are kept, 5.
        assert max(source.requests for source in sources) <= 5


@pytest.mark.parametrize("group", [None, MAIN, "two", f"gt1l/{MAIN}", "orbit_info"])
def test_group_means_the_same_in_a_short_and_in_a_long_list(paths, group):
    with (
        xr.open_dataset(paths[:2], engine="icesat2", group=group) as few,
        xr.open_dataset(paths, engine="icesat2", group=group) as many,
    ):
        xr.testing.assert_identical(many.isel(gran_idx=[0, 1]).load(), few.load())
