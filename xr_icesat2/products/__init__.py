"""What each product holds: one data file a product."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

from xr_icesat2.errors import ProductNotFoundError

from .links import KeyLink, Link, RunLink, TimeLink
from .spec import ALONG, Completeness, Labels, ProductSpec, Rate

__all__ = [
    "ALONG",
    "PRODUCTS",
    "Completeness",
    "KeyLink",
    "Labels",
    "Link",
    "ProductSpec",
    "Rate",
    "RunLink",
    "TimeLink",
]


class _Products(dict[str, ProductSpec]):
    """Says which products there are when another one is asked for."""

    def __missing__(self, product: object) -> NoReturn:
        raise ProductNotFoundError(
            f"there is no specification of {product!r}. There are {', '.join(self)}; other "
            "products open by their files' own dimension scales."
        )


def _all_products() -> _Products:
    """Gather the specification of every module here that is called after a product."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = [
        (name.upper(), importlib.import_module(f".{name}", __name__))
        for name in sorted(names)
        if name.startswith("atl")
    ]
    return _Products({product: getattr(module, product) for product, module in modules})


PRODUCTS: Mapping[str, ProductSpec] = MappingProxyType(_all_products())
"""The products that have a specification, by short name."""
