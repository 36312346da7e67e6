"""List the contents of a product's granules, from its specification and its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .contents_table import Contents, Entry, Section
from .variable_table import (
    ALWAYS,
    TableGroup,
    TableVariable,
    VariableTable,
    known_tables,
    load_table,
)

if TYPE_CHECKING:
    from .spec import ProductSpec, Rate

__all__ = ["contents_of"]

BEAM = "{beam}"
ALONG = "*"  # that of spec.py, which imports this module


def contents_of(spec: ProductSpec, release: str | None = None) -> Contents:
    """List the contents of a product's granules, in one release or in all."""
    title = f"{spec.product}: {spec.title}"
    if spec.product not in known_tables():
        unlisted = "its variables are listed by xr.open_datatree(granule).icesat2.contents()"
        named = tuple(Section(name=r.name, remarks=tuple(_remarks(spec, r))) for r in spec.rates)
        return Contents(title=title, remarks=(unlisted,), sections=named)
    table = load_table(spec.product)
    if release is not None:
        table = table.at(release)
        title += f", release {release}"
    claimed = {_below_beam(group) for rate in spec.rates for group in rate.groups}
    rates = (section for rate in spec.rates for section in _rate(spec, rate, table))
    rest = (_rest(group, table) for group in table.groups if group.path not in claimed)
    sections = (section for section in (*rates, *rest) if section.entries)
    return Contents(title=title, sections=tuple(sections))


def _below_beam(group: str) -> str:
    return f"{BEAM}/{group}".rstrip("/")


def _rate(spec: ProductSpec, rate: Rate, table: VariableTable) -> Iterator[Section]:
    """Yield a rate with its subgroups, then each of its siblings."""
    inside = [group for group in rate.groups if group not in rate.siblings]
    yield _section(rate.name, inside, rate, table, tuple(_remarks(spec, rate)))
    for sibling in rate.siblings:
        yield _section(sibling, [sibling], rate, table, (f"rows of {rate.name}",))


def _section(
    name: str, groups: Sequence[str], rate: Rate, table: VariableTable, remarks: tuple[str, ...]
) -> Section:
    paths = [_below_beam(group) for group in groups]
    about = (group.description for group in table.groups if group.path == paths[0])
    return Section(
        name=name,
        about=next(about, ""),
        remarks=remarks,
        entries=tuple(
            _along(rate, paths[0], variable)
            for path in paths
            for variable in table.variables
            if variable.group == path
        ),
    )


def _remarks(spec: ProductSpec, rate: Rate) -> Iterator[str]:
    coordinates = f", coordinates {', '.join(rate.coordinates)}" if rate.coordinates else ""
    default = ", opened by default" if len(spec.rates) > 1 and rate.group in spec.main else ""
    yield f"along {rate.along}{coordinates}{default}"
    for dim, sets in rate.labels.items():
        yield f"{dim}: {' or '.join(' '.join(map(str, labels)) for labels in sets)}"
    for dim, name in rate.label_variables.items():
        yield f"{dim}: as {name} of the granule says"


def _along(rate: Rate, group: str, variable: TableVariable) -> Entry:
    name = variable.path.removeprefix(f"{group}/")
    first, *others = variable.dims
    plain = (ALONG if str(first) == rate.time else str(first), *map(str, others))
    dims = rate.dims.get(variable.name, plain)
    entry = _entry(name, variable, tuple(rate.along if dim == ALONG else dim for dim in dims))
    return replace(entry, standard_name=entry.standard_name or _standard_name(rate, variable.name))


def _standard_name(rate: Rate, name: str) -> str:
    """Return the standard name that an opened variable has where its file lacks one."""
    reference = rate.heights.get(name)
    return reference.attrs.get("standard_name", "") if reference else ""


def _rest(group: TableGroup, table: VariableTable) -> Section:
    return Section(
        name=group.path or "/",
        about=group.description,
        folded=True,
        entries=tuple(
            _entry(variable.name, variable, tuple(map(str, variable.dims)))
            for variable in table.variables
            if variable.group == group.path
        ),
    )


def _entry(name: str, variable: TableVariable, dims: tuple[str, ...]) -> Entry:
    dtype = np.dtype(variable.dtype)
    return Entry(
        name=name,
        dtype=variable.dtype if dtype.kind == "S" else dtype.name,
        dims=dims,
        units=variable.units,
        standard_name=variable.standard_name,
        long_name=variable.long_name,
        about=variable.description,
        releases="" if variable.releases == ALWAYS else str(variable.releases),
    )
