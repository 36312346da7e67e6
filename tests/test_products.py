"""What product specifications add to merged rates."""

import logging
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array
from tests.paths import granule, needs_granules
from tests.tiny import write_tiny
from xr_icesat2 import products
from xr_icesat2.assembly.second_dimension_labels import merge_specified_labels
from xr_icesat2.errors import GroupNotFoundError, MergeError, SelectionError

ROWS = np.arange(4.0)
LAND = "ATL08_20200821122613_08730802_{release}_01.h5"
LAKES = "ATL13_20190330212241_00250301_{release}_01.h5"


def opened(path, **keywords):
    return xr.open_dataset(path, engine="icesat2", **keywords)


@pytest.mark.parametrize("spec", products.values(), ids=lambda spec: spec.product)
def test_specifications_are_consistent(spec):
    names = [rate.name for rate in spec.rates]
    assert len(set(names)) == len(names)
    assert "" not in names
    assert spec.document.count(spec.product) == 1
    assert bool(spec.main) == bool(spec.rates) == (spec.completeness != "none")
    assert bool(spec.releases) == bool(spec.rates)
    assert {*spec.main} <= {rate.group for rate in spec.rates}
    for rate in spec.rates:
        second = {dim for dims in rate.dims.values() for dim in dims}
        assert rate.labels.keys() | rate.label_variables.keys() <= second
        assert not rate.labels.keys() & rate.label_variables.keys()
        for sets in rate.labels.values():
            assert len({len(labels) for labels in sets}) == len(sets)
            assert all(len(set(labels)) == len(labels) for labels in sets)


@pytest.mark.parametrize("spec", products.values(), ids=lambda spec: spec.product)
def test_conventions_of_granules_are_consistent(spec):
    granules = spec.granules
    assert all(name.startswith(spec.product) for name in granules.names)
    assert {"release", "version"} <= granules.fields
    assert granules.numbers <= granules.fields
    assert not granules.is_gridded or granules.tracks is None
    assert bool(spec.rates) <= bool(granules.tracks)


REGIONAL, WHOLE = "{}_20181014001049_02350102_006_01.h5", "{}_20181014001049_02350101_006_01.h5"
ICE = "{}-01_20181014001049_02350101_{}_01.h5"
DEFAULTS = {
    # What the name of the product promises, and groups of other rates, which hold more.
    REGIONAL.format("ATL03"): ("gt1l/heights", "h_ph", ["gt1l/geolocation", "gt1l/bckgrd_atlas"]),
    REGIONAL.format("ATL06"): ("gt1l/land_ice_segments", "h_li", ["gt1l/segment_quality"]),
    ICE.format("ATL07", "001"): ("gt1l/sea_ice_segments", "heights/height_segment_height", []),
    ICE.format("ATL07", "006"): (
        "gt1l/sea_ice_segments",
        "heights/height_segment_height",
        ["gt1l/sea_ice_segments_10m", "gt1l/dda_surface_segments"],
    ),
    REGIONAL.format("ATL08"): ("gt1l/land_segments", "canopy/h_canopy", ["gt1l/signal_photons"]),
    WHOLE.format("ATL09"): (
        "profile_1/high_rate", "asr_cloud", ["profile_1/low_rate", "profile_1/bckgrd_atlas"],
    ),
    ICE.format("ATL10", "003"): (
        "gt1l/freeboard_beam_segment/beam_freeboard",
        "beam_fb_height",
        ["gt1l/leads", "gt1l/freeboard_beam_segment"],
    ),
    ICE.format("ATL10", "006"): (
        "gt1l/freeboard_segment",
        "beam_fb_height",
        ["gt1l/leads", "gt1l/reference_surface_section"],
    ),
    "ATL11_023502_0305_006_01.h5": ("pt1", "ref_pt", ["pt1/crossing_track_data"]),
    WHOLE.format("ATL12"): ("gt1l/ssh_segments", "heights/h", ["gt1l/other"]),
    LAKES.format(release="006"): ("gt1l", "ht_ortho", ["gt1l/anom_ssegs"]),
    "ATL22_20190330212241_00250301_003_01.h5": ("gt1l", "transect_lat", ["gt1l/other"]),
    "ATL24_20181014001049_02350102_006_01_001_01.h5": ("gt1l", "ortho_h", ["gt1l/other"]),
    # Rates by the dimension scales.
    WHOLE.format("ATL04"): ("profile_1", "nrb_profile", []),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_default_rate_is_the_main_content(name, layout, tmp_path):
    group, promised, others = DEFAULTS[name]
    path = write_tiny(
        tmp_path / name,
        {f"{group}/delta_time": ROWS, f"{group}/{promised}": ROWS + 1}
        | {f"{other}/{n}": ROWS[:3] for other in others for n in ("delta_time", *"abcdefgh")},
    )
    variable = opened(path, layout=layout)[promised.rpartition("/")[2]]
    stored = variable.values.ravel()
    assert_array(stored[np.isfinite(stored)], ROWS + 1, promised)
    assert "delta_time" in variable.coords


def test_default_rate_follows_renamed_groups(tmp_path):
    old = write_tiny(
        tmp_path / ICE.format("ATL10", "005"),
        {
            f"gt1l/freeboard_beam_segment/{name}": rows
            for name, rows in {
                "beam_freeboard/delta_time": ROWS,
                "beam_freeboard/beam_fb_height": ROWS + 1,
                "height_segments/delta_time": ROWS + 2,
                "height_segments/height_segment_height": ROWS + 3,
                "geophysical/delta_time": ROWS + 4,
                "geophysical/height_segment_mss": ROWS + 5,
                "delta_time": ROWS[:2],
                "beam_refsurf_height": ROWS[:2],
            }.items()
        },
    )
    ds = opened(old, layout="flat", decode_times=False)
    for variable, add in (("beam_fb_height", 1), ("height_segment_height", 3)):
        assert_array(ds[variable].values, ROWS + add, variable)
    assert_array(ds["height_segment_mss"].values, ROWS + 5, "mss")
    assert_array(ds["delta_time"].values, ROWS, "delta_time")
    sections = opened(old, layout="flat", group="freeboard_beam_segment")
    assert_array(sections["beam_refsurf_height"].values, ROWS[:2], "sections")
    tree = xr.open_datatree(old, engine="icesat2", decode_times=False)
    assert tree["/freeboard_beam_segment"].sizes["section_idx"] == 2
    assert tree["/freeboard_beam_segment/height_segments"].sizes["segment_idx"] == 4
    with pytest.raises(GroupNotFoundError, match="another group: 'freeboard_beam_segment/beam_f"):
        opened(old, group="freeboard_segment")
    newer = old.with_name(ICE.format("ATL10", "006").replace("0235", "0236"))
    write_tiny(newer, {f"gt1l/leads/{name}": ROWS for name in ("delta_time", "lead_height")})
    with pytest.raises(GroupNotFoundError, match=r"no freeboard_segment in gt1l.*group: 'leads'"):
        opened(newer)


def test_unknown_product_opens_by_its_scales_with_a_warning(tmp_path, caplog):
    path = write_tiny(
        tmp_path / "x.h5",
        {"gt1l/delta_time": ROWS, "gt1l/depth": ROWS * 2, "gt1l/deep/delta_time": ROWS[:3]},
        product="ATL97",
    )
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        ds = opened(path, layout="flat")
        tree = xr.open_datatree(path, engine="icesat2")
    assert_array(ds["depth"].values, ROWS * 2, "depth")
    assert_array(tree["/delta_time/depth"].sel(spot=6).values[0], ROWS * 2, "depth")
    assert tree["/deep"].sizes["deep_idx"] == 3
    notes = [record.getMessage() for record in caplog.records]
    expected = "this library does not specify the rates of ATL97. It opens by the dimension scales"
    assert notes == [f"{expected} in the file"]


def test_unknown_release_opens_with_a_warning(tmp_path, caplog):
    path = write_tiny(
        tmp_path / LAND.format(release="091"),
        {
            "gt1l/land_segments/delta_time": ROWS,
            "gt1l/land_segments/canopy/h_canopy": ROWS + 1,
            "gt1l/land_segments/soil/moisture": ROWS + 2,
            "gt1l/shrubs/delta_time": ROWS[:2],
            "gt1l/shrubs/h": ROWS[:2],
        },
    )
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        tree = xr.open_datatree(path, engine="icesat2", layout="flat")
    [note] = [record.getMessage() for record in caplog.records]
    assert "ATL08 was made for releases 001 to 007, not for 091" in note
    assert_array(tree["/land_segments/canopy/h_canopy"].values, ROWS + 1, "h_canopy")
    # A group and a rate that the specification does not know are there all the same.
    assert_array(tree["/land_segments/soil/moisture"].values, ROWS + 2, "moisture")
    assert_array(tree["/shrubs/h"].values, ROWS[:2], "h")
    assert_array(opened(path, layout="flat", group="shrubs")["h"].values, ROWS[:2], "h")


@pytest.fixture
def ice_map(tmp_path):
    return write_tiny(
        tmp_path / "ATL15_GL_0318_10km_003_01.nc",
        {"delta_h/x": ROWS, "delta_h/y": ROWS[:3], "delta_h/delta_h": np.ones((3, 4))},
        product="ATL15",
    )


@pytest.mark.parametrize("layout", ["spot", "flat", "file"])
def test_gridded_products_open_unmerged(ice_map, layout):
    tree = xr.open_datatree(ice_map, engine="icesat2", layout=layout)
    assert tree.groups == ("/", "/delta_h")
    expected = opened(ice_map, group="delta_h", layout="file")
    xr.testing.assert_identical(opened(ice_map, group="delta_h", layout=layout), expected)
    xr.testing.assert_identical(tree["/delta_h"].to_dataset(), expected)


@pytest.mark.parametrize("chosen", [{"spots": "strong"}, {"beams": ["gt1l"]}, {"pad_to": 9}])
def test_gridded_products_have_no_beams(ice_map, chosen):
    with pytest.raises(SelectionError, match=r"ATL15\), which has no beams. Leave"):
        opened(ice_map, **chosen)


def test_gridded_products_of_two_releases_are_refused(ice_map):
    newer = ice_map.with_name("ATL15_GL_0318_10km_004_01.nc")
    newer.write_bytes(ice_map.read_bytes())
    with pytest.raises(MergeError, match="2 releases"):
        opened([ice_map, newer])


PHOTONS = "ATL03_20181014001049_02350102_006_02.h5"


def geolocation(beam, rows, *groups):
    return {
        f"{beam}/{group}/{name}": np.arange(float(rows)) + 10 * len(group)
        for group in groups
        for name in ("delta_time", "dac" if group == "geophys_corr" else "segment_dist_x")
    }


def test_groups_of_one_rate_open_by_either_name(tmp_path):
    path = write_tiny(
        tmp_path / PHOTONS,
        geolocation("gt1l", 4, "geolocation", "geophys_corr")
        | geolocation("gt1r", 3, "geophys_corr"),
    )
    ds = opened(path, group="geolocation", decode_times=False)
    xr.testing.assert_identical(ds, opened(path, group="geophys_corr", decode_times=False))
    both, lacking = ds.isel(gran_idx=0).sel(spot=6), ds.isel(gran_idx=0).sel(spot=5)
    assert_array(both["delta_time"].values, ROWS + 110, "of geolocation")
    assert_array(both["geophys_corr_delta_time"].values, ROWS + 120, "of geophys_corr")
    # Where there is no geolocation, the time is that of the other group.
    assert_array(lacking["delta_time"].values[:3], ROWS[:3] + 120, "of geophys_corr")
    assert np.isnan(lacking["geophys_corr_delta_time"].values).all()
    assert "delta_time" in ds.coords
    tree = xr.open_datatree(path, engine="icesat2", decode_times=False)
    for node in ("geolocation", "geophys_corr"):
        xr.testing.assert_identical(tree[node]["delta_time"].variable, ds["delta_time"].variable)
    few = opened(path, group="geolocation", variables="dac")
    assert set(few.data_vars) == {"dac"}
    assert "delta_time" in few.coords


def test_groups_of_one_rate_must_have_one_length(tmp_path):
    path = write_tiny(
        tmp_path / PHOTONS,
        geolocation("gt1l", 4, "geolocation") | geolocation("gt1l", 3, "geophys_corr"),
    )
    with pytest.raises(MergeError, match=r"has . rows, but its rate \(geolocation, geophys_corr"):
        opened(path, group="geolocation")


@pytest.mark.parametrize("keywords", [{}, {"variables": "h_canopy"}], ids=["all", "one"])
def test_missing_coordinates_are_found_by_standard_name(tmp_path, keywords):
    top = "gt1l/land_segments"
    path = write_tiny(
        tmp_path / LAND.format(release="006"),
        {f"{top}/{n}": ROWS for n in ("delta_time", "lat", "longitude", "canopy/h_canopy", "snr")},
        attrs={f"{top}/lat": {"standard_name": "latitude"}},
    )
    ds = opened(path, **keywords)
    assert {"delta_time", "lat", "longitude"} <= set(ds.coords)
    assert set(ds.data_vars) == ({"h_canopy", "snr"} if not keywords else {"h_canopy"})


def test_four_orbit_granules_open(tmp_path):
    rows = {"delta_time": ROWS, "rgt": np.array([25, 26, 27, 28], "i2"), "cycle": [3] * 4}
    path = write_tiny(
        tmp_path / LAKES.format(release="002"),
        {f"gt1l/{name}": values for name, values in rows.items()}
        | {"gt1l/anom_ssegs/delta_time": ROWS[:2]}
        | {
            f"ancillary_data/{name}": [number]
            for name, number in {
                "start_rgt": 25, "end_rgt": 28, "start_cycle": 3, "end_cycle": 3,
            }.items()
        },
    )  # fmt: skip
    ds = opened(path, layout="spot", mask_and_scale=False)
    assert ds["gran_idx"].values.tolist() == [250301]
    numbers = ("rgt", "start_rgt", "end_rgt", "cycle_number", "start_cycle", "end_cycle")
    assert [int(ds[name].item()) for name in numbers] == [25, 25, 28, 3, 3, 3]
    assert "granule_region" not in ds.coords
    assert_array(ds["segment_rgt"].sel(spot=6).values[0], rows["rgt"], "rgt")
    assert ds["segment_rgt"].attrs["source_path"] == "rgt"
    assert ds["segment_cycle"].sel(spot=6).values[0].tolist() == rows["cycle"]
    xr.testing.assert_identical(ds, opened(path, group="", mask_and_scale=False))
    xr.testing.assert_identical(ds, opened(path, group="segments", mask_and_scale=False))
    tree = xr.open_datatree(path, engine="icesat2", layout="flat")
    assert tree["/segments"].sizes["segment_idx"] == 4
    assert tree["/anom_ssegs"].sizes["anom_sseg_idx"] == 2


def test_profile_products_open(tmp_path):
    path = write_tiny(
        tmp_path / "ATL09_20181117090604_07600101_006_02.h5",
        {
            f"profile_{number}/high_rate/{name}": ROWS[:number]
            for number in (1, 3)
            for name in ("delta_time", "latitude", "longitude", "column_od_asr")
        },
        product="ATL09",
    )
    ds = opened(path)
    assert ds["profile"].values.tolist() == [1, 2, 3]
    assert ds["n_obs"].values.tolist() == [[1, 0, 3]]
    assert ds["column_od_asr"].dims == ("gran_idx", "profile", "high_rate_idx")
    assert {"start_rgt", "end_cycle", "latitude", "longitude"} <= set(ds.coords)
    assert "granule_region" not in ds.coords


@needs_granules
def test_hemisphere_and_pair_products_open():
    ice = opened(granule("processed_ATL07-01_20190225115500_09020201_003_02.h5"))
    assert int(ice["hemisphere"].item()) == 1
    assert "granule_region" not in ice.coords
    repeats = opened(granule("ATL11_078805_0304_02_v002.h5"))
    reported = {"granule_region": 5, "first_cycle": 3, "last_cycle": 4}
    assert {name: repeats[name].item() for name in reported} == reported
    assert "cycle_number" not in repeats.coords
    rows = opened(granule("ATL11_078805_0304_02_v002.h5"), layout="flat")
    for name in ("rgt", "first_cycle", "last_cycle"):
        assert rows[name].dims == ("ref_pt_idx",)
        assert (rows[name] == repeats[name].item()).all()
    assert not {"cycle_number", "beam_strength", "gt"} & set(rows.coords)


CYCLES = "ATL11_078805_0304_02_v002.h5"


@needs_granules
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_cycles_have_the_labels_of_the_file(layout):
    ds = opened(granule(CYCLES), layout=layout)
    assert ds["cycle"].values.tolist() == [3, 4]
    with h5py.File(granule(CYCLES)) as file:
        heights = file["pt2/corrected_h/h_corr"]
        stored = np.where(heights[:] == heights.fillvalue, np.nan, heights[:])
    selected = ds["h_corr"].sel(cycle=4).values.ravel()
    expected = stored[np.isfinite(stored[:, 1]), 1]
    np.testing.assert_array_equal(selected[np.isfinite(selected)], expected)
    with pytest.raises(KeyError):
        ds["h_corr"].sel(cycle=1)
    tree = xr.open_datatree(granule(CYCLES), engine="icesat2", layout=layout)
    for name in ("ref_pt", "ref_pt/corrected_h", "ref_pt/cycle_stats"):
        assert tree[name]["cycle"].values.tolist() == [3, 4]


def other_cycles(folder, numbers) -> Path:
    """The same heights, as those of other cycles on another track."""
    path = folder / "ATL11_078905_0405_02_v002.h5"
    shutil.copy(granule(CYCLES), path)
    with h5py.File(path, "a") as file:
        for group in ("corrected_h", "cycle_stats"):
            if numbers is None:
                del file[f"pt2/{group}/cycle_number"]
            else:
                file[f"pt2/{group}/cycle_number"][...] = numbers
    return path


@needs_granules
@pytest.mark.parametrize("layout", ["spot", "flat"])
@pytest.mark.parametrize("numbers", [[4, 5], [4, 3], [7, 6]], ids=str)
def test_granules_of_different_cycles_merge_on_cycles(layout, numbers, tmp_path):
    paths = [granule(CYCLES), other_cycles(tmp_path, numbers)]
    ds = opened(paths, layout=layout)
    assert ds["cycle"].values.tolist() == sorted({3, 4, *numbers})
    for path, cycles, gran_idx in zip(paths, ([3, 4], numbers), (7880005, 7890005), strict=True):
        one = opened(path, layout=layout)
        assert one["cycle"].values.tolist() == cycles
        both = (
            ds.sel(gran_idx=gran_idx)
            if layout == "spot"
            else ds.isel(ref_pt_idx=(ds["gran_idx"] == gran_idx).values)
        )
        for name in ("h_corr", "h_mean"):
            stored = both[name].sel(cycle=cycles).values
            np.testing.assert_array_equal(stored, one[name].values.reshape(stored.shape))
            others = both[name].drop_sel(cycle=cycles)
            assert others.isnull().all()


@needs_granules
@pytest.mark.parametrize("numbers", [None, [3, 3]], ids=str)
def test_ambiguous_cycles_have_no_labels(numbers, tmp_path):
    path = other_cycles(tmp_path, numbers)
    for given in (path, [granule(CYCLES), path]):
        ds = opened(given)
        assert "cycle" not in ds.coords
        assert ds.sizes["cycle"] == 2


@needs_granules
def test_source_row_is_the_row_in_the_file():
    path = granule("processed_ATL08_20200821122613_08730802_004_01.h5")
    ds = opened(path, group="signal_photons", layout="flat", mask_and_scale=False)
    few = ds.isel(photon_idx=slice(5, None, 97)).load()
    assert few["source_row"].dtype == np.int64
    with h5py.File(path) as file:
        for n in range(few.sizes["photon_idx"]):
            row = few.isel(photon_idx=n)
            stored = file[f"{row['gt'].item()}/signal_photons/ph_h"][row["source_row"].item()]
            assert stored == row["ph_h"].item()
    assert ds.isel(photon_idx=slice(0, 0))["source_row"].dtype == np.int64


def test_labels_support_several_lengths():
    sets = products["ATL08"].rates[0].labels["percentile"]
    assert merge_specified_labels("percentile", sets, {9}) == sets[0]
    assert merge_specified_labels("percentile", sets, {9, 18}) == sets[1]
    assert merge_specified_labels("percentile", sets, {12}) == ()
    assert merge_specified_labels("percentile", ((1, 3), (2, 3, 4)), {2, 3}) == (1, 2, 3, 4)
    with pytest.raises(MergeError, match=r"percentile has 9 and 12 positions.*known for 9, 18"):
        merge_specified_labels("percentile", sets, {9, 12})
