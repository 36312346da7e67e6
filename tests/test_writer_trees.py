"""Tables of products and their trees, compared with trees of real granules."""

import posixpath
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.granule_trees import Node, Tree, real_tree, tree_of_file
from tests.paths import structure_file
from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.products.variable_table import Releases, known_tables, load_table, parse_table
from xr_icesat2.testing import write_granule
from xr_icesat2.testing.attributes import pad_text
from xr_icesat2.testing.product_tree import build_tree
from xr_icesat2.testing.tree_model import ProductTree

WHOLE = (
    ("ATL03", "003", "ATL03_20200714235814_03000802_003_01.dmr.gz", 962),
    ("ATL06", "006", "ATL06_20250302230840_11732614_006_01.dmr.gz", 594),
    ("ATL08", "003", "ATL08_20200716202251_03280806_003_01.h5.dmrpp.gz", 600),
    ("ATL13", "002", "ATL13_20190330212241_00250301_002_01.ncdump-h.txt.gz", 307),
)
"""Trees with all beams."""
PARTS = (
    ("ATL03", "003", "ATL03_20181014084920_02400109_003_01.ncdump-h.txt.gz"),
    ("ATL03", "006", "ATL03_gt1l.h5"),
    ("ATL06", "003", "ATL06_20181014001049_02350102_003_01.h5"),
    ("ATL08", "003", "ATL08_20181014084920_02400109_003_01.ncdump-h.txt.gz"),
    ("ATL08", "004", "processed_ATL08_20200821122613_08730802_004_01.h5"),
)
"""Trees that lack something: beams, surface types, what a subset leaves out."""
OWN = {"description", "long_name"}
"""Texts of ours, or names of ours where the product's are sentences."""
VARYING = {"/ancillary_data/land/atl08_region", "/ancillary_data/tep/ds_gt"}
"""As long as there are regions; of fixed length without a scale, or a scale."""
REMOVED = "removed date-time"
"""What stands in some of the files in the place of dates."""
SLIPS = {
    # Release 003 of ATL06 has two blanks in some places; those of 006 are kept.
    ("ATL06", "003", "coordinates"),
    ("ATL06", "003", "source"),
    # Texts that later releases have changed in passing.
    ("ATL03", "006", "source"),
    ("ATL03", "006", "contentType"),
    ("ATL08", "004", "source"),
}
"""Attributes whose small changes between releases the tables do not follow."""


def written_tree(product: ProductTree) -> Tree:
    """Datasets and groups of a granule with all beams, by path."""
    tree: Tree = {"/": Node(dict(product.attributes))}
    groups = [(f"/{group.path}", group.attributes, group.variables) for group in product.groups]
    groups += [(f"/{beam}", product.beam, ()) for beam in BEAMS]
    groups += [
        (
            posixpath.join("/", rate.path.format(beam=beam), group.path),
            group.attributes,
            group.variables,
        )
        for beam in BEAMS
        for rate in product.rates
        for group in rate.groups
    ]
    scales = {
        posixpath.join(path, variable.name)
        for path, _, variables in groups
        for variable in variables
        if variable.is_scale
    }
    for path, attributes, variables in groups:
        node = tree.setdefault(path.rstrip("/") or "/", Node())
        node.attrs |= attributes
        for variable in variables:
            tree[posixpath.join(path, variable.name)] = Node(
                variable.attributes(),
                variable.dtype,
                [_scale(path, dim, scales) for dim in variable.dims],
            )
    return tree


def _scale(group: str, dim: str | int, scales: set[str]) -> str | int:
    if isinstance(dim, int):
        return dim
    while posixpath.join(group, dim) not in scales:
        assert group.strip("/"), dim
        group = posixpath.dirname(group)
    return posixpath.join(group, dim)


def assert_node(product: str, release: str, path: str, got: Node, real: Node) -> None:
    assert got.dtype == real.dtype or (real.dtype == "S" and got.dtype[0] == "S"), path
    if not real.dtype:
        assert got.attrs.keys() >= real.attrs.keys(), path
        return
    if path not in VARYING:
        assert len(got.dims) == len(real.dims), path
        # Subsets lose scales at the root.
        pairs = zip(got.dims, real.dims, strict=True)
        assert all(mine in (theirs, "/ds_surf_type", "/ds_xyz") for mine, theirs in pairs), path
    slips = {
        name for name in real.attrs.keys() | got.attrs.keys() if (product, release, name) in SLIPS
    }
    assert got.attrs.keys() - slips == real.attrs.keys() - slips, path
    for name in real.attrs.keys() - OWN - slips:
        mine, theirs = got.attrs[name], real.attrs[name]
        if isinstance(theirs, str):
            if REMOVED in theirs:
                continue
            assert mine == theirs, f"{path}@{name}"
        else:
            assert np.asarray(mine).dtype == np.asarray(theirs).dtype, f"{path}@{name}"
            # ncdump writes seven digits.
            np.testing.assert_allclose(
                np.ravel(mine), np.ravel(theirs), 2e-7, err_msg=f"{path}@{name}"
            )


@pytest.mark.parametrize(("product", "release", "name", "count"), WHOLE)
def test_trees_equal_those_of_real_granules(product, release, name, count):
    real = real_tree(name)
    got = written_tree(build_tree(product, release))
    assert got.keys() == real.keys()
    assert sum(bool(node.dtype) for node in real.values()) == count
    for path, node in real.items():
        assert got[path].dims == node.dims, path
        assert got[path].attrs.keys() == node.attrs.keys(), path
        assert_node(product, release, path, got[path], node)


@pytest.mark.parametrize(("product", "release", "name"), PARTS)
def test_trees_contain_the_objects_of_real_granules(product, release, name):
    real = real_tree(name)
    got = written_tree(build_tree(product, release))
    compared = 0
    for path, node in real.items():
        if node.dtype:
            compared += 1
            assert_node(product, release, path, got[path], node)
        elif path in got and path != "/" and not path.startswith("/METADATA"):
            assert_node(product, release, path, got[path], node)
    assert compared > 60


@pytest.mark.parametrize(("product", "release", "name", "count"), WHOLE)
def test_written_files_have_those_trees(product, release, name, count, tmp_path):
    beams = ("gt1l", "gt3r")
    lacking = [f"/{beam}" for beam in BEAMS if beam not in beams]
    real = {
        path: node
        for path, node in real_tree(name).items()
        if not any(beam in path for beam in lacking)
    }
    file = write_granule(tmp_path, product, release=release, n_segments=20, beams=beams)
    got = tree_of_file(file)
    assert got.keys() == real.keys()
    for path, node in real.items():
        assert got[path].dims == node.dims, path
        assert got[path].attrs.keys() == node.attrs.keys(), path
        assert_node(product, release, path, got[path], node)


@pytest.mark.parametrize(("product", "release", "name", "count"), WHOLE)
def test_texts_are_original_and_as_long_as_in_products(product, release, name, count):
    real = real_tree(name)
    got = written_tree(build_tree(product, release))
    for path, node in real.items():
        theirs = str(node.attrs.get("description", ""))
        if node.dtype and len(theirs) > 60:
            mine = str(got[path].attrs["description"])
            assert len(mine) == pytest.approx(len(theirs), abs=30), path
            assert mine[:40].lower() != theirs[:40].lower(), path
    weights = [
        sum(len(str(value)) for node in tree.values() for value in node.attrs.values())
        for tree in (got, real)
    ]
    assert weights[0] == pytest.approx(weights[1], rel=0.1)


def test_releases_differ_as_specified():
    def paths(product: str, release: str) -> set[str]:
        return {
            variable.path.removeprefix("{beam}/")
            for variable in load_table(product).at(release).variables
        }

    canopy = "land_segments/canopy"
    assert paths("ATL08", "003") - paths("ATL08", "006") == {
        f"{canopy}/canopy_flag", f"{canopy}/landsat_flag", f"{canopy}/landsat_perc",
    }  # fmt: skip
    assert f"{canopy}/segment_cover" in paths("ATL08", "005")
    assert paths("ATL03", "007") - paths("ATL03", "006") == {"heights/signal_class_ph"}
    assert "residual_histogram/dh" in paths("ATL06", "002") - paths("ATL06", "003")
    assert paths("ATL13", "002") - paths("ATL13", "006") == {"cycle"}


def test_variables_of_a_release_are_listed():
    listed = structure_file("ATL08_006_variables.txt").read_text().split()
    got = written_tree(build_tree("ATL08", "006"))
    assert {f"/{path}" for path in listed} == {p for p, node in got.items() if node.dtype}


@pytest.mark.parametrize("product", sorted(known_tables()))
def test_every_release_has_its_own_tree(product):
    table = load_table(product)
    for release in ("001", "002", "003", "004", "005", "006", "007"):
        paths = [variable.path for variable in table.at(release).variables]
        assert len(paths) == len(set(paths)), "a path stands twice"
        build_tree(product, release)
    for variable in table.variables:
        dtype = np.dtype(variable.dtype)
        limits = [limit for limit in (*variable.valid, variable.fill) if limit is not None]
        for number in (*limits, *(value for _, value in variable.flags)):
            assert dtype.type(number) == number or dtype.kind == "f", variable.path
        assert variable.description, variable.path
        assert variable.long_name, variable.path


def test_missing_beams_are_omitted():
    tree = build_tree("ATL03", "003", ("gt2l",))
    beams = {match for group in tree.groups for match in re.findall(r"gt\d[lr]", group.path)}
    assert beams == {"gt2l"}


@given(st.text("abc ", max_size=300), st.integers(0, 1000))
def test_texts_are_lengthened(text, length):
    longer = pad_text(text, length)
    assert longer.startswith(text)
    assert len(longer) == max(len(text), length)


RELEASES = st.integers(1, 999).map("{:03d}".format)


@given(RELEASES, RELEASES, RELEASES, st.booleans())
def test_release_spans_parse(first, last, release, sure):
    span = Releases(first, last, sure)
    table = parse_table(
        "# product: ATL99\n# title: A title\n# source: none\npath\treleases\tdtype\tdims\n"
        f"/\nx\t{span}\tf4\t3\n"
    )
    (variable,) = table.variables
    assert variable.releases == span
    assert (release in span) == (int(first) <= int(release) <= int(last))
    assert len(table.at(release).variables) == (release in span)


def test_invalid_table_rows_are_refused():
    head = "# product: ATL99\n# title: A title\n# source: none\npath\tdtype\tdims\n"
    with pytest.raises(ValueError, match="a/b: expected below the row of its group"):
        parse_table(f"{head}/\na/b\tf4\t3\n")
    with pytest.raises(ValueError, match="4 cells"):
        parse_table(f"{head}/\nx\tf4\t3\t4\n")
