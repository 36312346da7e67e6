"""Ground tracks, spots, pairs and profiles: their names, and which spot is which ground track.

A *spot* (1 to 6) is a laser beam of ATLAS. A *ground track* (gt1l … gt3r) is a line on the ground.
Which is which depends on whether the spacecraft flies forward or backward. Source: the ATL03 data
dictionary (``orbit_info/sc_orient``, group attribute ``atlas_spot_number``).
"""

import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from xr_icesat2.errors import IdentityError, SelectionError
from xr_icesat2.messages import OPEN_AS_FILE
from xr_icesat2.products.granule_naming import Tracks

__all__ = [
    "BACKWARD",
    "BEAMS",
    "FORWARD",
    "PAIRS",
    "PROFILES",
    "SPOTS",
    "STRONG",
    "TRACKS",
    "TRACK_GROUPS",
    "WEAK",
    "SpotsUnknownError",
    "assign_spots",
    "beam_strength",
    "check_beams_keyword",
    "check_spots_keyword",
    "select_numbers",
    "select_spots",
]

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
PAIRS = ("pt1", "pt2", "pt3")
PROFILES = ("profile_1", "profile_2", "profile_3")
TRACK_GROUPS: Mapping[Tracks, tuple[str, ...]] = {
    "beams": BEAMS,
    "pairs": PAIRS,
    "profiles": PROFILES,
}
TRACKS = frozenset((*BEAMS, *PAIRS, *PROFILES))
"""Groups at the root of which one kind is merged."""

SPOTS = (1, 2, 3, 4, 5, 6)
STRONG = (1, 3, 5)
WEAK = (2, 4, 6)

FORWARD: Mapping[str, int] = dict(zip(BEAMS, reversed(SPOTS), strict=True))
BACKWARD: Mapping[str, int] = dict(zip(BEAMS, SPOTS, strict=True))

_BY_SC_ORIENT = {0: BACKWARD, 1: FORWARD}
_WORDS = {0: "backward", 1: "forward"}
_BY_NAME = {"backward": BACKWARD, "forward": FORWARD}
_TURNING = 2


class SpotsUnknownError(IdentityError):
    """Neither the file nor a keyword says which beam is which spot."""


def beam_strength(spot: int) -> str:
    """Return ``"strong"`` for spots 1, 3, 5 and ``"weak"`` for 2, 4, 6."""
    if spot not in SPOTS:
        raise SelectionError(f"spot={spot!r}, expected one of {_listed(SPOTS)}")
    return "strong" if spot in STRONG else "weak"


def assign_spots(
    beams_present: Collection[str],
    spot_attrs: Mapping[str, int | None],
    sc_orient: int | None,
    orientation_attr: str | None,
    given: int | None = None,
) -> Mapping[str, int]:
    """Return the spot of each ground track.

    Parameters
    ----------
    beams_present
        The beams in the granule, of `BEAMS`.
    spot_attrs
        The group attribute ``atlas_spot_number`` of beams; None or absent where it is missing.
    sc_orient
        First value of ``orbit_info/sc_orient``: 0 backward, 1 forward, 2 turning; None unknown.
    orientation_attr
        The group attribute ``sc_orientation``, "Forward" or "Backward"; None where missing.
    given
        The keyword ``sc_orient=``: 0 or 1, or None.

    Returns
    -------
    Mapping
        Beam to spot, of every present beam, and of the missing ones too where the orientation is
        known.

    Raises
    ------
    IdentityError
        Two beams claim one spot, or a spot is not 1 to 6.
    SpotsUnknownError
        The orientation is unknown.
    SelectionError
        The keyword contradicts the file.
    """
    numbered = {beam: spot for beam in beams_present if (spot := spot_attrs.get(beam)) is not None}
    _check_numbers(numbered)
    table = _orientation(numbered, sc_orient, orientation_attr)
    if given is not None:
        table = _given_orientation(given, table, numbered)
    unknown = [beam for beam in beams_present if beam not in numbered]
    if not unknown and table is None:
        return _in_order(numbered)
    if table is None:
        raise SpotsUnknownError(
            f"The spot of {_listed(unknown)} is unknown. Open the granule by ground track, with "
            f'layout="flat" or beams=["{unknown[0]}"], or pass sc_orient=0 (backward) or '
            "sc_orient=1 (forward) if you know it. In the file, the group attribute "
            f"atlas_spot_number is missing, orbit_info/sc_orient {_shown(sc_orient)} (expected 0 "
            "or 1; 2 means that the spacecraft was turning), and the attribute sc_orientation "
            f"{_shown(orientation_attr)}."
        )
    # atlas_spot_number decides. Where it differs from the table, the spots of missing beams are
    # unknown.
    agrees = all(table[beam] == spot for beam, spot in numbered.items())
    deduced = {beam: table[beam] for beam in (BEAMS if agrees else unknown)}
    assigned = _in_order(deduced | numbered)
    _check_numbers(assigned)
    return assigned


def _check_numbers(numbered: Mapping[str, int]) -> None:
    owner: dict[int, str] = {}
    for beam, spot in numbered.items():
        if spot not in SPOTS:
            raise IdentityError(
                f"{beam}: atlas_spot_number is {spot!r}, expected 1 to 6. {OPEN_AS_FILE}."
            )
        if spot in owner:
            raise IdentityError(
                f"{owner[spot]} and {beam} are both recorded as spot {spot} (group attribute "
                "atlas_spot_number, or orbit_info/sc_orient where that is missing). "
                f"{OPEN_AS_FILE}."
            )
        owner[spot] = beam


def _shown(value: object) -> str:
    return "is missing or invalid" if value is None else f"is {value!r}"


def _orientation(
    numbered: Mapping[str, int], sc_orient: int | None, orientation_attr: str | None
) -> Mapping[str, int] | None:
    for table in (FORWARD, BACKWARD):
        if numbered and all(table[beam] == spot for beam, spot in numbered.items()):
            return table
    if sc_orient in _BY_SC_ORIENT:
        return _BY_SC_ORIENT[sc_orient]
    if sc_orient == _TURNING or orientation_attr is None:
        # While the spacecraft turns, one word for the whole granule cannot be right.
        return None
    return _BY_NAME.get(orientation_attr.strip().lower())


def _given_orientation(
    given: int, table: Mapping[str, int] | None, numbered: Mapping[str, int]
) -> Mapping[str, int]:
    """Return the spots of the keyword's orientation; raise if the file differs."""
    meant = _BY_SC_ORIENT[given]
    said = table or numbered
    differing = {beam: spot for beam, spot in said.items() if meant[beam] != spot}
    if differing:
        listed = ", ".join(f"{beam} is spot {spot}" for beam, spot in differing.items())
        raise SelectionError(
            f"sc_orient={given} ({_WORDS[given]}), but according to the file {listed}. Leave "
            "sc_orient out, or open granules with and without an orientation separately."
        )
    return meant


def _in_order(assigned: Mapping[str, int]) -> dict[str, int]:
    return {beam: assigned[beam] for beam in BEAMS if beam in assigned}


def check_spots_keyword(spots: object) -> None:
    """Raise :class:`SelectionError` if ``spots=`` asks for what no granule has."""
    _named_spots(spots)


def check_beams_keyword(beams: object) -> None:
    """Raise :class:`SelectionError` if ``beams=`` names what no granule has."""
    _named_groups(beams, (*BEAMS, *PAIRS, *PROFILES))


def select_spots(
    spots: str | int | Sequence[int] | None,
    beams: str | Sequence[str] | None,
    assigned: Mapping[str, int],
) -> tuple[int, ...]:
    """Return the spots that the keywords ``spots=`` and ``beams=`` select, ascending.

    Parameters
    ----------
    spots
        ``"strong"``, ``"weak"``, a spot number or a list of them; None asks for nothing special.
    beams
        Ground tracks, such as ``["gt1l", "gt1r"]``; None asks for nothing special.
    assigned
        Beam to spot, from `assign_spots`.

    Raises
    ------
    SelectionError
        A value that does not exist, an empty list, a beam whose spot is not known, or `spots`
        and `beams` that do not mean the same.
    """
    by_spot = None if spots is None else _named_spots(spots)
    by_beam = None if beams is None else _spots_of_beams(beams, assigned)
    if by_spot is not None and by_beam is not None and by_spot != by_beam:
        raise SelectionError(
            f"spots={spots!r} and beams={beams!r} contradict each other: in this granule, these "
            f"beams are spots {_listed(by_beam)}, not {_listed(by_spot)}. Pass one of the two."
        )
    return by_spot or by_beam or SPOTS


def select_numbers(
    spots: str | int | Sequence[int] | None,
    beams: str | Sequence[str] | None,
    groups: Sequence[str],
) -> tuple[int, ...]:
    """Return the numbers of the pairs or profiles that ``beams=`` selects, ascending.

    Parameters
    ----------
    spots, beams
        As for `select_spots`; pairs and profiles have no spots.
    groups
        Their groups, in the order of their numbers from 1.

    Raises
    ------
    SelectionError
        ``spots`` was given, or a group that does not exist.
    """
    if spots is not None:
        raise SelectionError(
            f"spots={spots!r}, but the granule has {_listed(groups)} instead of spots. Leave spots "
            f"out, or select with beams=[{groups[0]!r}]."
        )
    if beams is None:
        return tuple(range(1, len(groups) + 1))
    return tuple(sorted({groups.index(beam) + 1 for beam in _named_groups(beams, groups)}))


def _named_spots(spots: Any) -> tuple[int, ...]:
    if isinstance(spots, str):
        if spots not in ("strong", "weak"):
            raise _no_such(spots)
        return STRONG if spots == "strong" else WEAK
    listed = spots if isinstance(spots, Collection) else [spots]
    numbers = set()
    for spot in listed:
        try:
            number = operator.index(spot)
        except TypeError:
            raise _no_such(spots) from None
        if isinstance(spot, bool) or number not in SPOTS:
            raise _no_such(spots)
        numbers.add(number)
    if not numbers:
        raise _no_such(spots)
    return tuple(sorted(numbers))


def _spots_of_beams(beams: str | Sequence[str], assigned: Mapping[str, int]) -> tuple[int, ...]:
    listed = _named_groups(beams, BEAMS)
    lost = [beam for beam in listed if beam not in assigned]
    if lost:
        raise SelectionError(
            f"beams={beams!r}, but the granule has no {_listed(lost)}, and the spot of that beam "
            f"is unknown. The granule has {_listed(assigned)}."
        )
    return tuple(sorted({assigned[beam] for beam in listed}))


def _named_groups(given: object, groups: Sequence[str]) -> list[str]:
    """Return the groups that ``beams=`` names, each one of `groups`."""
    named = [given] if isinstance(given, str) or not isinstance(given, Collection) else list(given)
    listed = [group for group in named if isinstance(group, str) and group in groups]
    if not listed or len(listed) < len(named):
        raise SelectionError(f"beams={given!r}, expected a list of {_listed(groups)}")
    return listed


def _no_such(spots: object) -> SelectionError:
    valid = f'"strong", "weak", a number or a list of numbers of {_listed(SPOTS)}'
    listed = spots if isinstance(spots, list | tuple) else [spots]
    are_beams = any(isinstance(one, str) and one in BEAMS for one in listed)
    hint = f". Ground tracks are selected with beams={spots!r}" if are_beams else ""
    return SelectionError(f"spots={spots!r}, expected {valid}{hint}")


def _listed(values: Collection[object]) -> str:
    return ", ".join(map(str, values))
