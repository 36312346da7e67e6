"""Opening many granules on S3 takes few requests and keeps no bytes."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from tests.written_granules import numbered_copies
from xr_icesat2.assembly.prefetch_paths import predict_paths
from xr_icesat2.assembly.request import Request
from xr_icesat2.testing import write_granule

MANY = 20


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    how = {"n_segments": 40, "beams": ("gt1l", "gt1r", "gt2l"), "rgt": 658}
    one = write_granule(tmp_path_factory.mktemp("one"), **how)
    return list(numbered_copies(one, one.name, MANY))


@pytest.fixture
def urls(s3_server, paths, as_from_afar):
    return [s3_server.put(path.name, path.read_bytes()) for path in paths]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ATL06_20191106230008_06270503_007_01.h5", "/gt1l/land_ice_segments/*"),
        ("ATL09_20191106230008_06270501_007_01.h5", "/profile_1/high_rate/*"),
        ("ATL11_062703_0307_007_01.h5", "/pt1/*"),
        ("ATL15_A1_0318_01km_004_01.nc", None),
        ("renamed.h5", "/gt1l"),
    ],
)
def test_tracks_are_predicted_by_product(name, expected):
    first, *_ = [*predict_paths(SimpleNamespace(url=name), Request()), None]
    assert first == expected


def test_prefetched_granules_equal_local_files(urls, paths, s3_server):
    options = {"engine": "icesat2", "variables": ["h_li", "geoid_h"]}
    with xr.open_dataset(urls, storage_options=s3_server.storage_options, **options) as ds:
        asked = len(s3_server.log)
        with xr.open_dataset(paths, **options) as local:
            np.testing.assert_array_equal(ds.icesat2.load()["h_li"], local["h_li"])
            xr.testing.assert_identical(ds["geoid_h"].load(), local["geoid_h"].load())
    # Measured: 3 each, those of the first read.
    assert asked <= 4 * MANY


def test_error_names_the_bad_granule_of_many(urls, s3_server):
    s3_server.put(urls[3].rpartition("/")[2], b"this is no HDF5 file" * 100)
    with pytest.raises(Exception, match=r"HDF5") as caught:
        xr.open_dataset(urls, engine="icesat2", storage_options=s3_server.storage_options)
    assert urls[3] in str(caught.value)


def test_bytes_are_released_after_opening(urls, s3_server):
    options = {"engine": "icesat2", "storage_options": s3_server.storage_options}
    with xr.open_dataset(urls, **options) as ds:
        assert s3_server.log
        s3_server.script.clear()
        ds["h_li"].load()
    # The first read brought the values of these small granules along; they were not kept.
    read = {request.path for request in s3_server.log if request.method == "GET"}
    assert len(read) == MANY
