"""What a product can be asked for, without a file: its specification and its table together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .contents import Contents, Entry, Section
from .table import Table, known_tables, load_table
from .variable import ALWAYS, Group, Variable

if TYPE_CHECKING:
    from .spec import Rate

__all__ = ["Catalogued", "contents_of"]

BEAM = "{beam}"
ALONG = "*"  # of spec.py, which has this module show itself


class Spec(Protocol):
    """What is used of a :class:`.ProductSpec`."""

    @property
    def product(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def rates(self) -> tuple[Rate, ...]: ...
    @property
    def main(self) -> tuple[str, ...]: ...


class Catalogued:
    """How a :class:`.ProductSpec` prints and searches itself."""

    __slots__ = ()

    def contents(self: Spec, release: str | None = None) -> Contents:
        """List what granules of the product hold.

        Parameters
        ----------
        release : str, optional
            Three digits. Default: all, and variables that not all have say which do.

        Returns
        -------
        Contents
            Rates with their variables, then what else is in the file. Nothing is read but a
            table in this package.

        Raises
        ------
        SelectionError
            The release is not three digits.
        """
        return contents_of(self, release)

    def find(self: Spec, text: str) -> Contents:
        """Search names, units and descriptions; see :meth:`.Contents.find`."""
        return contents_of(self).find(text)

    def __repr__(self: Spec) -> str:
        return repr(contents_of(self))

    def _repr_html_(self: Spec) -> str:
        return contents_of(self).html()


def contents_of(spec: Spec, release: str | None = None) -> Contents:
    """List what granules of a product hold, in one release or in all."""
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


def _rate(spec: Spec, rate: Rate, table: Table) -> Iterator[Section]:
    """Yield a rate with the groups below its own, and each group beside it."""
    inside = [group for group in rate.groups if group not in rate.siblings]
    yield _section(rate.name, inside, rate, table, tuple(_remarks(spec, rate)))
    for sibling in rate.siblings:
        yield _section(sibling, [sibling], rate, table, (f"rows of {rate.name}",))


def _section(
    name: str, groups: Sequence[str], rate: Rate, table: Table, remarks: tuple[str, ...]
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


def _remarks(spec: Spec, rate: Rate) -> Iterator[str]:
    coordinates = f", coordinates {', '.join(rate.coordinates)}" if rate.coordinates else ""
    default = ", opened by default" if len(spec.rates) > 1 and rate.group in spec.main else ""
    yield f"along {rate.along}{coordinates}{default}"
    for dim, sets in rate.labels.items():
        yield f"{dim}: {' or '.join(' '.join(map(str, labels)) for labels in sets)}"
    for dim, name in rate.label_variables.items():
        yield f"{dim}: as {name} of the granule says"


def _along(rate: Rate, group: str, variable: Variable) -> Entry:
    name = variable.path.removeprefix(f"{group}/")
    first, *others = variable.dims
    plain = (ALONG if str(first) == rate.time else str(first), *map(str, others))
    dims = rate.dims.get(variable.name, plain)
    return _entry(name, variable, tuple(rate.along if dim == ALONG else dim for dim in dims))


def _rest(group: Group, table: Table) -> Section:
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


def _entry(name: str, variable: Variable, dims: tuple[str, ...]) -> Entry:
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
