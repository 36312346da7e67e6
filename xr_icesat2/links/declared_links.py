"""Links declared in the specifications of products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from xr_icesat2.products import PRODUCTS, KeyLink, RateLink, SpanLink, TimeLink

__all__ = ["End", "declared_links", "link_ends", "list_links"]

End: TypeAlias = tuple[str, str]
"""Product and group of a rate."""


def declared_links() -> Iterator[tuple[str, RateLink]]:
    """Yield each link with the product whose specification declares it."""
    for product, spec in PRODUCTS.items():
        for link in spec.links:
            yield product, link


def link_ends(product: str, link: RateLink) -> tuple[End, End]:
    """Return the end whose rows have one linked row each, and the other end."""
    match link:
        case KeyLink():
            return (product, link.many), (link.product, link.to)
        case SpanLink():
            return (link.product, link.many), (product, link.one)
        case TimeLink():
            return (link.many_product or product, link.many), (product, link.one)
        case _:
            return (product, link.many), (product, link.one)


def list_links() -> str:
    """Return all links, for messages."""
    pairs = [link_ends(product, link) for product, link in declared_links()]
    pairs += [
        ((product, link.one), (link.product, link.through))
        for product, link in declared_links()
        if isinstance(link, SpanLink)
    ]
    return "; ".join(f"{here[0]} {here[1]} → {there[0]} {there[1]}" for here, there in pairs)
