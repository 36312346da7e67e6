"""Merged ATL06 equals an independent assembly, bit for bit: whole and by random selections."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.comparing import assert_array, random_indexers, taken
from tests.oracle_atl06 import (
    MAIN,
    RATES,
    SPOTS,
    Placed,
    Rate,
    all_parts,
    flat_layout,
    granule_numbers,
    n_obs,
    parts,
    spot_layout,
)
from tests.paths import ATL06_GRANULES, GRANULES, needs_granules
from tests.written import GRANULE_NAMES, written_granule, written_granules
from xr_icesat2.errors import GroupNotFoundError, ICESat2Error

LAYOUTS = {"spot": spot_layout, "flat": flat_layout}
# Of each of layout, masked or raw. Lists of written granules cover each of them again.
SELECTIONS = 20
FEW_SELECTIONS = 5
# One chunk of it is 30 MB in a real granule, whatever is selected.
HEAVY = {"count"}
ON_GRANULES = {
    "gran_idx",
    "rgt",
    "cycle_number",
    "region",
    "sc_orient",
    "source_file",
    "release",
    "version",
    "data_start_utc",
    "data_end_utc",
}
ON_EACH_BEAM = {"beam_idx", "beam_spot", "beam_gt", "beam_gran_idx"}
ON_BEAMS = {"spot", "gt", "beam_strength", "n_obs", *ON_EACH_BEAM}

REAL_LISTS = {
    "missing beams": ["processed_ATL06_20190613", "processed_ATL06_20190416"],
    "an original and a subset": ["ATL06_20181014001049", "processed_ATL06_20181015"],
}

each_rate = pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate.group)
each_layout = pytest.mark.parametrize("layout", LAYOUTS)
masked_and_raw = pytest.mark.parametrize("masked", [True, False], ids=["masked", "raw"])
each_real = pytest.mark.parametrize("path", ATL06_GRANULES, ids=lambda path: path.name[:33])


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    return written_granules(tmp_path_factory)


def real_list(name: str) -> list[Path]:
    return [next(GRANULES.glob(f"{start}*")) for start in REAL_LISTS[name]]


def opened(paths: Sequence[Path], rate: Rate, layout: str, *, masked: bool, **kw: Any):
    obj = [str(path) for path in paths] if len(paths) > 1 else paths[0]
    return xr.open_dataset(
        obj, engine="icesat2", group=rate.group, layout=layout, mask_and_scale=masked, **kw
    )


def check_values(
    ds: xr.Dataset, expected: Mapping[str, Placed], indexers: Mapping[str, Any] | None = None
) -> None:
    indexers = {dim: index for dim, index in (indexers or {}).items() if dim in ds.dims}
    chosen = ds.isel(indexers)
    for name, (dims, array) in expected.items():
        assert name in ds.variables, f"no variable {name}"
        assert ds[name].dims == dims, name
        assert_array(chosen[name].values, taken(array, dims, indexers), name)


def check_names(ds: xr.Dataset, expected: Mapping[str, Placed], rate: Rate) -> None:
    ours = ON_GRANULES | ON_BEAMS | {rate.dim}
    assert set(ds.variables) - ours == set(expected)
    assert set(ds.coords) - ours == set(rate.coordinates) & set(expected)


def check_whole_and_in_part(
    paths: Sequence[Path],
    rate: Rate,
    layout: str,
    *,
    masked: bool,
    selections: int = SELECTIONS,
    **kw: Any,
) -> None:
    if not all_parts(paths, rate):
        with pytest.raises(GroupNotFoundError, match=rate.group):
            opened(paths, rate, layout, masked=masked, **kw)
        return
    expected = LAYOUTS[layout](paths, rate, masked=masked)
    sizes = {d: n for dims, a in expected.values() for d, n in zip(dims, a.shape, strict=True)}
    ds = opened(paths, rate, layout, masked=masked, **kw)
    check_names(ds, expected, rate)
    assert {dim: ds.sizes[dim] for dim in sizes} == sizes
    check_values(ds, expected)
    # What was read whole may be held in memory: selections are made of a fresh one.
    ds = opened(paths, rate, layout, masked=masked, cache=False, **kw)
    rng = np.random.default_rng([len(paths), layout == "flat", masked])
    light = {name: placed for name, placed in expected.items() if name not in HEAVY}
    for turn in range(selections):
        wanted = light if turn % 4 else expected
        check_values(ds, wanted, random_indexers(rng, sizes))


@needs_granules
@each_real
@each_rate
@each_layout
@masked_and_raw
def test_every_variable_of_a_real_granule(path, rate, layout, masked):
    check_whole_and_in_part([path], rate, layout, masked=masked)


@each_rate
@each_layout
@masked_and_raw
@pytest.mark.parametrize("name", GRANULE_NAMES)
def test_every_variable_of_a_written_granule(written, name, rate, layout, masked):
    check_whole_and_in_part([written[name]], rate, layout, masked=masked, selections=FEW_SELECTIONS)


@needs_granules
@each_rate
@each_layout
@masked_and_raw
@pytest.mark.parametrize("name", REAL_LISTS)
def test_every_variable_of_a_list_of_real_granules(name, rate, layout, masked):
    check_whole_and_in_part(real_list(name), rate, layout, masked=masked)


@each_rate
@each_layout
@masked_and_raw
def test_every_variable_of_a_list_of_written_granules(written, rate, layout, masked):
    check_whole_and_in_part(list(written.values()), rate, layout, masked=masked)


@needs_granules
@each_rate
@each_layout
def test_every_variable_of_all_releases_together(rate, layout):
    paths = [path for path in ATL06_GRANULES if parts(path, rate)]
    check_whole_and_in_part(
        paths,
        rate,
        layout,
        masked=True,
        selections=FEW_SELECTIONS,
        allow_mixed_releases=True,
    )


@needs_granules
def test_a_granule_of_a_list_without_the_rate_is_named():
    paths = [next(GRANULES.glob(f"{start}*")) for start in ("ATL06_2018", "processed_ATL06_201902")]
    with pytest.raises(GroupNotFoundError, match=paths[1].name):
        opened(paths, RATES[1], "spot", masked=True, allow_mixed_releases=True)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_turning_spacecraft_has_no_spots(tmp_path, layout):
    path = written_granule("all beams", tmp_path, n_segments=10, sc_orient=2)
    with pytest.raises(ICESat2Error, match='layout="file"'):
        opened([path], MAIN, layout, masked=True)
    tree = xr.open_datatree(path, engine="icesat2", layout="file")
    assert "gt1l" in tree.children


@needs_granules
@each_real
@masked_and_raw
def test_times_left_as_numbers(path, masked):
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
def test_fewer_beams(chosen, spots):
    path = next(GRANULES.glob("processed_ATL06_20190416*"))  # flies backward
    expected = spot_layout([path], MAIN, spots=spots)
    ds = opened([path], MAIN, "spot", masked=True, **chosen)
    assert_array(ds["spot"].values, np.array(spots, "int64"), "spot")
    check_values(ds, expected)


@masked_and_raw
def test_padding_to_an_asked_length(written, masked):
    paths = list(written.values())
    expected = spot_layout(paths, MAIN, masked=masked, pad_to=250)
    check_values(opened(paths, MAIN, "spot", masked=masked, pad_to=250), expected)


def check_granule_coordinates(ds: xr.Dataset, paths: Sequence[Path]) -> None:
    rgt, cycle, region = np.array([granule_numbers(path) for path in paths], "int64").T
    assert_array(ds["gran_idx"].values, rgt * 10_000 + cycle * 100 + region, "gran_idx")
    for name, expected in {"rgt": rgt, "cycle_number": cycle, "region": region}.items():
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
def test_coordinates_of_a_real_granule(path, rate):
    if not parts(path, rate):
        pytest.skip("the granule has no such rate")
    ds = opened([path], rate, "spot", masked=True)
    check_granule_coordinates(ds, [path])
    check_beam_coordinates(ds, [path], rate)
    longest = int(n_obs([path], rate).max())
    assert_array(ds[rate.dim].values, np.arange(longest, dtype="int64"), rate.dim)


def test_coordinates_of_a_list(written):
    paths = list(written.values())[::-1]
    ds = opened(paths, MAIN, "spot", masked=True)
    check_granule_coordinates(ds, paths)
    check_beam_coordinates(ds, paths, MAIN)


@each_rate
def test_coordinates_on_flat_rows(written, rate):
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
    assert ds["gt"].dims == ds["spot"].dims == ds["gran_idx"].dims == (rate.dim,)
    if rate.per_beam:
        assert_array(ds["beam_spot"].values, spots, "beam_spot")
        assert ds["beam_gt"].values.tolist() == [part.gt for part in found]
        assert_array(ds["beam_gran_idx"].values, granules, "beam_gran_idx")
