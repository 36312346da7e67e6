"""Photons of ATL03 coloured by class, with terrain and canopy of ATL08."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from xr_icesat2 import icesat2

from .plotting import COLOURS, POINTS, distance_km, save_figure

__all__ = ["draw_forest", "draw_photons"]

LAND_CLASSES: Mapping[tuple[int, ...], Mapping[str, Any]] = {
    (-1, 0): {"label": "noise and unclassified", "color": "0.75", "markersize": 1},
    (1,): {"label": "ground", "color": COLOURS["orange"]},
    (2,): {"label": "canopy", "color": COLOURS["green"]},
    (3,): {"label": "top of canopy", "color": COLOURS["blue"]},
}
"""Style of points by values of ``classed_pc_flag``."""
WINDOW_KM = 4.0
"""Length of the upper panel, short enough to show single photons."""
GAP_KM = 0.1
"""Distance between photons above which lines are interrupted."""


def draw_forest(
    photons: xr.Dataset,
    segments: xr.Dataset,
    land: pd.DataFrame,
    trees: pd.DataFrame,
    path: Path,
    title: str,
) -> None:
    """Draw photons with terrain and canopy, and the canopy of the whole beam.

    Parameters
    ----------
    photons
        From :func:`.add_classes`.
    segments
        Land segments of ATL08, as opened.
    land
        From :func:`.land_segment_table`, of the same segments.
    trees
        True canopy height ``expected`` at ``x_atc``.
    path
        PNG file to write.
    title
        Title above the picture.
    """
    figure, (top, bottom) = plt.subplots(
        2, figsize=(11, 7), height_ratios=(2, 1), layout="constrained"
    )
    lines = ["h_te_best_fit", "h_canopy_abs"]
    icesat2(photons).plot.profile(over=segments, over_variables=lines, ax=top)
    origin = trees["x_atc"]
    land = _with_km(land, origin)
    begin = _densest_canopy(land)
    km = distance_km(photons["x_atc"], origin)
    inside = (km >= begin) & (km <= begin + WINDOW_KM)
    is_signal = np.isin(photons["atl08_class"], (1, 2, 3))
    signal = photons["h_ph"].to_numpy()[inside & is_signal]
    top.set(xlim=(begin, begin + WINDOW_KM), ylim=(signal.min() - 12, signal.max() + 22))
    km = distance_km(trees["x_atc"], origin)
    height = trees["expected"].mask(np.diff(km, prepend=km[0]) > GAP_KM)  # no line across a gap
    bottom.plot(km, height, color=COLOURS["red"], linewidth=1, label="true canopy")
    _segment_lines(bottom, land, "h_canopy", "ATL08, h_canopy", linewidth=3)
    bottom.axvspan(begin, begin + WINDOW_KM, color="0.9", label="panel above")
    bottom.set_ylim(0, 1.4 * land["h_canopy"].max())
    bottom.set_ylabel("Canopy height (m)")
    bottom.set_title("Canopy along the whole beam", loc="left")
    bottom.legend(loc="upper right", ncols=3)
    bottom.set_xlabel("Distance along the track (km)")
    save_figure(figure, path, title)


def draw_photons(
    photons: pd.DataFrame,
    height: str,
    land: pd.DataFrame,
    path: Path,
    title: str,
) -> None:
    """Draw the photons of a short granule by class, and the canopy.

    Parameters
    ----------
    photons
        Photons of one beam: ``x_atc``, ``class``, and a column of heights.
    height
        Name of that column; it labels the axis.
    land
        From :func:`.land_segment_table`.
    path
        PNG file to write.
    title
        Title above the picture.
    """
    figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
    _draw_classes(axes, photons.assign(km=distance_km(photons["x_atc"], photons["x_atc"])), height)
    _segment_lines(axes, _with_km(land, photons["x_atc"]), "h_canopy", "ATL08, h_canopy")
    axes.set_ylabel(height)
    axes.set_xlabel("Distance along the track (km)")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
        ncols=len(LAND_CLASSES) + 1,
        markerscale=5,
    )
    save_figure(figure, path, title)


def _draw_classes(axes: Axes, photons: pd.DataFrame, height: str) -> None:
    for values, style in LAND_CLASSES.items():
        some = photons[photons["class"].isin(values)]
        if len(some):
            axes.plot(some["km"], some[height], **(dict(POINTS) | dict(style)))


def _segment_lines(axes: Axes, land: pd.DataFrame, height: str, label: str, **style: Any) -> None:
    """Draw the value of each land segment as a line over its length."""
    style = {"linewidth": 1.5} | style
    axes.hlines(land[height], land["km_begin"], land["km_end"], "black", label=label, **style)


def _with_km(land: pd.DataFrame, origin: pd.Series) -> pd.DataFrame:
    ends = {f"km_{end}": distance_km(land[f"x_{end}"], origin) for end in ("begin", "end")}
    return land.assign(**ends)


def _densest_canopy(land: pd.DataFrame) -> float:
    """Return where the panel with most segments of canopy begins, in km."""
    begins = land["km_begin"].to_numpy()
    wood = begins[land["h_canopy"].notna()]
    counts = np.searchsorted(wood, begins + WINDOW_KM) - np.searchsorted(wood, begins)
    counts[begins > begins.max() - WINDOW_KM] = 0
    return float(begins[np.argmax(counts)])
