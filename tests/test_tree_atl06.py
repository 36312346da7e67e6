"""The tree of ATL06: merged rates, their subgroups, and other groups unmodified."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array, assert_attributes, words_of_file
from tests.expected_rates import ATL06, Rate
from tests.oracle import DECODED, attributes, values, walk
from tests.oracle_rates import flat_layout, parts, spot_layout
from tests.paths import ATL06_GRANULES, GRANULES, needs_granules

MAIN = ATL06[0]

pytestmark = needs_granules
LAYOUTS = {"spot": spot_layout, "flat": flat_layout}
ORIGINAL = GRANULES / "ATL06_20181014001049_02350102_003_01.h5"

each_real = pytest.mark.parametrize("path", ATL06_GRANULES, ids=lambda path: path.name[:33])


def merged_paths(path: Path, rate: Rate) -> dict[str, str]:
    """Path within the rate of each of its variables, by bare name."""
    found: dict[str, str] = {}
    with h5py.File(path) as file:
        for part in parts(path, rate):
            group = file[f"{part.gt}/{rate.group}"]
            group.visititems(
                lambda name, obj: (
                    found.setdefault(name.rpartition("/")[2], name)
                    if isinstance(obj, h5py.Dataset)
                    else None
                )
            )
    return {name: found[name] for name in found}


@each_real
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rates_have_their_subgroups(path, layout):
    tree = xr.open_datatree(path, engine="icesat2", layout=layout)
    for rate in ATL06:
        if not parts(path, rate):
            assert f"/{rate.group}" not in tree.groups
            continue
        expected = LAYOUTS[layout]([path], rate)
        for name, below in merged_paths(path, rate).items():
            dims, array = expected[name]
            variable = tree[f"/{rate.group}/{below}"]
            assert variable.dims == dims, below
            assert_array(variable.values, array, below)


@each_real
def test_nodes_are_rates_and_groups_outside_beams(path):
    tree = xr.open_datatree(path, engine="icesat2")
    expected = {"/"}
    for name, obj in walk(path):
        beam, _, below = name.lstrip("/").partition("/")
        if isinstance(obj, h5py.Group):
            is_beam = beam.startswith("gt")
            expected.add(f"/{below}" if is_beam else name)
    assert set(tree.groups) == expected


@each_real
def test_groups_outside_beams_are_unmodified(path):
    tree = xr.open_datatree(path, engine="icesat2", decode_cf=False)
    for name, obj in walk(path):
        if name.startswith("/gt"):
            continue
        if isinstance(obj, h5py.Dataset):
            variable = tree[name].variable
            assert_array(variable.values, values(obj), name)
            assert_attributes(variable.attrs, attributes(obj), name)
        else:
            assert_attributes(tree[name].attrs, attributes(obj), name)


def test_along_track_nodes_have_coordinates():
    tree = xr.open_datatree(ORIGINAL, engine="icesat2")
    for node in ("land_ice_segments", "land_ice_segments/fit_statistics"):
        coords = tree[node].to_dataset(inherit=False).coords
        assert {*MAIN.coordinates, "gt", "beam_strength", "n_obs"} <= set(coords)
    assert {"rgt", "cycle_number", "source_file"} <= set(tree.to_dataset().coords)


def test_list_opens_as_one_tree():
    paths = [ORIGINAL, next(GRANULES.glob("processed_ATL06_20181015*"))]
    tree = xr.open_datatree([str(path) for path in paths], engine="icesat2", mask_and_scale=False)
    expected = spot_layout(paths, MAIN, masked=False)
    dims, array = expected["h_mean"]
    assert tree["/land_ice_segments/fit_statistics/h_mean"].dims == dims
    assert_array(tree["/land_ice_segments/fit_statistics/h_mean"].values, array, "h_mean")
    for name in ("/orbit_info/rgt", "/ancillary_data/start_cycle"):
        variable = tree[name]
        assert variable.dims[0] == "gran_idx"
        for i, path in enumerate(paths):
            with h5py.File(path) as file:
                stored = file[name][...]
            np.testing.assert_array_equal(variable.values[i, : len(stored)], stored)


ELLIPSOIDAL = {
    "standard_name": "height_above_reference_ellipsoid",
    "positive": "up",
    "vertical_datum": "WGS 84 ellipsoid",
}
ADDED = {
    "delta_time": {"axis": "T"},
    "latitude": {"axis": "Y"},
    "longitude": {"axis": "X"},
    "h_li": {**ELLIPSOIDAL, "axis": "Z"},
    "h_mean": ELLIPSOIDAL,
    "dem_h": ELLIPSOIDAL,
    "geoid_h": {
        "standard_name": "geoid_height_above_reference_ellipsoid",
        "vertical_datum": "WGS 84 ellipsoid",
    },
}
"""Attributes of CF that the files lack, by variable."""


def added(name: str, path: Path) -> dict[str, str]:
    # A release before the first has no known reference frame.
    mapped = name not in {"delta_time", "latitude", "longitude"} and "_209_" not in path.name
    return ADDED.get(name, {}) | ({"grid_mapping": "spatial_ref"} if mapped else {})


@each_real
def test_merged_variables_have_attributes(path):
    ds = xr.open_dataset(path, engine="icesat2", group=MAIN.group)
    ds = words_of_file(ds)
    found = parts(path, MAIN)
    for name, raw in found[0].variables.items():
        moved = DECODED | ({"units", "calendar"} if name == "delta_time" else set())
        expected = {a: value for a, value in raw.attrs.items() if a not in moved}
        assert_attributes(ds[name].attrs, added(name, path) | expected, name)
        if "_FillValue" in raw.attrs:
            assert "_FillValue" in ds[name].encoding
