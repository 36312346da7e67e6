"""What each product holds: one data file a product."""

from collections.abc import Mapping
from types import MappingProxyType

from .atl06 import ATL06
from .spec import ALONG, ProductSpec, Rate

__all__ = ["ALONG", "PRODUCTS", "ProductSpec", "Rate"]

PRODUCTS: Mapping[str, ProductSpec] = MappingProxyType({spec.product: spec for spec in (ATL06,)})
"""The products that have a specification, by short name."""
