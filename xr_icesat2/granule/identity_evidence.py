"""What a file says of itself, and what follows from it for each part of its identity."""

from collections.abc import Mapping
from dataclasses import dataclass

from .gran_idx import CYCLES, FOUR_ORBITS, REGIONS, RGTS, first_of_four
from .identity_claims import integer, settle, text
from .name import GranuleName, parse_name

__all__ = ["Evidence", "confirmed", "settled_number", "settled_release"]

_NUMBERS = {
    "rgt": (RGTS, (("orbit_info", "rgt"), ("ancillary_data", "start_rgt"))),
    "cycle_number": (CYCLES, (("orbit_info", "cycle_number"), ("ancillary_data", "start_cycle"))),
    "granule_region": (REGIONS, (("ancillary_data", "start_region"),)),
}
"""Valid range of a number, and the datasets that hold it, the most trusted first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was read of a file to tell which granule it is. Any mapping may be empty."""

    url: str
    """Where the file lies; its last part is its name."""
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
    """Give what the datasets say of a number."""
    valid, datasets = _NUMBERS[field]
    read = {"orbit_info": evidence.orbit_info, "ancillary_data": evidence.ancillary}
    return [(f"{group}/{key}", integer(read[group].get(key), valid)) for group, key in datasets]


def _of_granule(
    field: str, product: str | None, claims: list[tuple[str, int | None]]
) -> list[tuple[str, int | None]]:
    """Give the number by which a granule is named, which need not be the first in it."""
    if field == "rgt" and product in FOUR_ORBITS:
        # A subset may have lost the first orbits; the granule is named by the first of four.
        return [(where, rgt and first_of_four(rgt)) for where, rgt in claims]
    return claims


def confirmed(evidence: Evidence) -> bool:
    """Whether what a granule holds confirms all that its name says, METADATA not asked.

    That lies apart, at the end of several round trips: what it records is asked for only where
    something else is missing, or in doubt.
    """
    name = parse_name(evidence.url)
    if name is None or text(evidence.root_attrs.get("short_name")) != name.product:
        return False
    releases = [(name.release, name.version)]
    if name.source_release and name.source_version:
        releases.append((name.source_release, name.source_version))
    if _written(evidence) not in releases:
        return False
    said = {f: _of_granule(f, name.product, _numbers(f, evidence)) for f in _NUMBERS}
    return all(
        getattr(name, field) in (None, *(number for _, number in numbers))
        for field, numbers in said.items()
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
    if text(evidence.dataset_identification.get("shortName")) not in (product, None):
        version_id = None
    if any(written == (name.source_release, name.source_version) for name in names.values()):
        # ATL24 is made of ATL03 and may speak of that.
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
    """Give release and version as the datasets say."""
    held = evidence.ancillary
    return _digits(held.get("release"), 3), _digits(held.get("version"), 2)


def _digits(value: object, width: int) -> str | None:
    written = text(value)
    return written.zfill(width) if written and written.isdecimal() else None
