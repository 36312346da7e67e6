"""Trees of all products have every dataset of a file exactly once."""

import re
from functools import cache, partial
from pathlib import Path

import h5py
import pytest
import xarray as xr

from tests.expected_rates import RATES
from tests.granule_trees import real_tree
from tests.oracle import walk
from tests.oracle_rates import PAIRS, all_parts
from tests.paths import ALL_GRANULES, STRUCTURE, structure_file
from tests.test_rate_values import LACKING, UNPLACED, product_in
from xr_icesat2 import products
from xr_icesat2.products.link_types import KeyLink, SpanLink
from xr_icesat2.testing import write_granule

REAL = [p for p in ALL_GRANULES if p.name not in UNPLACED and "ATL06" not in p.name]
BEAM = re.compile(r"/(gt[123][lr]|pt[123]|profile_[123])/(.*)")
STRUCTURES = sorted(path.name for path in STRUCTURE.glob("ATL*")) if STRUCTURE.is_dir() else []
COMPLETE = [product for product, spec in products.items() if spec.completeness == "complete"]


@cache
def paths_below_beams(product: str) -> frozenset[str]:
    """Paths of all datasets below the beams in the real trees of a product."""
    trees = [tree for tree in STRUCTURES if tree[:5] == product]
    found = (BEAM.fullmatch(path) for tree in trees for path in paths_of(tree))
    return frozenset(match[2] for match in found if match)


def paths_of(name: str) -> set[str]:
    """Paths of all datasets of a real tree; of ATL08 006 they are at hand as a list."""
    if name.endswith(".txt"):
        return {f"/{line}" for line in structure_file(name).read_text().split()}
    return {path for path, node in real_tree(name).items() if node.dtype}


@pytest.mark.parametrize("tree", STRUCTURES)
def test_every_path_belongs_to_one_rate_or_the_file(tree):
    spec = products[tree[:5]]
    below = {m[2] for path in paths_of(tree) if (m := BEAM.fullmatch(path))}
    assert len(below) > 30
    for path in below:
        owners = [rate for rate in spec.rates if path.rpartition("/")[0] in rate.groups]
        assert len(owners) == 1, path


@pytest.mark.skipif(not STRUCTURES, reason="the trees of real granules are not here")
@pytest.mark.parametrize("product", COMPLETE)
def test_specified_names_exist_in_the_product(product):
    """Names in a complete specification are spelt as in some real tree."""
    known = paths_below_beams(product)
    names = {path.rpartition("/")[2] for path in known}
    groups = {path.rpartition("/")[0] for path in known}
    newer = {"dh", "anom_ssegs", "segment_quality"}  # not in these trees
    for rate in products[product].rates:
        assert rate.group in groups | newer or rate.group.startswith("signal_find_output")
        assert {g for g in rate.groups if g not in groups | newer} <= {rate.group}
        if rate.group in groups:
            assert {*rate.coordinates, *rate.dims, *rate.ignore_fill} <= names | newer


LINKS = [
    pytest.param(product, link, id=f"{product}-{type(link).__name__}-{link.many}")
    for product in COMPLETE
    for link in products[product].links
]
# Fields that name rates and variables of the product itself; the others name the other product's.
OF_OWN_PRODUCT = {
    KeyLink: ("many", "key", "position", "many_time"),
    SpanLink: ("one", "key", "one_time"),
}
RATE_FIELDS = ("many", "one", "to", "run")
VARIABLE_FIELDS = (
    "first", "count", "many_time", "one_time", "key", "position",
    "run_key", "run_length", "run_time", "many_past", "to_time",
)  # fmt: skip


@pytest.mark.skipif(not STRUCTURES, reason="the trees of real granules are not here")
@pytest.mark.parametrize(("product", "link"), LINKS)
def test_links_name_existing_rates_and_variables(product, link):
    def owner(field: str) -> str:
        own = OF_OWN_PRODUCT.get(type(link), (field,))
        return product if field in own else link.product

    for field in filter(partial(hasattr, link), RATE_FIELDS):
        rates = products[owner(field)].rates
        assert getattr(link, field) in [rate.group for rate in rates], field
    for field in filter(partial(hasattr, link), VARIABLE_FIELDS):
        assert getattr(link, field) in paths_below_beams(owner(field)), field


def in_tree(tree: xr.DataTree) -> set[str]:
    """Paths in the file of the first part of every variable, by what the tree says of them."""
    found = set()
    for node in tree.subtree:
        for name, source in node.icesat2.source_encoding.items():
            if name in node.to_dataset(inherit=False).variables:
                found.add(source["path"])
    return found


def check_tree(path: Path, product: str, layout: str) -> None:
    tree = xr.open_datatree(path, engine="icesat2", layout=layout)
    first_beams: dict[str, list[str]] = {}
    outside = set()
    for name, obj in walk(path):
        if not isinstance(obj, h5py.Dataset):
            continue
        found = BEAM.fullmatch(name)
        if found:
            first_beams.setdefault(found[2], []).append(name)
        else:
            outside.add(name)
    stored = in_tree(tree)
    assert stored & outside == outside
    merged = stored - outside
    # Of each path below the beams one part is named; no path is missing, none is there twice.
    below = [BEAM.fullmatch(name)[2] for name in merged]
    assert set(below) == set(first_beams)
    assert len(below) == len(set(below))
    for rate in RATES[product]:
        parts = all_parts([path], rate)
        if not parts:
            continue
        nodes = [n for n in tree.subtree if rate.dim in n.to_dataset(inherit=False).dims]
        assert nodes
        rows = max(part.n_obs for part in parts) if layout == "spot" else 0
        rows = rows or sum(part.n_obs for part in parts)
        assert nodes[0].sizes[rate.dim] == rows
        for node in nodes:
            assert {*rate.coordinates} & set(parts[0].variables) <= set(node.coords)
            assert "gt" in node.coords or parts[0].gt in PAIRS


@pytest.mark.parametrize("layout", ["spot", "flat"])
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name[:26])
def test_every_dataset_of_a_real_granule_is_in_its_tree(path, layout):
    check_tree(path, product_in(path), layout)


@pytest.mark.parametrize("product", LACKING)
def test_every_dataset_of_a_whole_tree_is_in_its_tree(tmp_path, product):
    path = write_granule(tmp_path, product=product, release="007", n_segments=5)
    for layout in ("spot", "flat"):
        check_tree(path, product, layout)
