"""Links between products, by segment numbers and by time, equal joins with h5py."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import of_beam
from tests.paths import granule, needs_granules
from tests.tiny import write_tiny
from xr_icesat2 import links
from xr_icesat2.errors import LinkError
from xr_icesat2.testing import write_granule

PASS = {"n_segments": {"gt1l": 60, "gt2r": 90, "gt3l": 0}, "seed": 7, "chunk_rows": 2000}
BEAMS = ("gt1l", "gt2r")
CYCLES = (4, 5)
LAYOUTS = ("flat", "spot")
PROFILE_SECONDS = 0.04
LONGEST = PROFILE_SECONDS + 0.0001  # one shot more leaves no gap


def opened(path, group: str, layout: str = "flat", **keywords) -> xr.Dataset:
    return xr.open_dataset(path, engine="icesat2", group=group, layout=layout, **keywords)


def read(path: Path, name: str) -> np.ndarray:
    with h5py.File(path) as file:
        return file[name][()]


def in_file(rows: xr.DataArray, to: xr.Dataset, beam: str, cycle: int = 0) -> list[int]:
    found = of_beam(rows, beam, cycle)
    if "spot" in rows.dims:
        return found.tolist()
    return np.where(found < 0, -1, to["source_row"].values[found]).tolist()


def thinned(path: Path) -> Path:
    """Leave out every fifth segment of an ATL06, as where no surface was found."""
    with h5py.File(path, "r+") as file:
        for beam in BEAMS:
            group = file[f"{beam}/land_ice_segments"]
            keep = np.arange(len(group["segment_id"])) % 5 != 3
            kept = {name: group[name][keep] for name in ("segment_id", "delta_time", "h_li")}
            names = list(group)
            for name in names:
                del group[name]
            for name, values in kept.items():
                group[name] = values
            group["h_li"].attrs["_FillValue"] = np.finfo("f4").max
            group["delta_time"].attrs["units"] = np.bytes_("seconds since 2018-01-01")
    return path


@pytest.fixture(scope="module")
def passes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("pass")
    photons = [write_granule(folder, "ATL03", cycle_number=cycle, **PASS) for cycle in CYCLES]
    ice = [thinned(write_granule(folder, "ATL06", cycle_number=cycle, **PASS)) for cycle in CYCLES]
    return {"ATL03": photons, "ATL06": ice, "ATL09": [write_atl09(path) for path in photons]}


def write_atl09(photons: Path) -> Path:
    """Write the whole orbit's profiles around a granule of ATL03, with a gap in the second."""
    name = photons.name.replace("ATL03", "ATL09").replace("03_006", "01_006")
    rows = {}
    for number, start in ((1, 0.013), (2, 0.027), (3, 0.0)):
        times = read(photons, "gt1l/heights/delta_time")
        begin = times.min() - start
        starts = begin + PROFILE_SECONDS * np.arange(int((times.max() - begin) * 25) + 9)
        if number == 2:
            starts = np.delete(starts, [2, 3])
        rows[f"profile_{number}/high_rate/delta_time"] = starts
        rows[f"profile_{number}/high_rate/cloud"] = np.arange(len(starts)) * 10 + number
    return write_tiny(photons.with_name(name), rows, product="ATL09")


def photons_of(path: Path, beam: str) -> dict[int, tuple[int, int]]:
    """First photon and number of photons of each segment number."""
    names = ("segment_id", "ph_index_beg", "segment_ph_cnt")
    columns = [read(path, f"{beam}/geolocation/{name}").tolist() for name in names]
    return {number: (first - 1, n) for number, first, n in zip(*columns, strict=True)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_photons_of_land_ice_segments_are_linked(passes, layout):
    ice = opened(passes["ATL06"], "land_ice_segments", layout)
    photons, segments = (opened(passes["ATL03"], g, layout) for g in ("heights", "geolocation"))
    runs = links.row_ranges(ice, photons, through=segments)
    for cycle in range(2):
        for beam in BEAMS:
            stored = photons_of(passes["ATL03"][cycle], beam)
            numbers = read(passes["ATL06"][cycle], f"{beam}/land_ice_segments/segment_id")
            first = in_file(runs["first"], photons, beam, cycle)
            count = of_beam(runs["count"], beam, cycle).tolist()
            for n, number in enumerate(numbers.tolist()):
                spans = [stored[at] for at in (number - 1, number) if stored.get(at, (0, 0))[1]]
                expected = [row for start, many in spans for row in range(start, start + many)]
                assert count[n] == len(expected)
                assert first[n] == (expected[0] if expected else -1)
    # Neighbours overlap: almost all photons are in two.
    assert int(runs["count"].where(runs["count"] > 0).sum()) > photons["n_obs"].size


@pytest.mark.parametrize("layout", LAYOUTS)
def test_photons_link_to_their_land_ice_segment(passes, layout):
    ice = opened(passes["ATL06"], "land_ice_segments", layout)
    photons, segments = (opened(passes["ATL03"], g, layout) for g in ("heights", "geolocation"))
    rows = links.match_rows(photons, ice, through=segments)
    heights = links.attach(photons, ice, "h_li", through=segments)["h_li"]
    for cycle in range(2):
        for beam in BEAMS:
            path = passes["ATL03"][cycle]
            starts = read(path, f"{beam}/geolocation/segment_dist_x")
            numbers = read(path, f"{beam}/geolocation/segment_id")
            past = read(path, f"{beam}/heights/dist_ph_along").astype(float)
            ids = read(passes["ATL06"][cycle], f"{beam}/land_ice_segments/segment_id").tolist()
            expected = []
            for number, (first, many) in photons_of(path, beam).items():
                start = starts[numbers == number][0]
                for row in range(first, first + many):
                    x = start + past[row]
                    # Middles of the two segments: where this segment begins and where it ends.
                    nearer = number if x - start < start + 20 - x else number + 1
                    expected.append(ids.index(nearer) if nearer in ids else -1)
            assert in_file(rows, ice, beam, cycle) == expected
            stored = read(passes["ATL06"][cycle], f"{beam}/land_ice_segments/h_li")
            values = np.where(np.array(expected) < 0, np.nan, stored[expected])
            values = np.where(values > 1e38, np.nan, values)
            np.testing.assert_array_equal(of_beam(heights, beam, cycle), values)
            assert 0 < expected.count(-1) < len(expected)
    window = photons.isel(photon_idx=slice(40, 10, -1))
    np.testing.assert_array_equal(
        links.match_rows(window, ice, through=segments), rows.isel(photon_idx=slice(40, 10, -1))
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_segments_link_by_number(passes, layout):
    ice = opened(passes["ATL06"], "land_ice_segments", layout)
    segments = opened(passes["ATL03"], "geolocation", layout)
    there, back = links.match_rows(ice, segments), links.match_rows(segments, ice)
    for cycle in range(2):
        for beam in BEAMS:
            own = read(passes["ATL06"][cycle], f"{beam}/land_ice_segments/segment_id").tolist()
            theirs = read(passes["ATL03"][cycle], f"{beam}/geolocation/segment_id").tolist()
            assert in_file(there, segments, beam, cycle) == [theirs.index(n) for n in own]
            expected = [own.index(n) if n in own else -1 for n in theirs]
            assert in_file(back, ice, beam, cycle) == expected
            assert -1 in expected
    both = links.attach(ice, segments, "solar_elevation")
    assert both["solar_elevation"].dims == ice["h_li"].dims


def real_pair(folder: Path) -> tuple[Path, Path]:
    """Return a real ATL03, of which the segment numbers have a gap, and an ATL06 made for it."""
    photons = granule("ATL03_gt1l.h5")
    rows = {n: read(photons, f"gt1l/geolocation/{n}") for n in ("segment_id", "delta_time")}
    rows["h_li"] = np.arange(len(rows["segment_id"]), dtype="f4")
    name = "ATL06_20181014001049_02350104_006_01.h5"
    ice = write_tiny(folder / name, {f"gt1l/land_ice_segments/{n}": v for n, v in rows.items()})
    return photons, ice


@needs_granules
def test_gap_in_segment_numbers_is_handled(tmp_path):
    path, made = real_pair(tmp_path)
    photons, segments = (opened(path, g) for g in ("heights", "geolocation"))
    ice = opened(made, "land_ice_segments")
    runs = links.row_ranges(ice, photons, through=segments)
    stored, numbers = photons_of(path, "gt1l"), ice["segment_id"].values.tolist()
    assert max(np.diff(numbers)) > 1
    counts = [sum(stored.get(n, (0, 0))[1] for n in (at - 1, at)) for at in numbers]
    assert runs["count"].values.tolist() == counts
    rows = links.match_rows(photons, ice, through=segments)
    length = read(path, "gt1l/geolocation/segment_length")
    past = read(path, "gt1l/heights/dist_ph_along")
    expected = []
    for n, number in enumerate(numbers):
        first, many = stored[number]
        for row in range(first, first + many):
            nearer = number + int(past[row] >= length[n] / 2)
            expected.append(numbers.index(nearer) if nearer in numbers else -1)
    assert rows.values.tolist() == expected


def test_segments_without_a_time_are_linked_by_their_number(passes, tmp_path):
    path = Path(shutil.copy(passes["ATL03"][0], tmp_path))
    with h5py.File(path, "r+") as file:
        times = file["gt2r/geolocation/delta_time"]
        times[::3] = np.finfo("f8").max
        times.attrs["_FillValue"] = np.finfo("f8").max
    ice = opened(passes["ATL06"][0], "land_ice_segments")
    segments, whole = (opened(p, "geolocation") for p in (path, passes["ATL03"][0]))
    assert np.isnat(segments["delta_time"].values).any()
    np.testing.assert_array_equal(links.match_rows(ice, segments), links.match_rows(ice, whole))


def edited(path: Path, folder: Path, name: str, change) -> Path:
    copy = Path(shutil.copy(path, folder))
    with h5py.File(copy, "r+") as file:
        file[name][...] = change(file[name][()])
    return copy


def test_incompatible_atl06_and_atl03_are_refused(passes, tmp_path):
    ice = opened(passes["ATL06"][0], "land_ice_segments")
    photons, segments = (opened(passes["ATL03"][0], g) for g in ("heights", "geolocation"))
    other = {g: opened(passes["ATL03"][1], g) for g in ("heights", "geolocation")}
    with pytest.raises(LinkError, match="no ATL03 heights of that granule"):
        links.row_ranges(ice, other["heights"], through=other["geolocation"])
    with pytest.raises(LinkError, match="no ATL03 heights of that granule"):
        links.row_ranges(ice, photons, through=other["geolocation"])
    for of, to, through in (
        (ice, other["geolocation"], None),
        (other["heights"], ice, other["geolocation"]),
        (photons, ice, other["geolocation"]),
    ):
        with pytest.raises(LinkError, match="belong together"):
            links.match_rows(of, to, through=through)
    for through in (None, photons):
        with pytest.raises(LinkError, match="are linked through ATL03 geolocation"):
            links.row_ranges(ice, photons, through=through)
        with pytest.raises(LinkError, match="are linked through ATL03 geolocation"):
            links.match_rows(photons, ice, through=through)
    with pytest.raises(
        LinkError, match=r"each row of ATL06 .* has many of ATL03 .*links.row_ranges"
    ):
        links.match_rows(ice, photons, through=segments)
    with pytest.raises(LinkError, match=r"linked directly\. Leave through= out"):
        links.match_rows(ice, segments, through=segments)
    newer = write_granule(tmp_path, "ATL06", cycle_number=4, release="007", **PASS)
    with pytest.raises(LinkError, match=r"release 00\d and .* of release 00\d are not a pair"):
        links.row_ranges(opened(newer, "land_ice_segments"), photons, through=segments)
    late = edited(
        passes["ATL06"][0], tmp_path, "gt2r/land_ice_segments/delta_time", lambda time: time + 1
    )
    moved = links.match_rows(opened(late, "land_ice_segments"), segments)
    with pytest.raises(LinkError, match=r"linked rows .* are up to (1\.0|0\.9)"):
        moved.load()
    near = links.match_rows(photons, opened(late, "land_ice_segments"), through=segments)
    with pytest.raises(LinkError, match=r"linked rows .* are up to (1\.0|0\.9)"):
        near.load()
    twice = edited(
        passes["ATL03"][0], tmp_path, "gt2r/geolocation/segment_id", lambda n: n * 0 + n[0]
    )
    with pytest.raises(LinkError, match="occurs twice"):
        links.match_rows(ice, opened(twice, "geolocation"))
    off = edited(
        passes["ATL03"][0], tmp_path, "gt1l/geolocation/ph_index_beg", lambda n: n + (n > 0)
    )
    with pytest.raises(LinkError, match="does not begin at"):
        links.row_ranges(ice, opened(off, "heights"), through=opened(off, "geolocation"))


def profile_of(path: Path, beam: str) -> str:
    with h5py.File(path) as file:
        return bytes(file[beam].attrs["atmosphere_profile"]).decode()


def profiles_at(path: Path, profile: str, times: np.ndarray) -> list[int]:
    """Return the number of the profile during which each time is."""
    starts = read(path, f"{profile}/high_rate/delta_time")
    found = []
    for time in times:
        stored = np.flatnonzero((starts <= time) & (time < starts + LONGEST))
        found.append(int(stored[-1]) if len(stored) else -1)
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("product", "group"),
    [("ATL03", "heights"), ("ATL03", "geolocation"), ("ATL06", "land_ice_segments")],
)
def test_atmosphere_profiles_link_to_rows(passes, layout, product, group):
    rows_of = opened(passes[product], group, layout)
    profiles = opened(passes["ATL09"], "high_rate", "flat")
    rows = links.match_rows(rows_of, profiles)
    cloud = links.attach(rows_of, opened(passes["ATL09"], "high_rate", layout), "cloud",
                         fill_value=-1)["cloud"]  # fmt: skip
    missing = 0
    for cycle in range(2):
        for beam in BEAMS:
            times = read(passes[product][cycle], f"{beam}/{group}/delta_time")
            path, profile = passes["ATL09"][cycle], profile_of(passes["ATL03"][cycle], beam)
            expected = profiles_at(path, profile, times)
            found = of_beam(rows, beam, cycle)
            at = np.where(found < 0, -1, profiles["source_row"].values[found])
            assert at.tolist() == expected
            assert (profiles["profile"].values[found[found >= 0]] == int(profile[-1])).all()
            stored = read(path, f"{profile}/high_rate/cloud")
            values = np.where(np.array(expected) < 0, -1, stored[expected])
            assert of_beam(cloud, beam, cycle).tolist() == values.tolist()
            missing += expected.count(-1)
    assert missing


def test_missing_times_link_to_no_profile(passes, tmp_path):
    ice, profiles = (
        edited(
            passes[product][0],
            tmp_path,
            f"{beam}/{group}/delta_time",
            lambda times: np.where(np.arange(len(times)) < 4, np.nan, times),
        )
        for product, beam, group in (
            ("ATL06", "gt1l", "land_ice_segments"), ("ATL09", "profile_1", "high_rate"),
        )
    )  # fmt: skip
    rows = links.match_rows(opened(ice, "land_ice_segments"), opened(profiles, "high_rate"))
    assert (of_beam(rows, "gt1l")[:4] == -1).all()
    assert (of_beam(rows, "gt2r") >= -1).all()


def test_atmosphere_of_another_orbit_or_release_is_refused(passes, tmp_path):
    ice = opened(passes["ATL06"][0], "land_ice_segments")
    with pytest.raises(LinkError, match=r"granule 6580401 .* ATL09 high_rate has rows of 6580501"):
        links.match_rows(ice, opened(passes["ATL09"][1], "high_rate"))
    newer = tmp_path / passes["ATL09"][0].name.replace("_006_", "_007_")
    shutil.copy(passes["ATL09"][0], newer)
    with pytest.raises(LinkError, match="are not a pair"):
        links.match_rows(ice, opened(newer, "high_rate"))
    with pytest.raises(LinkError, match="Link in the other direction"):
        links.match_rows(opened(passes["ATL09"][0], "high_rate"), ice)
    with pytest.raises(LinkError, match="in one layout"):
        links.match_rows(
            opened(passes["ATL06"], "land_ice_segments", "spot"),
            opened(passes["ATL09"], "high_rate", "spot"),
        )


def test_unknown_link_error_lists_known_links(passes, tmp_path):
    quality = opened(passes["ATL06"][0], "segment_quality")
    photons = opened(passes["ATL03"][0], "heights")
    rates = write_tiny(
        tmp_path / "ATL04_20190810040322_06580401_006_01.h5",
        {"profile_1/delta_time": np.arange(3.0), "profile_1/nrb": np.arange(3.0)},
    )
    background = xr.open_dataset(rates, engine="icesat2", layout="flat")
    for one, other in ((quality, photons), (photons, background)):
        for way in (links.match_rows, links.row_ranges):
            with pytest.raises(LinkError, match="no link is declared for") as caught:
                way(one, other)
            for known in (
                "ATL03 heights → ATL06 land_ice_segments",
                "ATL06 land_ice_segments → ATL03 geolocation",
                "ATL06 land_ice_segments → ATL09 high_rate",
                "ATL03 heights → ATL03 bckgrd_atlas",
            ):
                assert known in str(caught.value)


def test_links_without_spots_use_ground_tracks(passes, tmp_path):
    silent = [Path(shutil.copy(passes[product][0], tmp_path)) for product in ("ATL03", "ATL06")]
    for path in silent:
        with h5py.File(path, "r+") as file:
            file["orbit_info/sc_orient"][...] = 2
            for beam in BEAMS:
                for name in ("atlas_spot_number", "sc_orientation"):
                    file[beam].attrs.pop(name, None)
            del file["gt3l"]
    photons, segments = (opened(silent[0], g) for g in ("heights", "geolocation"))
    ice = opened(silent[1], "land_ice_segments")
    assert "spot" not in ice.coords
    known = [opened(passes["ATL03"][0], g) for g in ("heights", "geolocation")]
    runs = links.row_ranges(ice, photons, through=segments)
    expected = links.row_ranges(opened(passes["ATL06"][0], "land_ice_segments"), known[0],
                          through=known[1])  # fmt: skip
    for beam in BEAMS:
        assert (of_beam(runs["count"], beam) == of_beam(expected["count"], beam)).all()
    # One side may know them.
    mixed = links.match_rows(photons, known[1])
    for beam in BEAMS:
        assert in_file(mixed, known[1], beam) == in_file(links.match_rows(*known), known[1], beam)
