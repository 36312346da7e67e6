"""Titles of pictures, and labels of their axes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.opened_rate import OpenedRate

from .tracks import Track

__all__ = ["axis_label", "beam_title", "granule_title", "granules_title", "unit_of"]

_UNITS = {"meters": "m", "meter": "m", "metres": "m", "seconds": "s", "1": "", "degrees": "°"}
_UNITS |= {"degrees_north": "°N", "degrees_east": "°E", "counts": "", "unitless": ""}


def unit_of(variable: xr.DataArray) -> str:
    """Return the unit as it is written on an axis; ``""`` if there is none."""
    given = str(variable.attrs.get("units", "")).strip()
    return _UNITS.get(given, given)


def axis_label(variable: xr.DataArray) -> str:
    """Return what a variable is, with its unit and what heights are above."""
    name = str(variable.name)
    what = str(variable.attrs.get("long_name", "")).strip()
    about = f"{what}, {name}" if what and what != name else name
    unit = unit_of(variable)
    datum = str(variable.attrs.get("vertical_datum", ""))
    if unit and datum:
        return f"{about}\n({unit} above the {datum})"
    return f"{about} ({unit})" if unit else about


def granule_title(opened: OpenedRate, track: Track) -> str:
    """Return product, release, track, cycle and date."""
    labels = track.labels
    parts = [_product(opened)]
    parts += [f"RGT {int(labels['rgt'])}"] if "rgt" in labels else []
    parts += [f"cycle {int(labels['cycle_number'])}"] if "cycle_number" in labels else []
    parts += [] if np.isnat(track.time) else [str(track.time.astype("M8[D]"))]
    return ", ".join(parts)


def granules_title(opened: OpenedRate, tracks: Iterable[Track]) -> str:
    """Return the common title of several tracks: that of one granule, or what they have."""
    tracks = list(tracks)
    titles = dict.fromkeys(granule_title(opened, track) for track in tracks)
    if len(titles) == 1:
        return next(iter(titles))
    parts = [_product(opened)]
    for name, word in (("rgt", "RGT"), ("cycle_number", "cycle")):
        numbers = sorted({int(t.labels[name]) for t in tracks if name in t.labels})
        if numbers:
            plural = "" if len(numbers) == 1 else "s"
            parts.append(f"{word}{plural} {_listed(numbers)}")
    days = sorted({t.time.astype("M8[D]") for t in tracks if not np.isnat(t.time)})
    if days:
        parts.append(str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}")
    return ", ".join(parts)


def _product(opened: OpenedRate) -> str:
    return f"{opened.product or opened.title} {opened.release or ''}".strip()


def beam_title(track: Track) -> str:
    """Return the spot with its ground track and strength."""
    name, value = track.beam
    number = value if isinstance(value, str) else _whole(value)
    also = []
    if name != "gt" and track.labels.get("gt"):
        also.append(str(track.labels["gt"]))
    if name == "spot" and number in range(1, 7):
        also.append("strong" if number % 2 else "weak")
    word = {"gt": "beam", "pair_track": "pair track", "gran_idx": "granule"}.get(name, name)
    return f"{word} {number}" + (f" ({', '.join(also)})" if also else "")


def _whole(value: Any) -> Any:
    return int(value) if np.isfinite(value) else "unknown"


def _listed(numbers: list[int]) -> str:
    if len(numbers) <= 4:
        return ", ".join(map(str, numbers))
    return f"{numbers[0]} to {numbers[-1]} ({len(numbers)})"
