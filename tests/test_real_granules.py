"""Unusual real files load, pickle and save in each layout, or the error says why not."""

import pickle
from pathlib import Path
from typing import Any

import h5py
import pytest
import xarray as xr

from tests.oracle import walk
from tests.paths import GRANULES, granule
from xr_icesat2.cli.main import main
from xr_icesat2.errors import GroupNotFoundError, IdentityError

NAMES = (
    "ATL06_20230816234629_08822013_006_01.h5",
    "ATL15_template.nc",
    "clip_ATL03_VegR.h5",
    "clip_ATL08_VegR.h5",
    "extract_ATL08_no_orientation.h5",
    "processed_ATL10-01_20200228162543_09770601_006_01.nc",
)
FILES = [GRANULES / name for name in NAMES if (GRANULES / name).exists()]
LARGE_TREES = {
    "ATL06_20230816234629_08822013_006_01.h5",
    "processed_ATL10-01_20200228162543_09770601_006_01.nc",
}
SPOTS_UNKNOWN = {"extract_ATL08_no_orientation.h5"}

pytestmark = pytest.mark.skipif(not FILES, reason="the real granules are not here")
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:34])


def opened(path: Path, layout: str, **options: Any) -> xr.DataTree:
    return xr.open_datatree(path, engine="icesat2", layout=layout, **options)


@pytest.mark.parametrize(
    ("path", "layout"),
    [
        pytest.param(path, layout, id=f"{path.name[:34]}-{layout}")
        for path in FILES
        for layout in ("spot", "flat", "file")
        # Flat rows have the attributes of spots: tests/test_save_and_reopen.py saves them. Trees of
        # hundreds of groups take a minute to save.
        if (layout != "flat" or path.name in SPOTS_UNKNOWN)
        and (layout != "file" or path.name not in LARGE_TREES)
    ],
)
def test_every_layout_loads_pickles_and_saves(path, layout, tmp_path):
    if path.name in SPOTS_UNKNOWN and layout == "spot":
        with pytest.raises(IdentityError, match=r"sc_orient=0.*layout='flat'|layout=.*sc_orient"):
            opened(path, layout)
        return
    tree = opened(path, layout)
    travelled = pickle.loads(pickle.dumps(tree))  # noqa: S301 - it was made here
    assert set(travelled.groups) == set(tree.groups)
    tree.load().to_netcdf(tmp_path / "again.nc", engine="h5netcdf")
    again = xr.open_datatree(tmp_path / "again.nc", engine="h5netcdf", decode_timedelta=False)
    xr.testing.assert_equal(again.load(), tree)


@pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification")
@each_file
def test_largest_group_is_saved_as_zarr(path, tmp_path):
    tree = opened(path, "file")
    group = max(tree.groups, key=lambda name: len(tree[name].data_vars))
    ds = tree[group].to_dataset(inherit=False).load()
    ds.to_zarr(tmp_path / "again", consolidated=False)
    options: Any = {"consolidated": False, "chunks": None, "decode_timedelta": False}
    again = xr.open_dataset(tmp_path / "again", engine="zarr", **options)
    xr.testing.assert_equal(again.load(), ds)


@each_file
def test_info_describes_every_granule(path, capsys):
    assert main(["info", str(path)]) == 0
    assert path.name in capsys.readouterr().out


@pytest.mark.parametrize("layout", ["spot", "flat"])
@pytest.mark.parametrize("name", ["clip_ATL03_VegR.h5", "clip_ATL08_VegR.h5"])
def test_empty_beams_of_a_clip_open(name, layout):
    path, rate = granule(name), "heights" if "ATL03" in name else "land_segments"
    within = [p.split("/") for p, node in walk(path) if isinstance(node, h5py.Dataset)]
    holding = sorted({p[1] for p in within if p[1].startswith("gt") and p[2] == rate})
    says = rf"in gt1l, gt2r\. Select beams that have it \({', '.join(holding)}\)"
    for chosen in ({}, {"variables": ["h_*"]}, {"drop_variables": ["METADATA"]}):
        with pytest.raises(GroupNotFoundError, match=says) as caught:
            xr.open_dataset(path, engine="icesat2", layout=layout, beams=["gt1l", "gt2r"], **chosen)
        assert repr(rate) not in str(caught.value)
