"""Processes that end with granules open: quietly, whichever way these are read."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

OPEN = """
import os, sys
import xarray as xr
ds = xr.open_dataset(sys.argv[1], engine="icesat2", layout="file")
assert ds["x"].sum() == 499500, ds
"""
ENDINGS = {
    "left open": "",
    "an error": "raise SystemExit(3)",
    "a fork": """
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
else:
    assert ds["x"].sum() == 499500
    sys.exit(0)
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_granule_that_nobody_closed(tmp_path, libver, ending):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver) as file:  # the latest is left to the HDF5 library
        file["x"] = np.arange(1000)
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", OPEN + ENDINGS[ending], path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == (3 if ending == "an error" else 0), done.stderr
    assert "Error" not in done.stderr
