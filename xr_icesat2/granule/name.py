"""The name of a granule: what it says, and how it is written.

Source: the file naming conventions in the products' user guides at NSIDC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from xr_icesat2.errors import IdentityError

from .gran_idx import (
    CYCLES,
    GRIDDED,
    HEMISPHERIC,
    ORBITAL,
    QUICK_LOOK,
    REGIONAL,
    REGIONS,
    REPEAT,
    RGTS,
    WITH_HEMISPHERE,
    granule_number,
)
from .name_patterns import (
    CYCLES_OF_LABEL,
    DATED_NAME,
    EXTENSIONS,
    OWN_RELEASE,
    REPEAT_NAME,
    UNDATED_NAME,
    file_name,
)

__all__ = ["GranuleName", "file_name", "format_name", "gran_idx", "parse_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleName:
    """What the name of a granule says. A field that the product's names lack is None."""

    product: str
    """Short name, such as ``"ATL06"``."""
    release: str
    """Three digits, such as ``"006"``; for ATL24 its own, not that of ATL03."""
    version: str
    """Two digits: how often this granule was made again within the release."""
    start: datetime | None = None
    """Start of the granule (or of the ATL03 granule that it was made of), UTC, whole seconds."""
    rgt: int | None = None
    """Reference ground track, 1 to 1387; of the first orbit where there are several."""
    cycle_number: int | None = None
    """Repeat cycle, from 1."""
    granule_region: int | None = None
    """Granule region, 1 to 14."""
    hemisphere: int | None = None
    """1 north, 2 south (ATL07, ATL10, ATL20, ATL21)."""
    first_cycle: int | None = None
    """First of the cycles that are gathered (ATL11, ATL14, ATL15)."""
    last_cycle: int | None = None
    """Last of the cycles that are gathered."""
    quick_look: bool = False
    """Whether it is the preliminary granule of a pass, with ``QL`` after the product's name."""
    source_release: str | None = None
    """ATL24: release of the ATL03 granule that it was made of."""
    source_version: str | None = None
    """ATL24: version of the ATL03 granule that it was made of."""
    label: str | None = None
    """Maps without a date: what stands between product and release, such as ``GL_0318_100m``."""

    @property
    def collection(self) -> str:
        """Short name of the collection in NASA's catalog: ``"ATL03"``, or ``"ATL03QL"``."""
        return f"{self.product}QL" if self.quick_look else self.product


_UNDATED = frozenset({"ATL14", "ATL15", "ATL18"})
_NETCDF = frozenset({"ATL14", "ATL15"})
_DATED = REGIONAL | HEMISPHERIC | ORBITAL | (GRIDDED - {"ATL14", "ATL15"})


@lru_cache(maxsize=1 << 12)  # asked for anew at each step of opening
def parse_name(text: str) -> GranuleName | None:
    """Read the name of a granule from a url, a path or a bare name.

    Parameters
    ----------
    text
        Any url that fsspec takes, a path, or a name with or without extension. Prefixes and
        suffixes of subsetters and a query string are skipped.

    Returns
    -------
    GranuleName or None
        None where the file is not named like a granule: another pattern, an extension that no
        granule has, a track, cycle, region or date that cannot be, two granules in one name.
    """
    segment = file_name(text)
    found = set(_candidates(segment))
    return found.pop() if len(found) == 1 else None


def _candidates(segment: str) -> Iterator[GranuleName]:
    for pattern, read in (
        (DATED_NAME, _read_dated),
        (REPEAT_NAME, _read_repeat),
        (UNDATED_NAME, _read_undated),
    ):
        for match in pattern.finditer(segment):
            dot, extension = segment[match.end() :].rpartition(".")[1:]
            if dot and extension.lower() not in EXTENSIONS:
                continue
            name = read(match)
            if name is not None:
                yield name


def _read_dated(match: re.Match[str]) -> GranuleName | None:
    product, start = match["product"], _time(match["start"])
    rgt, cycle_number, granule_region = (
        int(match["rgt"]),
        int(match["cycle_number"]),
        int(match["granule_region"]),
    )
    if product not in (QUICK_LOOK if match["quick_look"] else _DATED) or start is None:
        return None
    if (match["hemisphere"] is None) == (product in WITH_HEMISPHERE):
        return None
    if rgt not in RGTS or cycle_number not in CYCLES:
        return None
    if granule_region not in (REGIONS if product in REGIONAL else (1,)):
        return None
    released, source = match, None
    if product == "ATL24":
        own = OWN_RELEASE.match(match.string, match.end())
        if own is None:
            return None
        released, source = own, match
    return GranuleName(
        product=product,
        release=released["release"],
        version=released["version"],
        start=start,
        rgt=rgt,
        cycle_number=cycle_number,
        granule_region=granule_region if product in REGIONAL else None,
        hemisphere=int(match["hemisphere"]) if match["hemisphere"] else None,
        quick_look=bool(match["quick_look"]),
        source_release=source and source["release"],
        source_version=source and source["version"],
    )


def _read_repeat(match: re.Match[str]) -> GranuleName | None:
    rgt, granule_region = int(match["rgt"]), int(match["granule_region"])
    first, last = int(match["first"]), int(match["last"])
    if rgt not in RGTS or granule_region not in REGIONS or first not in CYCLES or last < first:
        return None
    return GranuleName(
        product=match["product"],
        release=match["release"] or "0" + match["trial"],
        version=match["version"] or match["try"],
        rgt=rgt,
        granule_region=granule_region,
        first_cycle=first,
        last_cycle=last,
    )


def _read_undated(match: re.Match[str]) -> GranuleName | None:
    if DATED_NAME.match(match.string, match.start()):
        return None
    cycles = CYCLES_OF_LABEL.fullmatch(match["label"])
    return GranuleName(
        product=match["product"],
        release=match["release"],
        version=match["version"],
        first_cycle=int(cycles["first"]) if cycles else None,
        last_cycle=int(cycles["last"]) if cycles else None,
        label=match["label"],
    )


def _time(digits: str) -> datetime | None:
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def format_name(name: GranuleName) -> str:
    """Write the name of the original granule: the inverse of :func:`parse_name`.

    Raises
    ------
    IdentityError
        A field that the product's names hold is missing.
    """
    product = name.product
    tail = f"{name.release}_{name.version}.{'nc' if product in _NETCDF else 'h5'}"
    if product in REPEAT:
        _require(name, "rgt", "granule_region", "first_cycle", "last_cycle")
        cycles = f"{name.first_cycle:02d}{name.last_cycle:02d}"
        return f"{product}_{name.rgt:04d}{name.granule_region:02d}_{cycles}_{tail}"
    if product in _UNDATED and name.start is None:
        _require(name, "label")
        return f"{product}_{name.label}_{tail}"
    _require(name, "start", "rgt", "cycle_number")
    if product in REGIONAL:
        _require(name, "granule_region")
    code = name.collection
    if product in WITH_HEMISPHERE:
        _require(name, "hemisphere")
        code = f"{name.collection}-{name.hemisphere:02d}"
    if product == "ATL24":
        _require(name, "source_release", "source_version")
        tail = f"{name.source_release}_{name.source_version}_{tail}"
    track = f"{name.rgt:04d}{name.cycle_number:02d}{name.granule_region or 1:02d}"
    return f"{code}_{name.start:%Y%m%d%H%M%S}_{track}_{tail}"


def _require(name: GranuleName, *fields: str) -> None:
    missing = [field for field in fields if getattr(name, field) is None]
    if missing:
        raise IdentityError(
            f"the name of an {name.product} granule cannot be written without "
            f"{', '.join(missing)}; given was {name}"
        )


def gran_idx(name: GranuleName) -> int | None:
    """Return the number of the named granule, None for maps; see `granule_number`."""
    return granule_number(
        product=name.product,
        rgt=name.rgt,
        cycle_number=name.cycle_number,
        granule_region=name.granule_region,
        hemisphere=name.hemisphere,
    )
