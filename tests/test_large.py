"""A granule of photons, at a twentieth of full size: what opening it and a window cost."""

import h5py
import numpy as np
import pytest

from tests.linked import linked
from xr_icesat2.bytesource.cost import Cost
from xr_icesat2.dataset import assemble_dataset, assemble_groups
from xr_icesat2.granule.hdf5 import pages
from xr_icesat2.merge.open import look_at
from xr_icesat2.merge.options import Options
from xr_icesat2.testing import write_granule

SEGMENTS = 9_000  # of 181,000
FAR = Cost(latency=0.06, bandwidth=200e6)
WINDOW = slice(200_000, 201_000)
ASKED = ("h_ph", "lat_ph", "lon_ph", "delta_time", "signal_conf_ph")


@pytest.fixture(scope="module", params=["006", "007"])
def path(request, tmp_path_factory):
    return write_granule(
        tmp_path_factory.mktemp("large"),
        product="ATL03",
        release=request.param,
        n_segments=SEGMENTS,
        beams=("gt1r", "gt2l", "gt3r"),
    )


@pytest.fixture
def source(path, monkeypatch):
    monkeypatch.setattr(pages, "MOST_WHOLE", 0)  # as if it were of full size
    return linked(path, FAR)


def test_the_tree_opens_in_few_round_trips(source):
    granule = look_at(source)
    groups = assemble_groups([granule], Options(), listed=False)
    assert {"/heights", "/geolocation", "/bckgrd_atlas", "/orbit_info"} <= groups.keys()
    # Measured, after a first look: 3 bursts, 5 requests, 2.9 MB of 72 MB (006); 3, 9 and 8.9 MB of
    # 84 MB, of which 8.4 are the page at the front of the file, however large that is (007).
    assert source.bursts <= 4
    assert source.requests <= 10
    assert source.nbytes <= 9_200_000
    granule.close()


def test_photons_and_a_window_of_them(path, source):
    granule = look_at(source)
    ds = assemble_dataset([granule], Options(group="heights"), listed=False)
    opened = source.bursts, source.requests
    window = ds.isel(photon_idx=WINDOW)[list(ASKED)]
    window.icesat2.load(*ASKED)
    with h5py.File(path) as file:
        for spot, beam in zip(ds["spot"].values, ds["gt"].values[0], strict=True):
            if beam in file:
                expected = file[f"{beam}/heights/h_ph"][WINDOW]
                np.testing.assert_array_equal(window["h_ph"].sel(spot=spot).values[0], expected)
    # Measured, after a first look: 2 bursts to open, 3 to read, 12 requests, 4.0 MB (006); none and
    # 1, 8 and 5.7 MB, for its chunks have 100,000 photons (007).
    assert opened[0] <= 3
    assert source.bursts <= 6
    assert source.requests <= 14
    assert source.nbytes <= 9_200_000
    granule.close()
