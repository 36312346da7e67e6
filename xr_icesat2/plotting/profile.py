"""Draw heights along the track."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from xr_icesat2.opened_rate import OpenedRate

from .hue import Hue, choose_hue, make_hue, reduced
from .labels import axis_label, beam_title, granules_title
from .overlay import read_overlays
from .palette import COLOURS, series_colours
from .panels import make_panels, write_note
from .points import point_style
from .profile_axis import ProfileAxis
from .tracks import Track, choose_variable, read_tracks

__all__ = ["draw_profile"]

Floats = NDArray[np.float64]

_SIGNAL = (0.5, 99.5)
"""Percentiles of the signal that a robust panel shows."""
_MARGIN = 0.03


def draw_profile(  # noqa: PLR0913 - the keywords of the method
    given: xr.Dataset | xr.DataTree,
    variable: str | None,
    *,
    hue: Any,
    over: Any,
    over_variables: Any,
    spots: Any,
    granules: Any,
    robust: bool,
    ax: Any,
) -> Any:
    """Draw as :meth:`.PlotMethods.profile` says."""
    opened = OpenedRate.of(given)
    name = choose_variable(opened, variable)
    colouring = choose_hue(opened, hue)
    names = [name, *([colouring] if colouring else [])]
    tracks = read_tracks(opened, names, spots=spots, granules=granules)
    overlays = read_overlays(over, over_variables, tracks)
    axis = ProfileAxis(tracks)
    coloured = make_hue(colouring, opened, tracks) if colouring else None
    panels = make_panels(len(tracks), ax, sharex=axis.is_shared)
    points = _Points(opened.dataset[name], opened, coloured)
    places = [axis.kilometres(track) for track in tracks]
    together = np.concatenate(places) if places and axis.is_shared else None
    lines: dict[str, Any] = {}
    for track, axes, x in zip(tracks, panels.axes, places, strict=False):
        points.draw(axes, x, track)
        _limit_x(axes, x if together is None else together)
        for overlay in overlays:
            overlay.draw(axes, axis, track, lines)
        if robust:
            _limit_y(axes, points.signal(track))
    if not tracks:
        write_note(panels.axes[0], "no rows")
    titles = [beam_title(track) for track in tracks]
    heading = granules_title(opened, tracks)
    panels.write_labels(axis.label, axis_label(opened.dataset[name]), titles, heading)
    if points.mappable is not None:
        panels.write_colour_bar(points.mappable, points.legend_title or "")
    handles = points.handles | lines
    if len(handles) > 1 or (points.handles and points.legend_title):
        panels.write_legend(handles, points.legend_title)
    return panels.result


class _Points:
    """Draw the rows of a variable as points, and remember what the legend shows."""

    def __init__(self, variable: xr.DataArray, opened: OpenedRate, hue: Hue | None) -> None:
        self.handles: dict[str, Any] = {}
        self.mappable: Any = None
        self.legend_title = hue.label if hue else None
        self._name = str(variable.name)
        self._variable = variable
        self._label = f"{opened.product or ''} {variable.name}".strip()
        self._hue = hue

    def draw(self, axes: Axes, x: Floats, track: Track) -> None:
        """Draw one beam; rows without a value are nowhere."""
        y = track.values[self._name]
        known = np.isfinite(x)
        if y.ndim > 1:
            self._draw_series(axes, x, y)
        elif self._hue is None:
            self._draw(axes, x, y, known, self._label, color=COLOURS["blue"])
        elif self._hue.categories is None:
            colours = reduced(track.values[self._hue.name])
            low, high = self._hue.limits
            known &= np.isfinite(y)
            self.mappable = axes.scatter(
                x[known],
                y[known],
                c=colours[known],
                vmin=low,
                vmax=high,
                **point_style(known.sum()),
            )
        else:
            flags = reduced(track.values[self._hue.name])
            for category in self._hue.categories:
                of_it = known & (flags == category.value)
                order = 1 if category.is_noise else 2
                self._draw(axes, x, y, of_it, category.label, color=category.colour, zorder=order)
        if not np.isfinite(y).any():
            write_note(axes, "no valid values")

    def signal(self, track: Track) -> NDArray[Any]:
        """Return the values that are not noise."""
        y = track.values[self._name].astype(np.float64)
        if self._hue is None or not self._hue.categories:
            return y
        noise = [one.value for one in self._hue.categories if one.is_noise]
        return y[~np.isin(reduced(track.values[self._hue.name]), noise)]

    def _draw_series(self, axes: Axes, x: Floats, y: NDArray[Any]) -> None:
        """Draw each position of a second dimension, such as the cycles of ATL11, in a colour."""
        dim = str(self._variable.dims[-1])
        labels = self._variable[dim].values
        self.legend_title = dim.replace("_", " ")
        for number, colour in enumerate(series_colours(len(labels))):
            known = np.isfinite(x)
            self._draw(axes, x, y[:, number], known, str(labels[number]), color=colour)

    def _draw(
        self,
        axes: Axes,
        x: Floats,
        y: NDArray[Any],
        which: NDArray[np.bool_],
        label: str,
        **how: Any,
    ) -> None:
        known = which & np.isfinite(y)
        if known.any():
            found = axes.scatter(
                x[known], y[known], label=label, **point_style(int(np.isfinite(x).sum())), **how
            )
            self.handles.setdefault(label, found)


def _limit_x(axes: Axes, x: Floats) -> None:
    if np.isfinite(x).any():
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        margin = max(high - low, 0.01) * _MARGIN
        axes.set_xlim(low - margin, high + margin)


def _limit_y(axes: Axes, signal: NDArray[Any]) -> None:
    """Show most of the signal, and say how many points are outside."""
    signal = signal[np.isfinite(signal)]
    if not signal.size:
        return
    low, high = np.percentile(signal, _SIGNAL)
    margin = max(high - low, 1.0) * 0.15
    low, high = low - margin, high + margin
    drawn = np.concatenate([np.asarray(one.get_offsets())[:, 1] for one in axes.collections])
    outside = int(((drawn < low) | (drawn > high)).sum())
    axes.set_ylim(low, high)
    if outside:
        axes.text(
            0.995,
            0.02,
            f"{outside:,} points above or below",
            transform=axes.transAxes,
            ha="right",
            fontsize="x-small",
        )
