"""Segments that are drawn as lines over the points of a profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from xr_icesat2.errors import SelectionError
from xr_icesat2.opened_rate import OpenedRate

from .palette import COLOURS
from .profile_axis import ProfileAxis
from .tracks import Track, choose_variable, is_same_beam, read_tracks

__all__ = ["Overlay", "read_overlays"]

_COLOURS = (COLOURS["vermilion"], COLOURS["pink"], COLOURS["sky"])
"""Of the second variable and further ones; the first has the colour of the labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """One variable of segments."""

    name: str
    label: str
    number: int
    """Position among the variables that are drawn, which decides the colour."""
    opened: OpenedRate
    tracks: Sequence[Track]

    def draw(self, axes: Axes, axis: ProfileAxis, under: Track, handles: dict[str, Any]) -> None:
        """Draw the segments of the same beam and pass, within the panel."""
        colour = axes.xaxis.label.get_color() if not self.number else _COLOURS[self.number - 1]
        for track in self.tracks:
            if not is_same_beam(track, under):
                continue
            x = axis.kilometres(track)
            y = track.values[self.name].astype(np.float64)
            low, high = axes.get_xlim()
            shown = np.isfinite(x) & np.isfinite(y) & (x >= low) & (x <= high)
            handles[self.label] = self._draw(axes, x[shown], y[shown], colour)

    def _draw(self, axes: Axes, x: Any, y: Any, colour: Any) -> Any:
        metres = self.opened.rate.row_length
        if metres is None:
            return axes.scatter(
                x, y, s=6, color=colour, label=self.label, rasterized=True, zorder=4
            )
        half = metres / 2000
        ends = np.stack([np.stack([x - half, y], -1), np.stack([x + half, y], -1)], axis=1)
        lines = LineCollection(
            list(ends), colors=[colour], linewidths=1.6, label=self.label, zorder=4, rasterized=True
        )
        axes.add_collection(lines)
        axes.autoscale_view(scalex=False)
        return lines


def read_overlays(over: Any, variables: Any, under: Sequence[Track]) -> list[Overlay]:
    """Read the segments that belong to the tracks under them.

    Raises
    ------
    SelectionError
        ``over`` is not a Dataset of this engine, lacks a variable, or has no segments of these
        beams and passes.
    """
    if over is None:
        return []
    overlays: list[Overlay] = []
    for given in list(over) if isinstance(over, list | tuple) else [over]:
        if not isinstance(given, xr.Dataset | xr.DataTree):
            raise SelectionError(
                f"over= is a {type(given).__name__}, expected a Dataset opened with "
                "engine='icesat2', a node of a tree, or a list of them"
            )
        opened = OpenedRate.of(given)
        names = _names(opened, variables)
        tracks = read_tracks(opened, names, like=under)
        for name in names:
            label = f"{opened.product or ''} {name}".strip()
            overlays.append(Overlay(name, label, len(overlays), opened, tracks))
    if len(overlays) > len(_COLOURS) + 1:
        raise SelectionError(
            f"over= has {len(overlays)} variables, expected at most {len(_COLOURS) + 1}. Choose "
            "some with over_variables=."
        )
    return overlays


def _names(opened: OpenedRate, variables: Any) -> list[str]:
    """Return the variables to draw: the given ones that this Dataset has, or its main height."""
    if variables is None:
        return [choose_variable(opened, None)]
    listed = [variables] if isinstance(variables, str) else list(variables)
    names = [name for name in listed if name in opened.dataset.variables]
    return names or [choose_variable(opened, listed[0])]
