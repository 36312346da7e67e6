"""Quality masks equal plain conditions on the values that h5py reads."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import of_beam
from tests.laziness import is_loaded
from tests.paths import granule, needs_granules
from tests.tiny import write_tiny
from xr_icesat2 import products
from xr_icesat2.errors import RateError, SelectionError
from xr_icesat2.testing import write_granule

PASS = {"n_segments": {"gt1l": 30, "gt2r": 50}, "seed": 5}
BEAMS = ("gt1l", "gt2r")
LAYOUTS = ("spot", "flat")


def opened(path, layout: str = "spot", **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", layout=layout, **keywords)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Granules whose flags have all values."""
    folder = tmp_path_factory.mktemp("quality")
    paths = {p: write_granule(folder, p, **PASS) for p in ("ATL03", "ATL06", "ATL08")}
    rng = np.random.default_rng(1)
    flags = {
        "ATL03": {"heights/quality_ph": 4},
        "ATL06": {"land_ice_segments/atl06_quality_summary": 2},
        "ATL08": {f"land_segments/{n}": 2 for n in ("ph_removal_flag", "terrain_flg")},
    }
    for product, values in flags.items():
        with h5py.File(paths[product], "r+") as file:
            for beam in BEAMS:
                for name, number in values.items():
                    flag = file[f"{beam}/{name}"]
                    flag[...] = rng.integers(0, number, flag.shape).astype(flag.dtype)
    return paths


def read(path: Path, beam: str, name: str) -> np.ndarray:
    with h5py.File(path) as file:
        return file[f"{beam}/{name}"][()]


def assert_beams(mask: xr.DataArray, expected: dict[str, np.ndarray]) -> None:
    """Rows of beams as expected, and padding False."""
    assert mask.dtype == bool
    total = 0
    for beam, values in expected.items():
        np.testing.assert_array_equal(of_beam(mask, beam), values)
        total += int(values.sum())
    assert 0 < total < sum(map(len, expected.values()))
    assert int(mask.sum()) == total


@pytest.mark.parametrize("chunks", [None, {}])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_photons(written, layout, scaled, chunks):
    path = written["ATL03"]
    ds = opened(path, layout, mask_and_scale=scaled, chunks=chunks)
    confidence = {beam: read(path, beam, "heights/signal_conf_ph") for beam in BEAMS}
    nominal = {beam: read(path, beam, "heights/quality_ph") == 0 for beam in BEAMS}
    best = {beam: values.max(axis=1) for beam, values in confidence.items()}
    mask = ds.icesat2.quality()
    assert_beams(mask, {b: (best[b] >= 2) & nominal[b] for b in BEAMS})
    assert mask.attrs["rules"] == "signal_conf_ph >= 2 (any surface_type); quality_ph == 0"
    assert "ATBD" in mask.attrs["sources"]
    strict = ds.icesat2.quality(confidence=4, surface_type="land_ice", quality_ph=[0, 2])
    kept = {b: np.isin(read(path, b, "heights/quality_ph"), [0, 2]) for b in BEAMS}
    assert_beams(strict, {b: (confidence[b][:, 3] >= 4) & kept[b] for b in BEAMS})
    assert strict.attrs["rules"] == (
        "signal_conf_ph >= 4 (surface_type landice); quality_ph in [0, 2]"
    )
    assert_beams(ds.icesat2.quality(confidence=None), nominal)
    selected = ds.isel(photon_idx=slice(5, None, 3)).icesat2.quality()
    xr.testing.assert_equal(selected, mask.isel(photon_idx=slice(5, None, 3)))
    land = ds.sel(surface_type="landice").icesat2.quality(confidence=4, quality_ph=[0, 2])
    np.testing.assert_array_equal(land.values, strict.values)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_masks_are_lazy(written, layout):
    path = written["ATL06"]
    ds = opened(path, layout)
    expected = {b: read(path, b, "land_ice_segments/atl06_quality_summary") == 0 for b in BEAMS}
    mask = ds.icesat2.quality()
    assert not is_loaded(mask)
    assert not is_loaded(ds["atl06_quality_summary"])
    part = mask.isel(segment_idx=[7, 2, 2])
    again = pickle.loads(pickle.dumps(mask))  # noqa: S301 - our own
    assert not is_loaded(mask)
    assert not is_loaded(again)
    assert_beams(again, expected)
    np.testing.assert_array_equal(part.values, mask.values[..., [7, 2, 2]])
    np.testing.assert_array_equal(mask.chunk().values, mask.values)
    heights = ds["h_li"].where(mask)
    assert int(heights.notnull().sum()) <= int(mask.sum())
    chunked = opened(path, layout, chunks={}).icesat2.quality()
    assert chunked.chunks is not None
    assert_beams(chunked, expected)
    with_mask = ds.assign(good=mask)
    with_mask.icesat2.load("good", "h_li")
    np.testing.assert_array_equal(with_mask["good"].values, mask.values)


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_a_region(written, layout, scaled):
    path = written["ATL03"]
    latitude = read(path, "gt2r", "heights/lat_ph")
    box = (-180, float(np.quantile(latitude, 0.3)), 180, float(np.quantile(latitude, 0.6)))
    cut = opened(path, layout, region=box, mask_and_scale=scaled)
    assert 0 < int(np.unique(cut["n_rows"]).max()) < len(latitude)
    mask = cut.icesat2.quality()
    whole = opened(path, "flat")
    expected = {}
    for spot, rows in whole.assign(good=whole.icesat2.quality()).groupby("spot"):
        expected[spot] = dict(zip(rows["source_row"].values, rows["good"].values, strict=True))
    total = 0
    table = cut.assign(good=mask)[["good", "source_row"]]
    for spot, rows in table.groupby("spot"):
        here = rows.squeeze()
        count = len(here["good"]) if layout == "flat" else int(here["n_rows"])
        for row, good in zip(here["source_row"].values[:count], here["good"].values, strict=False):
            assert good == expected[spot][int(row)]
            total += bool(good)
    assert total == int(mask.sum()) > 0


def test_node_of_a_tree(written):
    path = written["ATL08"]
    tree = xr.open_datatree(path, engine="icesat2", layout="flat")
    names = ("ph_removal_flag", "dem_removal_flag", "terrain_flg")
    expected = {
        b: np.all([read(path, b, f"land_segments/{n}") == 0 for n in names], axis=0) for b in BEAMS
    }
    assert_beams(tree["land_segments"].icesat2.quality(), expected)
    assert_beams(opened(path).icesat2.quality(), expected)
    with pytest.raises(RateError, match=r"rows of one rate.*rules: tree\['land_segments'\]$"):
        tree.icesat2.quality()


@needs_granules
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("name", "group", "paths", "good"),
    [
        ("ATL03_gt1l.h5", None, ["heights/signal_conf_ph", "heights/quality_ph"], None),
        (
            "ATL06_20181014001049_02350102_003_01.h5",
            None,
            ["land_ice_segments/atl06_quality_summary"],
            lambda flag: flag == 0,
        ),
        (
            "processed_ATL07-01_20190225115500_09020201_003_02.h5",
            None,
            ["sea_ice_segments/heights/height_segment_quality"],
            lambda flag: flag == 1,
        ),
        (
            "processed_ATL08_20200821122613_08730802_004_01.h5",
            None,
            [f"land_segments/{n}" for n in ("ph_removal_flag", "dem_removal_flag", "terrain_flg")],
            lambda *flags: np.all(np.array(flags) == 0, axis=0),
        ),
        (
            "processed_ATL10-01_20200228162543_09770601_006_01.nc",
            None,
            ["freeboard_segment/beam_fb_quality_flag"],
            lambda flag: (flag >= 1) & (flag <= 5),
        ),
        (
            "ATL11_078805_0304_02_v002.h5",
            None,
            ["corrected_h/quality_summary"],
            lambda flag: flag == 0,
        ),
        (
            "ATL11_078805_0304_02_v002.h5",
            "crossing_track_data",
            ["crossing_track_data/atl06_quality_summary"],
            lambda flag: flag == 0,
        ),
    ],
)
def test_real_granules(name, group, paths, good, layout):
    path = granule(name)
    ds = opened(path, layout, group=group)
    mask = ds.icesat2.quality()
    total = 0
    with h5py.File(path) as file:
        for beam in (b for b in file if f"{b}/{paths[0]}" in file):
            values = [file[f"{beam}/{p}"][()] for p in paths]
            if good is None:
                passed = (values[0].max(axis=1) >= 2) & (values[1] == 0)
            else:
                passed = good(*values)
            total += int(passed.sum())
    assert int(mask.sum()) == total
    assert total or "ATL11" in name


def test_missing_variables_and_rules_are_errors(written):
    few = opened(written["ATL03"], variables=["h_ph", "signal_conf_ph"])
    with pytest.raises(RateError, match=r"lacks quality_ph.*variables=\[…, 'quality_ph'\]"):
        few.icesat2.quality()
    assert few.icesat2.quality(quality_ph=None).any()
    with pytest.raises(RateError, match=r"No quality rule .* for ATL06 segment_quality.*ATL07"):
        opened(written["ATL06"], group="segment_quality").icesat2.quality()
    with pytest.raises(RateError, match="ATL03 bckgrd_atlas"):
        opened(written["ATL03"], group="bckgrd_atlas").icesat2.quality()
    raw = opened(written["ATL06"], mask_and_scale=False).drop_vars("n_obs")
    with pytest.raises(RateError, match="lacks the coordinate n_obs"):
        raw.icesat2.quality()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"confidnce": 3}, "no keyword 'confidnce'. Did you mean 'confidence'"),
        ({"surface_type": "ice"}, "no such surface_type"),
        ({"confidence": "high"}, "expected a number for signal_conf_ph"),
        ({"confidence": [3, 4]}, "expected a number for signal_conf_ph"),
        ({"confidence": True}, "expected a number"),
        ({"quality_ph": []}, "a number or a list of numbers"),
        ({"quality_ph": None, "confidence": None}, "None for every rule"),
    ],
)
def test_impossible_settings_are_errors(written, settings, says):
    with pytest.raises(SelectionError, match=says):
        opened(written["ATL03"]).icesat2.quality(**settings)


def test_surface_type_after_its_selection_is_an_error(written):
    land = opened(written["ATL03"]).sel(surface_type="land")
    with pytest.raises(SelectionError, match="no labelled dimension surface_type any more"):
        land.icesat2.quality(surface_type="land")


def test_undecoded_fill_values_are_not_good(tmp_path):
    flags = np.array([1, -1, 5, 127], np.int8)
    path = write_tiny(
        tmp_path / "ATL10-01_20190704150943_01000401_006_01.h5",
        {
            "gt1l/freeboard_segment/delta_time": np.arange(4.0),
            "gt1l/freeboard_segment/beam_fb_quality_flag": flags,
        },
        attrs={"gt1l/freeboard_segment/beam_fb_quality_flag": {"_FillValue": np.int8(5)}},
    )
    for layout in LAYOUTS:
        for scaled in (True, False):
            ds = opened(path, layout, mask_and_scale=scaled, beams=["gt1l"])
            assert ds.icesat2.quality().values.ravel().tolist() == [True, False, False, False]


def test_every_rule_has_a_source():
    for spec in products.values():
        for rate in spec.rates:
            names = [rule.name for rule in rate.quality]
            assert len(set(names)) == len(names)
            assert all(rule.source for rule in rate.quality)
