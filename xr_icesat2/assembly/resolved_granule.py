"""One granule of a request with its identity, its selected beams and its rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from xr_icesat2.errors import GroupNotFoundError, SelectionError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.messages import OPEN_AS_FILE, some_of
from xr_icesat2.printable import get_logger
from xr_icesat2.products import PRODUCTS, Rate
from xr_icesat2.reading.row_ranges import RowRanges

from .available_rates import available_rates
from .beam_selection import BY_GROUND_TRACK, BeamSelection, select_beams, select_ground_tracks
from .parallel import map_granules
from .request import Request

__all__ = ["ResolvedGranule", "all_rates", "resolve_granules"]

log = get_logger(__name__)


@dataclass(frozen=True)
class ResolvedGranule:
    """A granule of which the identity and the beams are known."""

    granule: Granule
    identity: Identity
    selection: BeamSelection
    request: Request
    rows: Mapping[tuple[str, int], RowRanges] | None = None
    """Rows that a region and a window of time select, by name of the rate and number of the beam.
    None: all rows."""

    @cached_property
    def rates(self) -> list[Rate]:
        """Its rates, of all that the request does not drop."""
        return available_rates(self.granule, self.identity.product, self.selection, self.request)


def resolve_granules(
    granules: Sequence[Granule], identities: Sequence[Identity], request: Request
) -> list[ResolvedGranule]:
    """Select the beams of granules.

    Raises
    ------
    GroupNotFoundError
        A granule has no beams, pairs or profiles.
    IdentityError
        The spots of beams are unknown, or contradict each other.
    SelectionError
        A granule has none of the beams that were asked for.
    """

    def resolve(pair: tuple[Granule, Identity]) -> ResolvedGranule:
        granule, identity = pair
        selection = _select_beams(granule, identity, request)
        return ResolvedGranule(granule, _oriented(identity, request), selection, request)

    resolved = map_granules(resolve, list(zip(granules, identities, strict=True)))
    if any(one.selection.dim == BY_GROUND_TRACK for one in resolved):
        resolved = _by_ground_track(resolved, request)
    for identity in identities:
        _note_unspecified(identity.product, identity.release)
    return resolved


def all_rates(granules: Sequence[ResolvedGranule]) -> list[Rate]:
    """Return the rates that any granule has, each once."""
    rates: dict[str, Rate] = {}
    for found in map_granules(lambda one: one.rates, granules):
        for rate in found:
            rates.setdefault(rate.name, rate)
    return list(rates.values())


def _oriented(identity: Identity, request: Request) -> Identity:
    """Return an identity with the user's orientation, if the file has none."""
    if identity.sc_orient is not None or request.sc_orient is None:
        return identity
    return replace(identity, sc_orient=int(request.sc_orient))


def _by_ground_track(
    granules: Sequence[ResolvedGranule], request: Request
) -> list[ResolvedGranule]:
    """Merge all granules by ground track, because some spots are unknown."""
    unknown = [one.granule.url for one in granules if not one.selection.spots]
    log.warning(
        "beams are merged by ground track (gt), because their spots are unknown in %d of %d "
        "granules: %s. If you know the orientation, pass sc_orient=0 or 1",
        len(unknown),
        len(granules),
        some_of(unknown),
    )
    return [
        replace(one, selection=select_ground_tracks(one.selection, request)) for one in granules
    ]


def _select_beams(granule: Granule, identity: Identity, request: Request) -> BeamSelection:
    selection = select_beams(granule, identity, request)
    if selection is None:
        members = some_of(sorted(granule.index.group("/").links))
        msg = (
            f"{granule.url} ({identity.product or 'unknown product'}) has no beams, pairs or "
            f"profiles to merge. It contains: {members}. {OPEN_AS_FILE}."
        )
        raise GroupNotFoundError(msg)
    if not selection.groups:
        wanted = ", ".join(map(selection.describe, selection.wanted))
        present = ", ".join(selection.describe(selection.numbers[g]) for g in selection.present)
        kind = "ground track" if selection.dim == BY_GROUND_TRACK else selection.dim
        msg = (
            f"{granule.url} has none of the selected {kind}s ({wanted}). It has {present}. "
            "Select these, or leave the granule out."
        )
        raise SelectionError(msg)
    return selection


@cache
def _note_unspecified(product: str | None, release: str | None) -> None:
    """Log once in a process that a product or a release has no specification."""
    if product is None:
        return
    spec = PRODUCTS.get(product)
    if spec is None or not spec.rates:
        log.warning(
            "this library does not specify the rates of %s. It opens by the dimension scales in "
            "the file",
            product,
        )
    elif release is not None and spec.releases and release not in spec.releases:
        log.warning(
            "the specification of %s was made for releases %s to %s, not for %s. Groups that it "
            "lacks open by the dimension scales in the file",
            product,
            spec.releases[0],
            spec.releases[-1],
            release,
        )
