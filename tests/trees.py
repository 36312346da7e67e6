"""Trees of real full-size granules, as ``ncdump -h``, DAP4 XML or a list of paths has them."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tests.paths import STRUCTURE

TREES = sorted(STRUCTURE.glob("ATL*")) if STRUCTURE.is_dir() else []
NCDUMPS = [path for path in TREES if ".ncdump-h." in path.name]

needs_trees = pytest.mark.skipif(
    not TREES, reason="the trees of real granules are not here (../shared/structure)"
)

DTYPES = {
    "byte": "i1", "ubyte": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "int64": "i8", "uint64": "u8", "float": "f4", "double": "f8", "char": "S80", "string": "S80",
}  # fmt: skip
FACTS = ("_FillValue", "units", "standard_name", "flag_values", "coordinates")


@dataclass
class Dataset:
    """One dataset of a tree."""

    dtype: np.dtype
    dims: tuple[str, ...]
    """Absolute paths of its dimensions."""
    attrs: dict[str, object] = field(default_factory=dict)


@dataclass
class Tree:
    """All datasets by path, and the sizes of dimensions; None: unlimited."""

    datasets: dict[str, Dataset] = field(default_factory=dict)
    sizes: dict[str, int | None] = field(default_factory=dict)


def product_of(path: Path) -> str:
    return path.name[:5]


@cache
def paths_of(path: Path) -> frozenset[str]:
    """Absolute paths of all datasets of a tree."""
    if path.suffix == ".txt":
        return frozenset(f"/{line}" for line in path.read_text().split())
    if ".ncdump-h." in path.name:
        return frozenset(ncdump(path).datasets)
    with gzip.open(path) as packed:
        root = ET.fromstring(packed.read())  # noqa: S314 - from a trusted place
    return frozenset(_dap(root, ""))


def _dap(element: ET.Element, above: str) -> Iterator[str]:
    for child in element:
        kind = child.tag.rpartition("}")[2]
        path = f"{above}/{child.get('name')}"
        if kind == "Group":
            yield from _dap(child, path)
        elif re.fullmatch(r"U?Int\d+|Float\d+|String|Char|Byte", kind):
            yield path


@cache
def ncdump(path: Path) -> Tree:
    """Read the header of a netCDF file, as far as datasets go."""
    tree, groups, current = Tree(), [""], ""
    with gzip.open(path, "rt") as lines:
        for line in map(str.strip, lines):
            if found := re.match(r"group: (\S+) \{", line):
                groups.append(f"{groups[-1]}/{found[1]}")
            elif line.startswith("} // group"):
                groups.pop()
            elif found := re.match(r"(\w+) = (\d+|UNLIMITED) ;", line):
                size = None if found[2] == "UNLIMITED" else int(found[2])
                tree.sizes[f"{groups[-1]}/{found[1]}"] = size
            elif found := re.match(r"(\w+) ([\w-]+)\((.*)\) ;$", line):
                current = f"{groups[-1]}/{found[2]}"
                dims = tuple(_dimension(tree, groups[-1], d) for d in found[3].split(", "))
                dims = dims[:-1] if found[1] == "char" else dims
                tree.datasets[current] = Dataset(np.dtype(DTYPES[found[1]]), dims)
            elif (found := re.match(r"[\w-]+:(\w+) = (.*) ;$", line)) and found[1] in FACTS:
                tree.datasets[current].attrs[found[1]] = _value(found[2], tree.datasets[current])
    return tree


def _dimension(tree: Tree, group: str, name: str) -> str:
    while f"{group}/{name}" not in tree.sizes:
        group = group.rpartition("/")[0]
    return f"{group}/{name}"


def _value(text: str, dataset: Dataset) -> object:
    if text.startswith('"'):
        return text.strip('"')
    numbers = [number.strip().rstrip("bBsSfFuUL") for number in text.split(",")]
    if dataset.dtype.kind == "f":
        limits = np.finfo(dataset.dtype)
        # ncdump rounds: the greatest number would come out as infinity, or another one.
        values = [min(float(number), limits.max) for number in numbers]
        near = [limits.max if np.isclose(v / limits.max, 1) else v for v in map(float, values)]
        array = np.array(near, dataset.dtype)
    else:
        array = np.array([int(number) for number in numbers], dataset.dtype)
    return array[0] if len(array) == 1 else array
