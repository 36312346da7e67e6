"""Granules and variables of an opened Dataset or tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import xarray as xr

from .granule.granule import Granule
from .products.contents_table import Contents, Entry, Section

__all__ = ["contents_of_opened", "granules_of_opened"]

_COUNT = "n_obs"
"""A coordinate of all Datasets along a track."""


def granules_of_opened(opened: xr.Dataset | xr.DataTree) -> list[Granule]:
    """Return the granules that closing it releases; none for derived objects."""
    nodes = opened.subtree if isinstance(opened, xr.DataTree) else [opened]
    # Variables of dask arrays have no other reference to their granules.
    found = (granule for node in nodes for granule in _granules_in(node._close))  # noqa: SLF001
    return list(dict.fromkeys(found))


def _granules_in(closer: Any) -> Iterator[Granule]:
    if isinstance(closer, Granule):
        yield closer
    elif isinstance(closer, partial):
        yield from _granules_in(closer.args)
    elif isinstance(closer, list | tuple):
        for item in closer:
            yield from _granules_in(item)


def contents_of_opened(nodes: Mapping[str, xr.Dataset], source: str | Sequence[str]) -> Contents:
    """List the variables of nodes by path, with attributes from their files."""
    sources = [source] if isinstance(source, str) else source
    title = sources[0] if len(sources) == 1 else f"{len(sources)} granules from {sources[0]}"
    along = {path for path, dataset in nodes.items() if _COUNT in dataset.coords}
    ordered = sorted(nodes, key=lambda path: (path not in along, path))
    # Groups of one rate repeat the coordinates of its rows: list these in the first group only.
    owners: dict[str, str] = {}
    for path in ordered:
        for name in nodes[path].coords:
            owners.setdefault(_file_encoding(nodes[path], str(name)).get("path", ""), path)
    sections = (
        _section(path, nodes[path], owners, folded=bool(along) and path not in along)
        for path in ordered
    )
    return Contents(title=title, sections=tuple(section for section in sections if section.entries))


def _file_encoding(dataset: xr.Dataset, name: str) -> Mapping[str, Any]:
    """Return a variable's encoding in the file; empty if it is in no file."""
    stored: Mapping[str, Any] = dataset.encoding.get("icesat2", {}).get(name, {})
    return stored


def _section(path: str, dataset: xr.Dataset, owners: Mapping[str, str], *, folded: bool) -> Section:
    return Section(
        name=path or "/",
        about=str(dataset.attrs.get("Description", dataset.attrs.get("description", ""))),
        remarks=(", ".join(f"{dim} {size}" for dim, size in dataset.sizes.items()),),
        folded=folded,
        entries=tuple(
            _entry(name, dataset.variables[name], _file_encoding(dataset, name))
            for name in _own(path, dataset, owners)
        ),
    )


def _own(path: str, dataset: xr.Dataset, owners: Mapping[str, str]) -> list[str]:
    """Return a node's variables from a file, or all if this engine did not open it."""
    names = [str(name) for name in dataset.variables]
    if "icesat2" not in dataset.encoding:
        return names
    stored = {name: _file_encoding(dataset, name) for name in names}
    return [
        name
        for name in names
        if stored[name] and (name not in dataset.coords or owners[stored[name]["path"]] == path)
    ]


def _entry(name: str, variable: xr.Variable, stored: Mapping[str, Any]) -> Entry:
    return Entry(
        name=name,
        dtype=str(stored.get("dtype", variable.dtype)),
        dims=tuple(map(str, variable.dims)),
        units=str(variable.attrs.get("units", stored.get("units", ""))),
        standard_name=str(variable.attrs.get("standard_name", "")),
        long_name=str(variable.attrs.get("long_name", "")),
    )
