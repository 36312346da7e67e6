"""Detect the product of a granule."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from xr_icesat2.errors import IdentityError
from xr_icesat2.products import PRODUCTS

from .beams import TRACK_GROUPS, TRACKS
from .identity_evidence import WAY_OUT, first_text, settle
from .name import parse_name

__all__ = ["detect_product"]

_ROOT_ATTRS = ("short_name", "identifier_product_type")
_SHORT_NAME = re.compile(r"(?P<product>ATL[0-9]{2})(?:QL)?")  # QL: a quick look


def detect_product(
    source_file: str,
    root_attrs: Mapping[str, object],
    dataset_identification: Mapping[str, object],
    groups: AbstractSet[str],
) -> str | None:
    """Return the short name of the product, such as ``"ATL06"``; None where unknown.

    The root attributes come first, then the file's name, then METADATA, if it fits the groups: a
    product made of another may have a copy of its source's METADATA.

    Raises
    ------
    IdentityError
        Two values differ, or the product does not have these groups.
    """
    name = parse_name(source_file)
    claims = [
        *((f"root attribute {key}", _code(root_attrs.get(key))) for key in _ROOT_ATTRS),
        ("the file's name", name.product if name else None),
        *(
            (f"METADATA/DatasetIdentification {key}", product)
            for key, product in _recorded(dataset_identification)
            if _fits(product, groups)
        ),
    ]
    product = settle("product", source_file, claims)
    if product is None:
        return _only_product_with(groups)
    if not _fits(product, groups):
        raise IdentityError(
            f"{source_file} identifies itself as {product}, but has the groups "
            f"{', '.join(sorted(groups & TRACKS))}. Granules of {product} have the groups "
            f"{', '.join(_expected(product))}. {WAY_OUT}."
        )
    return product


def _recorded(dataset_identification: Mapping[str, object]) -> list[tuple[str, str | None]]:
    name = parse_name(first_text(dataset_identification.get("fileName")) or "")
    return [
        ("shortName", _code(dataset_identification.get("shortName"))),
        ("fileName", name.product if name else None),
    ]


def _code(value: object) -> str | None:
    found = _SHORT_NAME.fullmatch(first_text(value) or "")
    return found["product"] if found else None


def _fits(product: str | None, groups: AbstractSet[str]) -> bool:
    """Return whether a product may have these groups; unknown products may have any."""
    expected = _expected(product)
    return not expected or groups.isdisjoint(TRACKS) or not groups.isdisjoint(expected)


def _expected(product: str | None) -> tuple[str, ...]:
    """Return the groups of a product's tracks; empty where any may be there."""
    convention = PRODUCTS.convention(product)
    return TRACK_GROUPS[convention.tracks] if convention and convention.tracks else ()


def _only_product_with(groups: AbstractSet[str]) -> str | None:
    """Return the product that alone has these groups, such as the pairs of ATL11."""
    if groups.isdisjoint(TRACKS):
        return None
    found = [product for product in PRODUCTS if not groups.isdisjoint(_expected(product))]
    return found[0] if len(found) == 1 else None
