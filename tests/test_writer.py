"""Synthetic granules compared with trees of real ones and with their own truth."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import granule
from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.name import parse_name
from xr_icesat2.testing import elevation_change, granule_name, surface_height, write_granule
from xr_icesat2.testing.beam_track import SegmentRows
from xr_icesat2.testing.orbit import crossing_time, ground_position, orbit_number
from xr_icesat2.testing.random_streams import RandomStreams

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@pytest.fixture(scope="module")
def written(folder: Path) -> Path:
    return write_granule(folder, n_segments=900, chunk_rows=250)


@pytest.fixture
def file(written: Path) -> Iterator[h5py.File]:
    with h5py.File(written) as opened:
        yield opened


def datasets(group: h5py.Group) -> dict[str, h5py.Dataset]:
    found: dict[str, h5py.Dataset] = {}
    group.visititems(
        lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None
    )
    return found


def values(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: dataset[()] for name, dataset in datasets(file).items()}


def assert_same_values(got: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert got.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(got[name], array, err_msg=name, strict=True)


def test_storage_equals_that_of_a_real_granule(folder: Path) -> None:
    path = write_granule(folder / "default_chunks.h5", n_segments={"gt1l": 20})
    with (
        h5py.File(granule("ATL06_20181014001049_02350102_003_01.h5")) as real,
        h5py.File(path) as mine,
    ):
        compared = 0
        for name, dataset in datasets(mine).items():
            twin = real.get(name)
            # New since release 003, or changed; and the one deflated dataset of orbit_info.
            if twin is None or twin.dtype != dataset.dtype or name == "orbit_info/lan":
                continue
            if name != "ancillary_data/land_ice/sigma_tx":
                compared += 1
                assert storage(dataset) == storage(twin), name
                assert dataset.attrs.keys() == twin.attrs.keys(), name
        assert compared > 130
        for name in ("/", "gt1l", "gt1l/land_ice_segments", "METADATA/Extent"):
            assert link_order(mine[name]) == link_order(real[name])
            for key, value in real[name].attrs.items():
                stored = mine[name].attrs.get_id(key)
                assert stored.shape == real[name].attrs.get_id(key).shape, key
                if isinstance(value, bytes):
                    assert stored.get_type().get_strpad() == h5py.h5t.STR_NULLTERM


def storage(dataset: h5py.Dataset) -> tuple[object, ...]:
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(n)[0] for n in range(properties.get_nfilters())]
    fill = properties.fill_value_defined()
    unlimited = [size is None for size in dataset.maxshape]
    return properties.get_layout(), dataset.chunks, filters, fill, dataset.fillvalue, unlimited


def link_order(group: h5py.Group) -> int:
    plist = group.file.id.get_create_plist() if group.name == "/" else group.id.get_create_plist()
    return int(plist.get_link_creation_order())


def test_interleaving_scatters_chunks(folder: Path) -> None:
    arguments = {"n_segments": 60, "chunk_rows": 20, "beams": ("gt1l",)}
    mixed = write_granule(folder / "mixed.h5", **arguments)
    sorted_ = write_granule(folder / "sorted.h5", **arguments, interleave=False)
    name = "gt1l/land_ice_segments/h_li"
    assert len(chunk_owners(mixed, name)) > 60
    assert chunk_owners(sorted_, name) == {name}
    assert_same_values(values(sorted_), values(mixed))


def chunk_owners(path: Path, name: str) -> set[str]:
    """Datasets with a chunk between the first and the last chunk of one."""
    with h5py.File(path) as file:
        places = sorted(
            (dataset.id.get_chunk_info(n).byte_offset, owner)
            for owner, dataset in datasets(file).items()
            if dataset.chunks
            for n in range(dataset.id.get_num_chunks())
        )
    own = [n for n, (_, owner) in enumerate(places) if owner == name]
    assert len(own) == 3
    return {owner for _, owner in places[own[0] : own[-1] + 1]}


def test_values_depend_only_on_the_seed(folder: Path) -> None:
    def write(name: str, **changes: int) -> dict[str, np.ndarray]:
        return values(write_granule(folder / name, n_segments={"gt2r": 300}, **changes))

    first = write("first.h5", chunk_rows=250)
    assert_same_values(write("again.h5", chunk_rows=97), first)
    other = write("other.h5", chunk_rows=250, seed=1)
    height = "gt2r/land_ice_segments/h_li"
    assert not np.array_equal(other[height], first[height])


@pytest.mark.parametrize("beam", BEAMS)
def test_heights_are_the_truth_plus_noise(file: h5py.File, beam: str) -> None:
    group = file[f"{beam}/land_ice_segments"]
    height, sigma = group["h_li"][:].astype(float), group["h_li_sigma"][:]
    found = group["h_li"][:] != group["h_li"].fillvalue
    assert 0.5 < found.mean() < 1
    truth = surface_height(group["latitude"][:], group["longitude"][:], cycle_number=1)
    deviation = ((height - truth) / sigma)[found]
    assert abs(deviation.mean()) < 5 / np.sqrt(found.sum())
    assert 0.9 < deviation.std() < 1.1
    source = group["fit_statistics/signal_selection_source"][:]
    np.testing.assert_array_equal(source == 3, ~found)


@pytest.mark.parametrize("beam", BEAMS)
def test_rows_follow_the_track(file: h5py.File, beam: str) -> None:
    group = file[f"{beam}/land_ice_segments"]
    ids, time = group["segment_id"][:], group["delta_time"][:]
    steps = np.diff(ids)
    assert set(steps[steps != 1]), "no gap"
    assert (steps >= 1).all()
    speed = 20 * steps / np.diff(time)
    np.testing.assert_allclose(speed, 7090, rtol=0.02)
    quality = file[f"{beam}/segment_quality"]
    np.testing.assert_array_equal(quality["segment_id"][:], np.arange(ids[0], ids[-1] + 1))
    record = quality["record_number"][:]
    np.testing.assert_array_equal(record[record > 0], np.arange(1, len(ids) + 1))
    np.testing.assert_array_equal(quality["segment_id"][:][record > 0], ids)


def test_histograms_count_the_photons_of_their_segments(file: h5py.File) -> None:
    beam = file["gt1l"]
    photons = beam["land_ice_segments/fit_statistics/n_fit_photons"][:]
    photons = np.where(photons == np.iinfo("i4").max, 0, photons).reshape(-1, 10)
    histogram = beam["residual_histogram"]
    background = 100 * histogram["bckgrd_per_m"][:]
    total = histogram["count"][:].sum(axis=1)
    np.testing.assert_allclose(total, photons.sum(axis=1) + background, atol=1.01)
    ids = beam["land_ice_segments/segment_id"][:].reshape(-1, 10)
    listed = histogram["segment_id_list"][:]
    np.testing.assert_array_equal(listed, np.where(photons > 0, ids, 0))


def test_flags_and_ranges_are_valid(file: h5py.File) -> None:
    for name, dataset in datasets(file).items():
        real = dataset[()]
        if "_FillValue" in dataset.attrs:
            real = real[real != dataset.attrs["_FillValue"]]
        if "flag_values" in dataset.attrs:
            assert np.isin(real, dataset.attrs["flag_values"]).all(), name
        if "valid_min" in dataset.attrs:
            assert (real >= dataset.attrs["valid_min"]).all(), name
            assert (real <= dataset.attrs.get("valid_max", np.inf)).all(), name
        assert dataset.dtype.kind != "f" or np.isfinite(real).all(), name


def test_missing_and_empty_beams_are_written(folder: Path) -> None:
    rows = {"gt1l": 30, "gt2r": 40, "gt3l": 5}
    path = write_granule(folder / "few.h5", n_segments=rows, empty_beams=("gt3l",), chunk_rows=16)
    with h5py.File(path) as file:
        assert [beam for beam in BEAMS if beam in file] == list(rows)
        assert [beam for beam in BEAMS if beam in file["quality_assessment"]] == list(rows)
        counts = {beam: len(file[f"{beam}/land_ice_segments/h_li"]) for beam in rows}
        assert counts == {"gt1l": 30, "gt2r": 40, "gt3l": 0}
        for name, dataset in datasets(file["gt3l"]).items():
            assert len(dataset) == (dataset.maxshape[0] or 0), name
    nothing = write_granule(folder / "nothing.h5", n_segments={"gt1l": 0}, chunk_rows=16)
    assert len(values(nothing)["gt1l/segment_quality/delta_time"]) == 0


@pytest.mark.parametrize(
    ("sc_orient", "spots", "orientation"),
    [(0, [b"1", b"4", b"5"], b"Backward"), (1, [b"6", b"3", b"2"], b"Forward")],
)
def test_orientation_determines_spots(
    folder: Path, sc_orient: int, spots: list[bytes], orientation: bytes
) -> None:
    beams = ("gt1l", "gt2r", "gt3l")
    path = folder / f"orient{sc_orient}.h5"
    write_granule(path, n_segments=8, beams=beams, chunk_rows=8, sc_orient=sc_orient)
    with h5py.File(path) as file:
        assert file["orbit_info/sc_orient"][:] == sc_orient
        attrs = [dict(file[beam].attrs) for beam in beams]
    assert [beam["atlas_spot_number"] for beam in attrs] == spots
    assert [beam["atlas_beam_type"] == b"strong" for beam in attrs] == [
        spot in (b"1", b"3", b"5") for spot in spots
    ]
    assert {beam["sc_orientation"] for beam in attrs} == {orientation}


def test_yaw_flip_has_no_spot_numbers(folder: Path) -> None:
    path = folder / "turning.h5"
    write_granule(path, n_segments={"gt1l": 8}, chunk_rows=8, sc_orient=2)
    with h5py.File(path) as file:
        assert file["orbit_info/sc_orient"][:] == 2
        assert set(file["gt1l"].attrs) == {"Description", "atmosphere_profile", "groundtrack_id"}


def test_cycles_share_segments_and_differ_in_height(folder: Path) -> None:
    beams = ("gt2l",)
    paths = [
        write_granule(folder, n_segments=3000, beams=beams, cycle_number=cycle) for cycle in (3, 9)
    ]
    tracks = []
    for path in paths:
        with h5py.File(path) as file:
            group = file["gt2l/land_ice_segments"]
            names = ("segment_id", "h_li", "latitude", "longitude")
            tracks.append([group[name][:] for name in names])
    common, first, second = np.intersect1d(tracks[0][0], tracks[1][0], return_indices=True)
    assert 1000 < len(common) < 3000
    (_, before, lat, lon), (_, after, lat2, lon2) = (
        [array[rows] for array in track]
        for track, rows in zip(tracks, (first, second), strict=True)
    )
    aside = 111_000 * np.hypot(lat2 - lat, (lon2 - lon) * np.cos(np.radians(lat)))
    assert 0 < aside.max() < 40
    found = (before < 1e30) & (after < 1e30)
    # The slope between the two tracks is part of the truth.
    expected = surface_height(lat2, lon2, 9) - surface_height(lat, lon, 3)
    np.testing.assert_allclose((after - before - expected)[found].mean(), 0, atol=0.01)
    trend = 6 * elevation_change(lat, lon)
    np.testing.assert_allclose((after - before - trend)[found].mean(), 0, atol=0.3)


@pytest.mark.parametrize("release", ["003", "007"])
def test_other_releases_are_marked(folder: Path, release: str) -> None:
    path = write_granule(folder, n_segments=2, beams=("gt1l",), chunk_rows=2, release=release)
    assert path.name.endswith(f"_{release}_01.h5")
    with h5py.File(path) as file:
        assert file["ancillary_data/release"][0].decode().strip() == release
        assert file["METADATA/DatasetIdentification"].attrs["VersionID"] == release.encode()
        assert file["METADATA/DatasetIdentification"].attrs["fileName"] == path.name.encode()
        assert file.attrs["identifier_product_doi"].endswith(release.encode())


def test_granule_names_follow_the_timetable(folder: Path) -> None:
    start = datetime(2019, 11, 6, 23, 0, 8, tzinfo=UTC)
    identity = {"rgt": 627, "cycle_number": 5, "start": start, "version": "02"}
    name = granule_name(**identity)
    assert name == "ATL06_20191106230008_06270503_006_02.h5"
    small = {"n_segments": 3, "beams": ("gt1l",), "chunk_rows": 3}
    assert write_granule(folder, **identity, **small) == folder / name
    assert granule_name(**identity | {"start": start.replace(tzinfo=None)}) == name
    # By the timetable alone the same granule begins within minutes.
    scheduled = parse_name(granule_name(rgt=627, cycle_number=5))
    assert scheduled is not None
    assert scheduled.start is not None
    assert abs((scheduled.start - start).total_seconds()) < 600


def test_newer_format_has_equal_values(folder: Path) -> None:
    arguments = {"n_segments": 30, "beams": ("gt1l",), "chunk_rows": 10}
    newer = write_granule(folder / "newer.h5", **arguments, libver="latest")
    older = write_granule(folder / "older.h5", **arguments)
    assert newer.read_bytes()[8] == 3
    assert older.read_bytes()[8] == 0
    assert_same_values(values(newer), values(older))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"product": "ATL07"}, "'ATL07'.*ATL03, ATL06, ATL08, ATL13"),
        ({"rgt": 1388}, "rgt 1388.*1387"),
        ({"cycle_number": 0}, "cycle_number 0"),
        ({"granule_region": 15}, "granule_region 15"),
        ({"sc_orient": 3}, "sc_orient 3"),
        ({"release": "6"}, "release '6'.*3 digits"),
        ({"release": 6}, "release 6: expected 3 digits as a string"),
        ({"version": 1}, "version 1: expected 2 digits as a string"),
        ({"version": "1"}, "version '1'.*2 digits"),
        ({"beams": ("gt4l",)}, "gt4l.*gt1l, gt1r"),
        ({"n_segments": {"gt1l": 5}, "beams": ("gt1l", "gt1r")}, "gt1r"),
        ({"beams": ("gt1l",), "empty_beams": ("gt2l",)}, "gt2l"),
        ({"n_segments": -1}, "negative"),
        ({"chunk_rows": 0}, "chunk_rows"),
    ],
)
def test_impossible_granules_are_refused(
    folder: Path, wrong: dict[str, object], message: str
) -> None:
    path = folder / "impossible.h5"
    with pytest.raises(SelectionError, match=message):
        write_granule(path, **wrong)
    assert not path.exists()


@pytest.mark.parametrize(
    "name",
    [
        "processed_ATL06_20190416093911_02770303_002_01.h5",
        "processed_ATL06_20190613193602_11690305_002_01.h5",
        "processed_ATL06_20181015100401_02560110_003_01.h5",
        "ATL06_20181014001049_02350102_003_01.h5",
    ],
)
def test_tracks_match_real_tracks(name: str) -> None:
    with h5py.File(granule(name)) as file:
        orbit = {key: value[0] for key, value in file["orbit_info"].items()}
        group = file["gt3r/land_ice_segments"]
        segment, lat, lon, y_atc = (
            group[key][:].astype(float)
            for key in ("segment_id", "latitude", "longitude", "ground_track/y_atc")
        )
    rgt, cycle = int(orbit["rgt"]), int(orbit["cycle_number"])
    assert orbit_number(rgt, cycle) == orbit["orbit_number"]
    assert crossing_time(rgt, cycle) == pytest.approx(orbit["crossing_time"], abs=10)
    near = y_atc < 1e30
    latitude, longitude = ground_position(rgt, segment[near], y_atc[near])
    # Measured: 2.3 km along the track.
    np.testing.assert_allclose(latitude, lat[near], atol=0.03)
    np.testing.assert_allclose(longitude, lon[near], atol=0.03)


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 2**32))
def test_noise_depends_on_position(start: int, length: int, seed: int) -> None:
    noise = RandomStreams((seed, 7))
    whole = noise.normal("field", 0, start + length)
    np.testing.assert_array_equal(noise.normal("field", start, start + length), whole[start:])
    assert not np.array_equal(noise.normal("other", 0, 3), noise.normal("field", 0, 3))


@given(st.integers(1, 20_000), st.integers(0, 2**32), st.data())
def test_postings_are_independent_of_length(n: int, seed: int, data: st.DataObject) -> None:
    posting = SegmentRows.draw(RandomStreams((seed,)), 1000, n)
    ids = posting.ids(0, n)
    assert ids[0] == 1000
    assert (np.diff(ids) > 0).all()
    assert posting.dense == ids[-1] - ids[0] + 1
    dense = posting.rows(np.arange(ids[0], ids[-1] + 11))
    np.testing.assert_array_equal(dense[dense >= 0], np.arange(n))
    np.testing.assert_array_equal(np.flatnonzero(dense >= 0) + ids[0], ids)
    shorter = data.draw(st.integers(1, n))
    np.testing.assert_array_equal(
        SegmentRows.draw(RandomStreams((seed,)), 1000, shorter).ids(0, shorter), ids[:shorter]
    )


def without_times(path: Path) -> bytes:
    """Return a file without the times of its objects, and the checksums that cover these."""
    data = path.read_bytes()
    masked = bytearray(data)
    for header in re.finditer(rb"OHDR\x02(.)", data, re.DOTALL):
        flags, at = header[1][0], header.end()
        if flags & 0x20:
            masked[at : at + 16] = bytes(16)
            at += 16
        at += 4 * (flags >> 4 & 1)
        width = 1 << (flags & 3)
        end = at + width + int.from_bytes(data[at : at + width], "little")
        masked[end : end + 4] = bytes(4)
    for message in re.finditer(rb"\x12\x00\x08\x00.{4}\x01\x00{3}", data, re.DOTALL):
        masked[message.end() : message.end() + 4] = bytes(4)
    return bytes(masked)


def test_granule_is_the_same_in_every_process(tmp_path):
    code = """
import sys
from xr_icesat2.testing import write_granule

write_granule(sys.argv[1], "ATL06", n_segments=2, beams=("gt1l",))
"""
    paths = [tmp_path / f"{seed}.h5" for seed in "12"]
    running = [
        subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", code, str(path)],
            env={**os.environ, "PYTHONHASHSEED": path.stem},
        )
        for path in paths
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    one, other = map(without_times, paths)
    assert one == other
