"""What granules are: their identity, whether they go together, and their beams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from xr_icesat2.errors import GroupNotFoundError, SelectionError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.messages import OPEN_AS_FILE, some_of
from xr_icesat2.printable import get_logger
from xr_icesat2.products import PRODUCTS

from .beam_selection import BY_GROUND_TRACK, BeamSelection, by_ground_track, select_beams
from .open_granules import map_granules
from .prefetch import paths_ahead
from .read_identity import identify_granule
from .request import Options

__all__ = ["ResolvedGranule", "identities_of", "know"]

log = get_logger(__name__)


@dataclass(frozen=True)
class ResolvedGranule:
    """A granule of which the identity and the beams are known."""

    granule: Granule
    identity: Identity
    selection: BeamSelection


def identities_of(granules: Sequence[Granule], options: Options) -> list[Identity]:
    """Tell which granules these are.

    Raises
    ------
    IdentityError
        The evidence of which granule this is contradicts itself, or is missing where needed.
    """
    return map_granules(lambda one: identify_granule(one, paths_ahead(one, options)), granules)


def know(
    granules: Sequence[Granule], identities: Sequence[Identity], options: Options
) -> list[ResolvedGranule]:
    """Find the beams of granules.

    Raises
    ------
    GroupNotFoundError
        A granule holds nothing that can be laid side by side.
    IdentityError
        Nothing tells which beam is which, or what tells it contradicts itself.
    SelectionError
        None of the beams that were asked for is there.
    """
    known = map_granules(
        lambda pair: ResolvedGranule(
            pair[0], _oriented(pair[1], options), _select_beams(*pair, options)
        ),
        list(zip(granules, identities, strict=True)),
    )
    if any(one.selection.dim == BY_GROUND_TRACK for one in known):
        known = _by_ground_track(known, options)
    for identity in identities:
        _note_unseen(identity.product, identity.release)
    return known


def _oriented(identity: Identity, options: Options) -> Identity:
    """Return an identity with the orientation that the user gave, where the file says none."""
    if identity.sc_orient is not None or options.sc_orient is None:
        return identity
    return replace(identity, sc_orient=int(options.sc_orient))


def _by_ground_track(known: Sequence[ResolvedGranule], options: Options) -> list[ResolvedGranule]:
    """Lay all granules on ground tracks, because some do not say which spots these are."""
    unknown = [one.granule.url for one in known if not one.selection.spots]
    log.warning(
        "beams are merged by ground track (gt), because their spots are not known in %d of %d "
        "granules: %s. sc_orient=0 or 1 supplies them",
        len(unknown),
        len(known),
        some_of(unknown),
    )
    return [replace(one, selection=by_ground_track(one.selection, options)) for one in known]


def _select_beams(granule: Granule, identity: Identity, options: Options) -> BeamSelection:
    selection = select_beams(granule, identity, options)
    if selection is None:
        held = some_of(sorted(granule.index.group("/").links))
        msg = (
            f"{granule.url} ({identity.product or 'unknown product'}) has no beams, pairs or "
            f"profiles to merge; it holds: {held}. {OPEN_AS_FILE}."
        )
        raise GroupNotFoundError(msg)
    if not selection.groups:
        wanted = ", ".join(map(selection.describe, selection.wanted))
        held = ", ".join(
            selection.describe(selection.numbers[group]) for group in selection.present
        )
        kind = "ground track" if selection.dim == BY_GROUND_TRACK else selection.dim
        msg = (
            f"{granule.url} has none of the {kind}s asked for ({wanted}); it has {held}. "
            "Ask for these, or leave the granule out."
        )
        raise SelectionError(msg)
    return selection


@cache
def _note_unseen(product: str | None, release: str | None) -> None:
    """Say, once in a process, what no specification was made for."""
    if product is None:
        return
    spec = PRODUCTS.get(product)
    if spec is None or not spec.rates:
        log.warning(
            "%s has no specification here: it opens by the file's own dimension scales", product
        )
    elif release is not None and spec.releases and release not in spec.releases:
        log.warning(
            "the specification of %s was made for releases %s to %s, not for %s: what it does not "
            "know opens by the file's own dimension scales",
            product,
            spec.releases[0],
            spec.releases[-1],
            release,
        )
