"""Specifications of the products: one file of data each."""

import importlib
import pkgutil
from collections.abc import Iterator

from .attach_names import AttachName
from .granule_naming import GranuleConvention
from .height_reference import HeightReference
from .link_types import KeyLink, RangeLink, RateLink, SpanLink, TimeLink
from .publication import Publication
from .quality_rule import QualityRule
from .reference_frame import ReferenceFrame
from .registry import Products
from .spec import ALONG, Completeness, Labels, LocatedBy, ProductSpec, Rate

__all__ = [
    "ALONG",
    "PRODUCTS",
    "AttachName",
    "Completeness",
    "GranuleConvention",
    "HeightReference",
    "KeyLink",
    "Labels",
    "LocatedBy",
    "ProductSpec",
    "Products",
    "Publication",
    "QualityRule",
    "RangeLink",
    "Rate",
    "RateLink",
    "ReferenceFrame",
    "SpanLink",
    "TimeLink",
]


def _all_specs() -> Iterator[ProductSpec]:
    """Yield the specifications of all modules that are named after a product."""
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        if name.startswith("atl"):
            yield getattr(importlib.import_module(f".{name}", __name__), name.upper())


PRODUCTS = Products(_all_specs())
"""All products of the archive, by short name."""
