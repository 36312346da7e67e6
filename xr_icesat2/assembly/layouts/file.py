"""``layout="file"``: the file's own groups and dimensions."""

from __future__ import annotations

import posixpath
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from sys import intern
from typing import Any

import xarray as xr

from xr_icesat2.assembly.dask_chunks import granule_per_chunk
from xr_icesat2.assembly.dimension_scales import scale_paths
from xr_icesat2.assembly.namesakes import find_namesakes, have_same_labels
from xr_icesat2.assembly.parallel import map_granules
from xr_icesat2.assembly.request import Request
from xr_icesat2.assembly.undeclared_fill_values import product_of
from xr_icesat2.assembly.unsupported_objects import left_out_of_group, note_left_out
from xr_icesat2.assembly.variable import ArrayPart, DecodeRules, VariableLayout, build_variable
from xr_icesat2.errors import CorruptGranuleError, MergeError, NotSupportedError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.model import DatasetHeader, GroupHeader, LeftOut, Node
from xr_icesat2.hdf5.paths import ancestors, parent
from xr_icesat2.products import PRODUCTS
from xr_icesat2.reading.lazy_coordinate_index import LazyIndex
from xr_icesat2.reading.load import load_variables

from . import LayoutRules

__all__ = ["LAYOUT", "file_datasets", "file_tree"]

LAYOUT = LayoutRules(rate_datasets=None)

Sizes = dict[str, int]
MAX_READ_LABELS = 1 << 20
"""Labels of one dimension of a map that are read when it is opened; no map has more."""
NO_SIZE = -1
"""Size of a scalar, whose name xarray allows no dimension to have."""


def file_datasets(
    granules: Sequence[Granule], groups: Sequence[str], request: Request
) -> dict[str, xr.Dataset]:
    """Assemble groups of one file, or of a list of files padded along ``gran_idx``.

    Parameters
    ----------
    granules
        One, or any number of a list.
    groups
        Absolute paths; a group follows the groups around it.
    request
        With its target.
    """
    members = [_read_members(granule, groups, request) for granule in granules]
    suffix = "" if request.opens_unmerged and not request.listed else "_idx"
    lead = ("gran_idx",) if request.listed else ()
    files = _Files(granules, members, _variables(members, request), request, lead, suffix)
    datasets = _datasets(files, groups)
    namesakes = {} if suffix else find_namesakes(members, groups)
    hidden = frozenset(
        outer
        for outer, below in namesakes.items()
        if not all(have_same_labels(datasets, outer, path) for path in below)
    )
    return _datasets(replace(files, hidden=hidden), groups) if hidden else datasets


def file_tree(
    granules: Sequence[Granule], request: Request, without: Sequence[str] = ()
) -> dict[str, xr.Dataset]:
    """Assemble all groups from the root of the tree, by path, except some."""
    root = request.root
    hidden = {f"/{name}" for name in without}

    def walk(granule: Granule) -> dict[str, Node]:
        granule.index.group(root)
        found = granule.index.load_below(
            [root],
            lambda path: path in hidden or request.drops(path),
            leave_out_damaged=_leaves_out_damaged(request),
        )
        granule.index.release()  # so that they are not in memory along with the tree
        return found

    below = map_granules(walk, granules)
    groups = [p for nodes in below for p, node in nodes.items() if isinstance(node, GroupHeader)]
    datasets = file_datasets(granules, list(dict.fromkeys([root, *groups])), request)
    for granule, nodes in zip(granules, below, strict=True):
        for path, node in nodes.items():
            if isinstance(node, LeftOut) and request.keeps(path):
                note_left_out(datasets[parent(path)], {granule.url: {path: node}})
    return datasets


def _datasets(files: _Files, groups: Sequence[str]) -> dict[str, xr.Dataset]:
    outer_groups = {parent(group) for group in groups}
    around: dict[str, Sizes] = {}
    variables: dict[str, _GroupVariables] = {}
    for group in groups:
        inherited: Sizes = {}
        for outer in reversed(ancestors(group)):
            inherited |= around.get(outer, {})
        variables[group], sizes = _group_variables(files, group, inherited)
        if group in outer_groups:
            around[group] = sizes
    read = _read_labels(files, variables.values())
    return {group: _group_dataset(files, group, own, read) for group, own in variables.items()}


def _is_gridded(granule: Granule) -> bool:
    convention = PRODUCTS.convention(product_of(granule))
    return convention is not None and convention.is_gridded


def _read_labels(files: _Files, groups: Iterable[_GroupVariables]) -> frozenset[int]:
    """Read the labels of the dimensions of maps in one burst; damaged ones stay lazy.

    Returns
    -------
    frozenset of int
        ``id`` of the variables that were read.
    """
    if not all(map(_is_gridded, files.granules)):
        return frozenset()
    labels = [v for own in groups for v in own.labels.values() if v.size <= MAX_READ_LABELS]
    try:
        load_variables(labels, progress=False)
    except (CorruptGranuleError, NotSupportedError):
        return frozenset()
    return frozenset(map(id, labels))


@dataclass(frozen=True, slots=True)
class _Files:
    """Files, and the metadata that was read of them."""

    granules: Sequence[Granule]
    members: Sequence[Mapping[str, Node]]
    """The groups of each granule and their members, by path."""
    variables: Mapping[str, Sequence[str]]
    """Paths of the requested datasets, by group."""
    request: Request
    lead: tuple[str, ...]
    """``("gran_idx",)`` for a list of files, else empty."""
    suffix: str
    """Suffix of the name of a scale in the name of its dimension. In lists and next to merged rates
    it is ``_idx``, so that no coordinate is read to index the dimension of its name."""
    hidden: frozenset[str] = frozenset()
    """Scales whose dimension always has the suffix ``_idx``, see :func:`_namesakes`."""

    def is_scalar(self, path: str) -> bool:
        """Return whether a dataset becomes a variable without dimensions."""
        nodes = (nodes.get(path) for nodes in self.members)
        return not self.lead and any(isinstance(n, DatasetHeader) and not n.shape for n in nodes)

    def dimension(self, scale: str) -> str:
        """Return the name of the dimension of a scale."""
        return posixpath.basename(scale) + ("_idx" if scale in self.hidden else self.suffix)


def _leaves_out_damaged(request: Request) -> bool:
    """Return whether damaged objects are left out: of the tree of one unmerged file.

    Where beams or granules are merged, that would look like missing observations.
    """
    return request.opens_unmerged and not request.listed


def _read_members(granule: Granule, groups: Sequence[str], request: Request) -> dict[str, Node]:
    """Read groups and what is directly in them, by path."""
    index = granule.index
    nodes: dict[str, Node] = dict(index.load(groups))
    inside = [
        posixpath.join(group, name)
        for group, node in nodes.items()
        if isinstance(node, GroupHeader)
        for name in node.links
    ]
    wanted = [path for path in inside if not request.drops(path)]
    return nodes | index.load(wanted, leave_out_damaged=_leaves_out_damaged(request))


@dataclass(frozen=True, slots=True)
class _GroupVariables:
    """The variables of a group, by name, before they are a Dataset."""

    variables: Mapping[str, xr.Variable]
    sources: Mapping[str, Any]
    coords: Sequence[str]
    """Names of the coordinates."""

    @property
    def labels(self) -> dict[str, xr.Variable]:
        """The coordinates that label a dimension of their name."""
        return {name: v for name, v in self.variables.items() if v.dims == (name,)}


def _group_variables(files: _Files, group: str, inherited: Sizes) -> tuple[_GroupVariables, Sizes]:
    sizes: Sizes = {}
    paths = files.variables.get(group, ())
    scalars = {posixpath.basename(path) for path in paths if files.is_scalar(path)}
    taken = inherited | dict.fromkeys(scalars, NO_SIZE)
    layouts = [_layout(files, path, sizes, taken) for path in paths]
    request, merged = files.request, bool(files.lead)
    rules = DecodeRules(decoders=request.decoders, decode_coords=merged)
    variables: dict[str, xr.Variable] = {}
    sources: dict[str, Any] = {}
    for layout in layouts:
        variables[layout.name], sources[layout.name] = build_variable(layout, rules)
    coords = _coordinates(files, layouts, variables) if request.decode_coords else []
    return _GroupVariables(variables, sources, coords), sizes


def _group_dataset(
    files: _Files, group: str, own: _GroupVariables, read: Container[int]
) -> xr.Dataset:
    header = next(n for nodes in files.members if isinstance(n := nodes.get(group), GroupHeader))
    lazy = {name: v for name, v in own.labels.items() if id(v) not in read}
    rest = {name: v for name, v in own.variables.items() if name not in lazy}
    dataset = xr.Dataset(rest, LazyIndex.coordinates(lazy), dict(header.attrs))
    if own.coords:
        dataset = dataset.set_coords(own.coords)
    dataset.encoding["icesat2"] = own.sources
    for granule, nodes in zip(files.granules, files.members, strict=True):
        left_out = left_out_of_group(nodes, group, files.request)
        note_left_out(dataset, {granule.url: left_out})
    if files.lead:
        granule_per_chunk(dataset)
    return dataset


def _layout(files: _Files, path: str, sizes: Sizes, inherited: Sizes) -> VariableLayout:
    parts = [
        (g, granule, node)
        for g, (granule, nodes) in enumerate(zip(files.granules, files.members, strict=True))
        if isinstance(node := nodes.get(path), DatasetHeader)
    ]
    if len({len(node.shape) for _, _, node in parts}) > 1:
        raise MergeError(
            f"{path} has the shape {parts[0][2].shape} in {parts[0][1].url}, but another number of "
            "dimensions in other granules. Exclude it with drop_variables."
        )
    shape = tuple(map(max, zip(*(node.shape for _, _, node in parts), strict=True)))
    scales = [
        None if scale is None else files.dimension(scale)
        for scale in scale_paths(
            parts[0][1].index,
            path,
            parts[0][2],
            leave_out_damaged=_leaves_out_damaged(files.request),
        )
    ]
    lead = len(files.lead)
    return VariableLayout(
        name=posixpath.basename(path),
        dims=(*files.lead, *_dims(scales, shape, sizes, inherited)),
        shape=(*(len(files.granules),) * lead, *shape),
        lead=lead,
        parts=[
            ArrayPart(granule, path, node, (*(g,) * lead, *(0 for _ in shape)))
            for g, granule, node in parts
        ],
        padded=bool(lead),
    )


def _variables(members: Sequence[Mapping[str, Node]], request: Request) -> dict[str, list[str]]:
    """Return the paths of the requested datasets, by their group."""
    paths = dict.fromkeys(
        path
        for nodes in members
        for path, node in nodes.items()
        if isinstance(node, DatasetHeader) and not node.dimension_only
    )
    variables: dict[str, list[str]] = {}
    for path in paths:
        if request.keeps(path):
            variables.setdefault(posixpath.dirname(path), []).append(path)
    return variables


def _dims(
    scales: Sequence[str | None], shape: tuple[int, ...], sizes: Sizes, inherited: Sizes
) -> tuple[str, ...]:
    """Name the dimensions; a name has one size in a group and the groups around it."""
    names: list[str] = []
    for scale, size in zip(scales, shape, strict=True):
        name = scale or intern(f"dim_{size}")
        if sizes.get(name, inherited.get(name, size)) != size or name in names:
            name = _other_name(name, size, {**inherited, **sizes}, names)
        sizes[name] = size
        names.append(name)
    return tuple(names)


def _other_name(name: str, size: int, sizes: Sizes, taken: Sequence[str]) -> str:
    candidate, number = f"{name}_{size}", 1
    while sizes.get(candidate, size) != size or candidate in taken:
        number += 1
        candidate = f"{name}_{size}_{number}"
    return candidate


def _coordinates(
    files: _Files, layouts: Sequence[VariableLayout], variables: Mapping[str, xr.Variable]
) -> list[str]:
    """Return the scales, and the names in ``coordinates`` attributes.

    As xarray does, move those attributes to the encoding.
    """
    own = {c.name: files.dimension(c.parts[0].path) for c in layouts}
    scales = [n for n, v in variables.items() if v.dims == (*files.lead, own[n])]
    listed = [part.header.attrs.get("coordinates") for layout in layouts for part in layout.parts]
    mentioned = {name for words in listed if isinstance(words, str) for name in words.split()}
    for variable in variables.values():
        if isinstance(variable.attrs.get("coordinates"), str):
            variable.encoding["coordinates"] = variable.attrs.pop("coordinates")
    return [name for name in variables if name in mentioned or name in scales]
