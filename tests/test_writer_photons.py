"""Synthetic photons in ATL03, ATL06 and ATL08 of one pass, compared with their truth."""

from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from xr_icesat2.testing import canopy_height, surface_height, true_photon_classes, write_granule

CYCLE = 4
PASS = {"cycle_number": CYCLE, "n_segments": {"gt1l": 160, "gt2r": 260, "gt3l": 0}, "seed": 7}
BEAMS = ("gt1l", "gt2r")
NOISE, GROUND, CANOPY, TOP = range(4)
SHOT = 1e-4
CHUNK = 3000
DAY = datetime(2019, 6, 20, 15, tzinfo=UTC)
NIGHT = datetime(2019, 12, 20, 3, tzinfo=UTC)

Arrays = dict[str, np.ndarray]


def read(path: Path, group: str) -> Arrays:
    """Every dataset below a group, by its path there."""
    found: Arrays = {}
    with h5py.File(path) as file:
        file[group].visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pass")
    return {
        product: write_granule(folder, product, **PASS, chunk_rows=CHUNK)
        for product in ("ATL03", "ATL06", "ATL08")
    }


@pytest.fixture(scope="module", params=BEAMS)
def beam(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def heights(passed: dict[str, Path], beam: str) -> Arrays:
    return read(passed["ATL03"], f"{beam}/heights")


@pytest.fixture(scope="module")
def geolocation(passed: dict[str, Path], beam: str) -> Arrays:
    return read(passed["ATL03"], f"{beam}/geolocation")


@pytest.fixture(scope="module")
def listed(passed: dict[str, Path], beam: str) -> Arrays:
    return read(passed["ATL08"], f"{beam}/signal_photons")


@pytest.fixture(scope="module")
def land(passed: dict[str, Path], beam: str) -> Arrays:
    return read(passed["ATL08"], f"{beam}/land_segments")


@pytest.fixture(scope="module")
def classes(beam: str) -> np.ndarray:
    return true_photon_classes(beam, **PASS)


@pytest.fixture(scope="module")
def targets(listed: Arrays, geolocation: Arrays) -> np.ndarray:
    """Row in ``heights`` of each photon that ATL08 lists, by its two indices."""
    segment = np.searchsorted(geolocation["segment_id"], listed["ph_segment_id"])
    np.testing.assert_array_equal(geolocation["segment_id"][segment], listed["ph_segment_id"])
    assert listed["classed_pc_indx"].min() >= 1
    assert (listed["classed_pc_indx"] <= geolocation["segment_ph_cnt"][segment]).all()
    return geolocation["ph_index_beg"][segment] - 1 + listed["classed_pc_indx"] - 1


def test_segments_count_their_photons(heights: Arrays, geolocation: Arrays) -> None:
    count, begin = geolocation["segment_ph_cnt"], geolocation["ph_index_beg"]
    assert len(heights["h_ph"]) == count.sum()
    some = count > 0
    assert 0 < np.count_nonzero(~some) < len(count)
    assert (begin[~some] == 0).all()
    np.testing.assert_array_equal(begin[some], (np.cumsum(count) - count + 1)[some])
    assert (np.diff(heights["delta_time"]) >= 0).all()
    along = heights["dist_ph_along"]
    assert along.min() >= 0
    assert along.max() < 20
    # Going along the track, photons do not go back, from one segment to the next either.
    start = np.repeat(geolocation["segment_dist_x"], count)
    assert np.diff(start + along).min() > -1e-4
    assert np.unique(geolocation["segment_length"]) == [20.0]


def test_reference_photon_is_in_its_segment(heights: Arrays, geolocation: Arrays) -> None:
    number, count = geolocation["reference_photon_index"], geolocation["segment_ph_cnt"]
    some = count > 0
    assert (number[~some] == 0).all()
    assert (number[some] >= 1).all()
    assert (number <= count).all()
    row = (geolocation["ph_index_beg"] + number - 2)[some]
    for of_segment, of_photon in (
        ("reference_photon_lat", "lat_ph"),
        ("reference_photon_lon", "lon_ph"),
        ("delta_time", "delta_time"),
    ):
        np.testing.assert_array_equal(geolocation[of_segment][some], heights[of_photon][row])


def test_photon_ids_are_unique(heights: Arrays) -> None:
    names = ("pce_mframe_cnt", "ph_id_pulse", "ph_id_count")
    ids = np.stack([heights[name].astype(np.int64) for name in names], axis=1)
    assert len(np.unique(ids, axis=0)) == len(ids)
    frame, pulse, _ = ids.T
    shot = frame * 200 + pulse
    elapsed = (heights["delta_time"] - heights["delta_time"][0]) / SHOT
    np.testing.assert_allclose(elapsed, shot - shot[0], atol=1e-3)


def test_photons_are_where_their_class_says(heights: Arrays, classes: np.ndarray) -> None:
    place = heights["lat_ph"], heights["lon_ph"]
    above = heights["h_ph"] - surface_height(*place, CYCLE)
    trees = canopy_height(*place)
    assert len(classes) == len(above)
    assert set(np.unique(classes)) == {NOISE, GROUND, CANOPY, TOP}
    ground = above[classes == GROUND]
    assert abs(ground.mean()) < 4 * 0.25 / np.sqrt(len(ground))
    assert ground.std() == pytest.approx(0.25, rel=0.05)
    top = (above - trees)[classes == TOP]
    assert abs(top.mean()) < 0.02
    assert top.std() < 0.25
    assert trees[classes >= CANOPY].min() >= 2
    inside = (above / np.maximum(trees, 1))[classes == CANOPY]
    assert inside.min() > 0.15
    assert inside.max() < 0.9
    noise = above[classes == NOISE]
    assert noise.min() > -161
    assert noise.max() < 241
    assert np.count_nonzero(np.abs(noise) > 50) > 0.5 * len(noise)


def test_confidence_follows_class_and_surface_type(
    heights: Arrays, geolocation: Arrays, classes: np.ndarray
) -> None:
    types = np.repeat(geolocation["surf_type"], geolocation["segment_ph_cnt"], axis=0)
    confidence = heights["signal_conf_ph"]
    assert confidence.shape == types.shape == (len(classes), 5)
    np.testing.assert_array_equal(confidence == -1, types == 0)
    land = confidence[:, 0]
    assert (land[classes != NOISE] >= 2).all()
    assert (land[classes == NOISE] <= 1).all()


def test_photons_have_a_background_rate(
    passed: dict[str, Path], beam: str, heights: Arrays
) -> None:
    sums = read(passed["ATL03"], f"{beam}/bckgrd_atlas")
    np.testing.assert_allclose(np.diff(sums["delta_time"]), 50 * SHOT, atol=1e-7)
    # Half a shot, so that no sum's edge decides.
    row = np.searchsorted(sums["delta_time"], heights["delta_time"] + SHOT / 2, "right") - 1
    assert row.min() >= 0
    late = heights["delta_time"] - sums["delta_time"][row]
    assert late.max() < 50 * SHOT
    frame, first = heights["pce_mframe_cnt"], sums["pce_mframe_cnt"][row]
    assert set(np.unique(frame - first)) == {0}


def test_signal_finder_has_its_own_rows(
    passed: dict[str, Path], beam: str, geolocation: Arrays
) -> None:
    with h5py.File(passed["ATL03"]) as file:
        found = file[f"{beam}/signal_find_output"]
        rows = {name: len(group["delta_time"]) for name, group in found.items()}
    covered = geolocation["surf_type"].sum(axis=0)
    names = ("land", "ocean", "sea_ice", "land_ice", "inlandwater")
    expected = {name: -(-n // 2) for name, n in zip(names, covered.tolist(), strict=True)}
    # A type that does not occur may lack its group.
    assert {name: n for name, n in rows.items() if n} == {
        name: n for name, n in expected.items() if n
    }
    assert len(set(rows.values())) > 2


def test_atl08_points_at_photons_of_atl03(
    heights: Arrays, listed: Arrays, targets: np.ndarray, classes: np.ndarray
) -> None:
    assert (np.diff(targets) > 0).all()
    np.testing.assert_array_equal(listed["delta_time"], heights["delta_time"][targets])
    np.testing.assert_array_equal(listed["classed_pc_flag"], classes[targets])
    ground = surface_height(heights["lat_ph"], heights["lon_ph"], CYCLE)[targets]
    np.testing.assert_allclose(heights["h_ph"][targets] - ground, listed["ph_h"], atol=2e-3)
    others = np.delete(classes, targets)
    assert len(others) > 0
    assert (others == NOISE).all()
    assert set(np.unique(listed["classed_pc_flag"])) == {NOISE, GROUND, CANOPY, TOP}
    assert set(np.unique(listed["d_flag"])) == {0, 1}


def test_land_segments_count_their_photons(listed: Arrays, land: Arrays) -> None:
    begin, count = land["ph_ndx_beg"] - 1, land["n_seg_ph"]
    first, last = land["segment_id_beg"], land["segment_id_end"]
    assert set(np.unique(last - first + 1)) <= {2, 3, 4, 5}
    assert len(np.unique(last - first)) > 1
    assert (first[1:] > last[:-1]).all()
    assert (begin[1:] >= (begin + count)[:-1]).all()
    photon_segment = listed["ph_segment_id"]
    np.testing.assert_array_equal(photon_segment[begin], first)
    np.testing.assert_array_equal(photon_segment[begin + count - 1], last)
    # It takes all photons of its segments, and some photons are in none.
    for row, (low, high) in enumerate(zip(first, last, strict=True)):
        inside = (photon_segment >= low) & (photon_segment <= high)
        assert np.count_nonzero(inside) == count[row]
    assert count.sum() < len(photon_segment)
    time = listed["delta_time"]
    np.testing.assert_array_equal(land["delta_time_beg"], time[begin])
    np.testing.assert_array_equal(land["delta_time_end"], time[begin + count - 1])


def test_land_segment_statistics_equal_numpy(
    heights: Arrays, listed: Arrays, targets: np.ndarray, land: Arrays
) -> None:
    percents = range(10, 100, 5)
    height, above = heights["h_ph"][targets].astype(float), listed["ph_h"].astype(float)
    wooded = 0
    for row, (begin, count) in enumerate(
        zip(land["ph_ndx_beg"] - 1, land["n_seg_ph"], strict=True)
    ):
        photons = np.arange(begin, begin + count)
        class_ = listed["classed_pc_flag"][photons]
        ground, tree = photons[class_ == GROUND], photons[class_ >= CANOPY]
        assert land["terrain/n_te_photons"][row] == len(ground)
        assert land["canopy/n_ca_photons"][row] == np.count_nonzero(class_ == CANOPY)
        assert land["canopy/n_toc_photons"][row] == np.count_nonzero(class_ == TOP)
        close = {"atol": 2e-3}
        terrain = height[ground]
        np.testing.assert_allclose(land["terrain/h_te_median"][row], np.median(terrain), **close)
        np.testing.assert_allclose(land["terrain/h_te_mean"][row], terrain.mean(), **close)
        np.testing.assert_allclose(land["terrain/h_te_std"][row], terrain.std(), **close)
        middle = surface_height(land["latitude"][row], land["longitude"][row], CYCLE)
        assert land["terrain/h_te_best_fit"][row] == pytest.approx(middle, abs=1.5)
        metrics = land["canopy/canopy_h_metrics"][row]
        if not len(tree):
            assert (metrics > 1e38).all()
            assert land["canopy/h_canopy"][row] > 1e38
            continue
        wooded += 1
        np.testing.assert_allclose(metrics, np.percentile(above[tree], percents), **close)
        canopy = np.percentile(above[tree], 98)
        np.testing.assert_allclose(land["canopy/h_canopy"][row], canopy, **close)
    assert 0 < wooded < len(land["n_seg_ph"])


def test_land_segments_have_20_m_parts(listed: Arrays, land: Arrays, geolocation: Arrays) -> None:
    first = land["segment_id_beg"][:, None] + np.arange(5)
    inside = first <= land["segment_id_end"][:, None]
    class_, segment = listed["classed_pc_flag"], listed["ph_segment_id"]
    for flag, wanted in (
        ("terrain/subset_te_flag", class_ == GROUND),
        ("canopy/subset_can_flag", class_ >= CANOPY),
    ):
        some = np.isin(first, segment) & inside
        mine = np.isin(first, segment[wanted]) & inside
        np.testing.assert_array_equal(land[flag], np.where(some, mine, -1), err_msg=flag)
    trees = np.where(mine, land["canopy/h_canopy_20m"], 0)
    assert (land["canopy/h_canopy_20m"][~mine] > 1e38).all()
    row = np.searchsorted(geolocation["segment_id"], np.where(inside, first, 0))
    at = [geolocation[f"reference_photon_{axis}"][row] for axis in ("lat", "lon")]
    expected = np.where(mine, canopy_height(*at), 0)
    np.testing.assert_allclose(trees[mine], expected[mine], atol=1.5)
    assert (land["latitude_20m"][~inside] > 1e38).all()
    np.testing.assert_allclose(land["latitude_20m"][inside], at[0][inside], atol=2e-4)


def test_atl06_observes_the_same_ground(
    passed: dict[str, Path], beam: str, heights: Arrays, geolocation: Arrays, classes: np.ndarray
) -> None:
    ice = read(passed["ATL06"], f"{beam}/land_ice_segments")
    np.testing.assert_array_equal(ice["segment_id"], geolocation["segment_id"])
    segment = np.repeat(np.arange(len(ice["segment_id"])), geolocation["segment_ph_cnt"])
    ground = classes == GROUND
    counts = np.bincount(segment[ground], minlength=len(ice["segment_id"]))
    sums = np.bincount(segment[ground], heights["h_ph"][ground], len(counts))
    # A segment of ATL06 covers the boundary of two of ATL03.
    both, total = counts[1:] + counts[:-1], sums[1:] + sums[:-1]
    found = (ice["h_li"][1:] < 1e38) & (counts[1:] > 10) & (counts[:-1] > 10)
    assert np.count_nonzero(found) > 50
    apart = (total / np.maximum(both, 1) - ice["h_li"][1:])[found]
    assert np.abs(apart).mean() < 0.2
    # Where ATL06 finds no surface, hardly a photon came back from it.
    assert counts[ice["h_li"] > 1e38].max(initial=0) < 20


def test_empty_beam_has_no_photons(passed: dict[str, Path]) -> None:
    for product in ("ATL03", "ATL08"):
        with h5py.File(passed[product]) as file:
            assert "gt1r" not in file
            empty = read(passed[product], "gt3l")
        for name, values in empty.items():
            assert not len(values), name


def test_longer_pass_starts_with_the_shorter_one() -> None:
    shorter = true_photon_classes("gt2l", n_segments=30)
    longer = true_photon_classes("gt2l", n_segments=900)
    np.testing.assert_array_equal(longer[: len(shorter)], shorter)
    other = true_photon_classes("gt2l", n_segments=30, seed=1)
    assert not np.array_equal(other, shorter)


def test_day_has_more_noise_than_night() -> None:
    day, night = (
        np.bincount(true_photon_classes("gt2r", n_segments=400, start=start))
        for start in (DAY, NIGHT)
    )
    assert day[NOISE] > 10 * night[NOISE]
    assert (day[1:] > 0).all()
