"""Selection, padding and coordinates of merged ATL06."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array
from tests.expected_rates import ATL06, Rate
from tests.laziness import is_loaded
from tests.oracle_rates import (
    GROUND_TRACKS,
    SPOTS,
    all_parts,
    granule_numbers,
    n_obs,
    parts,
    spot_layout,
)
from tests.paths import ATL06_GRANULES, GRANULES, needs_granules
from tests.rate_checks import LAYOUTS, check_values, opened
from tests.written_granules import written_granule, written_granules
from xr_icesat2.errors import GroupNotFoundError, IdentityError

MAIN = ATL06[0]

each_rate = pytest.mark.parametrize("rate", ATL06, ids=lambda rate: rate.group)
each_layout = pytest.mark.parametrize("layout", LAYOUTS)
masked_and_raw = pytest.mark.parametrize("masked", [True, False], ids=["masked", "raw"])
each_real = pytest.mark.parametrize("path", ATL06_GRANULES, ids=lambda path: path.name[:33])


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    return written_granules(tmp_path_factory)


@needs_granules
def test_granule_without_the_rate_is_named():
    paths = [next(GRANULES.glob(f"{start}*")) for start in ("ATL06_2018", "processed_ATL06_201902")]
    with pytest.raises(GroupNotFoundError, match=paths[1].name):
        opened(paths, ATL06[1], "spot", masked=True, allow_mixed_releases=True)


def test_yaw_flip_has_no_spots(tmp_path):
    path = written_granule("all beams", tmp_path, n_segments=10, sc_orient=2)
    with pytest.raises(IdentityError) as caught:
        opened([path], MAIN, "spot", masked=True)
    for way_out in ('layout="flat" or beams=', "pass sc_orient=0 (backward) or sc_orient=1"):
        assert way_out in str(caught.value)
    with h5py.File(path) as file:
        beams = [file[f"{gt}/land_ice_segments/h_li"][...] for gt in GROUND_TRACKS]
    ds = opened([path], MAIN, "flat", masked=False)
    assert_array(ds["h_li"].values, np.concatenate(beams), "h_li")
    assert_array(ds["gt"].values, np.repeat(GROUND_TRACKS, [len(beam) for beam in beams]), "gt")
    assert "spot" not in ds.variables
    ds = opened([path], MAIN, "spot", masked=False, beams=["gt3l", "gt1r"])
    assert ds["h_li"].dims == ("gran_idx", "gt", "segment_idx")
    for gt in ("gt1r", "gt3l"):
        beam = beams[GROUND_TRACKS.index(gt)]
        assert_array(ds["h_li"].sel(gt=gt).values[0, : len(beam)], beam, gt)
    tree = xr.open_datatree(path, engine="icesat2", layout="file")
    assert "gt1l" in tree.children


@needs_granules
@each_real
@masked_and_raw
def test_undecoded_times_are_numbers(path, masked):
    expected = spot_layout([path], MAIN, masked=masked, times=False)
    ds = opened([path], MAIN, "spot", masked=masked, decode_times=False)
    check_values(ds, {"delta_time": expected["delta_time"]})


@needs_granules
@pytest.mark.parametrize(
    ("chosen", "spots"),
    [
        ({"spots": "strong"}, (1, 3, 5)),
        ({"spots": "weak"}, (2, 4, 6)),
        ({"spots": 4}, (4,)),
        ({"spots": [6, 3]}, (3, 6)),
        ({"beams": ["gt2l", "gt3r"]}, (3, 6)),
        ({"beams": ["gt2l"], "spots": 3}, (3,)),
    ],
    ids=str,
)
def test_selected_beams_open(chosen, spots):
    path = next(GRANULES.glob("processed_ATL06_20190416*"))  # flies backward
    expected = spot_layout([path], MAIN, spots=spots)
    ds = opened([path], MAIN, "spot", masked=True, **chosen)
    assert_array(ds["spot"].values, np.array(spots, "int64"), "spot")
    check_values(ds, expected)


@masked_and_raw
def test_pad_to_sets_the_length(written, masked):
    paths = list(written.values())
    expected = spot_layout(paths, MAIN, masked=masked, pad_to=250)
    check_values(opened(paths, MAIN, "spot", masked=masked, pad_to=250), expected)


def check_granule_coordinates(ds: xr.Dataset, paths: Sequence[Path]) -> None:
    rgt, cycle, region = np.array([granule_numbers(path) for path in paths], "int64").T
    assert_array(ds["gran_idx"].values, rgt * 10_000 + cycle * 100 + region, "gran_idx")
    for name, expected in {"rgt": rgt, "cycle_number": cycle, "granule_region": region}.items():
        assert ds[name].dims == ("gran_idx",)
        assert_array(ds[name].values, expected, name)
    assert ds["source_file"].values.tolist() == [path.name for path in paths]


def check_beam_coordinates(ds: xr.Dataset, paths: Sequence[Path], rate: Rate) -> None:
    assert_array(ds["spot"].values, np.array(SPOTS, "int64"), "spot")
    assert_array(ds["n_obs"].values, n_obs(paths, rate), "n_obs")
    assert ds["beam_strength"].values.tolist() == ["strong", "weak"] * 3
    assert ds["gt"].dtype == "<U4"
    for part in all_parts(paths, rate):
        assert ds["gt"].values[part.granule, part.spot - 1] == part.gt


@needs_granules
@each_real
@each_rate
def test_real_granule_has_coordinates(path, rate):
    if not parts(path, rate):
        pytest.skip("the granule has no such rate")
    ds = opened([path], rate, "spot", masked=True)
    check_granule_coordinates(ds, [path])
    check_beam_coordinates(ds, [path], rate)
    longest = int(n_obs([path], rate).max())
    assert_array(ds[rate.dim].values, np.arange(longest, dtype="int64"), rate.dim)


def test_list_has_coordinates(written):
    paths = list(written.values())[::-1]
    ds = opened(paths, MAIN, "spot", masked=True)
    check_granule_coordinates(ds, paths)
    check_beam_coordinates(ds, paths, MAIN)


@each_rate
def test_flat_rows_have_coordinates(written, rate):
    paths = list(written.values())
    found = all_parts(paths, rate)
    rows = [part.n_obs for part in found]
    spots = np.array([part.spot for part in found], "int64")
    numbers = [granule_numbers(paths[part.granule]) for part in found]
    granules = np.array([r * 10_000 + c * 100 + n for r, c, n in numbers], "int64")
    ds = opened(paths, rate, "flat", masked=True)
    assert_array(ds["spot"].values, np.repeat(spots, rows), "spot")
    assert_array(ds["gran_idx"].values, np.repeat(granules, rows), "gran_idx")
    assert ds["gt"].values.tolist() == np.repeat([part.gt for part in found], rows).tolist()
    for name, expected in (
        ("rgt", [rgt for rgt, _, _ in numbers]),
        ("cycle_number", [c for _, c, _ in numbers]),
    ):
        assert not is_loaded(ds[name])
        assert ds[name].values.tolist() == np.repeat(expected, rows).tolist(), name
    assert {ds[name].dtype for name in ("rgt", "cycle_number")} == {np.dtype("int32")}
    assert all(
        ds[name].dims == (rate.dim,) for name in ("gt", "spot", "gran_idx", "rgt", "cycle_number")
    )
    if rate.per_beam:
        assert_array(ds["beam_spot"].values, spots, "beam_spot")
        assert ds["beam_gt"].values.tolist() == [part.gt for part in found]
        assert_array(ds["beam_gran_idx"].values, granules, "beam_gran_idx")
        assert ds["beam_cycle_number"].values.tolist() == [c for _, c, _ in numbers]


def test_flat_rows_group_by_cycle(written):
    ds = opened(list(written.values()), MAIN, "flat", masked=True)
    table = ds[["h_li"]].to_dataframe()
    assert table.groupby("cycle_number")["h_li"].size().to_dict() == {
        cycle: int((ds["cycle_number"] == cycle).sum()) for cycle in (5, 6)
    }
