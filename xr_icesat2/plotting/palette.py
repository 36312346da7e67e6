"""Colours that readers with any colour vision can tell apart.

Source: Okabe and Ito, *Color Universal Design* (2008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps

__all__ = ["COLOURS", "NOISE", "flag_colours", "series_colours"]

COLOURS: Mapping[str, str] = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermilion": "#D55E00",
    "sky": "#56B4E9",
    "pink": "#CC79A7",
}
NOISE = "#BBBBBB"
"""Of what is not signal; light, and behind everything else."""

_OF_MEANINGS: Mapping[str, str] = {
    "ground": COLOURS["orange"],
    "canopy": COLOURS["green"],
    "top_of_canopy": COLOURS["blue"],
    "high": COLOURS["blue"],
    "medium": COLOURS["sky"],
    "low": COLOURS["orange"],
    "buffer": COLOURS["pink"],
    "possible_tep": COLOURS["vermilion"],
}
"""Colours of the meanings of photon classes (ATL08) and of confidences (ATL03)."""
_NOISE_MEANINGS = {"noise", "unclassified", "not_considered", "unknown", "invalid"}


def flag_colours(meanings: Sequence[str]) -> list[str]:
    """Return a colour for each meaning of a flag; noise is grey, and equal meanings are alike."""
    words = [meaning.lower().replace(" ", "_") for meaning in meanings]
    known = {word: NOISE for word in words if word in _NOISE_MEANINGS}
    known |= {word: _OF_MEANINGS[word] for word in words if word in _OF_MEANINGS}
    others = list(dict.fromkeys(word for word in words if word not in known))
    free = [colour for colour in COLOURS.values() if colour not in known.values()]
    named = dict(zip(others, series_colours(len(others), free), strict=True))
    return [(known | named)[word] for word in words]


def series_colours(count: int, palette: Sequence[str] = tuple(COLOURS.values())) -> list[Any]:
    """Return colours of as many series: of the palette, or steps of a ramp if it is too short."""
    if count <= len(palette):
        return list(palette[:count])
    return [colormaps["viridis"](step / (count - 1)) for step in range(count)]
