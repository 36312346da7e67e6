"""Columns attached by name equal a plain join of h5py's values, and the generator's truth."""

import pickle
import shutil
from bisect import bisect_right
from functools import cache
from pathlib import Path

import fsspec
import h5py
import numpy as np
import pytest
import xarray as xr
from fsspec.implementations.memory import MemoryFileSystem

from tests.comparison import of_beam
from tests.counted_link import CountedLink
from tests.laziness import is_loaded
from tests.paths import granule, needs_granules
from tests.written_granules import written_passes
from xr_icesat2 import links
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.errors import GranuleNotFoundError, LinkError, MergeError, SelectionError
from xr_icesat2.testing import true_photon_classes, write_granule

PASS = {"n_segments": {"gt1l": 30, "gt2r": 130, "gt3l": 0}, "seed": 7}
BEAMS = ("gt1l", "gt2r")
CYCLES = (4, 5)
LAYOUTS = ("flat", "spot")
FROM_ATL03 = {
    "segment_id": "geolocation/segment_id",
    "solar_elevation": "geolocation/solar_elevation",
    "geoid": "geophys_corr/geoid",
    "dem_h": "geophys_corr/dem_h",
    "dem_flag": "geophys_corr/dem_flag",
    "reference_photon_lat": "geolocation/reference_photon_lat",
}
FROM_BACKGROUND = {"bckgrd_rate": "bckgrd_rate", "bckgrd_counts": "bckgrd_counts"}
FROM_PHOTONS = {"h_above_ground": "ph_h", "d_flag": "d_flag"}
FROM_LAND = {"landcover": "segment_landcover", "h_te_best_fit": "terrain/h_te_best_fit"}
OTHERS = ["x_atc", "y_atc", "spacecraft_velocity"]
ATL03_COLUMNS = [*FROM_ATL03, *FROM_BACKGROUND, *OTHERS]
ATL08_COLUMNS = [*FROM_PHOTONS, *FROM_LAND, "atl08_class"]
each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def opened(path, attach, **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", attach=attach, **keywords)


@pytest.fixture(scope="module")
def passes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return written_passes(tmp_path_factory, CYCLES, **PASS)


def masked(dataset: h5py.Dataset) -> np.ndarray:
    """Values of the file; a float with NaN where it declares a fill value that occurs."""
    values = dataset[()]
    if "_FillValue" not in dataset.attrs:
        return values
    fill = values == np.ravel(dataset.attrs["_FillValue"])[0]
    kind = values.dtype
    if kind.kind in "iu":
        kind = np.float32 if kind.itemsize <= 2 else np.float64
    return np.where(fill, np.nan, values.astype(kind))


def at_rows(values: np.ndarray, rows: list[int]) -> np.ndarray:
    """Values at rows; NaN, or the largest integer, where the row is -1."""
    rows = np.array(rows, np.int64)
    missing = np.nan if values.dtype.kind == "f" else np.iinfo(values.dtype).max
    found = np.full((len(rows), *values.shape[1:]), missing, values.dtype)
    found[rows >= 0] = values[rows[rows >= 0]]
    return found


def runs(first: np.ndarray, count: np.ndarray, rows: int) -> list[int]:
    """Number of the range that contains each row, by first row (from 1) and number of rows."""
    found = [-1] * rows
    for number, (begin, many) in enumerate(zip(first.tolist(), count.tolist(), strict=True)):
        for row in range(begin - 1, begin - 1 + many):
            found[row] = number
    return found


def columns_of_atl03(here: h5py.Group) -> dict[str, np.ndarray]:
    """Columns of the photons of a beam, photon by photon."""
    first, count = (here[f"geolocation/{k}"][()] for k in ("ph_index_beg", "segment_ph_cnt"))
    segment = runs(first, count, len(here["heights/h_ph"]))
    starts, record = here["bckgrd_atlas/delta_time"][()].tolist(), []
    for time in here["heights/delta_time"][()].tolist():
        before = bisect_right(starts, time) - 1
        record.append(before if before >= 0 and time < starts[before] + 0.005 else -1)
    columns = {name: at_rows(masked(here[path]), segment) for name, path in FROM_ATL03.items()}
    for name, path in FROM_BACKGROUND.items():
        columns[name] = at_rows(masked(here[f"bckgrd_atlas/{path}"]), record)
    start = at_rows(here["geolocation/segment_dist_x"][()], segment)
    columns["x_atc"] = start + here["heights/dist_ph_along"][()].astype(np.float64)
    columns["y_atc"] = here["heights/dist_ph_across"][()]
    velocity = at_rows(masked(here["geolocation/velocity_sc"]), segment).astype(np.float64)
    columns["spacecraft_velocity"] = np.sqrt((velocity**2).sum(axis=1)).astype(np.float32)
    return columns


def columns_of_atl08(here: h5py.Group, there: h5py.Group) -> dict[str, np.ndarray]:
    """Columns of photons of ATL03 from the same beam of ATL08."""
    ids, first = (here[f"geolocation/{name}"][()] for name in ("segment_id", "ph_index_beg"))
    begins, listed = dict(zip(ids.tolist(), first.tolist(), strict=True)), there["signal_photons"]
    keys, positions = (listed[name][()] for name in ("ph_segment_id", "classed_pc_indx"))
    entry = [-1] * len(here["heights/h_ph"])
    for row, (key, position) in enumerate(zip(keys.tolist(), positions.tolist(), strict=True)):
        entry[begins[key] - 1 + position - 1] = row
    columns = {name: at_rows(masked(listed[path]), entry) for name, path in FROM_PHOTONS.items()}
    classes = listed["classed_pc_flag"][()].tolist()
    columns["atl08_class"] = np.array([4 if row < 0 else classes[row] for row in entry], np.int8)
    land = there["land_segments"]
    of_listed = runs(land["ph_ndx_beg"][()], land["n_seg_ph"][()], len(classes))
    segments = [-1 if row < 0 else of_listed[row] for row in entry]
    for name, path in FROM_LAND.items():
        columns[name] = at_rows(masked(land[path]), segments)
    return columns


@cache
def joined(atl03: Path, atl08: Path | None, beam: str) -> dict[str, np.ndarray]:
    """All columns of a beam."""
    with h5py.File(atl03) as here:
        columns = columns_of_atl03(here[beam])
        if atl08 is not None:
            with h5py.File(atl08) as there:
                columns |= columns_of_atl08(here[beam], there[beam])
    return columns


def as_padded(values: np.ndarray) -> np.ndarray:
    """Integers as floats, NaN where they are missing."""
    if values.dtype.kind not in "iu":
        return values
    return np.where(values == np.iinfo(values.dtype).max, np.nan, values.astype(float))


@each_layout
def test_columns_equal_a_plain_join(passes, layout):
    """Folder and list: the granules of ATL08 are found beside those of ATL03."""
    ds = opened(passes["ATL03"], [*ATL03_COLUMNS, *ATL08_COLUMNS], layout=layout)
    ds.icesat2.load(*ATL03_COLUMNS, *ATL08_COLUMNS)
    for cycle in range(len(CYCLES)):
        for beam in BEAMS:
            pair = (passes[product][cycle] for product in ("ATL03", "ATL08"))
            for name, expected in joined(*pair, beam).items():
                found = of_beam(ds[name], beam, cycle)
                what = f"{name} of {beam}, cycle {cycle}"
                if layout == "flat":
                    assert found.dtype == expected.dtype, what
                held = as_padded(expected) if layout == "spot" else expected
                np.testing.assert_array_equal(found, held, err_msg=what)
    landcover = ds["landcover"].values
    assert 0 < np.count_nonzero(np.isfinite(landcover)) < landcover.size
    if layout == "spot":
        padding = np.arange(ds.sizes["photon_idx"]) >= ds["n_obs"].values[..., None]
        assert padding.any()
        for name in (*ATL03_COLUMNS, *ATL08_COLUMNS):
            assert np.isnan(ds[name].values[padding]).all(), name


@each_layout
def test_classed_profile_of_a_forest_equals_the_truth(passes, layout):
    ds = opened([*passes["ATL03"], *passes["ATL08"]], "atl08_class", layout=layout)
    for cycle, number in enumerate(CYCLES):
        for beam in BEAMS:
            classes = of_beam(ds["atl08_class"], beam, cycle)
            truth = true_photon_classes(beam, cycle_number=number, **PASS)
            listed = classes != links.UNCLASSIFIED
            assert 0 < np.count_nonzero(listed) < len(listed)
            np.testing.assert_array_equal(classes[listed], truth[listed])
            assert (truth[~listed] == 0).all()
    assert {0, 1, 2, 3, 4} <= set(np.unique(ds["atl08_class"].values).tolist())
    assert ds["atl08_class"].attrs["flag_meanings"].split()[4] == "unclassified"
    assert ds["atl08_class"].dtype == (np.int8 if layout == "flat" else np.float32)


@needs_granules
@each_layout
def test_columns_of_a_real_granule_equal_a_plain_join(layout):
    path = granule("ATL03_gt1l.h5")
    ds = opened(path, ATL03_COLUMNS, layout=layout)
    for name, expected in joined(path, None, "gt1l").items():
        found = of_beam(ds[name], "gt1l")
        held = as_padded(expected) if layout == "spot" else expected
        np.testing.assert_array_equal(found, held, err_msg=name)
    assert np.isnan(ds["bckgrd_rate"]).sum() >= 51  # ahead of the first record of the subset


@needs_granules
def test_clipped_pair_with_stale_indices_is_refused(tmp_path):
    """Its ph_index_beg are those of the whole granule: no photon may get another's value."""
    pair = [granule(f"clip_{product}_VegR.h5") for product in ("ATL03", "ATL08")]
    for names in (["segment_id"], ["atl08_class"]):
        with pytest.raises(LinkError):
            opened(pair[:1] if names == ["segment_id"] else pair, names, layout="flat").load()


def test_columns_are_lazy_and_survive_selection_pickling_and_dask(passes, monkeypatch):
    monkeypatch.setenv("XR_ICESAT2_CHUNK_BYTES", "1000000")
    names = ["x_atc", "bckgrd_rate", "landcover", "velocity_sc"]
    whole = opened(passes["ATL03"], names, layout="flat")
    moved = pickle.loads(pickle.dumps(whole))  # noqa: S301 - our own
    rng = np.random.default_rng(2)
    rows = rng.permutation(whole.sizes["photon_idx"])[:300]
    part = whole.isel(photon_idx=rows)
    blocks = opened(passes["ATL03"], names, layout="flat", chunks={})
    together = opened(passes["ATL03"], names, layout="flat").icesat2.load(*names)
    padded = opened(passes["ATL03"], names, chunks={}).isel(spot=slice(None, None, -1))
    for name in names:
        assert not is_loaded(whole[name])
        np.testing.assert_array_equal(part[name], whole[name].values[rows], err_msg=name)
        np.testing.assert_array_equal(moved[name], whole[name], err_msg=name)
        np.testing.assert_array_equal(blocks[name].compute(), whole[name], err_msg=name)
        assert blocks[name].chunks == (blocks["h_ph"].chunks + ((3,),) * (name == "velocity_sc"))
        np.testing.assert_array_equal(together[name], whole[name], err_msg=name)
        assert is_loaded(together[name])
        assert padded[name].chunks[:3] == padded["h_ph"].chunks
        for beam in BEAMS:
            np.testing.assert_array_equal(
                of_beam(padded[name], beam, 1), of_beam(whole[name], beam, 1), err_msg=name
            )
    plain, fresh = (opened(passes["ATL03"], some, layout="flat") for some in ([], names))
    assert len(pickle.dumps(fresh)) - len(pickle.dumps(plain)) < 60_000


@pytest.mark.parametrize(("layout", "exact"), [("flat", False), ("spot", True)])
def test_selecting_rows_first_or_last_is_the_same(passes, layout, exact):
    names = ["x_atc", "bckgrd_rate", "atl08_class", "segment_id"]
    with h5py.File(passes["ATL03"][0]) as file:
        south, north = np.quantile(file["gt1l/heights/lat_ph"][()], [0.2, 0.7])
    cut = opened(
        passes["ATL03"],
        names,
        layout=layout,
        region=(-180, south, 180, north),
        region_exact=exact,
        time=("2018", None),
        chunks={},
    )
    assert int(cut["n_rows"].sum() if layout == "spot" else cut.sizes["photon_idx"]) > 0
    for cycle in range(len(CYCLES)):
        for beam in BEAMS:
            of = joined(*(passes[product][cycle] for product in ("ATL03", "ATL08")), beam)
            rows = of_beam(cut["source_row"], beam, cycle)
            if layout == "spot":
                at = cut.isel(gran_idx=cycle)
                at = at.isel(spot=int(np.flatnonzero(at["gt"].values == beam)[0]))
                rows = at["source_row"].values[: int(at["n_rows"])]
                found = {name: at[name].values[: len(rows)] for name in names}
            else:
                found = {name: of_beam(cut[name], beam, cycle) for name in names}
            assert 0 < len(rows) < len(of["x_atc"])
            for name in names:
                np.testing.assert_array_equal(found[name], of[name][rows], err_msg=name)
    if not exact:
        box = (-180, south, 180, north)
        clipped = opened(passes["ATL03"], names, layout=layout).icesat2.clip(box)
        first = opened(passes["ATL03"], names, layout=layout, region=box)
        for name in names:
            np.testing.assert_array_equal(clipped[name], first[name], err_msg=name)
    nowhere = opened(passes["ATL03"], names, layout=layout, region=(0, -10, 1, -9))
    assert nowhere["x_atc"].size == 0
    assert nowhere.load()["atl08_class"].dtype == (np.int8 if layout == "flat" else np.float32)


def test_columns_are_written_and_read_again(passes, tmp_path):
    ds = opened(passes["ATL03"][0], ["segment_id", "geoid", "atl08_class"], layout="flat")
    ds = ds[["segment_id", "geoid", "atl08_class", "h_ph"]].reset_coords(drop=True)
    ds.to_netcdf(tmp_path / "columns.nc")
    with xr.open_dataset(tmp_path / "columns.nc") as again:
        xr.testing.assert_equal(again.load(), ds.load())
        assert again["segment_id"].dtype == np.int32
        assert again["geoid"].attrs["units"] == "meters"


def test_other_keywords_apply(passes):
    names = ["segment_id", "x_atc", "geoid", "dem_flag", "geolocation/delta_time"]
    path = passes["ATL03"][0]
    raw = opened(path, names, layout="flat", mask_and_scale=False, decode_times=False)
    assert raw["dem_flag"].dtype == np.int8
    assert raw["geolocation_delta_time"].dtype == np.float64
    few = opened(path, names, layout="flat", variables="h_ph", beams=["gt2r"])
    assert set(few.data_vars) == {"h_ph", *(n.replace("/", "_") for n in names)}
    np.testing.assert_array_equal(few["x_atc"], of_beam(raw["x_atc"], "gt2r"))
    without = opened(path, names, drop_variables=["dist_ph_along", "signal_conf_ph"], pad_to=40_000)
    np.testing.assert_array_equal(of_beam(without["x_atc"], "gt2r"), few["x_atc"])
    assert without.sizes["photon_idx"] == 40_000
    assert np.isnat(without["geolocation_delta_time"].values[0, 0, -1])


@pytest.mark.parametrize("group", [None, "heights"])
def test_columns_are_attached_in_trees(passes, group):
    names = ["segment_id", "atl08_class"]
    tree = xr.open_datatree(passes["ATL03"], engine="icesat2", group=group, attach=names)
    node = tree["heights"] if group is None else tree
    expected = opened(passes["ATL03"], names)
    for name in names:
        np.testing.assert_array_equal(node[name], expected[name])
    tree.close()


def test_rows_of_other_rates_get_columns(passes, tmp_path):
    ice = write_granule(tmp_path, "ATL06", cycle_number=4, version="02", **PASS)
    ds = opened(
        [ice, passes["ATL03"][0]], ["geolocation/solar_elevation", "segment_ph_cnt"], layout="flat"
    )
    segments = xr.open_dataset(
        passes["ATL03"][0], engine="icesat2", group="geolocation", layout="flat"
    )
    assert ds["segment_ph_cnt"].dtype == np.int32
    for beam in BEAMS:
        ids = of_beam(segments["segment_id"], beam).tolist()
        found = of_beam(ds["geolocation_solar_elevation"], beam)
        for number, value in zip(of_beam(ds["segment_id"], beam), found, strict=True):
            assert value == of_beam(segments["solar_elevation"], beam)[ids.index(number)]
    listed = opened(
        [passes["ATL08"][0], passes["ATL03"][0]],
        ["h_ph", "segment_dist_x", "h_te_best_fit"],
        group="signal_photons",
        layout="flat",
    )
    classes = opened(passes["ATL03"][0], "atl08_class", layout="flat")
    at = (classes["atl08_class"] < 4).values
    assert np.sort(listed["h_ph"].values).tolist() == np.sort(classes["h_ph"].values[at]).tolist()


def test_companions_are_found_where_they_may_be(passes, tmp_path, monkeypatch):
    path, companion = passes["ATL03"][0], passes["ATL08"][0]
    expected = opened(path, "atl08_class", layout="flat")["atl08_class"].values
    for folder in ("ATL03/006", "ATL08/006", "alone"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(path, tmp_path / "ATL03/006")
    shutil.copy(companion, tmp_path / "ATL08/006")
    apart = tmp_path / "ATL03/006" / path.name
    np.testing.assert_array_equal(
        opened(apart, "atl08_class", layout="flat")["atl08_class"], expected
    )
    alone = shutil.copy(path, tmp_path / "alone")
    with pytest.raises(GranuleNotFoundError) as caught:
        opened(alone, "atl08_class")
    for said in ("ATL08 granule of release 006", str(tmp_path / "alone"), "pass it in the list"):
        assert said in str(caught.value)
    older = companion.name.replace("_006_", "_005_")
    (tmp_path / "alone" / older).touch()
    with pytest.raises(GranuleNotFoundError, match=f"other releases exist: {older}"):
        opened(alone, "atl08_class")
    with pytest.raises(GranuleNotFoundError, match="the list that was opened"):
        opened([alone, passes["ATL08"][1]], "atl08_class")
    assert opened(alone, ["segment_id"])["segment_id"].size

    memory = fsspec.filesystem("memory")
    for each in (path, companion):
        memory.pipe(f"/attach/{each.name}", each.read_bytes())
    far = opened([f"memory://attach/{path.name}"], "atl08_class", layout="flat")
    np.testing.assert_array_equal(far["atl08_class"], expected)
    memory.rm(f"/attach/{companion.name}")
    with pytest.raises(GranuleNotFoundError, match=r"memory:///?attach"):
        opened(f"memory://attach/{path.name}", "atl08_class")
    memory.rm("/attach", recursive=True)


class SealedFileSystem(MemoryFileSystem):
    """Files that can be read, in folders that cannot be listed."""

    protocol = "sealed"

    def ls(self, path, detail=True, **kwargs):
        if not self.isfile(path):
            raise PermissionError(path)
        return super().ls(path, detail=detail, **kwargs)


def test_folder_that_cannot_be_listed_is_named(passes):
    fsspec.register_implementation("sealed", SealedFileSystem, clobber=True)
    path = passes["ATL03"][0]
    url = f"sealed://granules/{path.name}"
    fsspec.filesystem("sealed").pipe_file(url, path.read_bytes())
    with pytest.raises(GranuleNotFoundError, match=r"cannot be listed: PermissionError"):
        opened(url, ["atl08_class"])


def test_newest_version_of_a_companion_is_taken(passes, tmp_path):
    for path in (passes["ATL03"][0], passes["ATL08"][0]):
        shutil.copy(path, tmp_path)
    newer = tmp_path / passes["ATL08"][0].name.replace("_01.h5", "_03.h5")
    newer.write_bytes(b"")
    with pytest.raises(Exception, match=newer.name):
        opened(tmp_path / passes["ATL03"][0].name, "atl08_class")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("segment_ids", r"Did you mean 'segment_id'\? Expected one of: x_atc"),
        (
            "segment_ids",
            r"and \d+ more\. All are documented in xr_icesat2.products\['ATL03'\], .*8'\]",
        ),
        ("atl08_clas", r"Did you mean 'atl08_class'\?"),
        ("h_ph", "'h_ph' is a variable of ATL03 heights itself"),
        ("delta_time", "write 'geolocation/delta_time'"),
        (["segment_id", "segment_id"], "segment_id twice"),
        (["segment_id", "geolocation/segment_id"], "would both be named 'segment_id'"),
        ("latitude", r"'land_segments/latitude' \(ATL08\). Write one of these paths"),
    ],
)
def test_wrong_names_are_refused(passes, names, said):
    with pytest.raises(SelectionError, match=said):
        opened(passes["ATL03"][0], names)


def test_what_cannot_be_attached_is_refused(passes, tmp_path):
    path = passes["ATL03"][0]
    with pytest.raises(SelectionError, match="no rate is linked with land_segments of ATL08"):
        opened(passes["ATL08"][0], "segment_id")
    with pytest.raises(SelectionError, match="is a path in the file, which opens unmerged"):
        opened(path, "segment_id", group="gt1l/heights")
    with pytest.raises(SelectionError, match="does not apply to layout='file'"):
        opened(path, "segment_id", layout="file")
    with pytest.raises(SelectionError, match=r"attach=.* does not need\. Leave it out"):
        opened([path, passes["ATL08"][0]], "segment_id")
    with pytest.raises(MergeError, match="of 2 products"):
        opened([path, passes["ATL08"][0]], None)
    older = write_granule(tmp_path, release="005", product="ATL03", n_segments={"gt1l": 20})
    with pytest.raises(SelectionError, match=r"knn of ATL03, which .* lacks\. Other releases"):
        opened(older, "knn")


def test_columns_cost_one_round_trip_more(passes, monkeypatch, tmp_path):
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
    names = ["segment_id", "x_atc", "geoid", "bckgrd_rate", "solar_elevation"]

    def trips(attach: list[str]) -> tuple[int, int]:
        # A copy each: this process knows the structure of a file that it has opened.
        copy = tmp_path / f"{len(attach)}" / passes["ATL03"][0].name
        copy.parent.mkdir()
        shutil.copy(passes["ATL03"][0], copy)
        source = CountedLink(copy, RequestCost(latency=0.06, bandwidth=200e6))
        ds = opened(source, attach, layout="flat", variables="h_ph")
        opening = source.round_trips
        ds.icesat2.load("h_ph", *attach)
        return opening, source.round_trips

    (plain_opening, plain), (opening, total) = trips([]), trips(names)
    assert opening <= plain_opening + 1
    assert total <= plain + 1


def test_companion_is_found_in_the_archive(passes, logged_in):
    for path in (passes["ATL03"][0], passes["ATL08"][0]):
        logged_in.put(path.name, path.read_bytes())
    far = opened(f"icesat2://{passes['ATL03'][0].name}", "atl08_class", layout="flat")
    near = opened(passes["ATL03"][0], "atl08_class", layout="flat")
    np.testing.assert_array_equal(far["atl08_class"], near["atl08_class"])
