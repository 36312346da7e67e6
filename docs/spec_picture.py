"""A picture of how a product opens, as SVG for its page, made from the specification."""
# ruff: noqa: INP001 - imported by code in the pages

from html import escape

from xr_icesat2 import products
from xr_icesat2.products import ALONG, Rate

TRACKS = {"beams": ("spot", 6), "pairs": ("pair_track", 3), "profiles": ("profile", 3)}
"""Dimension of merged tracks, and its length."""
WIDTH, ROW, TOP, LEFT = 860, 58, 34, 150
INK, LINE, FILL, MAIN, CHIP = "#222", "#888", "#eef3f8", "#cfe2f3", "#fde9c9"
"""Text in boxes is dark, because boxes are light. Other text has the colour of the page's text."""


def picture(product: str) -> str:
    """Draw tracks to the left, the rates they have to the right, each with its dimensions."""
    spec = products[product]
    dim, number = TRACKS[spec.granules.tracks]
    rates = list(spec.rates)
    height = TOP + ROW * (len(rates) + 1)
    parts = [_text(8, 20, f"{product}: tracks and rates", bold=True), _tracks(dim, number, height)]
    for row, rate in enumerate(rates):
        parts.append(_rate(rate, dim, TOP + ROW * row, is_main=rate.group in spec.main))
    rest = "what is not specified: a rate for each of the file's own dimension scales"
    parts.append(_box(LEFT, TOP + ROW * len(rates), WIDTH - LEFT - 8, "none", dashed=True))
    parts.append(_text(LEFT + 10, TOP + ROW * len(rates) + 28, rest))
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="100%" role="img" '
        f'aria-label="Rates of {product}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="sans-serif" font-size="13" fill="currentColor">{body}</svg>'
    )


def _tracks(dim: str, number: int, height: int) -> str:
    step = (height - TOP - 30) / number
    lines = [
        f'<line x1="20" x2="{LEFT - 14}" y1="{y:.0f}" y2="{y:.0f}" stroke="{LINE}" '
        f'stroke-width="{3 if number == 3 or n % 2 else 1.5}"/>' + _text(6, y + 4, str(n))
        for n in range(1, number + 1)
        if (y := TOP + step * (n - 0.5))
    ]
    return "".join(lines) + _text(20, height - 12, f"{dim} 1 to {number}")


def _rate(rate: Rate, dim: str, top: float, *, is_main: bool) -> str:
    second = sorted({d for dims in rate.dims.values() for d in dims if d != ALONG})
    name = rate.name + ("  (opened by default)" if is_main else "")
    where = ", ".join(rate.coordinates) or "no time or place of its own"
    shape = f"(gran_idx, {dim}, {rate.along})"
    chips, x = [], WIDTH - 20.0
    for label in reversed(second):
        wide = 7.8 * len(label) + 12
        x -= wide + 6
        chips.append(
            f'<rect x="{x:.0f}" y="{top + 26}" width="{wide:.0f}" height="19" rx="4" '
            f'fill="{CHIP}" stroke="{LINE}"/>' + _text(x + 6, top + 40, label, INK)
        )
    return (
        _box(LEFT, top, WIDTH - LEFT - 8, MAIN if is_main else FILL)
        + _text(LEFT + 10, top + 19, name, INK, bold=True)
        + _text(LEFT + 10 + 8.2 * len(name) + 12, top + 19, shape, INK)
        + _text(LEFT + 10, top + 40, where, INK)
        + "".join(chips)
    )


def _box(x: float, y: float, width: float, fill: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{ROW - 10}" rx="5" fill="{fill}" '
        f'stroke="{LINE}"{dash}/>'
    )


def _text(
    x: float, y: float, text: str, colour: str = "currentColor", *, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}"{weight}>{escape(text)}</text>'
