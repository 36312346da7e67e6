"""Format granules as a table, in text and in HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from xr_icesat2.printable import printable
from xr_icesat2.text_table import align_columns

from .cmr import CatalogGranule
from .footprint import footprint_lines, is_track

__all__ = ["format_size", "html_table", "text_table", "total_size"]

_HEADS = ("name", "start (UTC)", "minutes", "size", "where")
_MOST_ROWS = 20
"""Longer lists show the first and last ten."""
_UNITS = ("B", "kB", "MB", "GB", "TB")


def text_table(granules: Sequence[CatalogGranule]) -> list[str]:
    """Return the lines of a table; none for no granules."""
    if not granules:
        return []
    return align_columns([("", *_HEADS), *_rows(granules)])


def html_table(granules: Sequence[CatalogGranule]) -> str:
    """Return the same table in HTML; "" for no granules."""
    if not granules:
        return ""
    heads = "".join(f"<th>{head}</th>" for head in ("", *_HEADS))
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in _rows(granules)
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _rows(granules: Sequence[CatalogGranule]) -> Iterator[tuple[str, ...]]:
    half = _MOST_ROWS // 2
    for number, granule in enumerate(granules):
        if len(granules) <= _MOST_ROWS or not half <= number < len(granules) - half:
            yield (str(number), *_row(granule))
        elif number == half:
            yield ("…", *[""] * len(_HEADS))


def _row(granule: CatalogGranule) -> tuple[str, ...]:
    minutes = (granule.end - granule.start).total_seconds() / 60
    return (
        printable(granule.name),
        f"{granule.start:%Y-%m-%d %H:%M:%S}",
        f"{minutes:.1f}",
        format_size(granule.size),
        _where(granule),
    )


def format_size(size: float | None) -> str:
    """Format bytes with a suitable unit, in powers of 1000; ``"?"`` for None."""
    if size is None:
        return "?"
    power = 0
    while size >= 1000 and power < len(_UNITS) - 1:
        size /= 1000
        power += 1
    return f"{size:.3g} {_UNITS[power]}" if power else f"{size:.0f} B"


def total_size(granules: Sequence[CatalogGranule]) -> str:
    """Format the total size; ``"at least …"`` where some sizes are unknown."""
    known = [granule.size for granule in granules if granule.size is not None]
    if not known:
        return "sizes unknown" if granules else format_size(0)
    return f"{'' if len(known) == len(granules) else 'at least '}{format_size(sum(known))}"


def _where(granule: CatalogGranule) -> str:
    lines = [line for line in footprint_lines(granule) if line]
    if not lines:
        return ""
    if is_track(granule):
        return f"{_place(*lines[0][0])} → {_place(*lines[-1][-1])}"
    latitudes = [latitude for line in lines for _, latitude in line]
    return f"{_degrees(min(latitudes), 'N', 'S')} to {_degrees(max(latitudes), 'N', 'S')}"


def _place(longitude: float, latitude: float) -> str:
    return f"{_degrees(latitude, 'N', 'S')} {_degrees(longitude, 'E', 'W')}"


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.1f}°{positive if value >= 0 else negative}"
