"""Links between opened granules equal h5py's values, plain loops and the truth."""

import pickle
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import of_beam
from tests.paths import granule, needs_granules
from tests.written_granules import written_passes
from xr_icesat2 import links
from xr_icesat2.errors import LinkError, SelectionError
from xr_icesat2.testing import true_photon_classes, write_granule

PASS = {"n_segments": {"gt1l": 60, "gt2r": 90, "gt3l": 0}, "seed": 7}
BEAMS = ("gt1l", "gt2r")
CYCLES = (4, 5)
LAYOUTS = ("flat", "spot")


def opened(path, group: str, layout: str = "flat", **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", group=group, layout=layout, **keywords)


@pytest.fixture(scope="module")
def passes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return written_passes(tmp_path_factory, CYCLES, **PASS)


@pytest.mark.parametrize("way", [links.match_rows, links.row_ranges])
def test_variable_is_not_a_rate(passes, way):
    ds = opened(passes["ATL03"][0], "heights")
    segments = opened(passes["ATL03"][0], "geolocation")
    for of, to in ((ds["h_ph"], segments), (ds, segments["delta_time"]), (3, ds)):
        with pytest.raises(LinkError, match="pass the Dataset"):
            way(of, to)


def read(path: Path, name: str) -> np.ndarray:
    with h5py.File(path) as file:
        return file[name][()]


def segment_of_photons(path: Path, beam: str) -> list[int]:
    """Number of the segment of each photon, by ``ph_index_beg``."""
    first = read(path, f"{beam}/geolocation/ph_index_beg")
    count = read(path, f"{beam}/geolocation/segment_ph_cnt")
    found = [-1] * len(read(path, f"{beam}/heights/h_ph"))
    for segment in range(len(first)):
        for n in range(count[segment]):
            found[first[segment] - 1 + n] = segment
    return found


def record_of_photons(path: Path, beam: str) -> list[int]:
    """Number of the background record during which each photon was taken."""
    times = read(path, f"{beam}/heights/delta_time")
    starts = read(path, f"{beam}/bckgrd_atlas/delta_time")
    found = []
    for time in times:
        stored = np.flatnonzero((starts <= time) & (time < starts + 0.005))
        found.append(int(stored[-1]) if len(stored) else -1)
    return found


def in_file(rows: xr.DataArray, to: xr.Dataset, beam: str, cycle: int = 0) -> np.ndarray:
    """Rows in the file, of positions along the track in a whole Dataset."""
    found = of_beam(rows, beam, cycle)
    if "spot" in rows.dims:
        return found
    source = to["source_row"].values
    return np.where(found < 0, -1, source[found])


@needs_granules
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("masked", [True, False])
def test_photon_links_of_a_real_granule_equal_h5py(layout, masked):
    path = granule("ATL03_gt1l.h5")
    decoding = {"mask_and_scale": masked, "decode_times": masked}
    photons, segments, background = (
        opened(path, group, layout, **decoding)
        for group in ("heights", "geolocation", "bckgrd_atlas")
    )
    rows = links.match_rows(photons, segments)
    assert rows.dtype == np.int64
    assert of_beam(rows, "gt1l").tolist() == segment_of_photons(path, "gt1l")
    records = of_beam(links.match_rows(photons, background), "gt1l")
    assert records.tolist() == record_of_photons(path, "gt1l")
    assert np.count_nonzero(records < 0) == 51  # ahead of the first record of the subset
    runs = links.row_ranges(segments, photons)
    assert of_beam(runs["count"], "gt1l").sum() == 2909
    begin = read(path, "gt1l/geolocation/ph_index_beg")
    assert (of_beam(runs["first"], "gt1l") == begin - 1).all()
    ids = links.attach(photons, segments, "segment_id")["segment_id"]
    at = segment_of_photons(path, "gt1l")
    assert (of_beam(ids, "gt1l") == read(path, "gt1l/geolocation/segment_id")[at]).all()
    distance = links.along_track_distance(photons, segments)
    start = read(path, "gt1l/geolocation/segment_dist_x")[at]
    expected = start + read(path, "gt1l/heights/dist_ph_along").astype(np.float64)
    np.testing.assert_array_equal(of_beam(distance, "gt1l"), expected)


@needs_granules
@pytest.mark.parametrize("layout", LAYOUTS)
def test_land_segment_links_of_a_real_granule_equal_h5py(layout):
    path = granule("processed_ATL08_20200821122613_08730802_004_01.h5")
    photons, land = opened(path, "signal_photons", layout), opened(path, "land_segments", layout)
    rows, runs = links.match_rows(photons, land), links.row_ranges(land, photons)
    for beam in ("gt1l", "gt1r", "gt2l", "gt2r"):
        first, count = (read(path, f"{beam}/land_segments/{n}") for n in ("ph_ndx_beg", "n_seg_ph"))
        expected = np.full(len(read(path, f"{beam}/signal_photons/ph_h")), -1)
        for segment, (begin, n) in enumerate(zip(first, count, strict=True)):
            expected[begin - 1 : begin - 1 + n] = segment
        assert in_file(rows, land, beam).tolist() == expected.tolist()
        assert (of_beam(runs["count"], beam) == count).all()
        assert (in_file(runs["first"], photons, beam) == first - 1).all()
    assert np.count_nonzero(of_beam(rows, "gt1l") < 0) == 54


@pytest.mark.parametrize("layout", LAYOUTS)
def test_photon_classes_equal_the_truth(passes, layout):
    photons, segments = (opened(passes["ATL03"], g, layout) for g in ("heights", "geolocation"))
    classes = links.photon_classes(
        photons, segments, opened(passes["ATL08"], "signal_photons", layout)
    )
    assert classes.dtype == (np.int8 if layout == "flat" else np.float32)
    for cycle, number in enumerate(CYCLES):
        for beam in BEAMS:
            found = of_beam(classes, beam, cycle)
            truth = true_photon_classes(beam, cycle_number=number, **PASS)
            listed = np.zeros(len(truth), bool)
            path = passes["ATL08"][cycle]
            at = read(passes["ATL03"][cycle], f"{beam}/geolocation/segment_id").tolist()
            begin = read(passes["ATL03"][cycle], f"{beam}/geolocation/ph_index_beg")
            keys = zip(
                read(path, f"{beam}/signal_photons/ph_segment_id").tolist(),
                read(path, f"{beam}/signal_photons/classed_pc_indx").tolist(),
                strict=True,
            )
            listed[[begin[at.index(key)] + position - 2 for key, position in keys]] = True
            assert 0 < np.count_nonzero(~listed) < len(listed)
            assert (found == np.where(listed, truth, links.UNCLASSIFIED)).all()
            assert (truth[found == links.UNCLASSIFIED] == 0).all()
    if layout == "spot":
        real = np.arange(photons.sizes["photon_idx"]) < photons["n_obs"].values[..., None]
        assert (np.isnan(classes.values) == ~real).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_linked_photons_exist_in_atl03(passes, layout):
    photons, segments = (opened(passes["ATL03"], g, layout) for g in ("heights", "geolocation"))
    listed = opened(passes["ATL08"], "signal_photons", layout)
    both = links.attach(listed, photons, ["delta_time", "signal_conf_ph"], through=segments)
    times = both["heights_delta_time"]
    assert (of_beam(times, "gt2r", 1) == of_beam(listed["delta_time"], "gt2r", 1)).all()
    assert both["signal_conf_ph"].dims == (*times.dims, "surface_type")
    rows = in_file(links.match_rows(listed, photons, through=segments), photons, "gt2r", 1)
    confidence = read(passes["ATL03"][1], "gt2r/heights/signal_conf_ph")[rows]
    assert (of_beam(both["signal_conf_ph"], "gt2r", 1) == confidence).all()
    back = links.match_rows(photons, listed, through=segments)
    assert (in_file(back, listed, "gt2r", 1)[rows] == np.arange(len(rows))).all()


def test_links_work_on_selected_rows(passes):
    photons, segments = (opened(passes["ATL03"], g) for g in ("heights", "geolocation"))
    rng = np.random.default_rng(1)
    some = rng.random(photons.sizes["photon_idx"]) < 0.3
    few = rng.random(segments.sizes["segment_idx"]) < 0.5
    thin, cut = photons.isel(photon_idx=some), segments.isel(segment_idx=few)
    whole = links.match_rows(photons, segments).values[some]
    place = np.where(few, np.cumsum(few) - 1, -1)[whole]
    np.testing.assert_array_equal(links.match_rows(thin, cut), place)
    shuffled = rng.permutation(len(place))
    np.testing.assert_array_equal(
        links.match_rows(thin.isel(photon_idx=shuffled), cut), place[shuffled]
    )
    runs = links.row_ranges(cut, thin)
    for n, (first, count) in enumerate(
        zip(runs["first"].values, runs["count"].values, strict=True)
    ):
        expected = np.flatnonzero(place == n)
        assert count == len(expected)
        assert first == (expected[0] if count else -1)
    with pytest.raises(LinkError, match="not in the order of their file"):
        links.row_ranges(cut, thin.isel(photon_idx=shuffled))
    ids = links.attach(thin, cut, "segment_id")["segment_id"]
    with pytest.raises(LinkError, match=r"have no linked row of ATL03 geolocation.*fill_value"):
        ids.load()
    filled = links.attach(thin, cut, "segment_id", fill_value=-1)["segment_id"]
    assert filled.dtype == np.int32
    np.testing.assert_array_equal(filled, np.where(place < 0, -1, cut["segment_id"].values[place]))
    with pytest.raises(SelectionError, match="int32"):
        links.attach(thin, cut, "segment_id", fill_value=0.5)
    with pytest.raises(SelectionError, match="no variable 'h_li'"):
        links.attach(thin, cut, "h_li")


def test_photon_classes_work_on_selections_and_mixed_layouts(passes):
    photons, segments = (opened(passes["ATL03"], g) for g in ("heights", "geolocation"))
    listed = opened(passes["ATL08"], "signal_photons", "spot")
    classes = links.photon_classes(photons, segments, listed)
    window = photons.isel(photon_idx=slice(700, 20, -3))
    part = links.photon_classes(window, segments, listed)
    np.testing.assert_array_equal(part, classes[700:20:-3])
    endpoint = opened(passes["ATL03"], "heights", "spot").sel(
        gran_idx=photons["gran_idx"].values[-1]
    )
    track = endpoint.isel(spot=int(np.flatnonzero(endpoint["gt"].values == "gt2r")[0]))
    track = track.isel(photon_idx=slice(50, 90))
    one = links.photon_classes(track, segments, listed)
    assert one.dims == ("photon_idx",)
    np.testing.assert_array_equal(one, of_beam(classes, "gt2r", 1)[50:90])
    rows = links.match_rows(photons, segments)
    np.testing.assert_array_equal(
        links.match_rows(track, segments), of_beam(rows, "gt2r", 1)[50:90]
    )
    with pytest.raises(LinkError, match="in one layout"):
        links.match_rows(photons, opened(passes["ATL03"], "geolocation", "spot"))


def test_links_work_on_tree_nodes_dask_arrays_and_in_other_processes(passes):
    trees = {p: xr.open_datatree(passes[p], engine="icesat2", layout="flat") for p in passes}
    given = trees["ATL03"]["geolocation"], trees["ATL08"]["signal_photons"]
    classes = links.photon_classes(trees["ATL03"]["heights"], *given)
    moved = pickle.loads(pickle.dumps(classes))  # noqa: S301 - our own
    np.testing.assert_array_equal(moved, classes)
    blocks = opened(passes["ATL03"], "heights").chunk(photon_idx=2000)
    later = links.photon_classes(blocks, *given)
    assert later.chunksizes["photon_idx"] == blocks.chunksizes["photon_idx"]
    np.testing.assert_array_equal(later, classes)
    distance = links.along_track_distance(blocks, given[0])
    assert distance.chunks is not None
    whole = links.along_track_distance(opened(passes["ATL03"], "heights"), given[0])
    np.testing.assert_array_equal(distance, whole)


def test_unrelated_datasets_are_refused(passes, tmp_path):
    photons, segments = (opened(passes["ATL03"][0], g) for g in ("heights", "geolocation"))
    listed, land = (opened(passes["ATL08"][1], g) for g in ("signal_photons", "land_segments"))
    with pytest.raises(
        LinkError, match=r"granule 6580403 .* ATL08 signal_photons has rows of 6580503"
    ):
        links.photon_classes(photons, segments, listed)
    with pytest.raises(
        LinkError, match="no link is declared for ATL03 heights and ATL08 land_segm"
    ):
        links.match_rows(photons, land)
    with pytest.raises(LinkError, match="each row of ATL03 geolocation has many"):
        links.match_rows(segments, photons)
    with pytest.raises(LinkError, match=r"through= is nothing, but .* through ATL03 geolocation"):
        links.match_rows(photons, listed)
    newer = write_granule(tmp_path, "ATL08", cycle_number=4, release="007", **PASS)
    with pytest.raises(LinkError, match="release 006 and ATL08 signal_photons of release 007"):
        links.photon_classes(photons, segments, opened(newer, "signal_photons"))
    with pytest.raises(LinkError, match="opened with engine='icesat2'"):
        links.match_rows(xr.Dataset({"h_ph": ("photon_idx", [1.0])}), segments)
    with pytest.raises(LinkError, match="lacks the coordinates spot"):
        links.match_rows(photons.drop_vars(["spot", "gt"]), segments)
    with pytest.raises(LinkError, match="lacks the coordinate gt"):
        links.match_rows(photons.drop_vars("spot"), segments.drop_vars("gt"))
    by_track = links.match_rows(photons.drop_vars("spot"), segments)
    np.testing.assert_array_equal(by_track, links.match_rows(photons, segments))
    with pytest.raises(LinkError, match="lacks ph_index_beg"):
        links.match_rows(photons, segments.drop_vars("ph_index_beg"))


def edited(path: Path, folder: Path, name: str, change) -> Path:
    """A copy of a granule of which one dataset is changed."""
    copy = Path(shutil.copy(path, folder))
    with h5py.File(copy, "r+") as file:
        values = file[name][()]
        file[name][...] = change(values)
    return copy


@pytest.mark.parametrize("layout", LAYOUTS)
def test_inconsistent_granule_is_refused(passes, tmp_path, layout):
    path = passes["ATL03"][0]
    off = edited(path, tmp_path, "gt1l/geolocation/ph_index_beg", lambda n: n + (n > 0))
    with pytest.raises(LinkError, match=r"spot 6 of granule 6580403: does not begin at"):
        links.match_rows(opened(off, "heights", layout), opened(off, "geolocation", layout))

    def one_less(count):
        count[np.flatnonzero(count)[-1]] -= 1
        return count

    short = edited(path, tmp_path, "gt1l/geolocation/segment_ph_cnt", one_less)
    photons, segments = opened(short, "heights", layout), opened(short, "geolocation", layout)
    with pytest.raises(LinkError, match=r"has \d+ rows, but the counts"):
        links.match_rows(photons, segments).load()
    with pytest.raises(LinkError, match=r"has \d+ rows, but the counts"):
        links.row_ranges(segments, photons)


def test_renumbered_photons_are_detected(passes, tmp_path):
    name = "gt2r/signal_photons/delta_time"
    moved = edited(passes["ATL08"][0], tmp_path, name, lambda time: time + 1e-4)
    photons, segments = (opened(passes["ATL03"][0], g) for g in ("heights", "geolocation"))
    classes = links.photon_classes(photons, segments, opened(moved, "signal_photons"))
    with pytest.raises(LinkError, match=r"up to 0\.000100 s apart"):
        classes.load()
