"""A path in the file opens unmodified: no spots are needed, and none can be selected."""

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array
from tests.tiny import write_tiny
from tests.written_granules import GRANULE_NAMES, written_granule, written_granules
from xr_icesat2.errors import GroupNotFoundError, IdentityError, MergeError, SelectionError

MAIN = "land_ice_segments"
OPENERS = [xr.open_dataset, xr.open_datatree]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return list(written_granules(tmp_path_factory).values())


def refused(path, opener, **keywords) -> str:
    with pytest.raises(SelectionError) as caught:
        opener(path, engine="icesat2", **keywords)
    return str(caught.value)


CHOSEN = [
    {"spots": [1]},
    {"spots": "strong"},
    {"beams": ["gt1l"]},
    {"pad_to": 9000},
    {"layout": "flat"},
]


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("chosen", CHOSEN, ids=str)
@pytest.mark.parametrize("group", [f"gt1l/{MAIN}", f"/gt1l/{MAIN}/", "gt1l", "orbit_info", "/"])
def test_keywords_that_choose_beams_are_refused(written, opener, group, chosen):
    said = refused(written[0], opener, group=group, **chosen)
    (keyword,) = chosen
    assert said.startswith(f"{keyword}=")
    assert repr(group) in said
    assert f"Leave {keyword} out" in said
    assert (f"group='{MAIN}'" in said) == (MAIN in group)
    assert "map" not in said


@pytest.mark.parametrize("group", [f"gt3r/{MAIN}", "orbit_info", "METADATA/DatasetIdentification"])
def test_file_path_opens_without_spots(tmp_path, group):
    path = written_granule(GRANULE_NAMES[0], tmp_path, sc_orient=2)
    with pytest.raises(IdentityError, match="sc_orient is 2"):
        xr.open_dataset(path, engine="icesat2")
    expected = xr.open_dataset(path, engine="icesat2", layout="file", group=group).load()
    found = xr.open_dataset(path, engine="icesat2", group=group).load()
    xr.testing.assert_identical(found, expected)
    tree = xr.open_datatree(path, engine="icesat2", group=group).load()
    xr.testing.assert_identical(tree.to_dataset(), expected)
    with h5py.File(path) as file:
        for name, variable in expected.variables.items():
            if variable.dtype.kind == "i":
                assert_array(variable.values, file[f"{group}/{name}"][()], str(name))


def test_incompatible_granules_are_not_merged(written, tmp_path):
    older = written_granule(GRANULE_NAMES[1], tmp_path, release="005")
    with pytest.raises(MergeError, match="2 releases"):
        xr.open_dataset([written[0], older], engine="icesat2", group="orbit_info")


def test_rate_takes_precedence_over_a_path_of_its_name(tmp_path):
    rows = np.arange(3.0)
    path = write_tiny(
        tmp_path / "ATL06_20181014001049_02350102_006_01.h5",
        {f"gt1l/{MAIN}/{name}": rows for name in ("delta_time", "h_li")}
        | {f"{MAIN}/h_li": rows + 9},
        product="ATL06",
    )
    ds = xr.open_dataset(path, engine="icesat2", group=MAIN, spots=6)
    assert ds["h_li"].dims == ("gran_idx", "spot", "segment_idx")
    assert_array(ds["h_li"].values[0, 0], rows, "h_li")


@pytest.mark.parametrize("opener", OPENERS)
def test_suggestion_names_the_rate(written, opener):
    with pytest.raises(GroupNotFoundError, match=r"'land_ice_segment'\. Did you mean 'land_ice_se"):
        opener(written[0], engine="icesat2", group="land_ice_segment")
    with pytest.raises(GroupNotFoundError, match="Did you mean 'orbit_info'"):
        opener(written[0], engine="icesat2", group="orbitinfo")


# --- pairs and profiles ---


def repeats(folder, pairs):
    path = write_tiny(
        folder / "ATL11_078805_0304_006_02.h5",
        {
            f"pt{pair}/{name}": np.arange(rows) + 10.0 * pair
            for pair, rows in pairs.items()
            for name in ("ref_pt", "latitude", "longitude")
        },
        product="ATL11",
    )
    with h5py.File(path, "a") as file:
        for pair in pairs:
            group = file[f"pt{pair}"]
            group["ref_pt"].make_scale("ref_pt")
            for name in ("latitude", "longitude"):
                group[name].dims[0].attach_scale(group["ref_pt"])
    return path


@pytest.mark.parametrize("layout", ["spot", "flat"])
@pytest.mark.parametrize(
    ("beams", "numbers"),
    [(["pt1"], [1]), ("pt3", [3]), (["pt3", "pt1"], [1, 3]), (None, [1, 2, 3])],
)
def test_pairs_are_selected_by_group(tmp_path, beams, numbers, layout):
    rows = {1: 2, 2: 4, 3: 3}
    path = repeats(tmp_path, rows)
    ds = xr.open_dataset(path, engine="icesat2", beams=beams, layout=layout)
    if layout == "spot":
        assert ds["pair_track"].values.tolist() == numbers
        assert ds["n_obs"].values.tolist() == [[rows[number] for number in numbers]]
    else:
        expected = np.concatenate([np.arange(rows[n]) + 10.0 * n for n in numbers])
        assert_array(ds["latitude"].values, expected, "latitude")
    tree = xr.open_datatree(path, engine="icesat2", beams=beams, layout=layout)
    assert tree["ref_pt"].to_dataset(inherit=False).sizes == ds.sizes


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"beams": ["gt1l"]}, ["'gt1l'", "pt1, pt2, pt3"]),
        ({"beams": ["pt1", "gt1l"]}, ["'gt1l'", "pt1, pt2, pt3"]),
        ({"spots": "strong"}, ["spots='strong'", "pt1, pt2, pt3", "beams=['pt1']"]),
        ({"spots": [1]}, ["spots=[1]", "instead of spots"]),
        ({"beams": "pt2"}, ["none of the selected pair_tracks", "1 (pt1)"]),
    ],
    ids=str,
)
def test_missing_pairs_are_an_error(tmp_path, opener, keywords, says):
    path = repeats(tmp_path, {1: 2, 3: 1})
    said = refused(path, opener, **keywords)
    assert str(path) in said
    assert all(part in said for part in says), said


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("beams", [["pt9"], ["pt1", "pt9"], [], 1, [1]], ids=str)
def test_beams_that_no_granule_has_are_an_error(opener, beams):
    said = refused("nope.h5", opener, beams=beams)
    assert f"beams={beams!r}" in said
    assert "pt1, pt2, pt3" in said


def test_profiles_are_selected_by_group(tmp_path):
    path = write_tiny(
        tmp_path / "ATL09_20181117090604_07600101_006_02.h5",
        {
            f"profile_{n}/high_rate/{name}": np.arange(n)
            for n in (1, 2, 3)
            for name in ("delta_time", "h")
        },
        product="ATL09",
    )
    ds = xr.open_dataset(path, engine="icesat2", beams=["profile_2"])
    assert ds["profile"].values.tolist() == [2]
    assert "profile_1, profile_2, profile_3" in refused(path, xr.open_dataset, beams="pt1")


def test_error_for_a_group_without_variables_lists_groups_that_have_some(written):
    for keywords in ({"group": "gt1l"}, {"group": "gt1l", "layout": "file"}):
        with pytest.raises(GroupNotFoundError) as caught:
            xr.open_dataset(written[0], engine="icesat2", **keywords)
        for piece in ("group 'gt1l' has no variables itself", f"'gt1l/{MAIN}'", "open_datatree"):
            assert piece in str(caught.value)
    with pytest.raises(GroupNotFoundError, match="the root group has no variables itself"):
        xr.open_dataset(written[0], engine="icesat2", layout="file")
    # A list is no other matter, nor is leaving out existing files.
    with pytest.raises(GroupNotFoundError, match="group 'gt1l' has no"):
        xr.open_dataset(list(written), engine="icesat2", group="gt1l")
    nothing = {"group": "orbit_info", "drop_variables": "*"}
    with pytest.raises(SelectionError):
        xr.open_dataset(written[0], engine="icesat2", layout="file", **nothing)
    # Attributes may be all that is wanted: of the root if it is named, and of a group at the end.
    assert xr.open_dataset(written[0], engine="icesat2", layout="file", group="/").attrs
    record = xr.open_dataset(written[0], engine="icesat2", group="METADATA/DatasetIdentification")
    assert record.attrs["shortName"] == "ATL06"


def test_error_for_a_gridded_product_lists_its_groups(tmp_path):
    path = write_tiny(
        tmp_path / "ATL15_GL_0318_10km_003_01.nc",
        {"delta_h/x": np.arange(3.0), "dhdt_lag1/x": np.arange(3.0)},
        product="ATL15",
    )
    with pytest.raises(GroupNotFoundError, match="have variables: 'delta_h', 'dhdt_lag1'"):
        xr.open_dataset(path, engine="icesat2")
    with h5py.File(path, "a") as file:
        file["height"] = np.arange(2.0)
    assert set(xr.open_dataset(path, engine="icesat2").data_vars) == {"height"}


def test_group_without_any_content_is_an_error(tmp_path):
    path = write_tiny(tmp_path / "ATL15_GL_0318_10km_003_01.nc", {"delta_h/x": [1.0]})
    with h5py.File(path, "a") as file:
        file.create_group("bare")
        file.create_dataset("odd/lists", (2,), h5py.vlen_dtype("i4"))
    with pytest.raises(
        GroupNotFoundError, match="'bare' has no variables, nor does any of its subgroups"
    ):
        xr.open_dataset(path, engine="icesat2", group="bare")
    with pytest.raises(GroupNotFoundError, match=r"Not supported: /odd/lists \(.*variable length"):
        xr.open_dataset(path, engine="icesat2", group="odd")


@pytest.mark.parametrize("below", ["scale", "scalar", "matrix", "bare"])
def test_variable_of_the_group_hides_that_of_its_parent(tmp_path, below):
    path = tmp_path / "namesakes.nc"
    with h5py.File(path, "w") as file:
        for group, first in ((file, 0), (file.create_group("a/b"), 10)):
            own = {"scalar": first, "matrix": np.full((2, 2), first)}
            values = np.arange(3) + first
            lat = group.create_dataset("lat", data=own.get(below, values) if first else values)
            if not first or below in ("scale", "bare"):
                bare = first and below == "bare"
                marker = "This is a netCDF dimension but not a netCDF variable.         3"
                lat.make_scale(marker if bare else "lat")
                group["v"] = values
                group["v"].dims[0].attach_scale(lat)
        file["a/w"] = np.arange(3)
        file["a/w"].dims[0].attach_scale(file["lat"])
    tree = xr.open_datatree(path, engine="icesat2", layout="file")
    assert tree["lat"].values.tolist() == [0, 1, 2]
    assert tree["v"].dims == tree["lat"].dims == tree["a/w"].dims
    assert "lat" in tree.coords
    with h5py.File(path) as file:
        if below == "bare":
            assert "lat" not in tree["a/b"].variables
        else:
            np.testing.assert_array_equal(tree["a/b/lat"].values, file["a/b/lat"][()])
        if "v" in file["a/b"]:
            np.testing.assert_array_equal(tree["a/b/v"].values, file["a/b/v"][()])


@pytest.mark.parametrize("length", [3, 4])
@pytest.mark.parametrize("shared", [False, True])
def test_scale_of_a_sibling_group_is_not_inherited(tmp_path, length, shared):
    path = tmp_path / "siblings.h5"
    with h5py.File(path, "w") as file:
        file["a/x"], file["x"] = np.array([10.0, 20, 30]), np.arange(float(length))
        file["b/v"] = np.arange(3)
        for name in ("a/x", "x"):
            file[name].make_scale("x")
        file["b/v"].dims[0].attach_scale(file["a/x"])
        if shared:  # by the neighbours of the other scale
            file["v"] = np.arange(3)
            file["v"].dims[0].attach_scale(file["a/x"])
    opened = {"engine": "icesat2", "layout": "file"}
    tree = xr.open_datatree(path, **opened)
    alone = xr.open_dataset(path, group="b", **opened)
    for group in (tree["b"].to_dataset(), xr.open_groups(path, **opened)["/b"], alone):
        assert group["v"].values.tolist() == [0, 1, 2]
        assert "x" not in group.coords
    assert tree["a/x"].values.tolist() == [10, 20, 30]
    assert tree["x"].values.tolist() == list(range(length))


def test_scalar_scale_names_no_dimension(tmp_path):
    path = tmp_path / "scalar.h5"
    with h5py.File(path, "w") as file:
        file["one"] = 5
        file["one"].attrs["CLASS"] = np.bytes_("DIMENSION_SCALE")
        file["along"] = np.arange(3)
        reference = np.array([file["one"].ref], h5py.ref_dtype)
        lists = np.empty(1, object)
        lists[0] = reference
        kind = h5py.vlen_dtype(h5py.ref_dtype)
        file["along"].attrs.create("DIMENSION_LIST", lists, dtype=kind)
    tree = xr.open_datatree(path, engine="icesat2", layout="file")
    assert tree["one"].item() == 5
    assert tree["along"].values.tolist() == [0, 1, 2]
    assert tree["along"].dims == ("one_3",)
