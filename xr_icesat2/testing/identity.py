"""Which granule to write: what its file name says, what keywords say, and what is the default."""

from datetime import datetime
from typing import Any

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.gran_idx import FOUR_ORBITS, ORBITAL, first_of_four
from xr_icesat2.granule.name import parse_name

from .granule import Granule, as_utc

__all__ = ["complete_identity", "granule_name"]

_DEFAULTS = {
    "product": "ATL06",
    "cycle_number": 1,
    "release": "006",
    "version": "01",
    "start": None,
}
_DEFAULT_RGT, _DEFAULT_REGION = 658, 3  # Greenland


def complete_identity(file_name: str, **given: Any) -> dict[str, Any]:
    """Complete the fields of a granule's name by its file name and by defaults.

    Parameters
    ----------
    file_name
        Name of the file to write. One that is not the name of a granule says nothing.
    **given
        Fields as :func:`write_granule` takes them; None: not given.

    Raises
    ------
    SelectionError
        The file name contradicts what was given.
    """
    given = {field: value for field, value in given.items() if value is not None}
    named = _named_fields(file_name)
    for field, value in given.items():
        if field in named and not _same(value, named[field]):
            raise SelectionError(
                f"{field}={value!r}, but the file name {file_name} says {field}="
                f"{named[field]!r}: leave {field} out, or choose another file name"
            )
    identity = _DEFAULTS | given | named
    product = identity["product"]
    rgt = first_of_four(_DEFAULT_RGT) if product in FOUR_ORBITS else _DEFAULT_RGT
    identity.setdefault("rgt", rgt)
    identity.setdefault("granule_region", 1 if product in ORBITAL else _DEFAULT_REGION)
    return identity


def _named_fields(file_name: str) -> dict[str, Any]:
    name = parse_name(file_name)
    if name is None:
        return {}
    fields = ("product", "rgt", "cycle_number", "granule_region", "release", "version", "start")
    return {field: getattr(name, field) for field in fields if getattr(name, field) is not None}


def _same(given: Any, named: Any) -> bool:
    return bool(as_utc(given) == named if isinstance(given, datetime) else given == named)


def granule_name(  # noqa: PLR0913 (each is a part of the name)
    product: str = "ATL06",
    *,
    rgt: int,
    cycle_number: int,
    granule_region: int | None = None,
    release: str = "006",
    version: str = "01",
    start: datetime | None = None,
) -> str:
    """Return the name of the granule that :func:`write_granule` writes with these arguments."""
    identity = complete_identity(
        "",
        product=product,
        rgt=rgt,
        cycle_number=cycle_number,
        granule_region=granule_region,
        release=release,
        version=version,
        start=start,
    )
    return Granule(**identity, rows={}, sc_orient=1, seed=0).name
