"""The mapping of all products, printed as one line for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import NoReturn

from xr_icesat2.errors import ProductNotFoundError
from xr_icesat2.text_table import align_columns, html_rows

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["Products"]

_TITLE = "ICESat-2 products"
_USAGE = "products['ATL06'] lists its variables; products['ATL06'].find('height') searches them."
_COMPLETENESS = {
    "complete": "rates: complete",
    "partial": "rates: partial",
    "none": "rates: by the file's dimension scales",
}


class Products(Mapping[str, ProductSpec]):
    """Specifications by the short names of their products.

    ``"ATL06"``, ``"atl06"`` and ``"ATL-06"`` are the same key.
    """

    def __init__(self, specs: Iterable[ProductSpec]) -> None:
        self._specs = {spec.product: spec for spec in specs}

    def __getitem__(self, product: str) -> ProductSpec:
        """Return the specification of a product.

        Raises
        ------
        ProductNotFoundError
            There is no such product.
        """
        spec = self._find(product)
        return self._refuse(product) if spec is None else spec

    def __contains__(self, product: object) -> bool:
        return self._find(product) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def convention(self, product: str | None) -> GranuleConvention | None:
        """Return how granules of a product are named, numbered and stored; None if unknown."""
        spec = self._find(product)
        return None if spec is None else spec.granules

    def _find(self, product: object) -> ProductSpec | None:
        if not isinstance(product, str):
            return None
        return self._specs.get(product) or self._specs.get(_canonical(product))

    def _refuse(self, product: object) -> NoReturn:
        digits = re.sub(r"\D", "", str(product))
        numbered = f"ATL{digits.zfill(2)}"
        meant = f" Did you mean {numbered!r}?" if digits and numbered in self else ""
        raise ProductNotFoundError(
            f"{product!r} is not a product of ICESat-2.{meant} The products are {', '.join(self)}."
        )

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        for name, spec in self.items():
            releases = ""
            if spec.releases:
                releases = f"releases {spec.releases[0]} to {spec.releases[-1]}"
            yield name, spec.title, releases, _COMPLETENESS[spec.completeness]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        lines = align_columns(list(self._rows()))
        return "\n".join([_TITLE, *(f"  {line}" for line in lines), _USAGE])

    def _repr_html_(self) -> str:
        rows = html_rows(list(self._rows()))
        return f"<div><b>{_TITLE}</b><table>{rows}</table>{escape(_USAGE)}</div>"


def _canonical(product: str) -> str:
    """Spell a short name as the mission does; of anything else, in capitals."""
    return re.sub(r"[\s_-]", "", product).upper()
