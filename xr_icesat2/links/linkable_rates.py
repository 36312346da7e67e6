"""Rates of which each row of another rate has one row, by the declared links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from xr_icesat2.products import PRODUCTS, KeyLink, RangeLink, RateLink, SpanLink, TimeLink

from .declared_links import End, declared_links, link_ends
from .link_lookup import inner_link

__all__ = ["LinkableRate", "linkable_rates"]

Paths = Mapping[End, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LinkableRate:
    """A rate whose variables can be attached to the rows of another rate."""

    end: End
    through: End | None
    """The rate through which granules of two products are linked."""
    via: End | None
    """The rate that is linked with it, and to which it is attached first; None: a direct link."""
    index: Paths
    """Variables that are read whole before rows are matched."""
    rows: Paths
    """Variables that are read for the matched rows."""

    @property
    def paths(self) -> Paths:
        """All variables that the link needs, by rate."""
        ends = [*self.index, *(end for end in self.rows if end not in self.index)]
        return {end: (*self.index.get(end, ()), *self.rows.get(end, ())) for end in ends}


@cache
def linkable_rates(product: str, group: str) -> Mapping[End, LinkableRate]:
    """Return the rates that can be attached to the rows of a rate, nearest first.

    Granules of the linked products have the same pass, region and release. Products of whole
    orbits are not among them.
    """
    start = (product, group)
    found = {rate.end: rate for rate in _direct(start)}
    found = {end: rate for end, rate in found.items() if end != start}
    for end in list(found):
        for rate in _direct(end, via=end):
            if rate.end != start:
                found.setdefault(rate.end, rate)
    own_first = sorted(found.values(), key=lambda rate: rate.end[0] != product)
    return MappingProxyType({rate.end: rate for rate in own_first})


def _direct(of: End, via: End | None = None) -> Iterator[LinkableRate]:
    for product, link in declared_links():
        many, one = link_ends(product, link)
        if many[0] != one[0] and not _share_granules(many[0], one[0]):
            continue
        for to, through in _targets(of, product, link):
            index, rows = _needed(of, to, product, link)
            yield LinkableRate(to, through, via, index, rows)


def _share_granules(one: str, other: str) -> bool:
    """Return whether granules of two products have the same numbers."""
    conventions = PRODUCTS[one].granules, PRODUCTS[other].granules
    return conventions[0].gran_idx == conventions[1].gran_idx and not any(
        convention.orbits for convention in conventions
    )


def _targets(of: End, product: str, link: RateLink) -> Iterator[tuple[End, End | None]]:
    """Yield the rates that a link leads to from one of its ends, and what it passes through."""
    many, one = link_ends(product, link)
    if isinstance(link, SpanLink):
        run = (link.product, link.through)
        if of == many:
            yield one, run
        elif of in (one, run):
            yield (run if of == one else one), None
    elif isinstance(link, KeyLink):
        if of in (many, one):
            yield (one if of == many else many), (link.product, link.through)
    elif of == many:
        yield one, None


def _needed(of: End, to: End, product: str, link: RateLink) -> tuple[Paths, Paths]:
    """Return the variables that a link reads whole, and those that it reads for matched rows."""
    many, one = link_ends(product, link)
    index: dict[End, tuple[str, ...]] = {}
    rows: dict[End, tuple[str, ...]] = {}
    if isinstance(link, RangeLink):
        index[one] = link.first, link.count
    elif isinstance(link, TimeLink):
        index[one] = (link.one_time,)
        rows[many] = (link.many_time,)
    elif isinstance(link, KeyLink):
        inner, keys = inner_link(link), (link.key, link.position)
        index[link.product, link.through] = inner.first, inner.count, link.through_key
        rows |= {many: (link.many_time,), one: (link.to_time,)}
        if of == many:
            rows[many] = (*keys, link.many_time)
        else:
            index[many] = keys
    elif of == many:
        inner, through = inner_link(link), (link.product, link.through)
        rate = next(rate for rate in PRODUCTS[many[0]].rates if rate.group == many[1])
        index[one] = (link.key,)
        index[through] = link.through_key, link.through_length, inner.first, inner.count
        rows |= {one: (link.one_time,), many: (link.many_past, f"{many[1]}/{rate.time}")}
    else:
        keyed = {one: link.key, (link.product, link.through): link.through_key}
        times = {one: link.one_time, (link.product, link.through): link.through_time}
        index[to] = (keyed[to],)
        rows |= {of: (keyed[of], times[of]), to: (times[to],)}
    return index, rows
