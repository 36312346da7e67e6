"""Trees of real granules, as ``../shared/structure`` and ``../shared/granules`` have them."""

import gzip
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import h5py
import numpy as np

from tests.paths import granule, structure_file

SCALES = {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"}
# What the servers that made the files in ../shared/structure have added.
OF_SERVERS = {"DODS_EXTRA.Unlimited_Dimension", "history_json"}


@dataclass
class Node:
    """A group, or a dataset: then with dtype and dimensions."""

    attrs: dict[str, object] = field(default_factory=dict)
    dtype: str = ""
    dims: list[str | int] = field(default_factory=list)
    """Paths of scales, or bare lengths."""


Tree = dict[str, Node]


def real_tree(name: str) -> Tree:
    """Tree of a real granule; skips the test where it is absent."""
    if name.endswith(".h5"):
        return tree_of_file(granule(name))
    text = gzip.decompress(structure_file(name).read_bytes()).decode()
    tree = _from_ncdump(text) if "ncdump" in name else dict(_from_dmr(ET.fromstring(text)))  # noqa: S314
    for node in tree.values():
        for extra in OF_SERVERS & node.attrs.keys():
            del node.attrs[extra]
    return tree


def tree_of_file(path: Path) -> Tree:
    """Tree of a file, by h5py."""
    with h5py.File(path) as file:
        return dict(_from_hdf5(file))


def _from_hdf5(file: h5py.File) -> Iterator[tuple[str, Node]]:
    found: dict[str, h5py.Group | h5py.Dataset] = {"/": file}
    file.visititems(lambda name, item: found.update({f"/{name}": item}))
    for path, item in found.items():
        attrs = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in item.attrs.items()
            if name not in SCALES
        }
        if isinstance(item, h5py.Group):
            yield path, Node(attrs)
            continue
        dims: list[str | int] = [
            dim[0].name if len(dim) else size
            for dim, size in zip(item.dims, item.shape, strict=True)
        ]
        yield path, Node(attrs, item.dtype.str[1:], [path] if item.is_scale else dims)


DAP = "{http://xml.opendap.org/ns/DAP/4.0#}"
DAP_TYPES = {"Float32": "f4", "Float64": "f8", "Int8": "i1", "Int16": "i2", "Int32": "i4"}
DAP_TYPES |= {"Int64": "i8", "Byte": "u1", "UInt16": "u2", "UInt32": "u4", "String": "S"}


def _from_dmr(element: ET.Element, path: str = "/") -> Iterator[tuple[str, Node]]:
    attrs = {
        item.get("name", ""): _typed(
            DAP_TYPES[item.get("type", "")],
            [value.text or "" for value in item.iter(f"{DAP}Value")],
        )
        for item in element.findall(f"{DAP}Attribute")
        if item.get("type") != "Container"
    }
    kind = element.tag.removeprefix(DAP)
    dims = [d.get("name") or int(d.get("size", 0)) for d in element.findall(f"{DAP}Dim")]
    yield path, Node(attrs, DAP_TYPES.get(kind, ""), dims)
    for child in element:
        if child.tag.removeprefix(DAP) in {"Group", *DAP_TYPES}:
            yield from _from_dmr(child, f"{path.rstrip('/')}/{child.get('name')}")


def _typed(kind: str, texts: list[str]) -> object:
    if kind == "S":
        return texts[0]
    numbers = np.array([float(text) if kind[0] == "f" else int(text) for text in texts])
    if kind[0] == "f":  # rounded to some digits, the greatest of a type is too great for it
        numbers = numbers.clip(np.finfo(kind).min, np.finfo(kind).max)
    values = numbers.astype(kind)
    return values if len(values) > 1 else values[0]


CDL_TYPES = {"byte": "i1", "ubyte": "u1", "short": "i2", "ushort": "u2", "int": "i4"}
CDL_TYPES |= {"uint": "u4", "int64": "i8", "float": "f4", "double": "f8", "char": "S"}
CDL_SUFFIXES = {"": "i4", "b": "i1", "UB": "u1", "s": "i2", "US": "u2", "U": "u4", "LL": "i8"}
GROUP = re.compile(r"group: (\S+) \{")
DIMENSION = re.compile(r"(\S+) = (?:UNLIMITED ; // \((\d+) currently\)|(\d+) ;)")
VARIABLE = re.compile(rf"({'|'.join(CDL_TYPES)}) (\w+)\((.*)\) ;")
ATTRIBUTE = re.compile(r"(\w*):([\w.]+) = (.*) ;")
NUMBER = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?)(f|b|UB|s|US|U|LL)?")


def _from_ncdump(text: str) -> Tree:
    tree: Tree = {"/": Node()}
    sizes: dict[str, int] = {}
    here = "/"
    for line in map(str.strip, text.splitlines()[1:]):
        if found := GROUP.fullmatch(line):
            here = posixpath.join(here, found[1])
            tree[here] = Node()
        elif line.startswith("}"):
            here = posixpath.dirname(here)
        elif found := VARIABLE.fullmatch(line):
            kind = CDL_TYPES[found[1]]
            paths = [_dimension(here, name, sizes) for name in found[3].split(", ")]
            if kind == "S":
                kind += str(sizes[paths.pop()] - 1)  # one for the zero byte that C puts behind
            # ncdump invents names for dimensions without a scale.
            dims = [sizes[p] if re.search(r"/dim\d+$", p) else p for p in paths]
            tree[posixpath.join(here, found[2])] = Node({}, kind, dims)
        elif found := ATTRIBUTE.fullmatch(line):
            tree[posixpath.join(here, found[1]).rstrip("/") or "/"].attrs[found[2]] = _cdl(found[3])
        elif found := DIMENSION.match(line):
            sizes[posixpath.join(here, found[1])] = int(found[2] or found[3])
    return tree


def _dimension(group: str, name: str, sizes: dict[str, int]) -> str:
    while posixpath.join(group, name) not in sizes:
        group = posixpath.dirname(group)
    return posixpath.join(group, name)


def _cdl(text: str) -> object:
    if text.startswith('"'):
        return text[1:-1].replace('\\"', '"')
    found = [NUMBER.fullmatch(number) for number in text.split(", ")]
    matches = [match for match in found if match is not None]
    assert len(matches) == len(found), text
    suffix = matches[0][2] or ""
    kind = "f4" if suffix == "f" else CDL_SUFFIXES[suffix]
    if not suffix and re.search(r"[.e]", matches[0][1]):
        kind = "f8"
    return _typed(kind, [match[1] for match in matches])
