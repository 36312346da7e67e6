"""Which granules may be merged: of one product, of one release, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xr_icesat2.errors import IdentityError, MergeError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import UNKNOWN, Identity

__all__ = ["check_kinds", "check_mergeable"]


def check_kinds(
    granules: Sequence[Granule], identities: Sequence[Identity], *, mixed_releases: bool
) -> None:
    """Raise :class:`MergeError` unless granules are of one product and one release."""
    _one_kind("products", "product", granules, identities, "Open them separately.")
    if not mixed_releases:
        way_out = "To merge them anyway, set allow_mixed_releases=True."
        _one_kind("releases", "release", granules, identities, way_out)


def check_mergeable(
    granules: Sequence[Granule], identities: Sequence[Identity], *, mixed_releases: bool
) -> None:
    """Raise unless granules are different ones of one product and one release.

    Raises
    ------
    IdentityError
        A granule cannot be identified.
    MergeError
        They are of two products or releases, or one is given twice.
    """
    if len(granules) < 2:
        return
    check_kinds(granules, identities, mixed_releases=mixed_releases)
    seen: dict[int, int] = {}
    for number, identity in enumerate(identities):
        if identity.gran_idx == UNKNOWN:
            msg = (
                f"{granules[number].url}: neither orbit_info, METADATA nor its name identifies "
                "this granule, so it cannot be merged with others. Open it alone."
            )
            raise IdentityError(msg)
        if identity.gran_idx in seen:
            raise MergeError(_twice(granules, identities, seen[identity.gran_idx], number))
        seen[identity.gran_idx] = number


def _one_kind(
    plural: str, field: str, granules: Sequence[Granule], identities: Sequence[Identity], out: str
) -> None:
    kinds: dict[Any, str] = {}
    for granule, identity in zip(granules, identities, strict=True):
        kinds.setdefault(getattr(identity, field), granule.url)
    if len(kinds) > 1:
        listed = "; ".join(f"{kind or 'unknown'} ({url})" for kind, url in kinds.items())
        raise MergeError(f"the granules are of {len(kinds)} {plural}: {listed}. {out}")


def _twice(
    granules: Sequence[Granule], identities: Sequence[Identity], first: int, second: int
) -> str:
    one, other = identities[first], identities[second]
    what = "the same granule"
    if (one.release, one.version) != (other.release, other.version):
        what = (
            f"the same granule in two versions ({one.release}_{one.version} and "
            f"{other.release}_{other.version})"
        )
    return (
        f"{granules[first].url} and {granules[second].url} are {what} "
        f"(gran_idx {one.gran_idx}). Leave one out."
    )
