"""Products without a spec of their own, and files that are not quite granules."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparing import assert_array
from tests.oracle import attribute, group_dataset, values, walk
from tests.paths import ALL_GRANULES, granule, needs_granules
from xr_icesat2.errors import ICESat2Error

pytestmark = needs_granules
OTHERS = [path for path in ALL_GRANULES if "ATL06" not in path.name]
RATES = [
    ("ATL03_gt1l.h5", "heights"),
    ("ATL03_gt1l.h5", "geolocation"),
    ("ATL03_gt1l.h5", "geophys_corr"),
    ("ATL03_gt1l.h5", "bckgrd_atlas"),
    ("processed_ATL07-01_20181130235806_09680101_001_01.h5", "sea_ice_segments"),
    ("processed_ATL07-01_20190225115500_09020201_003_02.h5", "sea_ice_segments"),
    ("processed_ATL08_20200821122613_08730802_004_01.h5", "land_segments"),
    ("processed_ATL08_20200821122613_08730802_004_01.h5", "signal_photons"),
]
MAIN = {
    "processed_ATL07-01_20190225115500_09020201_003_02.h5": "sea_ice_segments",
    "processed_ATL08_20200821122613_08730802_004_01.h5": "land_segments",
}
WITHOUT_SPOTS = ["test_atl08.h5", "variable_subset_ATL24_data.h5"]
ON_ROWS = "delta_time"
RAW = {"mask_and_scale": False, "decode_times": False}

each_rate = pytest.mark.parametrize(("name", "rate"), RATES, ids=lambda value: value[:30])


def held_by_beams(path: Path, rate: str) -> dict[int, Mapping[str, np.ndarray]]:
    """Arrays of each spot by their path within the rate."""
    found: dict[int, dict[str, np.ndarray]] = {}
    with h5py.File(path) as file:
        for beam, group in file.items():
            if beam.startswith("gt") and rate in group:
                arrays = found.setdefault(int(attribute(group, "atlas_spot_number")), {})
                group[rate].visititems(
                    lambda below, obj, arrays=arrays: (
                        arrays.update({below: obj[...]}) if isinstance(obj, h5py.Dataset) else None
                    )
                )
    return found


def merged(ds: xr.Dataset, below: str) -> xr.DataArray:
    """The merged variable of a path: its bare name, or one that its parent makes unique."""
    parent, _, name = below.rpartition("/")
    rate = str(ds[ON_ROWS].dims[2]).removesuffix("_idx") if ON_ROWS in ds else ""
    candidates = [name, f"{parent.replace('/', '_')}_{name}", f"{rate}_{name}"]
    found = [c for c in candidates if c in ds.variables and "spot" in ds[c].dims]
    assert found, f"no variable for {below}"
    return ds[found[0]]


@each_rate
def test_each_beam_of_a_merged_rate_is_as_in_the_file(name, rate):
    path = granule(name)
    ds = xr.open_dataset(path, engine="icesat2", group=rate, **RAW)
    beams = held_by_beams(path, rate)
    assert beams
    for spot, arrays in beams.items():
        for below, array in arrays.items():
            variable = merged(ds, below)
            assert variable.dims[:2] == ("gran_idx", "spot"), below
            placed = variable.values[0, list(ds["spot"].values).index(spot)]
            cut = placed[tuple(slice(size) for size in array.shape)]
            assert_array(cut, array, f"{below} of spot {spot}")
            assert int(ds["n_obs"].sel(spot=spot).item()) == len(arrays.get("delta_time", ()))


@each_rate
def test_flat_rows_are_the_beams_one_after_another(name, rate):
    path = granule(name)
    ds = xr.open_dataset(path, engine="icesat2", group=rate, layout="flat", **RAW)
    beams = held_by_beams(path, rate)
    for below, array in next(iter(beams.values())).items():
        if "delta_time" not in beams[min(beams)] or below.endswith("ds_si_hist_bins"):
            continue  # not along the track
        variable = below.rpartition("/")[2]
        if variable in ds.variables and array.ndim == 1:
            rows = [beams[spot][below] for spot in sorted(beams) if below in beams[spot]]
            assert_array(ds[variable].values, np.concatenate(rows), below)


@pytest.mark.parametrize(("name", "rate"), MAIN.items(), ids=lambda value: value[:30])
def test_the_main_rate_needs_no_name(name, rate):
    path = granule(name)
    xr.testing.assert_identical(
        xr.open_dataset(path, engine="icesat2").load(),
        xr.open_dataset(path, engine="icesat2", group=rate).load(),
    )


def test_a_granule_that_says_which_it_is_in_its_metadata_alone():
    ds = xr.open_dataset(granule("ATL03_gt1l.h5"), engine="icesat2", group="heights")
    assert ds["gran_idx"].values.tolist() == [2350104]
    assert ds["spot"].values.tolist() == [1, 2, 3, 4, 5, 6]
    assert ds["n_obs"].values.tolist() == [[0, 0, 0, 0, 0, 2909]]


def test_pairs_merge_on_pair_track():
    path = granule("ATL11_078805_0304_02_v002.h5")
    ds = xr.open_dataset(path, engine="icesat2", group="corrected_h", **RAW)
    with h5py.File(path) as file:
        expected = file["pt2/corrected_h/h_corr"][...]
    assert ds["pair_track"].values.tolist() == [1, 2, 3]
    assert ds["h_corr"].dims[:2] == ("gran_idx", "pair_track")
    assert_array(ds["h_corr"].sel(pair_track=2).values[0], expected, "h_corr")


@pytest.mark.parametrize("name", WITHOUT_SPOTS)
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_beams_of_unknown_spot_are_refused_with_a_way_out(name, layout):
    with pytest.raises(ICESat2Error, match='layout="file"'):
        xr.open_dataset(granule(name), engine="icesat2", layout=layout)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name[:30])
def test_every_file_opens_and_loads_in_its_own_tree(path):
    tree = xr.open_datatree(path, engine="icesat2", layout="file").load()
    datasets = [name for name, obj in walk(path) if isinstance(obj, h5py.Dataset)]
    assert datasets
    for name in datasets:
        assert name.rpartition("/")[2] in tree[name.rpartition("/")[0] or "/"].variables


def test_decoded_groups_are_as_xarray_decodes_them():
    path = granule("processed_ATL08_20200821122613_08730802_004_01.h5")
    group = "gt1l/land_segments/terrain"
    ds = xr.open_dataset(path, engine="icesat2", layout="file", group=group)
    with h5py.File(path) as file:
        raw = {name: values(dataset) for name, dataset in file[group].items()}
    for name, array in raw.items():
        attrs = group_dataset(path, group)[name].attrs
        variable = xr.Variable(ds[name].dims, array, attrs)
        expected = xr.conventions.decode_cf_variable(name, variable, decode_timedelta=False)
        assert_array(ds[name].values, expected.values, name)
