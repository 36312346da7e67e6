"""Granules of which it is known what they are: identity, beams, and whether they go together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from xr_icesat2.errors import GroupNotFoundError, SelectionError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.granule.numbering import GRIDDED
from xr_icesat2.products import PRODUCTS

from .ahead import paths_ahead
from .identify import identify_granule
from .open import check_kinds, check_mergeable, each
from .options import Options
from .survey import Tracks, find_tracks

__all__ = ["Known", "know"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """A granule of which the identity and the beams are known."""

    granule: Granule
    identity: Identity
    tracks: Tracks


def know(granules: Sequence[Granule], options: Options) -> list[Known] | None:
    """Identify granules and find their beams; None if they are maps, which have none.

    Raises
    ------
    GroupNotFoundError
        A granule holds nothing that can be laid side by side.
    IdentityError
        The evidence of which granule this is contradicts itself, or is missing where needed.
    MergeError
        The granules do not go together.
    SelectionError
        None of the beams that were asked for is there.
    """
    identities = each(lambda one: identify_granule(one, paths_ahead(one, options)), granules)
    if all(identity.product in GRIDDED for identity in identities):
        _check_maps(granules, identities, options)
        return None
    known = each(
        lambda pair: Known(*pair, _tracks(*pair, options)),
        list(zip(granules, identities, strict=True)),
    )
    check_mergeable(granules, identities, mixed_releases=options.allow_mixed_releases)
    for identity in identities:
        _note_unseen(identity.product, identity.release)
    return known


def _tracks(granule: Granule, identity: Identity, options: Options) -> Tracks:
    tracks = find_tracks(granule, identity, options)
    if tracks is None:
        held = ", ".join(sorted(granule.index.group("/").links))
        msg = (
            f"{granule.url} ({identity.product or 'unknown product'}) has no beams, pairs or "
            f'profiles to merge; it holds: {held}. layout="file" opens it as it is.'
        )
        raise GroupNotFoundError(msg)
    if not tracks.groups:
        msg = (
            f"{granule.url} has none of the {tracks.dim}s asked for "
            f"({', '.join(map(str, tracks.wanted))}); it has "
            f"{', '.join(f'{tracks.numbers[g]} ({g})' for g in tracks.present)}. "
            "Ask for these, or leave the granule out."
        )
        raise SelectionError(msg)
    return tracks


def _check_maps(
    granules: Sequence[Granule], identities: Sequence[Identity], options: Options
) -> None:
    check_kinds(granules, identities, mixed_releases=options.allow_mixed_releases)
    given = {"spots": options.spots, "beams": options.beams, "pad_to": options.pad_to}
    for keyword, value in given.items():
        if value is not None:
            msg = (
                f"{keyword}={value!r}, but {granules[0].url} is a map ({identities[0].product}), "
                f"which has no beams. Leave {keyword} out."
            )
            raise SelectionError(msg)


@cache
def _note_unseen(product: str | None, release: str | None) -> None:
    """Say, once in a process, what no specification was made for."""
    if product is None:
        return
    spec = PRODUCTS.get(product)
    if spec is None:
        log.warning(
            "%s has no specification here: it opens by the file's own dimension scales", product
        )
    elif release is not None and release not in spec.releases:
        log.warning(
            "the specification of %s was made for releases %s to %s, not for %s: what it does not "
            "know opens by the file's own dimension scales",
            product,
            spec.releases[0],
            spec.releases[-1],
            release,
        )
