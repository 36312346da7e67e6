"""Look up the declared link of two rates, and check that they are a pair."""

from __future__ import annotations

from xr_icesat2.errors import LinkError
from xr_icesat2.granule.identity import UNKNOWN
from xr_icesat2.products import PRODUCTS, KeyLink, RangeLink, RateLink, SpanLink

from .declared_links import declared_links, link_ends, list_links
from .link_endpoint import Endpoint

__all__ = [
    "check_pair",
    "check_through",
    "find_link",
    "find_range_link",
    "inner_link",
    "known_granules",
]


def find_link(of: Endpoint, to: Endpoint) -> tuple[RateLink, bool]:
    """Return the link by which a row of one endpoint has one row of the other.

    Returns
    -------
    link, forward
        ``forward`` is True if ``of`` is the link's ``many``, or if ``of`` is the ``one`` and ``to``
        the ``through`` of a :class:`.SpanLink`. If it is False, the link is followed in reverse.

    Raises
    ------
    LinkError
        No link is declared.
    """
    ends = _end(of), _end(to)
    for product, link in declared_links():
        here, there = link_ends(product, link)
        if (here, there) == ends:
            return link, True
        if isinstance(link, SpanLink):
            numbered = (product, link.one), (link.product, link.through)
            if ends in (numbered, numbered[::-1]):
                return link, ends == numbered
        if (there, here) == ends:
            if isinstance(link, KeyLink):
                return link, False
            raise LinkError(
                f"each row of {of.name} has many of {to.name}, expected one. {_range_hint(link)}"
            )
    raise _none(of, to)


def _range_hint(link: RateLink) -> str:
    if isinstance(link, RangeLink | SpanLink):
        return "Use links.row_ranges."
    return "Link in the other direction."


def find_range_link(one: Endpoint, many: Endpoint) -> RangeLink | SpanLink:
    """Return the link by which a row of ``one`` has a range of rows of ``many``.

    Raises
    ------
    LinkError
        No link is declared.
    """
    for product, link in declared_links():
        if isinstance(link, RangeLink | SpanLink) and link_ends(product, link) == (
            _end(many),
            _end(one),
        ):
            return link
    raise _none(one, many)


def inner_link(link: KeyLink | SpanLink) -> RangeLink:
    """Return the link inside the other product that a link passes through."""
    many = link.to if isinstance(link, KeyLink) else link.many
    return next(
        inner
        for inner in PRODUCTS[link.product].links
        if isinstance(inner, RangeLink) and (inner.one, inner.many) == (link.through, many)
    )


def check_pair(one: Endpoint, other: Endpoint) -> None:
    """Raise :class:`LinkError` unless two endpoints have the same release.

    Versions may differ: products of one pass are not always reprocessed together.
    """
    known = one.product == other.product or (one.release and other.release)
    if one.release != other.release or not known:
        given = " and ".join(
            f"{endpoint.name} of release {endpoint.release or 'unknown or several'}"
            for endpoint in (one, other)
        )
        raise LinkError(
            f"{given} are not a pair, expected one release. Open granules of the same release."
        )


def known_granules(of: Endpoint, to: Endpoint) -> frozenset[int]:
    """Return the granules of ``to``; raise :class:`LinkError` if one is unknown."""
    granules = to.track.granules
    if UNKNOWN in granules:
        raise LinkError(
            f"the granule of {to.name} is unknown, so it cannot be paired with {of.name}. Open "
            "files that identify their granule or have their original names."
        )
    return granules


def check_through(
    link: KeyLink | SpanLink, of: Endpoint, to: Endpoint, through: Endpoint | None
) -> Endpoint:
    """Return ``through``; raise unless it is the rate that the link passes through."""
    if through is None or _end(through) != (link.product, link.through):
        given = "nothing" if through is None else through.name
        raise LinkError(
            f"through= is {given}, but {of.name} and {to.name} are linked through {link.product} "
            f"{link.through}. Pass that rate as through=."
        )
    return through


def _end(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.product, endpoint.rate.group


def _none(one: Endpoint, other: Endpoint) -> LinkError:
    return LinkError(
        f"no link is declared for {one.name} and {other.name}. Use one of the declared links: "
        f"{list_links()}"
    )
