"""Parse tracks, cycles and regions of a search into patterns of granule names.

CMR has tracks and cycles of ICESat-2 only as parts of names.

Source: the file naming conventions in the products' user guides at NSIDC.
"""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product as combinations

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.gran_idx import CYCLES, REGIONS, RGTS, first_of
from xr_icesat2.granule.name import GranuleName, name_pattern
from xr_icesat2.products import PRODUCTS, GranuleConvention

__all__ = ["Numbers", "Passes", "check_product", "parse_passes"]

Numbers = int | Iterable[int] | None
"""One number, several numbers, or None for all."""

MAX_PATTERNS = 500
"""Maximum combinations of track, cycle and granule region in one search."""

_HEMISPHERES = {"north": 1, "south": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Numbers of the granules to find; an empty tuple means all."""

    product: str
    """Short name, without the ``QL`` of a quick look."""
    quick_look: bool = False
    rgts: tuple[int, ...] = ()
    """Reference ground tracks as in names: the first of four orbits."""
    cycles: tuple[int, ...] = ()
    granule_regions: tuple[int, ...] = ()
    hemispheres: tuple[int, ...] = ()
    """1 north, 2 south."""

    @property
    def collection(self) -> str:
        """Short name of the collection in NASA's catalog."""
        return f"{self.product}QL" if self.quick_look else self.product

    def patterns(self) -> list[str]:
        """Return patterns of names for CMR (wildcards ``?`` and ``*``); none for all."""
        numbers = {
            "rgt": self.rgts,
            "cycle_number": self.cycles,
            "granule_region": self.granule_regions,
            "hemisphere": self.hemispheres,
        }
        # The name of a repeat granule has its first and last cycle: those between are not in it.
        in_names = PRODUCTS[self.product].granules.fields
        given_numbers = {key: given for key, given in numbers.items() if given and key in in_names}
        if not given_numbers:
            return []
        return [
            name_pattern(self.collection, dict(zip(given_numbers, combination, strict=True)))
            for combination in combinations(*given_numbers.values())
        ]

    def accept(self, name: GranuleName) -> bool:
        """Return whether the granule of this name matches."""
        return (
            name.collection == self.collection
            and name.rgt in (self.rgts or (name.rgt,))
            and name.granule_region in (self.granule_regions or (name.granule_region,))
            and name.hemisphere in (self.hemispheres or (name.hemisphere,))
            and self._accept_cycle(name)
        )

    def _accept_cycle(self, name: GranuleName) -> bool:
        if not self.cycles:
            return True
        first, last = name.first_cycle, name.last_cycle
        if first is not None and last is not None:
            return any(first <= cycle_number <= last for cycle_number in self.cycles)
        return name.cycle_number in self.cycles


def check_product(given: str) -> str:
    """Return the short name of a product or quick look, in capital letters.

    Raises
    ------
    SelectionError
        The archive has no product of that name.
    """
    product = given.strip().upper() if isinstance(given, str) else given
    quick_looks = [f"{name}QL" for name, spec in PRODUCTS.items() if spec.granules.quick_look]
    if product not in [*PRODUCTS, *quick_looks]:
        raise SelectionError(
            f"product={given!r}, expected the short name of an ICESat-2 product "
            f"({', '.join(PRODUCTS)}), or of a quick look ({', '.join(quick_looks)})"
        )
    return product


def parse_passes(
    product: str,
    *,
    rgt: Numbers = None,
    cycle_number: Numbers = None,
    granule_region: Numbers = None,
    hemisphere: str | int | None = None,
) -> Passes:
    """Check the numbers of a search against those of the product's granules.

    Parameters
    ----------
    product
        Short name, from :func:`check_product`.
    rgt, cycle_number, granule_region
        Numbers 1 to 1387, from 1, 1 to 14.
    hemisphere
        ``"north"``, ``"south"``, 1 or 2.

    Raises
    ------
    SelectionError
        A number is out of range, or the product's granules do not have it.
    """
    quick_look, product = product.endswith("QL"), product.removesuffix("QL")
    convention = PRODUCTS[product].granules
    rgts = _checked("rgt", rgt, RGTS, product)
    rgts = tuple(dict.fromkeys(first_of(convention.orbits, rgt) for rgt in rgts))
    passes = Passes(
        product=product,
        quick_look=quick_look,
        rgts=rgts,
        cycles=_checked("cycle_number", cycle_number, CYCLES, product),
        granule_regions=_checked("granule_region", granule_region, REGIONS, product),
        hemispheres=_hemisphere(hemisphere, product),
    )
    found = len(passes.patterns())
    if found > MAX_PATTERNS:
        raise SelectionError(
            f"There are {found} combinations of rgt, cycle_number and granule_region, expected at "
            f"most {MAX_PATTERNS}. Leave one of the three out, or search in several calls."
        )
    return passes


def _checked(keyword: str, given: Numbers, valid: range, product: str) -> tuple[int, ...]:
    if given is None:
        return ()
    convention = PRODUCTS[product].granules
    if not _have(convention, keyword):
        way_out = (
            " Its granules are numbered by hemisphere." if "hemisphere" in convention.fields else ""
        )
        raise SelectionError(
            f"{keyword}={given!r}: granules of {product} have no such number in their names. "
            f"Leave it out.{way_out}"
        )
    expected = f"numbers from {valid[0]} to {valid[-1]}"
    try:
        listed = given if isinstance(given, Iterable) else (given,)
        numbers = tuple(dict.fromkeys(operator.index(number) for number in listed))
    except TypeError:
        raise SelectionError(f"{keyword}={given!r}, expected {expected}") from None
    wrong = [number for number in numbers if number not in valid]
    if wrong or not numbers:
        raise SelectionError(f"{keyword}={given!r}, expected {expected}. Leave it out to find all.")
    return numbers


def _have(convention: GranuleConvention, keyword: str) -> bool:
    """Return whether granules of a product differ in a number."""
    if keyword == "granule_region":
        return keyword in convention.numbers
    return not convention.is_gridded


def _hemisphere(given: str | int | None, product: str) -> tuple[int, ...]:
    if given is None:
        return ()
    having = [name for name, spec in PRODUCTS.items() if "hemisphere" in spec.granules.fields]
    if product not in having:
        raise SelectionError(
            f"hemisphere={given!r}: names of {product} have no hemisphere, only those "
            f"of {', '.join(having)}. Leave it out."
        )
    number = _HEMISPHERES.get(given.lower()) if isinstance(given, str) else given
    if number not in (1, 2):
        raise SelectionError(f'hemisphere={given!r}, expected "north" (1) or "south" (2)')
    return (number,)
