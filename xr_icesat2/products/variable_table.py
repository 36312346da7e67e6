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
from typing import Any

import numpy as np

from xr_icesat2.errors import SelectionError

__all__ = [
    "ALWAYS",
    "FIRST",
    "LAST",
    "Releases",
    "TableGroup",
    "TableVariable",
    "VariableTable",
    "known_tables",
    "load_table",
    "parse_table",
]

Cells = Mapping[str, str]

_COLUMNS = (
    "path", "releases", "dtype", "dims", "units", "standard_name", "content", "fill", "valid",
    "flags", "coordinates", "source", "texts", "long_name", "description",
)  # fmt: skip
_MAX = "max"
_NONE = "-"


FIRST, LAST = "001", "999"


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of a product that have a variable or a group."""

    first: str = FIRST
    """Three digits."""
    last: str = LAST
    sure: bool = True
    """Whether a granule with it was examined; otherwise only documents name it."""

    def __contains__(self, release: str) -> bool:
        return self.first <= release <= self.last

    def __str__(self) -> str:
        first = "" if self.first == FIRST else self.first
        last = "" if self.last == LAST else self.last
        span = first if first == last else f"{first}-{last}"
        return span + ("" if self.sure else "?")


ALWAYS = Releases()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableVariable:
    """One dataset of a product, as its granules have it."""

    path: str
    """Path from the root, with ``{beam}`` for gt1l … gt3r."""
    dtype: str
    """numpy code: ``f4``, ``i1``, ``S80`` …"""
    dims: tuple[str | int, ...]
    """Names of dimension scales, or bare lengths. A name means the scale of that name in the
    group or, of those around it, the nearest, as in netCDF-4."""
    size: int | None = None
    """Length of a scale that has one length in all granules; None for any other variable."""
    units: str = ""
    standard_name: str = ""
    content: str = ""
    """Attribute ``contentType``."""
    content_since: str = FIRST
    """The release from which on the file has that attribute."""
    fill: float | None = None
    """Attribute ``_FillValue`` and fill value of the dataset."""
    valid: tuple[float | None, float | None] = (None, None)
    """Attributes ``valid_min`` and ``valid_max``."""
    flags: tuple[tuple[str, int], ...] = ()
    """Attributes ``flag_meanings`` and ``flag_values``; meanings may recur."""
    coordinates: str = ""
    """Attribute ``coordinates``."""
    source: str = ""
    """Attribute ``source``: where the product's documents define it."""
    long_name: str = ""
    description: str = ""
    """Description in our own words."""
    length: int = 0
    """Characters of the product's own description."""
    releases: Releases = ALWAYS

    @property
    def name(self) -> str:
        """Name within its group."""
        return self.path.rpartition("/")[2]

    @property
    def group(self) -> str:
        """Path of its group; ``""`` for the root."""
        return self.path.rpartition("/")[0]

    @property
    def is_scale(self) -> bool:
        """Whether it is the scale of the dimension with its name."""
        return self.dims == (self.name,)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes, without those of dimension scales, typed as in real granules."""
        dtype = np.dtype(self.dtype)
        texts = {
            "contentType": self.content,
            "coordinates": self.coordinates,
            "description": self.description,
            "flag_meanings": " ".join(meaning for meaning, _ in self.flags),
            "long_name": self.long_name,
            "source": self.source,
            "standard_name": self.standard_name,
            "units": self.units,
        }
        attributes: dict[str, Any] = {key: text for key, text in texts.items() if text}
        if self.fill is not None:
            attributes["_FillValue"] = np.array([self.fill], dtype)
        if self.flags:
            attributes["flag_values"] = np.array([value for _, value in self.flags], dtype)
        for name, limit in zip(("valid_min", "valid_max"), self.valid, strict=True):
            if limit is not None:
                attributes[name] = dtype.type(limit)
        return attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGroup:
    """One group of a product."""

    path: str
    """From the root, ``""`` for the root itself; with ``{beam}`` as in :class:`TableVariable`."""
    attributes: tuple[tuple[str, int], ...]
    """Names of its attributes and the characters of the product's own text, 0 if that is short."""
    coordinates: tuple[str, ...]
    """Time, latitude and longitude of the variables in it, where it has a track."""
    description: str = ""
    """Description in our own words."""
    releases: Releases = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableTable:
    """The tree of a product, in one release or in all."""

    product: str
    title: str
    source: str
    """What the table was taken from."""
    groups: tuple[TableGroup, ...]
    variables: tuple[TableVariable, ...]

    def at(self, release: str) -> VariableTable:
        """Return the part of the table that a release has.

        Parameters
        ----------
        release
            Three digits.

        Raises
        ------
        SelectionError
            The release is not three digits.
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
def load_table(product: str) -> VariableTable:
    """Read the table of a product that is in :func:`known_tables`."""
    file = files(__package__) / "tables" / f"{product}.tsv"
    return parse_table(file.read_text(encoding="ascii"))


@cache
def known_tables() -> frozenset[str]:
    """Return the products that have a table."""
    return frozenset(
        file.name.removesuffix(".tsv") for file in (files(__package__) / "tables").iterdir()
    )


def parse_table(text: str) -> VariableTable:
    """Parse a table.

    Raises
    ------
    ValueError
        A row is malformed; the message has its path.
    """
    lines = text.splitlines()
    remarks = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    names, *rows = (line.split("\t") for line in lines if not line.startswith("#"))
    groups: dict[str, TableGroup] = {}
    variables: list[TableVariable] = []
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
    return VariableTable(
        product=remarks["product"],
        title=remarks["title"],
        source=remarks["source"],
        groups=tuple(groups.values()),
        variables=tuple(variables),
    )


def _group(cells: Cells) -> TableGroup:
    attributes = (text.partition("=") for text in cells["texts"].split())
    return TableGroup(
        path=cells["path"].rstrip("/"),
        attributes=tuple((name, int(length or 0)) for name, _, length in attributes),
        coordinates=tuple(cells["coordinates"].split()),
        description=cells["description"],
        releases=_releases(cells["releases"]),
    )


def _variable(cells: Cells, group: Cells) -> TableVariable:
    path, dtype = cells["path"], cells["dtype"]
    parent, _, name = path.rpartition("/")
    if parent != group["path"].rstrip("/"):
        raise ValueError(f"{path}: expected below the row of its group, found {group['path']}")
    dims, size = _dims(cells["dims"] or group["dims"])
    content, _, since = cells["content"].partition("@")
    coordinates = cells["coordinates"] or " ".join(
        coordinate for coordinate in group["coordinates"].split() if coordinate != name
    )
    return TableVariable(
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
