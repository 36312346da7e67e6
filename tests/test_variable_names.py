"""Names in ``variables`` and ``drop_variables``, and suggestions for misspelled ones."""

import re

import h5py
import pytest
import xarray as xr

from tests.tiny import write_tiny
from tests.written_granules import GRANULE_NAMES, written_granules
from xr_icesat2.assembly.variable_patterns import matches
from xr_icesat2.errors import SelectionError
from xr_icesat2.products.variable_table import known_tables, load_table

MAIN = "land_ice_segments"
BEAMS = {"gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return written_granules(tmp_path_factory)[GRANULE_NAMES[0]]


@pytest.fixture(scope="module")
def datasets(path) -> set[str]:
    """Paths of all datasets, of those in beams once and without the beam."""
    found = set()

    def note(name, obj):
        first, _, below = name.partition("/")
        if isinstance(obj, h5py.Dataset):
            found.add(below if first in BEAMS else name)

    with h5py.File(path) as file:
        file.visititems(note)
    return found


def stored(tree: xr.DataTree) -> set[str]:
    """Paths of what a tree has of the file, of rates below the beam."""
    sources = [
        source["path"].strip("/")
        for node in tree.subtree
        for source in node.encoding.get("icesat2", {}).values()
    ]
    return {s.partition("/")[2] if s.partition("/")[0] in BEAMS else s for s in sources}


def inside(path: str, group: str) -> bool:
    return f"/{group}/" in f"/{path}"


GROUPS = [
    "fit_statistics",
    f"{MAIN}/fit_statistics",
    "residual_histogram",
    "segment_quality",
    MAIN,
    "METADATA",
    "orbit_info",
    "quality_assessment/gt1l",
]


@pytest.mark.parametrize("layout", ["spot", "flat"])
@pytest.mark.parametrize("group", GROUPS)
def test_group_name_drops_its_variables(path, datasets, group, layout):
    tree = xr.open_datatree(path, engine="icesat2", layout=layout, drop_variables=group)
    assert stored(tree) == {name for name in datasets if not inside(name, group)}
    assert not [node for node in tree.groups if inside(f"{node}/", group)]


@pytest.mark.parametrize("group", GROUPS)
def test_group_name_selects_its_variables(path, datasets, group):
    asked = {name for name in datasets if inside(name, group)}
    if not asked:
        return
    tree = xr.open_datatree(path, engine="icesat2", variables=group)
    # Coordinates stay, of the rates of which there is anything.
    coordinates = {f"{MAIN}/{name}" for name in ("delta_time", "latitude", "longitude")}
    coordinates |= {f"{rate}/delta_time" for rate in ("segment_quality", "residual_histogram")}
    assert asked <= stored(tree)
    assert stored(tree) - asked <= coordinates | {
        "residual_histogram/lat_mean", "residual_histogram/lon_mean",
        "segment_quality/reference_pt_lat", "segment_quality/reference_pt_lon",
    }  # fmt: skip


def test_dataset_of_a_group_has_its_variables(path, datasets):
    ds = xr.open_dataset(path, engine="icesat2", variables=["fit_statistics", "h_li"])
    expected = {name for name in datasets if inside(name, f"{MAIN}/fit_statistics")}
    assert set(ds.data_vars) == {name.rpartition("/")[2] for name in expected} | {"h_li"}
    ds = xr.open_dataset(path, engine="icesat2", drop_variables="fit_statistics")
    assert not {name.rpartition("/")[2] for name in expected} & set(ds.variables)
    assert {"h_li", "sigma_geo_h"} <= set(ds.data_vars)


def test_group_names_work_in_the_file_layout(path):
    open_tree = {"engine": "icesat2", "layout": "file"}
    tree = xr.open_datatree(path, drop_variables=["gt1l", "METADATA"], **open_tree)
    assert not [name for name in tree.groups if name.startswith(("/gt1l", "/METADATA"))]
    assert "/gt1r/residual_histogram" in tree.groups
    assert "/quality_assessment/gt1l" not in tree.groups
    tree = xr.open_datatree(path, variables="orbit_info/rgt", **open_tree)
    assert tree.groups == ("/", "/orbit_info")
    assert set(tree["orbit_info"].variables) == {"rgt"}


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ("h_li", {"/", f"/{MAIN}"}),
        ("h_mean", {"/", f"/{MAIN}", f"/{MAIN}/fit_statistics"}),
        ("count", {"/", "/residual_histogram"}),
        (["h_li", "sc_orient"], {"/", f"/{MAIN}", "/orbit_info"}),
    ],
)
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_tree_omits_groups_without_selected_variables(path, names, groups, layout):
    keywords = {"engine": "icesat2", "layout": layout, "variables": names}
    tree = xr.open_datatree(path, **keywords)
    assert set(tree.groups) == groups
    assert set(xr.open_groups(path, **keywords)) == groups
    whole = xr.open_datatree(path, engine="icesat2", layout=layout)
    assert all(tree[group].attrs == whole[group].attrs for group in groups)


def test_empty_parents_of_a_rate_are_omitted(tmp_path):
    rows = [1.0, 2.0, 3.0]
    path = write_tiny(
        tmp_path / "odd.h5",
        {f"gt1l/outer/{g}/{name}": rows for g in "ab" for name in ("delta_time", f"in_{g}")},
    )
    tree = xr.open_datatree(path, engine="icesat2", variables="in_a")
    assert tree.groups == ("/", "/outer", "/outer/a")


@pytest.mark.parametrize(
    ("path", "pattern", "meant"),
    [
        ("a/b/c", "c", True),
        ("a/b/c", "b", True),
        ("a/b/c", "a/b", True),
        ("/a/b/c", "a", True),
        ("a/b/c", "b/c", True),
        ("a/b/c", "b/*", True),
        ("a/b/c", "?", True),
        ("a/bb/c", "b", False),
        ("a/b/cc", "c", False),
        ("a/b/c", "a/c", False),
        ("a/b/c", "c/a", False),
        ("b", "b", True),
    ],
)
def test_patterns_match_names_and_paths(path, pattern, meant):
    assert matches(path, pattern) is meant


@pytest.mark.parametrize("product", sorted(known_tables()))
def test_group_names_of_beams_differ_from_variables(product):
    table = load_table(product)
    groups = {group.path for group in table.groups if group.path.startswith("{beam}/")}
    parts = {part for group in groups for part in group.split("/")[1:]}
    assert not parts & {v.name for v in table.variables if v.path.startswith("{beam}/")}


# --- what is none ---


def refused(path, opener="open_dataset", **keywords) -> str:
    with pytest.raises(SelectionError) as caught:
        getattr(xr, opener)(path, engine="icesat2", **keywords)
    return str(caught.value)


FILE = {"layout": "file", "group": f"gt1l/{MAIN}"}


@pytest.mark.parametrize(
    ("keywords", "meant"),
    [
        ({"variables": "h_lli"}, "h_li"),
        ({"variables": "H_LI"}, "h_li"),
        ({"variables": ["h_li", "fit_statistic"]}, "fit_statistics"),
        ({"variables": "fit_statistics/h_men"}, "fit_statistics/h_mean"),
        ({"variables": "h_lii", "opener": "open_datatree"}, "h_li"),
        ({"variables": "sc_orent", "opener": "open_datatree"}, "sc_orient"),
        ({"variables": "h_lii", "layout": "file", "opener": "open_datatree"}, "h_li"),
        ({"variables": "h_men", "group": MAIN, "opener": "open_datatree"}, "h_mean"),
        ({"variables": "h_lii", **FILE}, "h_li"),
    ],
    ids=str,
)
def test_misspelled_name_gets_a_suggestion(path, keywords, meant):
    said = refused(path, **keywords)
    assert f"Did you mean {meant!r}?" in said
    listed = said.partition("It contains: ")[2].split(", ")
    assert 0 < len(listed) <= 13
    assert "METADATA" not in said


def test_unsimilar_name_gets_no_suggestion(path):
    said = refused(path, variables="zzzzz")
    assert "Did you mean" not in said
    assert "h_li" in said
    assert re.search(r"and \d+ more$", said)


def test_error_names_the_rate_that_has_the_variable(path):
    assert "group='residual_histogram'" in refused(path, variables="count")


def test_error_names_subgroups_that_have_the_variable(path):
    said = refused(path, layout="file", variables="h_li")
    assert "'h_li' matches nothing in the root group" in said
    assert f"Its subgroups 'gt1l/{MAIN}', 'gt1r/{MAIN}'" in said
    assert "residual_histogram" not in said
    said = refused(path, layout="file", variables="zzzzz")
    assert "Its subgroups with variables: 'ancillary_data'," in said
    said = refused(path, layout="file", group=f"gt1l/{MAIN}", variables="h_mean")
    assert f"Its subgroups 'gt1l/{MAIN}/fit_statistics' have it" in said


@pytest.mark.parametrize("opener", ["open_dataset", "open_datatree"])
@pytest.mark.parametrize("keyword", ["variables", "drop_variables"])
def test_variable_paths_are_relative_to_the_beam(path, keyword, opener):
    said = refused(path, opener, **{keyword: f"gt1l/{MAIN}/h_li"})
    assert f"Write '{MAIN}/h_li'" in said
    assert "beams=" in said
    said = refused(path, opener, **{keyword: ["h_li", "gt1l"]})
    assert f"{keyword}: 'gt1l' begins with a beam" in said


@pytest.mark.parametrize(
    "keywords",
    [
        {"drop_variables": MAIN},
        {"drop_variables": MAIN, "group": MAIN},
        {"drop_variables": "gt1l", "group": f"gt1l/{MAIN}"},
        {"drop_variables": "*", "layout": "flat"},
    ],
    ids=str,
)
def test_group_both_selected_and_dropped_is_an_error(path, keywords):
    assert "drop_variables" in refused(path, **keywords)
