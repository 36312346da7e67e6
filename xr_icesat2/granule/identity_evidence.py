"""Read the numbers, texts and times that identify a granule, and compare their sources."""

import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from xr_icesat2.errors import IdentityError
from xr_icesat2.messages import OPEN_AS_FILE
from xr_icesat2.products import PRODUCTS

from .gran_idx import CYCLES, REGIONS, RGTS, first_of
from .name import GranuleName, parse_name

__all__ = [
    "WAY_OUT",
    "Evidence",
    "confirmed",
    "first_integer",
    "first_text",
    "first_time",
    "settle",
    "settled_number",
    "settled_release",
]

WAY_OUT = (
    f"If the file was renamed, restore its original name. Unmerged groups need no identity. "
    f"{OPEN_AS_FILE}"
)

Value = TypeVar("Value", int, str)

_UTC = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z?")

_NUMBERS = {
    "rgt": (RGTS, (("orbit_info", "rgt"), ("ancillary_data", "start_rgt"))),
    "cycle_number": (CYCLES, (("orbit_info", "cycle_number"), ("ancillary_data", "start_cycle"))),
    "granule_region": (REGIONS, (("ancillary_data", "start_region"),)),
}
"""Valid range of a number, and the datasets that hold it, the most trusted first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Attributes and datasets that identify a granule. Any mapping may be empty."""

    url: str
    """URL of the file; its last part is the file's name."""
    root_attrs: Mapping[str, object]
    """Attributes of the root group."""
    dataset_identification: Mapping[str, object]
    """Attributes of ``METADATA/DatasetIdentification``."""
    groups: frozenset[str]
    """Names of the groups at the root."""
    orbit_info: Mapping[str, object]
    """``rgt``, ``cycle_number``, ``sc_orient`` of ``orbit_info``: the array or its first value."""
    ancillary: Mapping[str, object]
    """Datasets of ``ancillary_data``: the array or its first value, text as bytes or str."""


def settled_number(
    field: str,
    product: str | None,
    source_file: str,
    evidence: Evidence,
    names: Mapping[str, GranuleName],
) -> int | None:
    """Settle a number, such as ``"rgt"``, from the datasets and the granule's names.

    Raises
    ------
    IdentityError
        Two of them differ.
    """
    claims = [
        *_numbers(field, evidence),
        *((where, getattr(name, field)) for where, name in names.items()),
    ]
    return settle(field, source_file, _of_granule(field, product, claims))


def _numbers(field: str, evidence: Evidence) -> list[tuple[str, int | None]]:
    """Return the values of a number in the datasets that have it."""
    valid, datasets = _NUMBERS[field]
    read = {"orbit_info": evidence.orbit_info, "ancillary_data": evidence.ancillary}
    return [
        (f"{group}/{key}", first_integer(read[group].get(key), valid)) for group, key in datasets
    ]


def _of_granule(
    field: str, product: str | None, claims: list[tuple[str, int | None]]
) -> list[tuple[str, int | None]]:
    """Replace the first track of a file by the one that its granule is named after."""
    convention = PRODUCTS.convention(product)
    if field == "rgt" and convention is not None:
        # A subset may have lost the first orbits; the granule is named after the first.
        return [(where, rgt and first_of(convention.orbits, rgt)) for where, rgt in claims]
    return claims


def confirmed(evidence: Evidence) -> bool:
    """Return whether the contents of a granule, without METADATA, confirm its name.

    METADATA takes several round trips: it is read only where other values are missing or differ.
    """
    name = parse_name(evidence.url)
    if name is None or first_text(evidence.root_attrs.get("short_name")) != name.product:
        return False
    releases = [(name.release, name.version)]
    if name.source_release and name.source_version:
        releases.append((name.source_release, name.source_version))
    if _written(evidence) not in releases:
        return False
    found = {f: _of_granule(f, name.product, _numbers(f, evidence)) for f in _NUMBERS}
    return all(
        getattr(name, field) in (None, *(number for _, number in numbers))
        for field, numbers in found.items()
    )


def settled_release(
    product: str | None,
    source_file: str,
    evidence: Evidence,
    names: Mapping[str, GranuleName],
) -> tuple[str | None, str | None]:
    """Settle release and version from the datasets, METADATA and the granule's names.

    Raises
    ------
    IdentityError
        Two of them differ.
    """
    written = _written(evidence)
    version_id = _digits(evidence.dataset_identification.get("VersionID"), 3)
    if first_text(evidence.dataset_identification.get("shortName")) not in (product, None):
        version_id = None
    if any(written == (name.source_release, name.source_version) for name in names.values()):
        # A product that is made of another may have that one's.
        written = (None, None)
    release = settle(
        "release",
        source_file,
        [
            ("ancillary_data/release", written[0]),
            ("METADATA/DatasetIdentification VersionID", version_id),
            *((where, name.release) for where, name in names.items()),
        ],
    )
    version = settle(
        "version",
        source_file,
        [
            ("ancillary_data/version", written[1]),
            *((where, name.version) for where, name in names.items()),
        ],
    )
    return release, version


def _written(evidence: Evidence) -> tuple[str | None, str | None]:
    """Return release and version of the datasets."""
    datasets = evidence.ancillary
    return _digits(datasets.get("release"), 3), _digits(datasets.get("version"), 2)


def _digits(value: object, width: int) -> str | None:
    written = first_text(value)
    return written.zfill(width) if written and written.isdecimal() else None


def settle(what: str, source_file: str, claims: Iterable[tuple[str, Value | None]]) -> Value | None:
    """Return the value that all claims agree on.

    Parameters
    ----------
    what
        Name of the value, for the message.
    source_file
        The file's name, for the message.
    claims
        (place, value) pairs, the most trusted first; None: no value.

    Returns
    -------
    value or None
        None where there is no value.

    Raises
    ------
    IdentityError
        Two claims differ.
    """
    known = [(where, value) for where, value in claims if value is not None]
    for where, value in known[1:]:
        first_where, first = known[0]
        if value != first:
            raise IdentityError(
                f"{source_file} has contradictory metadata of its {what}: {first_where} says "
                f"{first!r}, {where} says {value!r}. {WAY_OUT}."
            )
    return known[0][1] if known else None


def _first(value: object) -> object:
    """Return the first element of an array, or the scalar; None where there is none."""
    flat = np.asarray(value).ravel()
    return flat[0] if flat.size else None


def first_integer(value: object, valid: range) -> int | None:
    """Return the first of `value` as an int; None for a fill value.

    Any number outside `valid` is a fill value.
    """
    first = _first(value)
    if not isinstance(first, (int, float, np.integer, np.floating)) or not math.isfinite(first):
        return None
    return int(first) if int(first) == first and int(first) in valid else None


def first_text(value: object) -> str | None:
    """Return the first of `value` as text, without the padding of fixed-length strings."""
    first = _first(value)
    if isinstance(first, bytes):
        first = first.decode("ascii", "replace")
    return (first.strip(" \t\r\n\0") or None) if isinstance(first, str) else None


def first_time(what: str, source_file: str, value: object) -> np.datetime64:
    """Return the time of a ``*_utc`` string, datetime64[ns]; NaT where there is none.

    Raises
    ------
    IdentityError
        The text is not a date.
    """
    written = first_text(value)
    if written is None:
        return np.datetime64("NaT", "ns")
    if _UTC.fullmatch(written):
        with suppress(ValueError):  # the 31st of February
            return np.datetime64(written.rstrip("Z"), "ns")
    raise IdentityError(
        f"{source_file}: {what} is {written!r}, expected a time such as "
        f"'2019-11-06T23:00:08.123456Z'. {WAY_OUT}."
    )
