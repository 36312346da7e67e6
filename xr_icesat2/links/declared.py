"""Which of the declared links two rates have."""

from __future__ import annotations

from collections.abc import Iterator

from xr_icesat2.errors import LinkError
from xr_icesat2.products import PRODUCTS, KeyLink, Link, RunLink

from .side import Side

__all__ = ["check_pair", "find_link", "link_of_runs"]


def find_link(of: Side, to: Side) -> tuple[Link, bool]:
    """Give the link by which a row of one side has one row of the other.

    Returns
    -------
    link, forward
        ``forward``: ``of`` is the link's ``many``; else it is ``to`` of a :class:`.KeyLink`.

    Raises
    ------
    LinkError
        None is declared.
    """
    for product, link in _links():
        here, there = _ends(product, link)
        if (here, there) == (_end(of), _end(to)):
            return link, True
        if isinstance(link, KeyLink) and (here, there) == (_end(to), _end(of)):
            return link, False
        if (here, there) == (_end(to), _end(of)):
            raise LinkError(f"each row of {of.name} has many of {to.name}: links.runs gives them")
    raise _none(of, to)


def link_of_runs(one: Side, many: Side) -> RunLink:
    """Give the link by which a row of ``one`` stands for several of ``many``.

    Raises
    ------
    LinkError
        None is declared.
    """
    for product, link in _links():
        if isinstance(link, RunLink) and _ends(product, link) == (_end(many), _end(one)):
            return link
    raise _none(one, many)


def check_pair(one: Side, other: Side) -> None:
    """Raise :class:`LinkError` unless two sides can be of the same granules: by their release.

    Versions may differ: products of one pass are not always reprocessed together.
    """
    known = one.product == other.product or (one.release and other.release)
    if one.release != other.release or not known:
        said = " and ".join(
            f"{side.name} of release {side.release or 'unknown or several'}"
            for side in (one, other)
        )
        raise LinkError(f"{said} are no pair; expected granules of one release, opened so")


def _links() -> Iterator[tuple[str, Link]]:
    for product, spec in PRODUCTS.items():
        for link in spec.links:
            yield product, link


def _ends(product: str, link: Link) -> tuple[tuple[str, str], tuple[str, str]]:
    if isinstance(link, KeyLink):
        return (product, link.many), (link.product, link.to)
    return (product, link.many), (product, link.one)


def _end(side: Side) -> tuple[str, str]:
    return side.product, side.rate.group


def _none(one: Side, other: Side) -> LinkError:
    listed = "; ".join(
        f"{here[0]} {here[1]} → {there[0]} {there[1]}"
        for product, link in _links()
        for here, there in [_ends(product, link)]
    )
    return LinkError(f"no link is known of {one.name} and {other.name}; there are: {listed}")
