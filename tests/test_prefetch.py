"""Many granules on S3: how many round trips their opening takes, and what is held meanwhile."""

import numpy as np
import pytest
import xarray as xr

from xr_icesat2.assembly import open_granules as opening
from xr_icesat2.testing import write_granule

MANY = 20


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ahead")
    how = {"n_segments": 40, "beams": ("gt1l", "gt1r", "gt2l")}
    return [write_granule(folder, cycle_number=cycle, **how) for cycle in range(1, MANY + 1)]


@pytest.fixture
def urls(s3_server, paths, as_from_afar):
    return [s3_server.put(path.name, path.read_bytes()) for path in paths]


def test_prefetched_granules_equal_local_files(urls, paths, s3_server):
    options = {"engine": "icesat2", "variables": ["h_li", "geoid_h"]}
    with xr.open_dataset(urls, storage_options=s3_server.storage_options, **options) as ds:
        asked = len(s3_server.log)
        with xr.open_dataset(paths, **options) as local:
            np.testing.assert_array_equal(ds.icesat2.load()["h_li"], local["h_li"])
            xr.testing.assert_identical(ds["geoid_h"].load(), local["geoid_h"].load())
    # Measured: 3 each, those of a first look.
    assert asked <= 4 * MANY


def test_error_names_the_bad_granule_of_many(urls, s3_server):
    s3_server.put(urls[3].rpartition("/")[2], b"this is no HDF5 file" * 100)
    with pytest.raises(Exception, match=r"HDF5") as caught:
        xr.open_dataset(urls, engine="icesat2", storage_options=s3_server.storage_options)
    assert urls[3] in str(caught.value)


def test_pages_are_released_after_opening(urls, s3_server, monkeypatch):
    held = []
    open_granule = opening.open_granule

    def counted(*given):
        granule = open_granule(*given)
        held.append(granule)
        return granule

    monkeypatch.setattr(opening, "open_granule", counted)
    with xr.open_dataset(urls, engine="icesat2", storage_options=s3_server.storage_options):
        pages = [granule.index._pages for granule in held]
        assert len(pages) == MANY
        kept = sum(sum(map(len, one._pages.values())) for one in pages)
    # Nor was any read whole, which would stay until it is closed.
    assert kept == 0
