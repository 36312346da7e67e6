"""Resolve a request: identify granules, select beams, find what ``group`` means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity

from .granule_track import track_paths
from .group_keyword import choose_rate, unmerged_path
from .identity_reader import identify_granule
from .parallel import map_granules
from .prefetch_paths import predict_paths
from .request import FilePath, Request, check_not_dropped
from .resolved_granule import ResolvedGranule, resolve_granules
from .variable_patterns import check_below_beams

__all__ = ["Resolution", "resolve_request"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """A request, and the granules that it is about."""

    request: Request
    """With its target."""
    identities: Sequence[Identity] = ()
    """Of each granule; none if beams are not merged, which needs none."""
    granules: Sequence[ResolvedGranule] = ()
    """Those whose beams are merged; none where a group of the file is opened unmerged."""


def resolve_request(
    granules: Sequence[Granule],
    request: Request,
    identities: Sequence[Identity | None] = (),
    *,
    one_rate: bool,
) -> Resolution:
    """Identify granules, select their beams and resolve the target.

    Parameters
    ----------
    granules
        In the order in which they are merged.
    request
        As :func:`.make_request` returns it.
    identities
        Those that are known already.
    one_rate
        Whether the target is one rate, by default the main one of the product.

    Raises
    ------
    ICESat2Error
        The granules cannot be identified or merged, or have nothing of what is asked for.
    """
    if not request.rules.merges_beams:
        return Resolution(request)
    identified = _identify(granules, request, identities)
    path = unmerged_path(granules, identified, request)
    if path is not None:
        if request.group is not None:
            check_not_dropped(request.group, request.drop_variables)
        return Resolution(replace(request, target=FilePath(path)), identified)
    check_below_beams(request.variables or (), request.drop_variables)
    resolved = resolve_granules(granules, identified, request)
    if one_rate or request.group is not None:
        request = replace(request, target=choose_rate(resolved, request))
    return Resolution(request, identified, resolved)


def _identify(
    granules: Sequence[Granule], request: Request, identities: Sequence[Identity | None]
) -> list[Identity]:
    """Identify the granules of which the identity is not known already."""

    def identify(pair: tuple[Granule, Identity | None]) -> Identity:
        granule, known = pair
        return known or identify_granule(
            granule, predict_paths(granule, request), track_paths(request)
        )

    return map_granules(
        identify, list(zip(granules, identities or [None] * len(granules), strict=True))
    )
