"""Identity of the granule to write: numbers, release, version, time and beams."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.beams import BACKWARD, BEAMS, FORWARD
from xr_icesat2.granule.gran_idx import first_of
from xr_icesat2.granule.name import GranuleName, format_name, parse_name
from xr_icesat2.granule.reference_track import ORBITS_PER_CYCLE
from xr_icesat2.products import PRODUCTS

from .orbit import crossing_time, region_bounds, seconds_to

__all__ = [
    "EPOCH",
    "SyntheticGranule",
    "as_utc",
    "complete_identity",
    "granule_name",
    "rows_per_beam",
]

EPOCH = datetime(2018, 1, 1, tzinfo=UTC)
"""Epoch of the products; there has been no leap second since."""

_SPOTS: Mapping[int, Mapping[str, int]] = {0: BACKWARD, 1: FORWARD, 2: {}}
_REGIONS = 14
_LAST_CYCLE = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticGranule:
    """One granule to write."""

    product: str
    """Short name."""
    rgt: int
    """Reference ground track, 1 to 1387."""
    cycle_number: int
    """Repeat cycle, 1 to 99."""
    granule_region: int
    """Granule region, 1 to 14."""
    release: str
    """Three digits."""
    version: str
    """Two digits."""
    start: datetime | None
    """Start of the region (UTC without time zone); None: the time in the mission's schedule."""
    rows: Mapping[str, int]
    """Rows of the main rate, for each beam that the granule has."""
    sc_orient: int
    """0 backward, 1 forward, 2 turning."""
    seed: int
    """Seed of all randomness."""

    def __post_init__(self) -> None:
        """Raise if no granule can have these properties."""
        _check("rgt", self.rgt, range(1, ORBITS_PER_CYCLE + 1))
        _check("cycle_number", self.cycle_number, range(1, _LAST_CYCLE + 1))
        _check("granule_region", self.granule_region, range(1, _REGIONS + 1))
        _check("sc_orient", self.sc_orient, _SPOTS)
        orbits = _orbits(self.product)
        first = first_of(orbits, self.rgt)
        if self.rgt != first:
            raise SelectionError(
                f"rgt {self.rgt!r}: a granule of {self.product} has {orbits} orbits and the number "
                f"of the first; track {self.rgt} is in that of rgt={first}"
            )
        if orbits and self.granule_region != 1:
            raise SelectionError(
                f"granule_region {self.granule_region!r}: a granule of {self.product} consists of "
                "whole orbits; leave granule_region out"
            )
        for what, digits in ("release", 3), ("version", 2):
            text = getattr(self, what)
            if not isinstance(text, str) or len(text) != digits or not text.isdecimal():
                raise SelectionError(f"{what} {text!r}: expected {digits} digits as a string")

    @property
    def begin(self) -> datetime:
        """Start of the region, UTC, in whole seconds as in the name."""
        begin, _ = region_bounds(self.granule_region)
        start = self.start
        if start is None:
            seconds = crossing_time(self.rgt, self.cycle_number) + float(seconds_to(begin))
            start = EPOCH + timedelta(seconds=seconds)
        return as_utc(start)

    @property
    def rgts(self) -> range:
        """Reference ground tracks of the granule: one, or four for some products."""
        orbits = max(_orbits(self.product), 1)
        return range(self.rgt, min(self.rgt + orbits, ORBITS_PER_CYCLE + 1))

    @property
    def regions(self) -> range:
        """Regions of the granule: one, or all of whole orbits."""
        last = _REGIONS if _orbits(self.product) else self.granule_region
        return range(self.granule_region, last + 1)

    @property
    def crossing_time(self) -> float:
        """Seconds since 2018-01-01 at the ascending node."""
        begin, _ = region_bounds(self.granule_region)
        return (self.begin - EPOCH).total_seconds() - float(seconds_to(begin))

    @property
    def spots(self) -> Mapping[str, int]:
        """Spot of each beam; empty while the spacecraft turns."""
        return _SPOTS[self.sc_orient]

    @property
    def name(self) -> str:
        """Name of the file."""
        return format_name(
            GranuleName(
                product=self.product,
                release=self.release,
                version=self.version,
                start=self.begin,
                rgt=self.rgt,
                cycle_number=self.cycle_number,
                granule_region=self.granule_region,
            )
        )


def _orbits(product: str) -> int:
    """Return the number of whole orbits in a granule of a product; 0: a part of one."""
    convention = PRODUCTS.convention(product)
    return convention.orbits if convention else 0


def as_utc(start: datetime) -> datetime:
    """Return a time in UTC, in whole seconds; without time zone it is UTC."""
    aware = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
    return aware.replace(microsecond=0)


def rows_per_beam(
    n_segments: int | Mapping[str, int],
    beams: Collection[str] | None,
    empty_beams: Collection[str],
) -> Mapping[str, int]:
    """Return the rows of the main rate in each beam, from the keywords.

    Raises
    ------
    SelectionError
        A beam that does not exist, or that one argument has and another has not.
    """
    if not isinstance(n_segments, Mapping):
        n_segments = dict.fromkeys(BEAMS if beams is None else beams, n_segments)
    if beams is None:
        beams = tuple(n_segments)
    named = {*beams, *empty_beams, *n_segments}
    if unknown := named - set(BEAMS):
        raise SelectionError(
            f"there is no beam {', '.join(sorted(unknown))}; beams are {', '.join(BEAMS)}"
        )
    if astray := named - (set(beams) & set(n_segments)):
        raise SelectionError(
            f"{', '.join(sorted(astray))}: named by only some of beams={tuple(beams)}, "
            f"n_segments={dict(n_segments)} and empty_beams={tuple(empty_beams)}; a beam of the "
            "granule must be in beams and in n_segments"
        )
    if min(n_segments.values(), default=0) < 0:
        raise SelectionError(f"n_segments={dict(n_segments)}: expected no negative count")
    return {beam: 0 if beam in empty_beams else n_segments[beam] for beam in BEAMS if beam in beams}


def _check(what: str, value: int, valid: Collection[int]) -> None:
    if value not in valid:
        raise SelectionError(f"{what} {value!r}: expected {min(valid)} to {max(valid)}")


_DEFAULTS = {
    "product": "ATL06",
    "cycle_number": 1,
    "release": "006",
    "version": "01",
    "start": None,
}
_DEFAULT_RGT, _DEFAULT_REGION = 658, 3  # Greenland


def complete_identity(file_name: str, **given: Any) -> dict[str, Any]:
    """Complete the fields of a granule's name by its file name and by defaults.

    Parameters
    ----------
    file_name
        Name of the file to write; ignored if it is not the name of a granule.
    **given
        Keywords of :func:`write_granule`; None means not given.

    Raises
    ------
    SelectionError
        The file name contradicts what was given.
    """
    given = {field: value for field, value in given.items() if value is not None}
    named = _named_fields(file_name)
    for field, value in given.items():
        if field in named and not _same(value, named[field]):
            raise SelectionError(
                f"{field}={value!r}, but the file name {file_name} has {field}="
                f"{named[field]!r}: leave {field} out, or choose another file name"
            )
    identity = _DEFAULTS | given | named
    orbits = _orbits(str(identity["product"]))
    identity.setdefault("rgt", first_of(orbits, _DEFAULT_RGT))
    identity.setdefault("granule_region", 1 if orbits else _DEFAULT_REGION)
    return identity


def _named_fields(file_name: str) -> dict[str, Any]:
    name = parse_name(file_name)
    if name is None:
        return {}
    fields = ("product", "rgt", "cycle_number", "granule_region", "release", "version", "start")
    return {field: getattr(name, field) for field in fields if getattr(name, field) is not None}


def _same(given: Any, named: Any) -> bool:
    return bool(as_utc(given) == named if isinstance(given, datetime) else given == named)


def granule_name(  # noqa: PLR0913 (each is a part of the name)
    product: str = "ATL06",
    *,
    rgt: int,
    cycle_number: int,
    granule_region: int | None = None,
    release: str = "006",
    version: str = "01",
    start: datetime | None = None,
) -> str:
    """Return the name of the granule that :func:`write_granule` writes."""
    identity = complete_identity(
        "",
        product=product,
        rgt=rgt,
        cycle_number=cycle_number,
        granule_region=granule_region,
        release=release,
        version=version,
        start=start,
    )
    return SyntheticGranule(**identity, rows={}, sc_orient=1, seed=0).name
