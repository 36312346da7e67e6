"""Draw rows on a map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.region import make_region

from .hue import Category, Hue, make_hue
from .labels import beam_title, granules_title
from .map_frame import Limits, draw_frame, find_limits
from .palette import COLOURS, NOISE
from .panels import Panels, wrapped, write_note
from .points import point_style
from .projection import MapProjection, choose_projection
from .tracks import choose_variable, read_tracks

__all__ = ["draw_map"]

Floats = NDArray[np.float64]

_HEIGHT, _WIDEST, _SPACE = 5.5, 9.0, 2.2
"""Inches: of the map, and of labels and colour bar beside it."""
_ROBUST = (1.0, 99.0)
_EDGE_STEP = 0.1
"""Degrees of an outline that are drawn as one straight line."""
_NO_VALUE = Category(None, "no value", NOISE)


def draw_map(  # noqa: PLR0913 - the keywords of the method
    dataset: xr.Dataset,
    variable: str | None,
    region: Any,
    *,
    spots: Any,
    granules: Any,
    robust: bool,
    ax: Any,
) -> Axes:
    """Draw as :meth:`.PlotMethods.map` says."""
    opened = OpenedRate.of(dataset)
    name = choose_variable(opened, variable)
    _check_one_value(opened, name)
    outlines = () if region is None else make_region(region).outlines()
    tracks = read_tracks(opened, [name], spots=spots, granules=granules)
    longitude = _joined(track.longitude for track in tracks)
    latitude = _joined(track.latitude for track in tracks)
    values = _joined(track.values[name] for track in tracks)
    placed = np.isfinite(longitude) & np.isfinite(latitude)
    edges = [_densified(np.array(line, float)) for line in outlines]
    longitude, latitude, values = longitude[placed], latitude[placed], values[placed]
    projection = choose_projection(
        _joined([longitude, *(edge[:, 0] for edge in edges)]),
        _joined([latitude, *(edge[:, 1] for edge in edges)]),
    )
    x, y = projection.forward(longitude, latitude)
    lines = [np.stack(projection.forward(edge[:, 0], edge[:, 1]), axis=-1) for edge in edges]
    all_x, all_y = np.concatenate([np.stack([x, y], axis=-1), *lines]).T
    limits = find_limits(projection, all_x, all_y)
    panels = _panels(ax, limits, projection)
    [axes] = panels.axes
    _draw_points(panels, x, y, values, make_hue(name, opened, tracks), robust=robust)
    for line in lines:
        broken = _broken(line, projection)
        axes.plot(broken[:, 0], broken[:, 1], color=COLOURS["vermilion"], linewidth=1.5, zorder=3)
    draw_frame(axes, projection, limits, x, y)
    if not x.size:
        write_note(axes, "no rows")
    beams = f"\n{beam_title(tracks[0])}" if len(tracks) == 1 else ""
    heading = wrapped(granules_title(opened, tracks) + beams, axes)
    axes.set_title(heading, loc="left", fontsize="medium")
    axes.set_xlabel(wrapped(projection.name, axes), fontsize="small")
    return axes


def _check_one_value(opened: OpenedRate, name: str) -> None:
    known = {"gran_idx", opened.beam_dim, opened.along}
    others = [str(dim) for dim in opened.dataset[name].dims if dim not in known]
    if others:
        dim = others[0]
        raise SelectionError(
            f"{name} has several values a row, along {' and '.join(others)}. Select one, such as "
            f"ds.isel({dim}=0).icesat2.plot.map({name!r})"
        )


def _panels(ax: Any, limits: Limits, projection: MapProjection) -> Panels:
    """Return the given axes, or new ones in a figure of the map's shape."""
    if ax is not None:
        return Panels([ax], None)
    left, right, bottom, top = limits
    width = _HEIGHT * (right - left) / ((top - bottom) * projection.aspect)
    size = (min(width, _WIDEST) + _SPACE, _HEIGHT * min(1, _WIDEST / width) + _SPACE / 2)
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    return Panels([axes], figure)


def _draw_points(
    panels: Panels, x: Floats, y: Floats, values: NDArray[Any], hue: Hue, *, robust: bool
) -> None:
    [axes] = panels.axes
    style = point_style(len(x))
    handles: dict[str, Any] = {}
    known = np.ones(len(x), bool) if values.dtype.kind != "f" else np.isfinite(values)
    categories = [] if known.all() else [(_NO_VALUE, ~known)]
    if hue.categories is None:
        low, high = _colour_limits(values[known], robust=robust)
        drawn = axes.scatter(
            x[known], y[known], c=values[known], vmin=low, vmax=high, zorder=2, **style
        )
        beyond = known.any() and (values[known].min() < low, values[known].max() > high)
        panels.write_colour_bar(drawn, hue.label, extend=_EXTEND[beyond or (False, False)])
    else:
        categories += [(one, values == one.value) for one in hue.categories]
    for category, of_it in categories:
        order = 1 if category.is_noise else 2
        handles[category.label] = axes.scatter(
            x[of_it], y[of_it], color=category.colour, label=category.label, zorder=order, **style
        )
    panels.write_legend(handles, hue.label if hue.categories else None)


_EXTEND = {
    (False, False): "neither",
    (True, False): "min",
    (False, True): "max",
    (True, True): "both",
}


def _colour_limits(values: NDArray[Any], *, robust: bool) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, _ROBUST) if robust else (values.min(), values.max())
    return float(low), float(high)


def _joined(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    listed = list(parts)
    return np.concatenate(listed) if listed else np.zeros(0)


def _densified(line: Floats) -> Floats:
    """Return a line, straight in longitude and latitude, with points that are close together."""
    line = np.stack([np.unwrap(line[:, 0], period=360), line[:, 1]], axis=-1)
    steps = np.abs(np.diff(line, axis=0)).max(axis=1, initial=0)
    counts = np.maximum(np.ceil(steps / _EDGE_STEP), 1).astype(int)
    at = np.concatenate(
        [i + np.arange(count) / count for i, count in enumerate(counts)] + [[len(line) - 1.0]]
    )
    rows = np.arange(len(line))
    return np.stack([np.interp(at, rows, line[:, i]) for i in range(2)], axis=-1)


def _broken(line: Floats, projection: MapProjection) -> Floats:
    """Return a line that is interrupted where it continues on the other side of the map."""
    if projection.is_metric:
        return line
    jumps = np.flatnonzero(np.abs(np.diff(line[:, 0])) > 180) + 1
    return np.insert(line, jumps, np.nan, axis=0)
