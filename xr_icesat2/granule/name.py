"""The name of a granule: reading and writing it, and patterns to search for it.

Each product declares its names in ``products/atlNN.py`` (:attr:`.GranuleConvention.names`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from string import Formatter
from typing import Any

from xr_icesat2.errors import IdentityError
from xr_icesat2.products import PRODUCTS, GranuleConvention

from .gran_idx import CYCLES, HEMISPHERES, REGIONS, RGTS, granule_number

__all__ = ["EXTENSIONS", "GranuleName", "file_name", "format_name", "name_pattern", "parse_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleName:
    """Fields of a granule's name. A field that the product's names lack is None."""

    product: str
    """Short name, such as ``"ATL06"``."""
    release: str
    """Three digits, such as ``"006"``; for ATL24 its own, not that of ATL03."""
    version: str
    """Two digits: how often this granule was produced within the release."""
    start: datetime | None = None
    """Start of the granule or of its ATL03 granule, UTC, whole seconds."""
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
    """Maps without a date: the part between product and release, such as ``GL_0318_100m``."""

    @property
    def collection(self) -> str:
        """Short name of the collection in NASA's catalog: ``"ATL03"``, or ``"ATL03QL"``."""
        return f"{self.product}QL" if self.quick_look else self.product

    @property
    def gran_idx(self) -> int | None:
        """Number within the product; None for maps."""
        numbers = {field: getattr(self, field) for field in _NUMBERS}
        return granule_number(self.product, numbers)


_NUMBERS = {
    "rgt": (4, RGTS),
    "cycle_number": (2, CYCLES),
    "granule_region": (2, REGIONS),
    "hemisphere": (2, HEMISPHERES),
    "first_cycle": (2, CYCLES),
    "last_cycle": (2, CYCLES),
}
"""Digits in a name and valid range of the numbers."""
_TEXTS = {
    "start": "20[0-9]{12}",
    "release": "[0-9]{3}",
    "version": "[0-9]{2}",
    "short_release": "[0-9]{2}",
    "source_release": "[0-9]{3}",
    "source_version": "[0-9]{2}",
    "label": "(?!20[0-9]{12}_[0-9]{8}_)[0-9A-Za-z]+(?:_[0-9A-Za-z]+)*?",
}
"""Patterns of the other fields."""
_TIME = "%Y%m%d%H%M%S"
_TIME_DIGITS = 14
EXTENSIONS = frozenset({"h5", "hdf5", "he5", "nc", "nc4"})

# Subsetters write before and after the name (processed_…, …_subsetted, … (1)), set off by a
# character that is no letter or digit.
_PRODUCT = re.compile(r"(?<![0-9A-Za-z])ATL[0-9]{2}")
_AFTER = r"(?![0-9A-Za-z])"
_CYCLES_OF_LABEL = re.compile(r"[A-Z][A-Z0-9]_(?P<first>[0-9]{2})(?P<last>[0-9]{2})_[0-9A-Za-z]+")


@lru_cache(maxsize=1 << 12)  # called again at each step of opening
def parse_name(text: str) -> GranuleName | None:
    """Read the name of a granule from a URL, a path or a bare name.

    Parameters
    ----------
    text
        Any url that fsspec takes, a path, or a name with or without extension. Prefixes and
        suffixes of subsetters and a query string are skipped.

    Returns
    -------
    GranuleName or None
        None where the file is not named like a granule: another pattern, an extension that no
        granule has, a number or date out of range, two granules in one name.
    """
    found = set(_candidates(file_name(text)))
    return found.pop() if len(found) == 1 else None


def _candidates(segment: str) -> Iterator[GranuleName]:
    for begin in _PRODUCT.finditer(segment):
        for pattern in _patterns(begin[0]):
            match = pattern.match(segment, begin.start())
            if match is None:
                continue
            dot, extension = segment[match.end() :].rpartition(".")[1:]
            if dot and extension.lower() not in EXTENSIONS:
                continue
            name = _read(begin[0], match.groupdict())
            if name is not None:
                yield name


@cache
def _patterns(product: str) -> tuple[re.Pattern[str], ...]:
    """Compile the names of a product's specification."""
    convention = PRODUCTS.convention(product)
    return tuple(_pattern(convention, name) for name in convention.names) if convention else ()


def _pattern(convention: GranuleConvention, name: str) -> re.Pattern[str]:
    product, rest = name[: len("ATL00")], name[len("ATL00") :].rpartition(".")[0]
    pattern = product + ("(?P<quick_look>QL)?" if convention.quick_look else "")
    for literal, field, _, _ in Formatter().parse(rest):
        pattern += re.escape(literal)
        if field:
            written = _TEXTS.get(field) or f"[0-9]{{{_NUMBERS[field][0]}}}"
            pattern += f"(?P<{field}>{written})"
    return re.compile(pattern + _AFTER)


def _read(product: str, matched: Mapping[str, str | None]) -> GranuleName | None:
    """Make a name of what a pattern matched, None where a number or the date is out of range."""
    fields: dict[str, Any] = {key: text for key, text in matched.items() if text is not None}
    for key, (_, valid) in _NUMBERS.items():
        if key in fields:
            fields[key] = int(fields[key])
            if fields[key] not in valid:
                return None
    if fields.get("last_cycle", 0) < fields.get("first_cycle", 0):
        return None
    if "start" in fields:
        fields["start"] = _time(fields["start"])
        if fields["start"] is None:
            return None
    if "short_release" in fields:
        fields["release"] = fields.pop("short_release").zfill(3)
    if cycles := _CYCLES_OF_LABEL.fullmatch(fields.get("label", "")):
        fields |= {f"{end}_cycle": int(cycles[end]) for end in ("first", "last")}
    return GranuleName(product=product, **fields | {"quick_look": "quick_look" in fields})


def _time(digits: str) -> datetime | None:
    try:
        return datetime.strptime(digits, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def format_name(name: GranuleName) -> str:
    """Write the name of the original granule: the inverse of :func:`parse_name`.

    Raises
    ------
    IdentityError
        A field that the product's names hold is missing.
    """
    names = PRODUCTS[name.product].granules.names
    lacking = {template: _lacking(name, template) for template in names}
    template = next((template for template in names if not lacking[template]), None)
    if template is None:
        raise IdentityError(
            f"The name of an {name.product} granule requires {', '.join(lacking[names[0]])}. "
            f"Given was {name}."
        )
    rest = template.removeprefix(name.product)
    return name.collection + rest.format_map({key: _text(name, key) for key in _keys(template)})


def _keys(template: str) -> list[str]:
    return [field for _, field, _, _ in Formatter().parse(template) if field]


def _lacking(name: GranuleName, template: str) -> list[str]:
    return [key for key in _keys(template) if getattr(name, key, None) is None]


def _text(name: GranuleName, field: str) -> str:
    value = getattr(name, field)
    if field == "start":
        return f"{value:{_TIME}}"
    return f"{value:0{_NUMBERS[field][0]}d}" if field in _NUMBERS else str(value)


def name_pattern(collection: str, numbers: Mapping[str, int]) -> str:
    """Return a pattern of the names of granules with some numbers, as CMR takes it.

    Parameters
    ----------
    collection
        Short name of a product or of its quick look.
    numbers
        Such as ``rgt``. Of the name's other numbers any value fits.

    Returns
    -------
    str
        ``?`` stands for one character, ``*`` for any.
    """
    product = collection.removesuffix("QL")
    convention = PRODUCTS[product].granules
    asked = {*convention.numbers, "hemisphere"}
    parts = re.split(r"_(?![^{]*\})", convention.names[0].removeprefix(product))
    last = max(n for n, part in enumerate(parts) if asked.intersection(_keys(part)))
    fields = {
        **{key: "?" * digits for key, (digits, _) in _NUMBERS.items()},
        **{key: f"{number:0{_NUMBERS[key][0]}d}" for key, number in numbers.items()},
        "start": "?" * _TIME_DIGITS,
    }
    return f"{collection}{'_'.join(parts[: last + 1]).format_map(fields)}_*"


def file_name(url: str) -> str:
    """Return the last part of a path or URL without query; for a chained URL, that of the file."""
    # In `simplecache::s3://…` the file is last, in `zip://file.h5::s3://…` first.
    link = next((part for part in url.split("::") if "/" in part), url)
    if link.startswith(("http://", "https://")):
        link = re.split(r"[?#]", link, maxsplit=1)[0]
    segment = re.split(r"[/\\]", link)[-1]
    return re.split(r"[?#]", segment, maxsplit=1)[0]
