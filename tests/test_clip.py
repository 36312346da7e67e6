"""``clip`` of what is open equals opening with ``region=``, and no link changes."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import shapely
import xarray as xr

import xr_icesat2
from tests.comparison import with_pandas_indexes
from tests.paths import granule
from xr_icesat2 import links
from xr_icesat2.errors import LinkError, RateError, SelectionError
from xr_icesat2.testing import write_granule

LAYOUTS = ("spot", "flat")
BEAMS = ("gt1l", "gt2r", "gt3r")
PASS = {"n_segments": {"gt1l": 14, "gt2r": 10, "gt3r": 4}, "beams": BEAMS, "seed": 11}
GROUPS = {
    "ATL03": ("heights", "geolocation", "bckgrd_atlas", "signal_find_output/land"),
    "ATL06": ("land_ice_segments", "segment_quality", "residual_histogram"),
    "ATL08": ("land_segments", "signal_photons"),
}
FEW = {
    "ATL03": ["h_ph", "segment_id", "ph_index_beg", "segment_ph_cnt", "bckgrd_rate", "geoid"],
    "ATL06": ["h_li", "segment_id", "bin_top_h", "signal_selection_source"],
    "ATL08": ["h_te_mean", "ph_ndx_beg", "n_seg_ph", "ph_segment_id", "classed_pc_*"],
}
"""Variables of trees: the time goes into the number of variables."""


@pytest.fixture(scope="module")
def passes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("clip")
    return {
        product: [
            write_granule(folder, product, cycle_number=cycle, chunk_rows=300, **PASS)
            for cycle in (4, 5)
        ]
        for product in GROUPS
    }


@pytest.fixture(scope="module")
def track(passes) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of segments."""
    segments = opened(passes["ATL03"], "geolocation", "flat")
    return segments["reference_photon_lon"].values, segments["reference_photon_lat"].values


def opened(path, group: str, layout: str, **keywords) -> xr.Dataset:
    given = [str(one) for one in path] if isinstance(path, list) else path
    return xr.open_dataset(given, engine="icesat2", group=group, layout=layout, **keywords)


def tree_of(path, layout: str = "spot", **keywords) -> xr.DataTree:
    given = [str(one) for one in path] if isinstance(path, list) else path
    name = Path(path[0] if isinstance(path, list) else path).name
    product = next(product for product in FEW if product in name)
    keywords = {"variables": FEW[product]} | keywords
    return xr.open_datatree(given, engine="icesat2", layout=layout, **keywords)


def assert_identical(one: xr.Dataset, other: xr.Dataset) -> None:
    """Flat rows have numbers of granules, not names of files."""
    one, other = one.copy(), other.copy()
    outside = [len(ds.attrs.pop("granules_outside", ())) for ds in (one, other)]
    xr.testing.assert_identical(one, other)
    assert outside[0] == outside[1]


def random_area(track, seed: int):
    """A part of the track, perhaps in two pieces and only some beams."""
    rng = np.random.default_rng([5, seed])
    lon, lat = track
    edges = np.sort(rng.uniform(lat.min(), lat.max(), 4))
    west, east = np.sort(rng.uniform(lon.min() - 0.01, lon.max() + 0.01, 2))
    if seed % 2:
        west, east = lon.min() - 0.1, lon.max() + 0.1
    return shapely.union_all(
        [shapely.box(west, south, east, north) for south, north in edges.reshape(2, 2)]
    )


@pytest.mark.parametrize(
    ("product", "group", "layout"),
    [
        (product, group, LAYOUTS[(number + len(product)) % 2])
        for product in GROUPS
        for number, group in enumerate(GROUPS[product])
    ]
    + [("ATL03", "heights", "spot"), ("ATL06", "land_ice_segments", "spot")],
)
def test_clip_of_a_dataset_equals_opening_with_region(passes, track, product, group, layout):
    paths, area = passes[product], random_area(track, len(group))
    expected = opened(paths, group, layout, region=area).load()
    clipped = opened(paths, group, layout).icesat2.clip(area)
    travelled = pickle.loads(pickle.dumps(clipped))  # noqa: S301 - it was made here
    assert_identical(travelled.load(), expected)
    if group in {"land_ice_segments", "residual_histogram"}:
        few = {"variables": ["h_li", "segment_id"] if "land" in group else ["count", "bin_top_h"]}
        expected = opened(paths, group, layout, region=area, **few).load()
        chunked, loaded = (opened(paths, group, layout, chunks=c, **few) for c in ({}, None))
        for whole in (chunked, loaded.load()):
            assert_identical(whole.icesat2.clip(area).load(), expected)


def test_clip_of_raw_dask_arrays_pads_as_opening_does(passes, track):
    area, paths = random_area(track, 1), passes["ATL06"]
    raw = {"mask_and_scale": False, "variables": ["h_li", "segment_id"]}
    expected = opened(paths, "land_ice_segments", "spot", region=area, **raw)
    chunked = opened(paths, "land_ice_segments", "spot", chunks={}, **raw)
    assert_identical(chunked.icesat2.clip(area).load(), expected.load())


@pytest.mark.parametrize(
    ("product", "layout", "exact"),
    [("ATL03", "spot", True), ("ATL03", "flat", False), ("ATL08", "spot", False)],
)
def test_clip_of_a_tree_equals_opening_with_region(passes, track, product, layout, exact):
    area = random_area(track, 2 + exact)
    expected = tree_of(passes[product], layout, region=area, region_exact=exact)
    tree = tree_of(passes[product], layout, chunks={} if exact else None)
    xr.testing.assert_identical(tree.icesat2.clip(area, exact=exact).load(), expected.load())
    loaded = tree.load().icesat2.clip(area, exact=exact)
    xr.testing.assert_identical(loaded, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_clip_without_a_row_inside_equals_opening_with_region(passes, layout, caplog):
    nowhere = (0, 0, 1, 1)
    for group in ("heights", "geolocation"):
        expected = opened(passes["ATL03"], group, layout, region=nowhere)
        clipped = opened(passes["ATL03"], group, layout).icesat2.clip(nowhere)
        assert_identical(clipped, expected)
        assert clipped.sizes.get("gran_idx", 0) == 0
        assert len(caplog.messages) == 2
        assert "No row of the 2 granules is inside the region" in caplog.messages[0]
        assert "longitude is before latitude; xr_icesat2.search(" in caplog.messages[0]
        caplog.clear()
    xr.testing.assert_identical(
        tree_of(passes["ATL06"], layout).icesat2.clip(nowhere).load(),
        tree_of(passes["ATL06"], layout, region=nowhere).load(),
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("chunks", [None, {}])
def test_rows_selected_before_are_clipped_in_their_order(passes, track, layout, chunks):
    area, rng = random_area(track, 1), np.random.default_rng(3)
    ds = opened(passes["ATL06"][0], "land_ice_segments", layout, chunks=chunks)
    order = rng.permutation(ds.sizes["segment_idx"])[: ds.sizes["segment_idx"] * 2 // 3]
    some = ds.isel(segment_idx=order)
    clipped = some.icesat2.clip(area)
    inside = shapely.intersects_xy(area, some["longitude"].values, some["latitude"].values)
    if layout == "flat":
        assert clipped["h_li"].values.tolist() == some["h_li"].values[inside].tolist()
        assert clipped["source_row"].values.tolist() == some["source_row"].values[inside].tolist()
        return
    for spot in range(6):
        rows = np.flatnonzero(inside[0, spot])
        n = int(clipped["n_rows"][0, spot])
        assert n == len(rows)
        for name, expected in (("h_li", some["h_li"].values[0, spot]), ("source_row", order)):
            found = clipped[name].values[0, spot]
            np.testing.assert_array_equal(found[:n], expected[rows])


def test_clip_twice_equals_clip_by_both(passes, track):
    lon, lat = track
    one = (lon.min() - 1, np.quantile(lat, 0.2), lon.max() + 1, np.quantile(lat, 0.7))
    other = (lon.min() - 1, np.quantile(lat, 0.5), lon.max() + 1, np.quantile(lat, 0.9))
    both = (one[0], other[1], one[2], one[3])
    for layout in LAYOUTS:
        tree = tree_of(passes["ATL03"], layout).icesat2.clip(one).icesat2.clip(other)
        expected = tree_of(passes["ATL03"], layout, region=both)
        for group in ("heights", "geolocation"):
            found = tree[group].to_dataset().load()
            xr.testing.assert_equal(found, expected[group].to_dataset().load())


def test_saved_rows_are_clipped(passes, track, tmp_path):
    area = random_area(track, 1)
    tree_of(passes["ATL03"][0], "flat").load().to_netcdf(tmp_path / "saved.nc", engine="h5netcdf")
    saved = xr.open_datatree(tmp_path / "saved.nc", engine="h5netcdf", decode_timedelta=False)
    expected = tree_of(passes["ATL03"][0], "flat", region=area)
    for group in ("heights", "bckgrd_atlas"):
        clipped = saved.icesat2.clip(area)[group].to_dataset().load()
        xr.testing.assert_equal(
            with_pandas_indexes(clipped), with_pandas_indexes(expected[group].to_dataset())
        )


def test_errors_of_clip_say_what_to_do(passes, track):
    area = random_area(track, 0)
    photons = opened(passes["ATL03"], "heights", "flat")
    for clip, message in (
        (photons.icesat2.clip, "pass region= or time="),
        (lambda: photons.icesat2.clip(area, exact="no"), "exact='no'"),
        (lambda: photons.icesat2.clip(exact=True), "selects no rows alone"),
        (lambda: photons.icesat2.clip(time=("2020", "2019")), "ends before it starts"),
        (lambda: photons.load().icesat2.clip(area), "pass exact=True to test each row"),
    ):
        with pytest.raises(SelectionError, match=message):
            clip()
    assert photons.icesat2.clip(area, exact=True).sizes["photon_idx"]
    with pytest.raises(RateError, match="rows of one rate"):
        xr.Dataset({"x": ("y", [1.0])}).icesat2.clip(area)
    tree = tree_of(passes["ATL03"][0], "flat")
    tree["geolocation"] = tree["geolocation"].to_dataset().isel(segment_idx=slice(5, None))
    with pytest.raises(SelectionError, match="left out"):
        tree.icesat2.clip(area)
    assert isinstance(xr_icesat2.icesat2(photons).clip(area, exact=True), xr.Dataset)


def by_source(ds: xr.Dataset, name: str) -> dict[tuple[int, str, int], object]:
    """Values by granule, beam and row of the file."""
    numbers, beams, rows, values = xr.broadcast(
        ds["gran_idx"], ds["gt"], ds["source_row"], ds[name]
    )
    real = (rows.values >= 0) & (rows.values < ds["n_obs"].broadcast_like(rows).values)
    table = zip(*(array.values[real].tolist() for array in (numbers, beams, rows)), strict=True)
    return dict(zip(table, values.values[real].tolist(), strict=True))


ATTACHED = (("geolocation", ["segment_id", "delta_time"]), ("bckgrd_atlas", ["bckgrd_rate"]))


@pytest.mark.parametrize(("seed", "layout"), [(1, "spot"), (1, "flat"), (2, "flat")])
def test_attaching_to_selected_rows_equals_selecting_attached_rows(passes, track, seed, layout):
    area, exact = random_area(track, seed), seed >= 2
    keywords = {"region": area, "region_exact": exact}
    cut = {
        p: tree_of(passes[p], layout, **(keywords if p == "ATL03" else {"region": area}))
        for p in ("ATL03", "ATL08")
    }
    whole = {p: tree_of(passes[p], layout) for p in ("ATL03", "ATL08")}

    def attached(trees) -> xr.Dataset:
        photons, segments = (trees["ATL03"][g].to_dataset() for g in ("heights", "geolocation"))
        listed = trees["ATL08"]["signal_photons"].to_dataset()
        found = photons[["h_ph"]]
        for group, names in ATTACHED:
            found = links.attach(found, trees["ATL03"][group].to_dataset(), names)
        classes = links.photon_classes(photons, segments, listed)
        return found.assign(photon_class=classes)

    of_cut, of_whole = attached(cut), whole_photons(attached(whole))
    clipped = attached(whole).icesat2.clip(area, exact=exact)
    assert of_cut.sizes["photon_idx"]
    for name in ("segment_id", "bckgrd_rate", "photon_class", "geolocation_delta_time"):
        of_each = by_source(of_cut, name)
        np.testing.assert_equal(of_each, by_source(clipped, name))
        everything = by_source(of_whole, name)
        np.testing.assert_equal(of_each, {key: everything[key] for key in of_each})


def whole_photons(ds: xr.Dataset) -> xr.Dataset:
    if "source_row" in ds.coords:
        return ds
    return ds.assign_coords(source_row=("photon_idx", ds["photon_idx"].values))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ranges_of_selected_segments_are_their_photons(passes, track, layout):
    tree = tree_of(passes["ATL03"], layout, region=random_area(track, 1))
    photons, segments = (tree[group].to_dataset() for group in ("heights", "geolocation"))
    ranges = links.row_ranges(segments, photons)
    counts = segments["segment_ph_cnt"].values
    assert (
        np.nansum(counts)
        == ranges["count"].values.sum()
        == int(photons["n_rows"].values.sum() if layout == "spot" else photons.sizes["photon_idx"])
    )
    rows = links.match_rows(segments, tree["bckgrd_atlas"].to_dataset())
    real = segments["source_row"].values >= 0
    assert (rows.values[real] >= 0).all()
    with pytest.raises(LinkError, match="lacks the coordinates source_row"):
        links.match_rows(photons.drop_vars("source_row"), segments)


def test_photons_of_contradictory_segments_are_clipped_themselves():
    path = granule("clip_ATL03_VegR.h5")
    whole = opened(path, "heights", "flat", variables=["h_ph"])
    area = (-180, float(whole["lat_ph"].quantile(0.4)), 180, 90)
    expected = opened(path, "heights", "flat", variables=["h_ph"], region=area)
    xr.testing.assert_equal(whole.icesat2.clip(area).load(), expected.load())
    tree = tree_of(path, "flat").load()
    xr.testing.assert_equal(tree.icesat2.clip(area)["heights/h_ph"], expected["h_ph"])
