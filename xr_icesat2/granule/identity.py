"""Identify a granule from its contents and its name."""

from dataclasses import dataclass

import numpy as np

from xr_icesat2.errors import IdentityError
from xr_icesat2.products import PRODUCTS, GranuleConvention

from .gran_idx import CYCLES, RGTS, granule_number
from .identity_evidence import (
    WAY_OUT,
    Evidence,
    confirmed,
    first_integer,
    first_text,
    first_time,
    settled_number,
    settled_release,
)
from .name import GranuleName, file_name, parse_name
from .product_detection import detect_product

__all__ = ["UNKNOWN", "Evidence", "Identity", "confirmed", "identify"]

UNKNOWN = -1
"""``gran_idx`` of a granule that nothing numbers."""

_SC_ORIENT = range(3)
_NUMBERS_OF_OTHERS = frozenset({"rgt", "cycle_number"})
"""Numbers of a granule whose product is unknown."""
_RECORDED = "METADATA/DatasetIdentification fileName"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Identity of a granule. Unknown values are None, -1 (``gran_idx``) or NaT."""

    source_file: str
    """Name of the opened file; of a buffer (BytesIO), the name in its METADATA."""
    product: str | None
    """Short name, such as ``"ATL06"``."""
    gran_idx: int
    """Number within the product, -1 where unknown or the product has none."""
    rgt: int | None
    """Reference ground track; of the first orbit where there are several."""
    cycle_number: int | None
    """Repeat cycle; None for ATL11, which has several."""
    granule_region: int | None
    """Granule region, 1 to 14, for the products that are cut by region."""
    hemisphere: int | None
    """1 north, 2 south, for sea ice products."""
    start_rgt: int | None
    """First reference ground track of the file, for products of whole orbits. A subset may begin
    later than its granule."""
    start_cycle: int | None
    """Its repeat cycle."""
    end_rgt: int | None
    """Last reference ground track, for products of whole orbits."""
    end_cycle: int | None
    """Repeat cycle of the last orbit, for products of whole orbits."""
    first_cycle: int | None
    """First of the cycles that are gathered (ATL11, ATL14, ATL15)."""
    last_cycle: int | None
    """Last of the cycles that are gathered."""
    release: str | None
    """Three digits, such as ``"006"``; of ATL24 its own."""
    version: str | None
    """Two digits, such as ``"01"``."""
    sc_orient: int | None
    """First orientation of the spacecraft: 0 backward, 1 forward, 2 turning."""
    data_start_utc: np.datetime64
    """Time of the first data, datetime64[ns], UTC."""
    data_end_utc: np.datetime64
    """Time of the last data, datetime64[ns], UTC."""


def identify(evidence: Evidence) -> Identity:
    """Identify a granule.

    ``orbit_info`` and ``ancillary_data`` come first, then the name in METADATA, then the file's
    name. METADATA of another product, copied from a source, is ignored. Numbers outside their range
    are fill values and are ignored.

    Raises
    ------
    IdentityError
        Two values differ, the product does not fit the groups, or a date is invalid.
    """
    recorded = first_text(evidence.dataset_identification.get("fileName"))
    source_file = _source_file(evidence.url, recorded)
    product = detect_product(
        source_file, evidence.root_attrs, evidence.dataset_identification, evidence.groups
    )
    names = _names(product, source_file, recorded)
    name = next(iter(names.values()), None)
    ancillary = evidence.ancillary

    convention = PRODUCTS.convention(product)
    # Track and cycle of a map are those at the beginning of its time span.
    numbers = convention.numbers if convention else _NUMBERS_OF_OTHERS
    settled: dict[str, int | None] = {
        field: settled_number(field, product, source_file, evidence, names)
        for field in ("rgt", "cycle_number", "granule_region")
        if field in numbers
    }
    hemisphere = name.hemisphere if name else None
    gran_idx = granule_number(product, {**settled, "hemisphere": hemisphere})
    release, version = settled_release(product, source_file, evidence, names)
    first_cycle, last_cycle = _cycles(convention, evidence, name)
    whole_orbits = convention is not None and convention.orbits > 0
    return Identity(
        source_file=source_file,
        product=product,
        gran_idx=UNKNOWN if gran_idx is None else gran_idx,
        rgt=settled.get("rgt"),
        cycle_number=settled.get("cycle_number"),
        granule_region=settled.get("granule_region"),
        hemisphere=hemisphere,
        start_rgt=first_integer(ancillary.get("start_rgt"), RGTS) if whole_orbits else None,
        start_cycle=first_integer(ancillary.get("start_cycle"), CYCLES) if whole_orbits else None,
        end_rgt=first_integer(ancillary.get("end_rgt"), RGTS) if whole_orbits else None,
        end_cycle=first_integer(ancillary.get("end_cycle"), CYCLES) if whole_orbits else None,
        first_cycle=first_cycle,
        last_cycle=last_cycle,
        release=release,
        version=version,
        sc_orient=first_integer(evidence.orbit_info.get("sc_orient"), _SC_ORIENT),
        data_start_utc=first_time(
            "ancillary_data/data_start_utc", source_file, ancillary.get("data_start_utc")
        ),
        data_end_utc=first_time(
            "ancillary_data/data_end_utc", source_file, ancillary.get("data_end_utc")
        ),
    )


def _source_file(url: str, recorded: str | None) -> str:
    """Return the file's name; for a buffer (``<BytesIO>``), the one in its METADATA."""
    return recorded if url.startswith("<") and recorded else file_name(url)


def _names(product: str | None, source_file: str, recorded: str | None) -> dict[str, GranuleName]:
    """Return the names of this granule by their place, the most trusted first."""
    names = {
        where: name
        for where, written in ((_RECORDED, recorded), ("the file's name", source_file))
        if written and (name := parse_name(written)) and name.product == product
    }
    if len(set(names.values())) > 1:
        raise IdentityError(
            f"The file is named {source_file!r}, but its {_RECORDED} is {recorded!r}. {WAY_OUT}."
        )
    return names


def _cycles(
    convention: GranuleConvention | None, evidence: Evidence, name: GranuleName | None
) -> tuple[int | None, int | None]:
    if name:
        return name.first_cycle, name.last_cycle
    if convention is None or "first_cycle" not in convention.fields:
        return None, None
    first, last = (evidence.ancillary.get(key) for key in ("start_cycle", "end_cycle"))
    return first_integer(first, CYCLES), first_integer(last, CYCLES)
