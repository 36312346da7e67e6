"""Cycles on one axis along the track equal tables that pandas makes of h5py's values."""

import pickle
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.laziness import is_loaded
from tests.paths import ATL06_GRANULES, granule, needs_granules
from xr_icesat2.errors import LinkError, MergeError, SelectionError
from xr_icesat2.testing import elevation_change, write_granule

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
CYCLES = (4, 6)
NAMES = {
    "h_li": "h_li",
    "dh_fit_dy": "fit_statistics/dh_fit_dy",
    "n_fit_photons": "fit_statistics/n_fit_photons",
    "x_atc": "ground_track/x_atc",
    "y_atc": "ground_track/y_atc",
    "latitude": "latitude",
    "longitude": "longitude",
}
each_layout = pytest.mark.parametrize("layout", ["spot", "flat"])


def opened(paths, **keywords) -> xr.Dataset:
    return xr.open_dataset(paths, engine="icesat2", **keywords)


@pytest.fixture(scope="module")
def ice(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two cycles; the spacecraft turned in between, and not all beams have the same rows."""
    folder = tmp_path_factory.mktemp("ice")
    rows = dict(zip(BEAMS, (75, 100, 90, 80, 105, 95), strict=True))
    return [
        write_granule(
            folder, cycle_number=cycle, n_segments=rows, chunk_rows=64, sc_orient=cycle == 4
        )
        for cycle in CYCLES
    ]


def table(path: Path, cycle: int, group: str, names: dict[str, str]) -> pd.DataFrame:
    """Rows of all beams of a granule, NaN for fill values."""
    frames = []
    with h5py.File(path) as file:
        for beam in (beam for beam in BEAMS if f"{beam}/{group}" in file):
            frame = pd.DataFrame({"cycle_number": cycle, "gt": beam}, index=[0])
            columns = {}
            for name, below in names.items():
                dataset = file[f"{beam}/{group}/{below}"]
                values = dataset[()].astype(np.float64)
                fill = dataset.attrs.get("_FillValue")
                if fill is not None and name != "segment_id":
                    values = np.where(dataset[()] == np.ravel(fill)[0], np.nan, values)
                columns[name] = values
            frame = pd.DataFrame(columns)
            frames.append(frame.assign(cycle_number=cycle, gt=beam))
    return pd.concat(frames)


def on_axis(frame: pd.DataFrame, axis: str) -> xr.Dataset:
    return frame.set_index(["cycle_number", "gt", axis]).to_xarray()


def assert_close(found: xr.Dataset, expected: xr.Dataset, names, **tolerance) -> None:
    for dim in expected.dims:
        np.testing.assert_array_equal(found[dim], expected[dim], err_msg=dim)
    for name in names:
        held = expected[name].transpose("cycle_number", "gt", ...)
        np.testing.assert_allclose(found[name], held, **tolerance, err_msg=name)


@each_layout
def test_segments_of_all_cycles_equal_a_pandas_table(ice, layout):
    track = opened(ice, layout=layout).icesat2.along_track()
    assert track["h_li"].dims == ("cycle_number", "gt", "segment_id")
    assert not is_loaded(track["h_li"])
    names = {**NAMES, "segment_id": "segment_id"}
    tables = [table(p, c, "land_ice_segments", names) for p, c in zip(ice, CYCLES, strict=True)]
    expected = on_axis(pd.concat(tables), "segment_id")
    assert_close(track, expected, NAMES, rtol=0)
    assert np.isnan(track["h_li"]).any()
    assert np.isnat(track["delta_time"].values).any()
    # The spacecraft turned: other spots, the same ground.
    assert track["spot"].to_numpy().tolist() == [[6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]]
    change = track["h_li"].sel(cycle_number=6) - track["h_li"].sel(cycle_number=4)
    one, other = (track.sel(cycle_number=cycle) for cycle in CYCLES)
    change -= (one["dh_fit_dy"] + other["dh_fit_dy"]) / 2 * (other["y_atc"] - one["y_atc"])
    good = (one["atl06_quality_summary"] == 0) & (other["atl06_quality_summary"] == 0)
    true = 2 * xr.apply_ufunc(elevation_change, one["latitude"], one["longitude"])
    assert abs(float((change - true).where(good).median())) < 0.02


@needs_granules
@pytest.mark.parametrize("path", ATL06_GRANULES, ids=lambda path: path.name[-25:-3])
def test_segments_of_real_granules_equal_a_pandas_table(path):
    ds = opened(path, layout="flat")
    if "segment_id" not in ds:
        with pytest.raises(SelectionError, match="lacks segment_id, which along_track needs"):
            ds.icesat2.along_track()
        return
    track = ds.icesat2.along_track()
    names = {name: NAMES[name] for name in NAMES if name in ds.variables}
    cycle = int(ds["cycle_number"][0])
    frame = table(path, cycle, "land_ice_segments", {**names, "segment_id": "segment_id"})
    expected = on_axis(frame, "segment_id")
    assert_close(track, expected, names, rtol=0)
    assert track["rgt"] == int(ds["rgt"][0])


@pytest.mark.parametrize(
    ("layout", "reduce"),
    [("spot", "mean"), ("flat", "median"), ("spot", lambda values: values.max() - values.min())],
    ids=["mean", "median", "range"],
)
def test_bins_equal_groups_of_pandas(ice, layout, reduce):
    ds = opened(ice, layout=layout)
    track = ds.icesat2.along_track(90, reduce=reduce, variables=["h_li", "y_atc", "n_fit_photons"])
    tables = [table(p, c, "land_ice_segments", NAMES) for p, c in zip(ice, CYCLES, strict=True)]
    frame = pd.concat(tables)
    frame["x_atc"] = (np.floor(frame["x_atc"] / 90) + 0.5) * 90
    groups = frame.groupby(["cycle_number", "gt", "x_atc"])
    result = getattr(groups, reduce)() if isinstance(reduce, str) else groups.agg(reduce)
    result = result.assign(row_count=groups.size())
    names = ["h_li", "y_atc", "n_fit_photons"]
    assert_close(track, result.to_xarray(), names, rtol=1e-6)
    assert track["row_count"].dtype == np.int32
    expected = result["row_count"].to_xarray().fillna(0)
    np.testing.assert_array_equal(track["row_count"], expected.transpose("cycle_number", "gt", ...))
    places = groups[["latitude"]].agg(reduce if isinstance(reduce, str) else "mean").to_xarray()
    np.testing.assert_allclose(track["latitude"], places["latitude"], rtol=1e-12)
    assert "atl06_quality_summary" not in ds.icesat2.along_track(90)  # a flag has no mean
    rows = opened(ice, layout="flat")["delta_time"]
    times = track["delta_time"]
    inside = (times >= rows.min()) & (times <= rows.max())
    np.testing.assert_array_equal(inside, track["row_count"] > 0)


def test_only_what_is_selected_is_read(ice, tmp_path):
    copies = [Path(shutil.copy(path, tmp_path)) for path in ice]
    expected = opened(ice).icesat2.along_track()
    track = opened(copies).icesat2.along_track()
    moved = pickle.loads(pickle.dumps(track))  # noqa: S301 - our own
    blocks = opened(copies, chunks={}).icesat2.along_track()
    assert blocks["h_li"].chunks[0] == (1, 1)
    np.testing.assert_array_equal(blocks["h_li"].compute(), expected["h_li"])
    copies[1].unlink()
    for each in (track, moved):
        part = each.sel(cycle_number=4, gt=["gt3l", "gt1r"]).isel(segment_id=slice(5, 90, 7))
        np.testing.assert_array_equal(
            part["h_li"],
            expected["h_li"]
            .sel(cycle_number=4, gt=["gt3l", "gt1r"])
            .isel(segment_id=slice(5, 90, 7)),
        )


def test_regions_of_a_cycle_follow_one_another(tmp_path):
    paths = [
        write_granule(tmp_path, cycle_number=4, granule_region=region, n_segments={"gt2r": 40})
        for region in (3, 4)
    ]
    track = opened(paths).icesat2.along_track()
    assert track["h_li"].shape == (1, 1, track.sizes["segment_id"])
    assert track.sizes["segment_id"] == 80
    assert (np.diff(track["segment_id"]) > 0).all()


def test_selected_rows_are_placed_like_all(ice):
    whole = opened(ice).icesat2.along_track()
    south, north = np.nanquantile(whole["latitude"], [0.3, 0.7])
    cut = opened(ice, region=(-180, south, 180, north)).icesat2.along_track()
    expected = whole.where((whole["latitude"] >= south) & (whole["latitude"] <= north))
    expected = expected.sel(segment_id=cut["segment_id"])
    assert 0 < cut.sizes["segment_id"] < whole.sizes["segment_id"]
    np.testing.assert_array_equal(cut["h_li"], expected["h_li"])


def test_photons_are_binned_by_their_distance(tmp_path):
    rows = {"gt1l": 40, "gt2r": 30}
    path = write_granule(tmp_path, "ATL03", cycle_number=4, n_segments=rows)
    ds = opened(path, layout="flat", attach=["x_atc", "y_atc", "segment_id"])
    track = ds.icesat2.along_track(50, variables=["h_ph", "y_atc"])
    frame = ds[["h_ph", "y_atc", "x_atc", "gt"]].to_dataframe().reset_index()
    frame["x_atc"] = (np.floor(frame["x_atc"] / 50) + 0.5) * 50
    expected = frame.groupby(["gt", "x_atc"])[["h_ph", "y_atc"]].median().to_xarray()
    for name in ("h_ph", "y_atc"):
        np.testing.assert_allclose(track[name][0], expected[name], rtol=1e-6)
    segments = opened(path, group="geolocation").icesat2.along_track()
    assert segments["solar_elevation"].dims == ("cycle_number", "gt", "segment_id")
    with pytest.raises(SelectionError, match=r"lacks x_atc.*attach=\['x_atc'\]"):
        opened(path).icesat2.along_track(50)
    with pytest.raises(SelectionError, match="begin at other places in each cycle"):
        ds.icesat2.along_track()


@pytest.mark.parametrize(("product", "name"), [("ATL08", "h_te_best_fit"), ("ATL13", "ht_ortho")])
def test_segments_that_begin_anywhere_are_binned_by_their_numbers(tmp_path, product, name):
    given = {"rgt": 657} if product == "ATL13" else {}
    path = write_granule(tmp_path, product, n_segments={"gt1l": 120, "gt3r": 120}, **given)
    ds = opened(path, layout="flat")
    if product == "ATL13":
        with pytest.raises(MergeError, match=r"4 reference ground tracks \(segment_rgt: 657"):
            ds.icesat2.along_track(200)
        ds = ds.where(ds["segment_rgt"] == 658)
    track = ds.icesat2.along_track(200, reduce="mean", variables=name)
    frame = ds[[name, "segment_id_beg", "segment_id_end", "gt"]].to_dataframe()
    middle = (frame["segment_id_beg"] + frame["segment_id_end"]) / 2
    frame = frame.assign(segment_id=(np.floor(middle / 10) + 0.5) * 10).dropna(
        subset=["segment_id"]
    )
    expected = frame.groupby(["gt", "segment_id"])[name].mean().to_xarray()
    np.testing.assert_array_equal(track["segment_id"], expected["segment_id"])
    np.testing.assert_allclose(track[name][0], expected, rtol=1e-6)
    assert track["rgt"] == 658
    with pytest.raises(SelectionError, match="Expected a multiple of 20 metres"):
        ds.icesat2.along_track(30)


def test_longitudes_on_both_sides_of_the_antimeridian_are_averaged(ice, tmp_path):
    path = Path(shutil.copy(ice[0], tmp_path))
    with h5py.File(path, "r+") as file:
        longitude = file["gt1l/land_ice_segments/longitude"]
        n = np.arange(len(longitude))
        longitude[...] = np.where(n % 2, 179.99, -179.99)
    for reduce in ("mean", "median"):
        track = opened(path).icesat2.along_track(100, reduce=reduce).sel(gt="gt1l", cycle_number=4)
        found = track["longitude"].dropna("x_atc").to_numpy()
        assert found.size
        assert (np.abs(found) >= 179.98).all()
        assert (np.abs(found) <= 180).all()


@pytest.mark.parametrize("spacing", [0, -5, np.inf, np.nan, "20", True])
def test_impossible_spacing_is_refused(ice, spacing):
    with pytest.raises(SelectionError, match="expected the length of bins in metres"):
        opened(ice).icesat2.along_track(spacing)


def test_what_cannot_be_aligned_is_refused(ice, tmp_path):
    ds = opened(ice)
    with pytest.raises(SelectionError, match="reduce= applies to bins"):
        ds.icesat2.along_track(reduce="mean")
    with pytest.raises(SelectionError, match="reduce='max', expected 'median'"):
        ds.icesat2.along_track(100, reduce="max")
    with pytest.raises(SelectionError, match="Did you mean 'h_li'"):
        ds.icesat2.along_track(variables=["h_lii"])
    with pytest.raises(SelectionError, match="lacks segment_id, which along_track needs"):
        opened(ice, variables="h_li").icesat2.along_track()
    other = write_granule(tmp_path, rgt=659, n_segments={"gt1l": 20})
    with pytest.raises(MergeError, match="of 2 reference ground tracks"):
        opened([ice[0], other]).icesat2.along_track()
    twice = xr.concat([opened(ice[0], layout="flat")] * 2, "segment_idx")
    with pytest.raises(MergeError, match="occurs twice in cycle 4"):
        twice.icesat2.along_track()
    with pytest.raises(SelectionError, match=r"along_track: .*opened with engine='icesat2'"):
        xr.Dataset({"h_li": ("x", [1.0])}).icesat2.along_track()
    with pytest.raises(LinkError, match="lacks the coordinate gt"):
        ds.drop_vars("gt").icesat2.along_track()


def test_rates_with_a_dimension_of_cycles_are_used_without():
    points = opened(granule("ATL11_078805_0304_02_v002.h5"), layout="flat")
    for spacing in (None, 100):
        with pytest.raises(SelectionError, match=r"dimension 'cycle' already.*ds.sel\(cycle"):
            points.icesat2.along_track(spacing)
