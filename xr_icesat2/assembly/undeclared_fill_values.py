"""Fill values and units that a file does not declare, from the specification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from xr_icesat2.errors import IdentityError
from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.granule.product_detection import detect_product
from xr_icesat2.printable import get_logger
from xr_icesat2.products.variable_table import known_tables, load_table

if TYPE_CHECKING:
    from xr_icesat2.granule.granule import Granule
    from xr_icesat2.hdf5.model import DatasetHeader
    from xr_icesat2.products.variable_table import TableVariable

__all__ = ["product_of", "specified_attrs", "undeclared_fills"]

log = get_logger(__name__)

BEAM = re.compile(rf"(?<=/)({'|'.join(BEAMS)})(?=/)")
DECLARING = ("_FillValue", "missing_value")


def specified_attrs(granule: Granule, path: str, header: DatasetHeader) -> dict[str, Any]:
    """Return the specified units and fill value of a dataset without any attributes.

    Floats need no fill value: :func:`undeclared_fills` has theirs.
    """
    if header.attrs:
        return {}
    product = product_of(granule)
    if product is None or product not in known_tables():
        return {}
    dtype = header.dtype.newbyteorder("=")
    # Releases may differ in dtype; the newest of the same dtype applies.
    variants = _variables(product).get(BEAM.sub("{beam}", path).lstrip("/"), [])
    known = next((one for one in reversed(variants) if np.dtype(one.dtype) == dtype), None)
    if known is None:
        return {}
    attrs: dict[str, Any] = {"units": known.units} if known.units else {}
    if known.fill is not None and dtype.kind in "iu":
        attrs["_FillValue"] = dtype.type(known.fill)
    if attrs:
        _note(granule.url, product)
    return attrs


def undeclared_fills(
    granule: Granule, header: DatasetHeader, attrs: Mapping[str, Any]
) -> tuple[float, ...]:
    """Return the fill values of a float dataset that declares none.

    All products fill floats with the greatest value of the dtype, but some datasets do not declare
    it.
    """
    if header.dtype.kind != "f" or any(name in attrs for name in DECLARING):
        return ()
    return (float(np.finfo(header.dtype).max),) if product_of(granule) is not None else ()


def product_of(granule: Granule) -> str | None:
    """Return the product of a granule, or None if it is unknown."""
    root = granule.index.group("/")
    try:
        return detect_product(granule.url, root.attrs, {}, root.links.keys())
    except IdentityError:
        return None


@cache
def _variables(product: str) -> dict[str, list[TableVariable]]:
    """Return the variables of a product by path, from the tables of all releases."""
    variables: dict[str, list[TableVariable]] = {}
    for variable in load_table(product).variables:
        variables.setdefault(variable.path, []).append(variable)
    return variables


@lru_cache(maxsize=1 << 10)  # once a granule
def _note(url: str, product: str) -> None:
    log.warning(
        "%s: datasets without attributes get the units and fill values of the "
        "specification of %s",
        url, product,
    )  # fmt: skip
