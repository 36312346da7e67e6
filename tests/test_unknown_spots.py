"""Granules without spots open by ground track, or with ``sc_orient=``."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.paths import granule, needs_granules
from tests.tiny import write_tiny
from xr_icesat2.errors import IdentityError, SelectionError

NAME = "ATL08_20200821122613_{rgt:04d}0802_006_01.h5"
GROUP = "land_segments"
SILENT, SPEAKING = 871, 873
FORWARD = {"gt1l": 6, "gt1r": 5, "gt3r": 1}
BACKWARD = {"gt1l": 1, "gt1r": 2, "gt3r": 6}
ROWS = {"gt1l": 4, "gt1r": 2, "gt3r": 3}
EXTRACT = "extract_ATL08_no_orientation.h5"


def opened(path, **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", **keywords)


def write(folder: Path, rgt: int, *, sc_orient: int | None = None, spots: bool = False) -> Path:
    """Write a granule that flew forward; the height is 100 × its spot, then, plus the row."""
    datasets = {
        f"{gt}/{GROUP}/{name}": np.arange(rows) + (100.0 * FORWARD[gt] if name == "h" else 0)
        for gt, rows in ROWS.items()
        for name in ("delta_time", "h")
    }
    if sc_orient is not None:
        datasets["orbit_info/sc_orient"] = np.array([sc_orient], "i1")
    path = write_tiny(folder / NAME.format(rgt=rgt), datasets)
    if not spots:
        with h5py.File(path, "a") as file:
            for gt in ROWS:
                del file[gt].attrs["atlas_spot_number"]
    return path


@pytest.fixture
def silent(tmp_path):
    return write(tmp_path, SILENT)


@pytest.fixture
def turning(tmp_path):
    return write(tmp_path, SILENT, sc_orient=2)


@pytest.fixture
def speaking(tmp_path):
    return write(tmp_path, SPEAKING, spots=True)


@needs_granules
@pytest.mark.parametrize("name", [EXTRACT, "test_atl08.h5"])
def test_real_granule_without_spots_opens_flat(name):
    path = granule(name)
    ds = opened(path, layout="flat", mask_and_scale=False).load()
    assert "spot" not in ds.variables
    with h5py.File(path) as file:
        for gt in ("gt1l", "gt1r", "gt2r", "gt3l", "gt3r"):
            stored = file[f"{gt}/{GROUP}/canopy/h_canopy"][()]
            np.testing.assert_array_equal(ds["h_canopy"].values[ds["gt"].values == gt], stored)
    assert ds["gt"].values.tolist() == sorted(ds["gt"].values)
    tree = xr.open_datatree(path, engine="icesat2", layout="flat", mask_and_scale=False)
    xr.testing.assert_identical(
        tree[f"/{GROUP}/canopy/h_canopy"].variable.load(), ds["h_canopy"].variable
    )


@needs_granules
def test_real_granule_without_spots_opens_by_ground_track():
    path = granule(EXTRACT)
    ds = opened(path, beams=["gt3r", "gt1l"], mask_and_scale=False).load()
    assert ds["h_canopy"].dims == ("gran_idx", "gt", "land_segments_idx")
    assert ds["gt"].values.tolist() == ["gt1l", "gt3r"]
    assert not {"spot", "beam_strength"} & set(ds.variables)
    with h5py.File(path) as file:
        for gt in ("gt1l", "gt3r"):
            beam = ds["h_canopy"].sel(gt=gt).values[0, : int(ds["n_obs"].sel(gt=gt).item())]
            np.testing.assert_array_equal(beam, file[f"{gt}/{GROUP}/canopy/h_canopy"][()])
    with pytest.raises(SelectionError, match=r"none of the selected ground tracks \(gt2l\)"):
        opened(path, beams=["gt2l"])


@pytest.mark.parametrize("which", ["silent", "turning"])
@pytest.mark.parametrize("keywords", [{}, {"spots": "strong"}, {"spots": 1, "layout": "flat"}])
def test_error_without_spots_names_both_solutions(which, keywords, request):
    path = request.getfixturevalue(which)
    for way in (xr.open_dataset, xr.open_datatree):
        with pytest.raises(IdentityError) as caught:
            way(path, engine="icesat2", **keywords)
        for piece in (str(path), 'layout="flat" or beams=', "pass sc_orient=0 (backward) or"):
            assert piece in str(caught.value)


@pytest.mark.parametrize("which", ["silent", "turning"])
@pytest.mark.parametrize(("orient", "table"), [(1, FORWARD), (0, BACKWARD)])
def test_user_orientation_gives_spots(which, orient, table, request):
    path = request.getfixturevalue(which)
    ds = opened(path, sc_orient=orient)
    for gt, spot in table.items():
        beam = ds["h"].sel(spot=spot).isel(gran_idx=0)
        assert beam.values[0] == 100 * FORWARD[gt]
        assert ds["gt"].sel(spot=spot).item() == gt
    # What the file says is not changed.
    assert ds["sc_orient"].item() == (2 if which == "turning" else orient)
    strong = opened(path, sc_orient=np.int8(orient), spots="strong", layout="flat")
    assert set(strong["spot"].values) == {spot for spot in table.values() if spot % 2}
    tree = xr.open_datatree(path, engine="icesat2", sc_orient=orient)
    np.testing.assert_array_equal(tree[f"/{GROUP}/h"].values, ds["h"].values)


def test_user_orientation_against_the_file_is_refused(speaking, tmp_path):
    said = write(tmp_path, SILENT, sc_orient=1)
    for path in (speaking, said):
        expected = opened(path).drop_vars("sc_orient").load()
        xr.testing.assert_identical(opened(path, sc_orient=1).drop_vars("sc_orient"), expected)
        with pytest.raises(SelectionError, match=r"sc_orient=0 .*, but .* gt1l is spot 6"):
            opened(path, sc_orient=0)


@pytest.mark.parametrize("sc_orient", [2, -1, "forward", True, 0.5])
def test_invalid_orientation_is_refused(silent, sc_orient):
    with pytest.raises(SelectionError, match=r"expected 0 .backward. or 1 .forward."):
        opened(silent, sc_orient=sc_orient)


def test_unused_orientation_is_refused(silent, tmp_path):
    for keywords in ({"layout": "file"}, {"group": f"gt1l/{GROUP}"}):
        with pytest.raises(SelectionError, match="sc_orient"):
            opened(silent, sc_orient=1, **keywords)
    profiles = {"profile_1/high_rate/delta_time": [0.0], "profile_1/high_rate/h": [1.0]}
    path = write_tiny(tmp_path / "ATL09_20181117090604_07600101_006_02.h5", profiles)
    with pytest.raises(SelectionError, match="do not depend on the orientation"):
        opened(path, sc_orient=1)


@pytest.mark.parametrize("first", [0, 1])
def test_lists_with_some_unknown_spots_open_flat(silent, speaking, first, tmp_path):
    paths = [silent, speaking][:: 1 - 2 * first]
    ds = opened(paths, layout="flat").load()
    known = ds["rgt"].values == SPEAKING
    assert known.sum() == sum(ROWS.values())
    assert np.isnan(ds["spot"].values[~known]).all()
    for gt, spot in FORWARD.items():
        here = ds["gt"].values == gt
        assert (ds["spot"].values[known & here] == spot).all()
        for one in (known, ~known):
            expected = 100 * spot + np.arange(ROWS[gt])
            np.testing.assert_array_equal(ds["h"].values[one & here], expected)
    # What is unknown is neither strong nor weak.
    assert not ((ds["spot"].values[~known] % 2) >= 0).any()
    ds.to_netcdf(tmp_path / "saved.nc")
    with xr.open_dataset(tmp_path / "saved.nc") as saved:
        xr.testing.assert_equal(saved[["h", "spot", "gt"]].load(), ds[["h", "spot", "gt"]])


def test_beams_are_selected_in_lists_with_some_unknown_spots(silent, speaking):
    ds = opened([silent, speaking], beams=["gt1r", "gt1l"]).load()
    assert ds["h"].dims == ("gran_idx", "gt", "segment_idx")
    assert ds["spot"].sel(gt="gt1l").values.tolist()[1] == 6
    assert np.isnan(ds["spot"].sel(gt="gt1l").values[0])
    assert ds["h"].sel(gt="gt1r").values[:, :2].tolist() == [[500, 501]] * 2
    with pytest.raises(IdentityError, match=NAME.format(rgt=SILENT)):
        opened([silent, speaking])
    both = opened([silent, speaking], sc_orient=1).load()
    assert (both["h"].sel(spot=6).values[:, 0] == 600).all()
    with pytest.raises(SelectionError, match=NAME.format(rgt=SPEAKING)):
        opened([silent, speaking], sc_orient=0)
    # Where all know their spots, nothing is changed.
    assert opened(speaking, beams=["gt1l"])["h"].dims == ("gran_idx", "spot", "segment_idx")
