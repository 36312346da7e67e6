"""The coordinate ``gran_idx``: the number of a granule within its product.

Each product declares in ``products/atlNN.py`` of which numbers it is made
(:attr:`.GranuleConvention.gran_idx`).
"""

from collections.abc import Mapping

from xr_icesat2.products import PRODUCTS

__all__ = ["CYCLES", "HEMISPHERES", "REGIONS", "RGTS", "first_of", "granule_number"]

RGTS = range(1, 1388)
"""Reference ground tracks: ICESat-2 repeats after 1387 orbits."""

CYCLES = range(1, 100)
"""Repeat cycles, as far as the two digits of a name go."""

REGIONS = range(1, 15)
"""Granule regions: the fourteen latitude sections of an orbit."""

HEMISPHERES = range(1, 3)
"""1 north, 2 south."""


def first_of(orbits: int, rgt: int) -> int:
    """Return the first reference ground track of the granule of several orbits that has `rgt`."""
    return orbits * ((rgt - 1) // orbits) + 1 if orbits else rgt


def granule_number(product: str | None, numbers: Mapping[str, int | None]) -> int | None:
    """Return the number of a granule within its product.

    Parameters
    ----------
    product
        Short name, such as ``"ATL06"``.
    numbers
        ``rgt``, ``cycle_number``, ``granule_region`` and ``hemisphere``, as far as known.

    Returns
    -------
    int or None
        ``rgt·10⁴ + cycle_number·10² + granule_region`` for most products. None where the product
        has no such number, or a part of it is unknown.
    """
    convention = PRODUCTS.convention(product)
    if convention is None or convention.gran_idx is None:
        return None
    total = 0
    for part in convention.gran_idx:
        number = numbers.get(part) if isinstance(part, str) else part
        if number is None:
            return None
        total = total * 100 + number
    return total
