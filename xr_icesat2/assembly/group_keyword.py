"""What ``group=`` means: a rate, by default the main one, or a path in the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xr_icesat2.errors import GroupNotFoundError, SelectionError
from xr_icesat2.granule.beams import TRACKS
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.hdf5.model import GroupHeader
from xr_icesat2.hdf5.paths import normalise_path
from xr_icesat2.messages import did_you_mean, some_of
from xr_icesat2.products import PRODUCTS, Rate

from .available_rates import present_rates
from .merge_checks import check_kinds, check_mergeable
from .request import Request
from .resolved_granule import ResolvedGranule, all_rates

__all__ = ["choose_rate", "unmerged_path"]


def unmerged_path(
    granules: Sequence[Granule], identities: Sequence[Identity], request: Request
) -> str | None:
    """Return the path of the group that opens unmerged; None if beams are merged.

    Gridded products have no beams, and a ``group`` that is no rate is a path in the file.

    Raises
    ------
    MergeError
        The granules cannot be merged.
    SelectionError
        A group opens unmerged, but keywords choose beams or rows of it.
    """
    product, mixed, group = identities[0].product, request.allow_mixed_releases, request.group
    convention = PRODUCTS.convention(product)
    if convention is not None and convention.is_gridded:
        check_kinds(granules, identities, mixed_releases=mixed)
    else:
        check_mergeable(granules, identities, mixed_releases=mixed)
    if convention is not None and convention.tracks is None:
        what = "a map" if convention.is_gridded else "a granule"
        what = f"{granules[0].url} is {what} ({product}), which has no beams"
        way_out = ""
        if convention.is_gridded:
            way_out = (
                ", and select an area of the open Dataset: ds.sel(x=slice(…), y=slice(…)), or "
                "ds.rio.clip of rioxarray"
            )
        _check_no_row_keywords(request, what, way_out)
        _check_no_beam_keywords(request, what, "")
        return normalise_path(group or "/")
    if group is None or _specified_rate(product, group) is not None:
        return None
    path = normalise_path(group)
    if path not in granules[0].index.load([path]):
        return None
    what = f"group={group!r} is a path in the file, which opens unmerged"
    out = _rate_instead(product, group)
    _check_no_row_keywords(request, what, out)
    _check_no_beam_keywords(request, what, out)
    if request.rules.concatenates:
        msg = f'layout="{request.layout}" concatenates beams, but {what}. Leave layout out{out}.'
        raise SelectionError(msg)
    return path


def choose_rate(granules: Sequence[ResolvedGranule], request: Request) -> Rate:
    """Return the rate that ``group`` names, or the main one.

    Raises
    ------
    GroupNotFoundError
        There is none of that name.
    SelectionError
        ``drop_variables`` drops all of it.
    """
    first, group = granules[0], request.group
    product = first.identity.product
    rate = _main_rate(first) if group is None else _specified_rate(product, group)
    if rate is None:
        rates = all_rates(granules[:1])
        rate = next(iter(rates), None) if group is None else _find(rates, group.strip("/"))
        if rate is None:
            raise _no_such_group(first, rates, group or "")
    if all(request.drops(name) for name in rate.groups):
        msg = (
            f"drop_variables={list(request.drop_variables)} drops all variables of {rate.name}, "
            f"which group={group!r} opens. Leave one of the two out, or choose another group."
        )
        raise SelectionError(msg)
    return rate


def _specified_rate(product: str | None, group: str) -> Rate | None:
    """Return the rate that a name means by the specification of the product."""
    spec = PRODUCTS.get(product or "")
    return None if spec is None else _find(spec.rates, group.strip("/"))


def _main_rate(granule: ResolvedGranule) -> Rate | None:
    """Return the rate that opens by default; without a specification there is none."""
    spec = PRODUCTS.get(granule.identity.product or "")
    if spec is None:
        return None
    rates = [rate for group in spec.main for rate in spec.rates if rate.group == group]
    if len(rates) == 1:
        return rates[0]
    # Releases have it in different groups. An error about a granule without it names the newest.
    present = present_rates(granule.granule, granule.selection, rates)
    return next(iter([*present, *rates]), None)


def _find(rates: Iterable[Rate], wanted: str) -> Rate | None:
    """Return the rate of that name, else the one that the group belongs to."""
    by_name = (rate for rate in rates if rate.name == wanted)
    by_group = (rate for rate in rates if rate.has_group(wanted))
    return next(by_name, None) or next(by_group, None)


def _check_no_beam_keywords(request: Request, what: str, out: str) -> None:
    """Raise if a keyword chooses beams or rows, which would be ignored."""
    given = {
        "spots": request.spots,
        "beams": request.beams,
        "sc_orient": request.sc_orient,
        "pad_to": request.pad_to,
        "attach": request.attach or None,
    }
    for keyword, value in given.items():
        if value is not None:
            raise SelectionError(f"{keyword}={value!r}, but {what}. Leave {keyword} out{out}.")


def _check_no_row_keywords(request: Request, what: str, way_out: str) -> None:
    """Raise if a keyword selects rows by place or time, which would be ignored."""
    for keyword in ("region", "time"):
        if getattr(request, keyword) is not None:
            raise SelectionError(
                f"{keyword}= selects rows of beams, but {what}. Leave {keyword} out{way_out}."
            )


def _rate_instead(product: str | None, group: str) -> str:
    """Return how to request the merged rate instead of the path of one of its beams."""
    beam, _, below = group.strip("/").partition("/")
    rate = _specified_rate(product, below) if beam in TRACKS else None
    return "" if rate is None else f", or open the rate: group={rate.name!r}"


def _no_such_group(
    granule: ResolvedGranule, rates: Sequence[Rate], group: str
) -> GroupNotFoundError:
    given, names = group.strip("/"), [rate.name for rate in rates]
    index, beams = granule.granule.index, granule.selection.present
    links = index.group("/").links
    meant = _rate_around(granule, rates, given) or did_you_mean(given, [*names, *links])
    others = index.load(name for name in sorted(links) if name not in beams)
    groups = [path.strip("/") for path, node in others.items() if isinstance(node, GroupHeader)]
    such_as = " or ".join(map(repr, [*beams[:1], *groups[-1:]]))
    return GroupNotFoundError(
        f"{granule.granule.url} has no group {group!r}.{meant} Its rates are: "
        f"{some_of(map(repr, names))}. A path in the file, such as {such_as}, opens that group "
        "unmerged."
    )


def _rate_around(granule: ResolvedGranule, rates: Sequence[Rate], given: str) -> str:
    """Return how to open a group below that of a rate; nothing if there is none."""
    beams = granule.selection.groups.values()
    if not granule.granule.index.load([f"/{beam}/{given}" for beam in beams]):
        return ""
    for rate in rates:
        if rate.group and given.startswith(f"{rate.group}/"):
            below = given.removeprefix(f"{rate.group}/")
            return f" It is part of a rate: open it with group={rate.name!r}, variables={below!r}."
    return ""
