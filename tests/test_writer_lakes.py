"""Lakes of synthetic ATL13."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.name import parse_name
from xr_icesat2.testing import granule_name, lake_id, lake_level, write_granule
from xr_icesat2.testing.atl13 import ATL13Values
from xr_icesat2.testing.identity import SyntheticGranule
from xr_icesat2.testing.orbit import ground_position

BEAMS = ("gt1l", "gt1r", "gt3l")
N = 900


def values(rgt: int = 25, cycle_number: int = 3, n: int = N, **changes: int) -> ATL13Values:
    facts = {"granule_region": 1, "sc_orient": 0, "seed": 0, **changes}
    rows = dict.fromkeys(BEAMS, n)
    return ATL13Values(
        SyntheticGranule(
            product="ATL13",
            rgt=rgt,
            cycle_number=cycle_number,
            release="006",
            version="01",
            start=None,
            rows=rows,
            **facts,
        )
    )


@pytest.fixture(scope="module")
def blocks() -> dict[str, dict[str, np.ndarray]]:
    made = values()
    return {beam: made.block("", beam, 0, N) for beam in BEAMS}


@pytest.fixture(scope="module", params=["002", "006", "007"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = {"gt1l": N, "gt1r": N, "gt3l": N, "gt3r": 0}
    return write_granule(
        tmp_path_factory.mktemp("lakes"),
        "ATL13",
        rgt=25,
        cycle_number=3,
        release=request.param,
        n_segments=rows,
        sc_orient=0,
        chunk_rows=400,
    )


def test_files_describe_the_lakes(written: Path, blocks: dict[str, dict[str, np.ndarray]]) -> None:
    assert re.fullmatch(r"ATL13_20190330\d{6}_00250301_00\d_01.h5", written.name)
    with h5py.File(written) as file:
        for beam in BEAMS:
            names = {name for name, item in file[beam].items() if isinstance(item, h5py.Dataset)}
            assert len(names & blocks[beam].keys()) > 35
            for name in names & blocks[beam].keys():
                dataset, expected = file[beam][name], blocks[beam][name]
                if dataset.dtype.kind in "iu" and expected.dtype.kind == "f":
                    expected = np.where(np.isnan(expected), dataset.fillvalue, expected)
                elif expected.dtype.kind == "f":
                    fill = dataset.fillvalue if "_FillValue" in dataset.attrs else np.nan
                    expected = np.where(np.isnan(expected), fill, expected)
                np.testing.assert_array_equal(dataset, expected.astype(dataset.dtype), name)
        assert len(file["gt3r/ht_ortho"]) == 0
        orbits = {name: item[()] for name, item in file["orbit_info"].items()}
        ends = {
            name: item[0]
            for name, item in file["ancillary_data"].items()
            if name.startswith(("start", "end"))
        }
    np.testing.assert_array_equal(orbits["rgt"], [25, 26, 27, 28])
    np.testing.assert_array_equal(orbits["cycle_number"], [3, 3, 3, 3])
    np.testing.assert_allclose(np.diff(orbits["crossing_time"]), 5657.4, atol=0.1)
    np.testing.assert_array_equal(np.diff(orbits["orbit_number"]), 1)
    assert (ends["start_rgt"], ends["end_rgt"]) == (25, 28)
    assert (ends["start_region"], ends["end_region"]) == (1, 14)
    assert ends["end_orbit"] - ends["start_orbit"] == 3
    begin = min(rows["delta_time"][0] for rows in blocks.values())
    end = max(rows["delta_time"][-1] for rows in blocks.values())
    # Rows are in the middles of segments of up to 200 m, which are passed in 0.03 s.
    assert 0 <= begin - ends["start_delta_time"] < 0.015
    assert 0 <= ends["end_delta_time"] - end < 0.015
    first = min(rows["segment_id_beg"][0] for rows in blocks.values())
    last = max(rows["segment_id_end"][-1] for rows in blocks.values())
    assert (ends["start_geoseg"], ends["end_geoseg"]) == (first, last)


def test_lakes_are_round_and_level() -> None:
    lat, lon = np.meshgrid(np.arange(40, 50, 0.02), np.arange(-10, 10, 0.04), indexing="ij")
    ids, level = lake_id(lat, lon), lake_level(lat, lon, cycle_number=4)
    np.testing.assert_array_equal(np.isnan(level), ids == 0)
    assert 0.03 < (ids > 0).mean() < 0.2
    for lake in np.unique(ids[ids > 0]):
        here = ids == lake
        assert len(set(level[here])) == 1
        north = (lat[here] - lat[here].mean()) * 111.19
        east = (lon[here] - lon[here].mean()) * 111.19 * np.cos(np.radians(lat[here]))
        assert np.hypot(north, east).max() < 45


def test_lake_levels_change_with_seasons() -> None:
    lat, lon = np.meshgrid(np.arange(-60, 60, 0.5), np.arange(-180, 180, 0.5))
    levels = np.array([lake_level(lat, lon, cycle) for cycle in range(1, 9)])
    change = np.ptp(levels, axis=0)[lake_id(lat, lon) > 0]
    assert 0.1 < change.min() < change.max() < 4
    assert np.nanmin(levels) > -5


@pytest.mark.parametrize("beam", BEAMS)
def test_heights_equal_levels_within_noise(
    blocks: dict[str, dict[str, np.ndarray]], beam: str
) -> None:
    rows = blocks[beam]
    truth = lake_level(rows["segment_lat"], rows["segment_lon"], cycle_number=3)
    deviation = (rows["ht_ortho"] - truth) / rows["err_ht_water_surf"]
    assert abs(deviation.mean()) < 5 / np.sqrt(N)
    assert 0.9 < deviation.std() < 1.1
    ellipsoidal = rows["ht_ortho"] + rows["segment_geoid"]
    np.testing.assert_allclose(rows["ht_water_surf"], ellipsoidal, rtol=1e-12)
    ids = lake_id(rows["segment_lat"], rows["segment_lon"])
    np.testing.assert_array_equal(rows["inland_water_body_id"], ids)
    assert len(set(ids)) >= 4
    for lake in set(ids):
        heights = rows["ht_ortho"][ids == lake]
        expected = truth[ids == lake][0]
        assert heights.mean() == pytest.approx(expected, abs=0.2 / np.sqrt(heights.size))


@pytest.mark.parametrize("beam", BEAMS)
def test_rows_follow_four_orbits(blocks: dict[str, dict[str, np.ndarray]], beam: str) -> None:
    rows = blocks[beam]
    rgt, count = np.unique(rows["rgt"], return_counts=True)
    np.testing.assert_array_equal(rgt, [25, 26, 27, 28])
    np.testing.assert_array_equal(count, N // 4)
    assert (np.diff(rows["delta_time"]) > 0).all()
    assert (rows["segment_id_beg"] >= 1).all()
    length = rows["segment_id_end"] - rows["segment_id_beg"] + 1
    assert set(length) == {3 if beam != "gt1r" else 10}
    within = np.diff(rows["rgt"]) == 0
    assert (np.diff(rows["segment_id_beg"])[within] >= length[1:][within]).all()
    for track in rgt:
        here = rows["rgt"] == track
        middle = (rows["segment_id_beg"] + rows["segment_id_end"])[here] / 2
        lat, lon = ground_position(int(track), middle, 0.0)
        np.testing.assert_allclose(lat, rows["segment_lat"][here], atol=0.05)
        np.testing.assert_allclose(lon, rows["segment_lon"][here], atol=0.05)


def test_water_bodies_have_identifiers(blocks: dict[str, dict[str, np.ndarray]]) -> None:
    rows = blocks["gt1l"]
    digits = np.array([list(f"{number:010d}") for number in rows["atl13refid"]])
    for place, name in enumerate(("type", "size", "source")):
        np.testing.assert_array_equal(
            digits[:, place].astype(int), rows[f"inland_water_body_{name}"]
        )
    shapes = rows["atl13refid"] % 10_000_000
    np.testing.assert_array_equal(shapes, rows["inland_water_body_id"])
    transect, size = np.unique(rows["transect_id"], return_counts=True)
    np.testing.assert_array_equal(transect, np.arange(1, transect.size + 1))
    for number, many in zip(transect, size, strict=True):
        here = rows["transect_id"] == number
        assert len(set(rows["inland_water_body_id"][here])) == 1
        limits = (1, 2, 3, 6, 8, 10, 30)
        assert set(rows["qf_iwp"][here]) == {sum(many >= limit for limit in limits)}


def test_rows_are_independent_of_blocks() -> None:
    made = values(n=300)
    whole = made.block("", "gt1r", 0, 300)
    parts = [made.block("", "gt1r", start, min(start + 77, 300)) for start in range(0, 300, 77)]
    for name, array in whole.items():
        joined = np.concatenate([part[name] for part in parts])
        np.testing.assert_array_equal(joined, array, err_msg=name, strict=True)
    other = values(n=300, seed=1).block("", "gt1r", 0, 300)
    assert not np.array_equal(other["ht_ortho"], whole["ht_ortho"])


def test_repeat_cycles_observe_the_same_lakes() -> None:
    first, second = (values(cycle_number=cycle).block("", "gt1l", 0, N) for cycle in (3, 5))
    common = set(first["inland_water_body_id"]) & set(second["inland_water_body_id"])
    assert len(common) >= 4
    for lake in common:
        before, after = (
            rows["ht_ortho"][rows["inland_water_body_id"] == lake].mean()
            for rows in (first, second)
        )
        here = first["inland_water_body_id"] == lake
        place = first["segment_lat"][here][:1], first["segment_lon"][here][:1]
        change = (lake_level(*place, 5) - lake_level(*place, 3))[0]
        assert after - before == pytest.approx(change, abs=0.05)


def test_last_granule_of_a_cycle_has_three_orbits() -> None:
    rows = values(rgt=1385).block("", "gt1l", 0, N)
    assert set(rows["rgt"]) == {1385, 1386, 1387}
    orbit_info = values(rgt=1385).constants()
    np.testing.assert_array_equal(orbit_info["orbit_info/rgt"], [1385, 1386, 1387])


def test_file_names_cover_four_orbits() -> None:
    real = "ATL13_20190330212241_00250301_002_01.h5"
    start = datetime(2019, 3, 30, 21, 22, 41, tzinfo=UTC)
    assert granule_name("ATL13", rgt=25, cycle_number=3, release="002", start=start) == real
    scheduled = parse_name(granule_name("ATL13", rgt=25, cycle_number=3))
    assert scheduled is not None
    assert scheduled.start is not None
    assert abs((scheduled.start - start).total_seconds()) < 600


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rgt": 26}, r"rgt 26.*4 orbits.*rgt=25"),
        ({"granule_region": 3}, r"granule_region 3.*whole orbits"),
        ({"n_segments": {"gt1l": 10**6}}, r"250000 rows of gt1l.*track 657.*crosses water for"),
    ],
)
def test_impossible_lake_granules_are_refused(
    tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(SelectionError, match=message):
        write_granule(tmp_path, "ATL13", **wrong)
    assert list(tmp_path.iterdir()) == []
