"""Attributes of decoded times agree with them."""

import re

import h5py
import pytest
import xarray as xr

from tests.paths import granule
from xr_icesat2.reading.time_decoding import describe_decoded
from xr_icesat2.testing import write_granule

REAL = [
    "ATL03_gt1l.h5",
    "ATL06_20181014001049_02350102_003_01.h5",
    "processed_ATL07-01_20190225115500_09020201_003_02.h5",
    "processed_ATL08_20200821122613_08730802_004_01.h5",
]
CLAIM = re.compile(r"\bGPS\b|\bseconds (since|from)\b", re.IGNORECASE)
OWN = {"data_start_utc", "data_end_utc"}
"""Times that the engine itself adds."""


def claims(attrs) -> bool:
    return any(CLAIM.search(str(attrs.get(n, ""))) for n in ("long_name", "description"))


def check(path, **keywords):
    """Look at every time of a tree; return how many there are whose file speaks of seconds."""
    reworded = 0
    with xr.open_datatree(path, engine="icesat2", **keywords) as tree, h5py.File(path) as file:
        for node in tree.subtree:
            for name, variable in node.variables.items():
                if variable.dtype.kind != "M" or name in OWN:
                    continue
                assert not claims(variable.attrs), (node.path, name)
                stored = node.icesat2.source_encoding.get(name)
                if stored is None:
                    continue
                reported = {
                    n: t.decode() if isinstance(t, bytes) else t
                    for n, t in file[stored["path"]].attrs.items()
                    if n in ("long_name", "description")
                }
                for attribute, text in reported.items():
                    # What is not shown unchanged is in source_encoding.
                    shown = variable.attrs.get(attribute)
                    assert text in (shown, stored.get(attribute))
                reworded += claims(reported)
    return reworded


@pytest.mark.parametrize("layout", ["spot", "file"])
@pytest.mark.parametrize("name", REAL)
def test_decoded_times_of_real_granules_have_no_second_units(name, layout):
    assert check(granule(name), layout=layout) > 0


def test_decoded_times_of_synthetic_granules_have_no_second_units(tmp_path):
    assert check(write_granule(tmp_path, n_segments=20)) > 0


def test_undecoded_times_keep_their_attributes(tmp_path):
    path = write_granule(tmp_path, n_segments=20)
    with xr.open_dataset(path, engine="icesat2", decode_times=False) as ds:
        assert ds.delta_time.attrs["long_name"] == "Elapsed GPS seconds"
        assert ds.delta_time.attrs["units"] == "seconds since 2018-01-01"
        assert "long_name" not in ds.icesat2.source_encoding["delta_time"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Number of GPS seconds since the ATLAS SDP epoch.", "Time (UTC)."),
        (
            "Transmit time, measured in seconds from the atlas_sdp_gps_epoch. If none.",
            "Transmit time. If none.",
        ),
        (
            "Mean number of GPS seconds since the ATLAS SDP epoch for the 10km segment.",
            "Mean time (UTC) for the 10km segment.",
        ),
        ("Time of the flash, in 10 s steps.", "Time of the flash, in 10 s steps."),
        ("GPS time of week.", None),
    ],
)
def test_descriptions_are_rewritten_for_decoded_times(text, expected):
    described = describe_decoded({"description": text, "source": "ATL03, GPS"})
    assert described.get("description") == expected
    assert described["source"] == "ATL03, GPS"
