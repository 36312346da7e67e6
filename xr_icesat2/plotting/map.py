"""Draw rows on a map with matplotlib."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from .hue import Category
from .map_frame import MapLimits, draw_frame, find_limits
from .map_rows import MapRows
from .palette import COLOURS, NOISE
from .panels import Panels, wrap_text, write_note
from .points import point_style
from .projection import MapProjection, choose_projection

__all__ = ["draw_map"]

Floats = NDArray[np.float64]

_HEIGHT, _WIDEST, _SPACE = 5.5, 9.0, 2.2
"""Inches: of the map, and of labels and colour bar beside it."""
_NO_VALUE = Category(None, "no value", NOISE)
_EXTEND = {
    (False, False): "neither",
    (True, False): "min",
    (False, True): "max",
    (True, True): "both",
}


def draw_map(rows: MapRows, *, robust: bool, ax: Any) -> Axes:
    """Draw as :meth:`.PlotMethods.map` says."""
    projection = choose_projection(*rows.places())
    x, y = projection.forward(rows.longitude, rows.latitude)
    lines = [np.stack(projection.forward(one[:, 0], one[:, 1]), axis=-1) for one in rows.outlines]
    all_x, all_y = np.concatenate([np.stack([x, y], axis=-1), *lines]).T
    limits = find_limits(projection, all_x, all_y)
    panels = _panels(ax, limits, projection)
    [axes] = panels.axes
    _draw_points(panels, x, y, rows, robust=robust)
    for line in lines:
        broken = _broken(line, projection)
        axes.plot(broken[:, 0], broken[:, 1], color=COLOURS["vermilion"], linewidth=1.5, zorder=3)
    draw_frame(axes, projection, limits, x, y)
    if not x.size:
        write_note(axes, "no rows")
    axes.set_title(wrap_text(rows.title, axes), loc="left", fontsize="medium")
    axes.set_xlabel(wrap_text(projection.name, axes), fontsize="small")
    return axes


def _panels(ax: Any, limits: MapLimits, projection: MapProjection) -> Panels:
    """Return the given axes, or new ones in a figure of the map's shape."""
    if ax is not None:
        return Panels([ax], None)
    left, right, bottom, top = limits
    width = _HEIGHT * (right - left) / ((top - bottom) * projection.aspect)
    size = (min(width, _WIDEST) + _SPACE, _HEIGHT * min(1, _WIDEST / width) + _SPACE / 2)
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    return Panels([axes], figure)


def _draw_points(panels: Panels, x: Floats, y: Floats, rows: MapRows, *, robust: bool) -> None:
    [axes] = panels.axes
    style = point_style(len(x))
    handles: dict[str, Any] = {}
    known, values, hue = rows.known, rows.values, rows.hue
    categories = [] if known.all() else [(_NO_VALUE, ~known)]
    if hue.categories is None:
        low, high = rows.colour_limits(robust=robust)
        drawn = axes.scatter(
            x[known], y[known], c=values[known], vmin=low, vmax=high, zorder=2, **style
        )
        beyond = bool((values[known] < low).any()), bool((values[known] > high).any())
        panels.write_colour_bar(drawn, hue.label, extend=_EXTEND[beyond])
    else:
        categories += [(one, values == one.value) for one in hue.categories]
    for category, of_it in categories:
        order = 1 if category.is_noise else 2
        handles[category.label] = axes.scatter(
            x[of_it], y[of_it], color=category.colour, label=category.label, zorder=order, **style
        )
    panels.write_legend(handles, hue.label if hue.categories else None)


def _broken(line: Floats, projection: MapProjection) -> Floats:
    """Return a line that is interrupted where it continues on the other side of the map."""
    if projection.is_metric:
        return line
    jumps = np.flatnonzero(np.abs(np.diff(line[:, 0])) > 180) + 1
    return np.insert(line, jumps, np.nan, axis=0)
