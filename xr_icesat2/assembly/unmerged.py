"""What opens as it is in the file, no beams laid side by side: maps, and paths in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.beams import TRACKS
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.hdf5.paths import normalise
from xr_icesat2.products import PRODUCTS

from .open_granules import check_kinds, check_mergeable
from .request import Options
from .target import specified_rate

__all__ = ["opens_as_it_is"]


def opens_as_it_is(
    granules: Sequence[Granule], identities: Sequence[Identity], options: Options
) -> bool:
    """Whether what is asked for is no rate, so that nobody need know which beam is which.

    Raises
    ------
    MergeError
        The granules do not go together.
    SelectionError
        It is none, but keywords choose beams or rows of it.
    """
    product, mixed = identities[0].product, options.allow_mixed_releases
    convention = PRODUCTS.convention(product)
    if convention is not None and convention.is_gridded:
        check_kinds(granules, identities, mixed_releases=mixed)
    else:
        check_mergeable(granules, identities, mixed_releases=mixed)
    if convention is not None and convention.tracks is None:
        what = "a map" if convention.is_gridded else "a granule"
        what = f"{granules[0].url} is {what} ({product}), which has no beams"
        _check_keywords(options, what, "")
        return True
    group = options.group
    if group is None or specified_rate(product, options) is not None:
        return False
    if normalise(group) not in granules[0].index.load([group]):
        return False
    what = f"group={group!r} is a path in the file, which opens as it is"
    out = _rate_instead(product, options)
    _check_keywords(options, what, out)
    if options.layout == "flat":
        msg = f'layout="flat" lays beams one behind another, but {what}. Leave layout out{out}.'
        raise SelectionError(msg)
    return True


def _check_keywords(options: Options, what: str, out: str) -> None:
    """Raise if a keyword chooses beams or rows, which would be ignored."""
    given = {
        "spots": options.spots,
        "beams": options.beams,
        "sc_orient": options.sc_orient,
        "pad_to": options.pad_to,
    }
    for keyword, value in given.items():
        if value is not None:
            raise SelectionError(f"{keyword}={value!r}, but {what}. Leave {keyword} out{out}.")


def _rate_instead(product: str | None, options: Options) -> str:
    """Say how the rate is asked for that a path in the file is one beam of; else nothing."""
    beam, _, below = (options.group or "").strip("/").partition("/")
    rate = specified_rate(product, replace(options, group=below)) if beam in TRACKS else None
    return "" if rate is None else f", or ask for the rate: group={rate.name!r}"
