"""What is in a Dataset or a tree that was opened: the catalogue of the granules at hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import xarray as xr

from .products.contents import Contents, Entry, Section

__all__ = ["contents_of_opened"]

_COUNT = "n_obs"
"""A coordinate of everything along a track."""


def contents_of_opened(nodes: Mapping[str, xr.Dataset], source: str | Sequence[str]) -> Contents:
    """List the variables of nodes, by their paths, and what their files say of them."""
    sources = [source] if isinstance(source, str) else source
    title = sources[0] if len(sources) == 1 else f"{len(sources)} granules from {sources[0]}"
    along = {path for path, dataset in nodes.items() if _COUNT in dataset.coords}
    sections = (
        _section(path, nodes[path], along, folded=bool(along) and path not in along)
        for path in sorted(nodes, key=lambda path: (path not in along, path))
    )
    return Contents(title=title, sections=tuple(section for section in sections if section.entries))


def _section(path: str, dataset: xr.Dataset, along: Collection[str], *, folded: bool) -> Section:
    # What lies below a rate repeats the coordinates of its rows.
    repeats = path in along and any(path.startswith(f"{above}/") for above in along)
    held = dataset.encoding.get("icesat2", {})
    names = [str(name) for name in (dataset.data_vars if repeats else dataset.variables)]
    if held:  # the rest are coordinates that no file has, such as the spot
        names = [name for name in names if name in held]
    return Section(
        name=path or "/",
        about=str(dataset.attrs.get("Description", dataset.attrs.get("description", ""))),
        remarks=(", ".join(f"{dim} {size}" for dim, size in dataset.sizes.items()),),
        folded=folded,
        entries=tuple(_entry(name, dataset.variables[name], held.get(name, {})) for name in names),
    )


def _entry(name: str, variable: xr.Variable, held: Mapping[str, Any]) -> Entry:
    """Describe one variable; ``held`` is what its file says that decoding takes away."""
    return Entry(
        name=name,
        dtype=str(held.get("dtype", variable.dtype)),
        dims=tuple(map(str, variable.dims)),
        units=str(variable.attrs.get("units", held.get("units", ""))),
        standard_name=str(variable.attrs.get("standard_name", "")),
        long_name=str(variable.attrs.get("long_name", "")),
    )
