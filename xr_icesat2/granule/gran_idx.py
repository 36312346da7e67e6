"""How the granules of each product are numbered.

Source: the file naming conventions in the products' user guides at NSIDC.
"""

__all__ = [
    "CYCLES",
    "FOUR_ORBITS",
    "GRIDDED",
    "HEMISPHERIC",
    "ORBITAL",
    "QUICK_LOOK",
    "REGIONAL",
    "REGIONS",
    "REPEAT",
    "RGTS",
    "WITH_HEMISPHERE",
    "first_of_four",
    "granule_number",
]

RGTS = range(1, 1388)
"""Reference ground tracks: ICESat-2 repeats after 1387 orbits."""

CYCLES = range(1, 100)
"""Repeat cycles, as far as the two digits of a name go."""

REGIONS = range(1, 15)
"""Granule regions: the fourteen latitude sections of an orbit."""

REGIONAL = frozenset({"ATL03", "ATL04", "ATL06", "ATL08", "ATL24"})
"""Products with a granule for each region of each orbit (ATL04 has region 1 only)."""

HEMISPHERIC = frozenset({"ATL07", "ATL10"})
"""Sea ice products: a granule for each hemisphere of each orbit."""

FOUR_ORBITS = frozenset({"ATL12", "ATL13", "ATL22"})
"""Products with four orbits a granule, named by the first."""

ORBITAL = FOUR_ORBITS | {"ATL09"}
"""Products whose granules hold whole orbits, without a region."""

QUICK_LOOK = REGIONAL | HEMISPHERIC | ORBITAL
"""Products that may have a quick look, called ``"ATL03QL"`` …, until the final granule is there.

Which of them the archive has, CMR knows.
"""

REPEAT = frozenset({"ATL11"})
"""Products that gather many cycles of one track."""

GRIDDED = frozenset({f"ATL{number}" for number in (14, 15, 16, 17, 18, 19, 20, 21, 23)})
"""Maps: they belong to no single track."""

WITH_HEMISPHERE = HEMISPHERIC | {"ATL20", "ATL21"}
"""Products whose names say which hemisphere."""


def first_of_four(rgt: int) -> int:
    """Return the first reference ground track of the four-orbit granule that holds `rgt`."""
    return 4 * ((rgt - 1) // 4) + 1


def granule_number(
    *,
    product: str | None,
    rgt: int | None,
    cycle_number: int | None,
    granule_region: int | None,
    hemisphere: int | None,
) -> int | None:
    """Return the number of a granule within its product, the coordinate ``gran_idx``.

    Parameters
    ----------
    product
        Short name, such as ``"ATL06"``.
    rgt, cycle_number, granule_region, hemisphere
        What is known of the granule; what the product's rule does not use is ignored.

    Returns
    -------
    int or None
        ``rgt·10⁴ + cycle_number·10² + granule_region``, with the hemisphere (1 north, 2 south) in
        place of the region for sea ice, 1 for products of whole orbits, and no cycle for ATL11.
        None where the product has no such number or a part of it is unknown.
    """
    if product in REGIONAL:
        last = granule_region
    elif product in HEMISPHERIC:
        last = hemisphere
    elif product in ORBITAL:
        last = 1
    elif product in REPEAT:
        last, cycle_number = granule_region, 0
    else:
        return None
    if rgt is None or cycle_number is None or last is None:
        return None
    return rgt * 10_000 + cycle_number * 100 + last
