"""Select the beams, pairs or profiles of a granule, and number them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xr_icesat2.errors import IdentityError, SelectionError
from xr_icesat2.granule.beams import (
    BEAMS,
    PAIRS,
    PROFILES,
    SpotsUnknownError,
    assign_spots,
    select_numbers,
    select_spots,
)
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.hdf5.model import GroupHeader

from .request import Request

__all__ = ["BY_GROUND_TRACK", "BeamSelection", "select_beams", "select_ground_tracks"]

BY_GROUND_TRACK = "gt"
"""Dimension of the beams if not all of their spots are known."""


@dataclass(frozen=True, slots=True)
class BeamSelection:
    """The beams, pairs or profiles of a granule, and which are selected."""

    dim: str
    """``spot``, ``gt``, ``pair_track`` or ``profile``."""
    numbers: Mapping[str, int]
    """Number on ``dim`` by group at the root; missing groups may be included. On ``gt`` they are
    numbered in the order of :data:`.BEAMS`, from 1."""
    present: tuple[str, ...]
    """Groups that the granule has."""
    wanted: tuple[int, ...]
    """Selected numbers, ascending; the granule may lack some."""
    spots: Mapping[str, int] = field(default_factory=dict)
    """Known spots, by beam; empty for pairs and profiles."""

    @property
    def groups(self) -> dict[int, str]:
        """Groups that are selected and present, by number."""
        return {self.numbers[g]: g for g in self.present if self.numbers[g] in self.wanted}

    def describe(self, number: int) -> str:
        """Return the name of a number on :attr:`dim` for messages."""
        group = next((group for group, n in self.numbers.items() if n == number), "")
        return group if self.dim == BY_GROUND_TRACK else f"{number} ({group or 'missing'})"


def select_beams(granule: Granule, identity: Identity, request: Request) -> BeamSelection | None:
    """Select beams, pairs or profiles; return None if a granule has none of them.

    Raises
    ------
    IdentityError
        The spots of beams are contradictory, or unknown where they are needed.
    SelectionError
        The keywords select what the granule cannot have, or contradict it.
    """
    links = granule.index.group("/").links
    for dim, groups in (("spot", BEAMS), ("pair_track", PAIRS), ("profile", PROFILES)):
        nodes = granule.index.load(group for group in groups if group in links)
        present = tuple(g for g in groups if isinstance(nodes.get(f"/{g}"), GroupHeader))
        if present and dim == "spot":
            return _beams(granule, identity, present, request)
        if present:
            numbers = {group: number for number, group in enumerate(groups, 1)}
            return BeamSelection(dim, numbers, present, _wanted(granule, groups, request))
    return None


def select_ground_tracks(selection: BeamSelection, request: Request) -> BeamSelection:
    """Return the same beams, numbered by ground track instead of by spot."""
    numbers = {beam: number for number, beam in enumerate(BEAMS, 1)}
    wanted = select_numbers(None, request.beams, BEAMS)
    return replace(selection, dim=BY_GROUND_TRACK, numbers=numbers, wanted=wanted)


def _wanted(granule: Granule, groups: Sequence[str], request: Request) -> tuple[int, ...]:
    if request.sc_orient is not None:
        msg = (
            f"{granule.url}: sc_orient={request.sc_orient}, but the granule has "
            f"{', '.join(groups)}, which do not depend on the orientation. Leave sc_orient out."
        )
        raise SelectionError(msg)
    try:
        return select_numbers(request.spots, request.beams, groups)
    except SelectionError as error:
        raise SelectionError(f"{granule.url}: {error}") from error


def _beams(
    granule: Granule, identity: Identity, present: tuple[str, ...], request: Request
) -> BeamSelection:
    attrs = {group: granule.index.group(group).attrs for group in present}
    words = {str(a["sc_orientation"]) for a in attrs.values() if "sc_orientation" in a}
    stored = {group: _number(a.get("atlas_spot_number")) for group, a in attrs.items()}
    word = words.pop() if len(words) == 1 else None
    try:
        spots = assign_spots(present, stored, identity.sc_orient, word, request.sc_orient)
    except SpotsUnknownError as error:
        # Rows, and beams that are selected by ground track, need no spots.
        if request.spots is None and (request.rules.concatenates or request.beams is not None):
            return select_ground_tracks(BeamSelection(BY_GROUND_TRACK, {}, present, ()), request)
        raise IdentityError(f"{granule.url}: {error}") from error
    except (IdentityError, SelectionError) as error:
        raise type(error)(f"{granule.url}: {error}") from error
    wanted = select_spots(request.spots, request.beams, spots)
    return BeamSelection("spot", spots, present, wanted, spots)


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdigit() else None
