"""The tables of the products: one row a group or dataset, in ``tables/<product>.tsv``.

A table begins with comments: ``# product:``, ``# title:``, ``# source:``, any ``# note:``. Then
come the names of the columns, and rows of cells between tabs; cells missing at the end are empty.

==============  ===================================================================================
path            ``{beam}`` stands for gt1l … gt3r; a group ends in ``/``
releases        ``004-``, ``-003``, ``006``; empty: all; ``?`` behind: no granule was seen
dtype           numpy code
dims            names of scales, or bare lengths; ``name=5`` for the scale itself if its length is
                fixed; empty: those that the group's row gives
units, standard_name, content, source, long_name
                attributes; ``content@004``: the attribute is there from that release on
fill            ``max`` is the greatest value of the dtype
valid           ``least..greatest``
flags           ``meaning=value``, one after another
coordinates     attribute; empty: those of the group's row less the variable itself; ``-``: none
texts           characters of the product's own description; of a group its attributes, those
                of free text with their characters
description     in words of our own
==============  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np

from xr_icesat2.errors import SelectionError

from .variable import ALWAYS, FIRST, LAST, Group, Releases, Variable

__all__ = ["Table", "known_tables", "load_table", "parse_table"]

Cells = Mapping[str, str]

_COLUMNS = (
    "path", "releases", "dtype", "dims", "units", "standard_name", "content", "fill", "valid",
    "flags", "coordinates", "source", "texts", "long_name", "description",
)  # fmt: skip
_MAX = "max"
_NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The tree of a product, in one release or in all."""

    product: str
    title: str
    source: str
    """What the table was taken from."""
    groups: tuple[Group, ...]
    variables: tuple[Variable, ...]

    def at(self, release: str) -> Table:
        """Give what a release has of it.

        Parameters
        ----------
        release
            Three digits.

        Raises
        ------
        SelectionError
            It is something else.
        """
        if len(release) != len(FIRST) or not release.isdecimal():
            raise SelectionError(f"release {release!r}: expected three digits, such as '006'")
        return replace(
            self,
            groups=tuple(group for group in self.groups if release in group.releases),
            variables=tuple(
                variable if release >= variable.content_since else replace(variable, content="")
                for variable in self.variables
                if release in variable.releases
            ),
        )


@cache
def load_table(product: str) -> Table:
    """Read the table of a product; those that have one are :func:`known_tables`."""
    file = files(__package__) / "tables" / f"{product}.tsv"
    return parse_table(file.read_text(encoding="ascii"))


@cache
def known_tables() -> frozenset[str]:
    """Name the products that have a table."""
    return frozenset(
        file.name.removesuffix(".tsv") for file in (files(__package__) / "tables").iterdir()
    )


def parse_table(text: str) -> Table:
    """Make a table of its text.

    Raises
    ------
    ValueError
        A row that is no row; the message gives its path.
    """
    lines = text.splitlines()
    remarks = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    names, *rows = (line.split("\t") for line in lines if not line.startswith("#"))
    groups: dict[str, Group] = {}
    variables: list[Variable] = []
    defaults: Cells = {}
    for row in rows:
        if len(row) > len(names):
            raise ValueError(f"{row[0]}: {len(row)} cells, expected at most {len(names)}")
        cells = dict.fromkeys(_COLUMNS, "") | dict(zip(names, row, strict=False))
        if cells["path"].endswith("/"):
            defaults = cells
            group = _group(cells)
            groups[group.path] = group
        else:
            variables.append(_variable(cells, defaults))
    return Table(
        product=remarks["product"],
        title=remarks["title"],
        source=remarks["source"],
        groups=tuple(groups.values()),
        variables=tuple(variables),
    )


def _group(cells: Cells) -> Group:
    attributes = (text.partition("=") for text in cells["texts"].split())
    return Group(
        path=cells["path"].rstrip("/"),
        attributes=tuple((name, int(length or 0)) for name, _, length in attributes),
        coordinates=tuple(cells["coordinates"].split()),
        description=cells["description"],
        releases=_releases(cells["releases"]),
    )


def _variable(cells: Cells, group: Cells) -> Variable:
    path, dtype = cells["path"], cells["dtype"]
    parent, _, name = path.rpartition("/")
    if parent != group["path"].rstrip("/"):
        raise ValueError(f"{path}: expected below the row of its group, found {group['path']}")
    dims, size = _dims(cells["dims"] or group["dims"])
    content, _, since = cells["content"].partition("@")
    coordinates = cells["coordinates"] or " ".join(
        coordinate for coordinate in group["coordinates"].split() if coordinate != name
    )
    return Variable(
        path=path,
        dtype=dtype,
        dims=dims,
        size=size,
        units=cells["units"],
        standard_name=cells["standard_name"],
        content=content,
        content_since=since or FIRST,
        fill=_fill(cells["fill"], dtype),
        valid=_valid(cells["valid"], dtype),
        flags=tuple(_flags(cells["flags"])),
        coordinates="" if coordinates == _NONE else coordinates,
        source=cells["source"],
        long_name=cells["long_name"],
        description=cells["description"],
        length=int(cells["texts"] or 0),
        releases=_releases(cells["releases"]),
    )


def _releases(cell: str) -> Releases:
    if not cell:
        return ALWAYS
    span = cell.removesuffix("?")
    first, dash, last = span.partition("-")
    return Releases(first or FIRST, last or (LAST if dash else first), sure=span == cell)


def _dims(cell: str) -> tuple[tuple[str | int, ...], int | None]:
    name, _, size = cell.partition("=")
    if size:
        return (name,), int(size)
    return tuple(int(dim) if dim.isdecimal() else dim for dim in cell.split()), None


def _fill(cell: str, dtype: str) -> float | None:
    if cell == _MAX:
        kind = np.dtype(dtype)
        return int(np.iinfo(kind).max) if kind.kind in "iu" else float(np.finfo(kind).max)
    return _number(cell, dtype)


def _valid(cell: str, dtype: str) -> tuple[float | None, float | None]:
    least, _, greatest = cell.partition("..")
    return _number(least, dtype), _number(greatest, dtype)


def _number(cell: str, dtype: str) -> float | None:
    if not cell:
        return None
    return float(cell) if np.dtype(dtype).kind == "f" else int(cell)


def _flags(cell: str) -> Iterator[tuple[str, int]]:
    for flag in cell.split():
        meaning, _, value = flag.rpartition("=")
        yield meaning, int(value)
