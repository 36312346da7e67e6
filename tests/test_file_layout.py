"""``layout="file"`` has every dataset and attribute of a file, as h5py reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import pytest
import xarray as xr

from tests.comparison import assert_array, assert_attributes
from tests.oracle import attributes, scale_names, values, walk
from tests.paths import ALL_GRANULES, GRANULES, needs_granules
from tests.written_granules import written_granules

each_file = pytest.mark.parametrize("path", ALL_GRANULES, ids=lambda path: path.name[:45])
# xr.open_groups passes decode_cf=False on to no backend.
UNDECODED: Mapping[str, Any] = dict.fromkeys(
    ("mask_and_scale", "decode_times", "decode_coords", "concat_characters"), False
)
WITH_BEAMS = GRANULES / "ATL06_20181014001049_02350102_003_01.h5"


def check_tree(path: Path) -> None:
    # A node of a tree of xarray lacks the coordinates that it shares with the group around it.
    nodes = xr.open_groups(path, engine="icesat2", layout="file", **UNDECODED)
    groups: set[str] = set()
    datasets: dict[str, set[str]] = {}
    for name, obj in walk(path):
        if isinstance(obj, h5py.Group):
            groups.add(name)
            assert name in nodes, f"no node for group {name}"
            assert_attributes(nodes[name].attrs, attributes(obj), name)
        else:
            group, _, short = name.rpartition("/")
            datasets.setdefault(group or "/", set()).add(short)
            check_variable(nodes[group or "/"], short, obj)
    assert set(nodes) == groups
    for group in groups:
        assert set(nodes[group].variables) == datasets.get(group, set()), group


def check_variable(node: xr.Dataset, short: str, dataset: h5py.Dataset) -> None:
    assert short in node.variables, f"no variable for {dataset.name}"
    variable = node.variables[short]
    assert_array(variable.values, values(dataset), dataset.name)
    attrs = attributes(dataset)
    if attrs or not variable.attrs:
        assert_attributes(variable.attrs, attrs, dataset.name)
    else:
        # What lost all attributes has some of the specification: tests/test_undeclared_fill.py.
        assert set(variable.attrs) <= {"units", "_FillValue"}, dataset.name
    for dim, scale in zip(variable.dims, scale_names(dataset), strict=True):
        assert scale in (None, dim), f"{dataset.name}: dimension {dim}, not {scale}"


@needs_granules
@each_file
def test_real_files_equal_h5py(path):
    check_tree(path)


@pytest.mark.parametrize("name", ["all beams", "empty beams"])
def test_written_granules_equal_h5py(name, tmp_path_factory):
    check_tree(written_granules(tmp_path_factory)[name])


@needs_granules
def test_groups_are_tree_nodes():
    tree = xr.open_datatree(WITH_BEAMS, engine="icesat2", layout="file")
    groups = xr.open_groups(WITH_BEAMS, engine="icesat2", layout="file")
    assert set(groups) == {node.path for node in tree.subtree}
    for name in ("/", "/gt1l/land_ice_segments", "/ancillary_data"):
        xr.testing.assert_identical(groups[name], tree[name].to_dataset(inherit=False))


@needs_granules
@pytest.mark.parametrize("group", ["gt1l/residual_histogram", "/orbit_info"])
def test_single_group_opens(group):
    alone = xr.open_dataset(
        WITH_BEAMS, engine="icesat2", layout="file", group=group, decode_cf=False
    )
    with h5py.File(WITH_BEAMS) as file:
        stored = {name for name, obj in file[group].items() if isinstance(obj, h5py.Dataset)}
        assert set(alone.variables) == stored
        for name in stored:
            check_variable(alone, name, file[group][name])
        assert_attributes(alone.attrs, attributes(file[group]), group)


@needs_granules
def test_selections_equal_numpy_indexing():
    with h5py.File(WITH_BEAMS) as file:
        expected = file["gt1l/residual_histogram/count"][5:60:7, 100:200]
    ds = xr.open_dataset(
        WITH_BEAMS,
        engine="icesat2",
        layout="file",
        group="gt1l/residual_histogram",
        decode_cf=False,
    )
    assert_array(ds["count"][5:60:7, 100:200].values, expected, "count")
