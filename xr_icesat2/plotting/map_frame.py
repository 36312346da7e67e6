"""The frame of a map: its limits, a graticule with labels, a scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from numpy.typing import NDArray

from .panels import inches_wide
from .projection import MapProjection
from .track_distance import cumulative_distance, ellipsoid_directions

__all__ = ["MapLimits", "draw_frame", "find_limits"]

Floats = NDArray[np.float64]
MapLimits = tuple[float, float, float, float]
"""Left, right, bottom, top."""

_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45, 90)
_AROUND_A_POLE = [float(level) for level in range(-180, 180, 30)]
_MARGIN, _NARROWEST = 0.06, 0.6
"""Space around the points; least ratio of the shorter side of the map to the longer one."""
_MIN_METRES, _MIN_DEGREES = 200.0, 0.002
_GRID = 121
_NARROW = 2.2
"""Inches of axes in which fewer labels of parallels have room."""
_LABEL_WIDTH = 0.75
"""Inches for the label of a meridian below the axes."""


def draw_frame(
    axes: Axes, projection: MapProjection, limits: MapLimits, x: Floats, y: Floats
) -> None:
    """Set the limits, draw the graticule with labels, and a scale bar away from points."""
    left, right, bottom, top = limits
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect(projection.aspect)
    _draw_graticule(axes, projection, limits)
    if projection.is_metric:
        _draw_scale_bar(axes, projection, limits, _emptiest_corner(limits, x, y))


def find_limits(projection: MapProjection, x: Floats, y: Floats) -> MapLimits:
    """Return the limits of a map of points; x and y are projected."""
    least = _MIN_METRES if projection.is_metric else _MIN_DEGREES
    if not x.size:
        x = y = np.zeros(1)
    centre_x, centre_y = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    width = max(float(np.ptp(x)), least) * (1 + 2 * _MARGIN)
    height = max(float(np.ptp(y)), least) * (1 + 2 * _MARGIN)
    width = max(width, height * projection.aspect * _NARROWEST)
    height = max(height, width / projection.aspect * _NARROWEST)
    return (
        float(centre_x - width / 2),
        float(centre_x + width / 2),
        float(centre_y - height / 2),
        float(centre_y + height / 2),
    )


def _draw_graticule(axes: Axes, projection: MapProjection, limits: MapLimits) -> None:
    left, right, bottom, top = limits
    columns, rows = np.linspace(left, right, _GRID), np.linspace(bottom, top, _GRID)
    x, y = np.meshgrid(columns, rows)
    longitude, latitude = projection.inverse(x, y)
    width = inches_wide(axes)
    most = 6 if width > _NARROW else 3
    across = min(6, max(2, int(width / _LABEL_WIDTH)))
    unwrapped = _unwrapped(longitude)
    turns = np.ptp(unwrapped) > 300
    parallels = _levels(latitude, latitude if turns else latitude[:, 0], most)
    # Near a pole, the edges of the map cross all meridians, and no parallel may reach them.
    meridians = _AROUND_A_POLE if turns else _levels(unwrapped, unwrapped[0], across)
    _draw_lines(axes, (x, y), latitude, parallels, "NS" if turns else "")
    if turns:
        for level in meridians:  # a field without a jump near this one
            near = (longitude - level + 180) % 360 - 180
            _draw_lines(axes, (x, y), np.where(np.abs(near) > 90, np.nan, near), [0.0])
    else:
        _draw_lines(axes, (x, y), unwrapped, meridians)
    below = _crossings(columns, longitude[0], meridians, "EW")
    up = _crossings(rows, latitude[:, 0], parallels, "NS")
    if turns and projection.is_metric:
        up = _crossings(rows, longitude[:, 0], meridians, "EW")
    axes.set_xticks(list(below), list(below.values()))
    axes.set_yticks(list(up), list(up.values()))


def _draw_lines(
    axes: Axes, grid: tuple[Floats, Floats], field: Floats, levels: Sequence[float], sides: str = ""
) -> None:
    """Draw where a field has certain values, with labels on the lines if `sides` are given."""
    low, high = np.nanmin(field, initial=np.inf), np.nanmax(field, initial=-np.inf)
    levels = [level for level in levels if low < level < high]
    if not levels:
        return
    colour = axes.xaxis.label.get_color()
    style: Any = {"colors": [colour], "linewidths": 0.5, "linestyles": "solid", "alpha": 0.25}
    lines = axes.contour(*grid, field, levels, zorder=0.5, **style)
    if sides:
        names = {level: _label(level, sides) for level in levels}
        for text in axes.clabel(lines, fmt=names, fontsize="small", colors=[colour]):
            text.set_alpha(None)


def _levels(field: Floats, edge: Floats, most: int) -> list[float]:
    """Return round numbers of degrees within a field, of which an edge crosses at most so many."""
    if not np.isfinite(field).all():
        field = field[np.isfinite(field)]
        edge = field
    if not field.size:
        return []
    span = float(np.ptp(edge))
    step = next((step for step in _STEPS if span / step <= most), _STEPS[-1])
    low, high = float(field.min()), float(field.max())
    return [float(n * step) for n in range(int(np.ceil(low / step)), int(high // step) + 1)]


def _unwrapped(longitude: Floats) -> Floats:
    """Return longitudes without a jump, if there is no pole among them."""
    middle = longitude[longitude.shape[0] // 2, longitude.shape[1] // 2]
    return np.asarray(middle + (longitude - middle + 180) % 360 - 180)


def _crossings(at: Floats, values: Floats, levels: Sequence[float], sides: str) -> dict[float, str]:
    """Return the label of each level by where the edge of the map crosses it."""
    found: dict[float, str] = {}
    for level in levels:
        off = (values - level + 180) % 360 - 180
        for i in np.flatnonzero((off[:-1] <= 0) != (off[1:] <= 0)).tolist():
            if abs(off[i + 1] - off[i]) < 90:
                part = off[i] / (off[i] - off[i + 1])
                found[float(at[i] + part * (at[i + 1] - at[i]))] = _label(level, sides)
    return dict(sorted(found.items()))


def _label(level: float, sides: str) -> str:
    level = round((level + 180) % 360 - 180 if sides == "EW" else level, 6)
    side = "" if level in {0, -180} else sides[level < 0]
    return f"{abs(level):g}°{side}"


def _emptiest_corner(limits: MapLimits, x: Floats, y: Floats) -> str:
    left, right, bottom, top = limits
    across, up = (x - left) / (right - left), (y - bottom) / (top - bottom)
    corners = {
        "lower right": (across > 0.65) & (up < 0.15),
        "lower left": (across < 0.35) & (up < 0.15),
        "upper right": (across > 0.65) & (up > 0.85),
        "upper left": (across < 0.35) & (up > 0.85),
    }
    return min(corners, key=lambda corner: int(corners[corner].sum()))


def _draw_scale_bar(axes: Axes, projection: MapProjection, limits: MapLimits, corner: str) -> None:
    left, right, bottom, top = limits
    middle, y = (left + right) / 2, (bottom + top) / 2
    step = (right - left) / 100
    x = np.array([middle, middle + step])
    metres = _distance(*projection.inverse(x, np.full(2, y)))
    scale = step / metres if metres > 0 else 1.0  # map units for each metre of ground
    wanted = (right - left) / scale / 4
    length = float(10 ** np.floor(np.log10(wanted)))
    length *= next(factor for factor in (5, 2, 1) if factor * length <= wanted)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    colour = axes.xaxis.label.get_color()
    bar = AnchoredSizeBar(
        axes.transData,
        length * scale,
        text,
        corner,
        pad=0.4,
        frameon=False,
        color=colour,
        size_vertical=(top - bottom) / 300,
        fontproperties=FontProperties(size="small"),
    )
    axes.add_artist(bar)


def _distance(longitude: Floats, latitude: Floats) -> float:
    """Return the distance of two points on the ground in metres."""
    lengths = cumulative_distance(ellipsoid_directions(latitude, longitude))
    return float(lengths.sum())
