"""What the names in ``attach=`` mean, by the specifications and tables of the products."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from xr_icesat2.errors import SelectionError
from xr_icesat2.links.declared_links import End
from xr_icesat2.links.linkable_rates import LinkableRate, linkable_rates
from xr_icesat2.messages import did_you_mean, some_of
from xr_icesat2.products import PRODUCTS, AttachName, Rate
from xr_icesat2.products.variable_table import known_tables, load_table

__all__ = [
    "AttachedName",
    "attach_names",
    "links_to",
    "needed_variables",
    "products_to_attach",
    "resolve_attach",
]

BEAM = "{beam}/"


@dataclass(frozen=True, slots=True)
class AttachedName:
    """A column to attach."""

    name: str
    """Of the new variable."""
    end: End
    """Product and group of the rate that contains it."""
    path: str
    """Below the beam."""
    special: AttachName | None = None
    """How the column differs from the variable."""


def attach_names(given: Any) -> tuple[str, ...]:
    """Check the value of ``attach``: a name, or a list of names.

    Raises
    ------
    SelectionError
        It is neither, or a name is given twice.
    """
    if given is None:
        return ()
    several = isinstance(given, Iterable) and not isinstance(given, str)
    names = list(given) if several else [given]
    if not all(isinstance(name, str) and name.strip("/") for name in names):
        raise SelectionError(
            f"attach={given!r}, expected names of variables, such as ['segment_id', 'x_atc']"
        )
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SelectionError(f"attach={given!r} contains {', '.join(sorted(twice))} twice")
    return tuple(name.strip("/") for name in names)


def resolve_attach(product: str | None, rate: Rate, names: Sequence[str]) -> list[AttachedName]:
    """Find the variables that names mean for the rows of a rate.

    Raises
    ------
    SelectionError
        A name is unknown, ambiguous, or that of a variable of the rate itself.
    """
    if product is None or not linkable_rates(product, rate.group):
        raise SelectionError(
            f"attach={list(names)}: no rate is linked with {rate.name or 'the rows'} of "
            f"{product or 'this product'}, so nothing can be attached. Leave attach out."
        )
    found = [_resolve(product, rate, name) for name in names]
    used: dict[str, str] = {}
    for name, one in zip(names, found, strict=True):
        if one.name in used:
            raise SelectionError(
                f"attach: {used[one.name]!r} and {name!r} would both be named {one.name!r}. "
                "Attach one of them."
            )
        used[one.name] = name
    return found


def products_to_attach(product: str | None, rate: Rate, names: Sequence[str]) -> list[str]:
    """Return the other products that the names in ``attach`` need."""
    columns = resolve_attach(product, rate, names)
    ends = needed_variables((product or "", rate.group), columns)
    return [other for other in dict.fromkeys(end[0] for end in ends) if other != product]


def needed_variables(own: End, columns: Sequence[AttachedName]) -> dict[End, list[str]]:
    """Return the variables to open of each rate, by path; of the rate itself also without any."""
    paths: dict[End, dict[str, None]] = defaultdict(dict)
    paths[own] = {}
    for column in columns:
        for link in links_to(own, column.end):
            for end in (link.end, link.through):
                if end is not None:
                    paths[end] |= dict.fromkeys(link.paths.get(end, ()))
            paths[own] |= dict.fromkeys(link.rows.get(own, ()))
            if link.via:
                paths[link.via] |= dict.fromkeys(link.rows.get(link.via, ()))
        paths[column.end][column.path] = None
        if column.special and column.special.plus:
            paths[own][column.special.plus] = None
    return {end: list(needed) for end, needed in paths.items()}


def links_to(own: End, end: End) -> list[LinkableRate]:
    """Return the links that lead from a rate to another, the last one first."""
    linkable = linkable_rates(*own)
    found = [linkable[end]] if end != own else []
    while found and found[-1].via is not None:
        found.append(linkable[found[-1].via])
    return found


def _resolve(product: str, rate: Rate, name: str) -> AttachedName:
    for declaring, special in _special_names(product, rate.group):
        if special.name == name:
            end = _end_of(product, rate, declaring, special.variable)
            return AttachedName(name, end, special.variable, special)
    own = {posixpath.basename(path) for path in _variables((product, rate.group))}
    if name in own:
        elsewhere = [path for _, path in _matching(product, rate, name)]
        hint = f" For that of a linked rate, write {elsewhere[0]!r}." if elsewhere else ""
        raise SelectionError(
            f"attach: {name!r} is a variable of {product} {rate.name} itself. Leave it out of "
            f"attach.{hint}"
        )
    matching = _matching(product, rate, name)
    if not matching:
        raise SelectionError(_unknown(product, rate, name))
    (end, path), *others = matching
    if end[0] != product and any(other[0] != end[0] for other, _ in others):
        paths = ", ".join(f"{path!r} ({end[0]})" for end, path in matching)
        raise SelectionError(f"attach: {name!r} may be {paths}. Write one of these paths.")
    base = posixpath.basename(path)
    new = f"{posixpath.basename(end[1])}_{base}" if base in own else base
    return AttachedName(new, end, path)


def _end_of(product: str, rate: Rate, declaring: str, path: str) -> End:
    ends = [(product, rate.group), *linkable_rates(product, rate.group)]
    return next(end for end in ends if end[0] == declaring and _in_rate(end, path))


def _in_rate(end: End, path: str) -> bool:
    rate = _rate(end)
    return rate is not None and posixpath.dirname(path) in rate.groups


def _matching(product: str, rate: Rate, name: str) -> list[tuple[End, str]]:
    """Return the variables that a name or a path may mean, nearest rate first."""
    found = []
    for end in linkable_rates(product, rate.group):
        for path in _variables(end):
            if path == name or path.endswith(f"/{name}"):
                found.append((end, path))
                break
        else:
            # The rates of products without a table are known, not their variables.
            if "/" in name and end[0] not in known_tables() and _in_rate(end, name):
                found.append((end, name))
    return found


@cache
def _variables(end: End) -> tuple[str, ...]:
    """Return the paths of the variables of a rate in any release; none without a table."""
    rate = _rate(end)
    if rate is None or end[0] not in known_tables():
        return ()
    inside = [BEAM + group for group in rate.groups]
    # Of a name in several groups, the group of the rate comes first.
    variables = load_table(end[0]).variables
    paths = (v.path.removeprefix(BEAM) for g in inside for v in variables if v.group == g)
    return tuple(dict.fromkeys(paths))


def _rate(end: End) -> Rate | None:
    return next((rate for rate in PRODUCTS[end[0]].rates if rate.group == end[1]), None)


def _special_names(product: str, group: str) -> Iterator[tuple[str, AttachName]]:
    """Yield the names that products declare for the rows of a rate, with these products."""
    for declaring, spec in PRODUCTS.items():
        for special in spec.attach_names:
            if (special.product, special.rate) == (product, group):
                yield declaring, special


def _unknown(product: str, rate: Rate, name: str) -> str:
    special = [one.name for _, one in _special_names(product, rate.group)]
    lists = {
        end: [posixpath.basename(path) for path in _variables(end)]
        for end in linkable_rates(product, rate.group)
    }
    known = [*special, *(one for names in lists.values() for one in names)]
    described = dict.fromkeys(end[0] for end, names in lists.items() if names)
    tables = ", ".join(f"xr_icesat2.products[{one!r}]" for one in described)
    return (
        f"attach: {name!r} is in no rate that is linked with {product} {rate.name}."
        f"{did_you_mean(name, known)} Expected one of: {some_of(dict.fromkeys(known))}. "
        f"All are documented in {tables}."
    )
