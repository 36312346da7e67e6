"""ATL03 and ATL08: photons in the colours of their classes, lines of terrain and canopy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .drawing import COLOURS, POINTS, kilometres, save

__all__ = ["LAND_CLASSES", "draw_forest", "draw_photons"]

LAND_CLASSES: Mapping[tuple[int, ...], Mapping[str, Any]] = {
    (-1, 0): {"label": "noise and unclassified", "color": "0.75", "markersize": 1},
    (1,): {"label": "ground", "color": COLOURS["orange"]},
    (2,): {"label": "canopy", "color": COLOURS["green"]},
    (3,): {"label": "top of canopy", "color": COLOURS["blue"]},
}
"""By values of ``classed_pc_flag``, how to draw them."""
WINDOW_KM = 4.0
"""Length of the stretch in which photons can be told apart."""

GAP_KM = 0.1
"""From here on, a gap between photons is one."""


def draw_forest(
    photons: pd.DataFrame, land: pd.DataFrame, trees: pd.DataFrame, path: Path, title: str
) -> None:
    """Draw a stretch of photons with terrain and canopy, and the canopy of the whole beam.

    Parameters
    ----------
    photons
        From :func:`.classed_photons`.
    land
        From :func:`.on_ground`.
    trees
        At ``x_atc``, the canopy height to be ``expected``.
    path
        PNG to write.
    title
        What the data are.
    """
    figure, (top, bottom) = plt.subplots(
        2, figsize=(11, 7), height_ratios=(2, 1), layout="constrained"
    )
    origin = photons["x_atc"]
    photons = photons.assign(km=kilometres(photons["x_atc"], origin))
    land = _placed(land, origin)
    begin = _wooded(land)
    inside = photons[photons["km"].between(begin, begin + WINDOW_KM)]
    _classes(top, inside, "h_ph", LAND_CLASSES)
    land["h_top"] = land["h_te_best_fit"] + land["h_canopy"]
    _bars(top, land, "h_top", "h_te_best_fit + h_canopy")
    _bars(top, land, "h_te_best_fit", "h_te_best_fit", linestyle=":")
    signal = inside.loc[inside["class"] > 0, "h_ph"]
    top.set(xlim=(begin, begin + WINDOW_KM), ylim=(signal.min() - 12, signal.max() + 22))
    top.set_ylabel("Height above the ellipsoid (m)")
    top.set_title(
        "Photons by class (ATL03), terrain and canopy of each segment (ATL08)", loc="left"
    )
    top.legend(loc="upper center", ncols=3, markerscale=5)
    km = kilometres(trees["x_atc"], origin)
    height = trees["expected"].mask(np.diff(km, prepend=km[0]) > GAP_KM)  # no line across a gap
    bottom.plot(km, height, color=COLOURS["red"], linewidth=1, label="as the trees were made")
    _bars(bottom, land, "h_canopy", "ATL08, h_canopy", linewidth=3)
    bottom.axvspan(begin, begin + WINDOW_KM, color="0.9", label="stretch above")
    bottom.set_ylim(0, 1.4 * land["h_canopy"].max())
    bottom.set_ylabel("Canopy height (m)")
    bottom.set_title("Canopy along the whole beam", loc="left")
    bottom.legend(loc="upper right", ncols=3)
    bottom.set_xlabel("Distance along the track (km)")
    save(figure, path, title)


def draw_photons(
    photons: pd.DataFrame,
    height: str,
    classes: Mapping[tuple[int, ...], Mapping[str, Any]],
    land: pd.DataFrame | None,
    path: Path,
    title: str,
) -> None:
    """Draw the photons of a short granule, and the canopy over them if it is known.

    Parameters
    ----------
    photons
        Of one beam: ``x_atc``, ``class``, and a column of heights.
    height
        Its name; it labels the axis.
    classes
        As :data:`LAND_CLASSES`.
    land
        From :func:`.on_ground`, if there is such a granule.
    path
        PNG to write.
    title
        What the data are.
    """
    figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
    _classes(
        axes, photons.assign(km=kilometres(photons["x_atc"], photons["x_atc"])), height, classes
    )
    if land is not None:
        _bars(axes, _placed(land, photons["x_atc"]), "h_canopy", "ATL08, h_canopy")
    axes.set_ylabel(height)
    axes.set_xlabel("Distance along the track (km)")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
        ncols=len(classes) + 1,
        markerscale=5,
    )
    save(figure, path, title)


def _classes(
    axes: Axes,
    photons: pd.DataFrame,
    height: str,
    classes: Mapping[tuple[int, ...], Mapping[str, Any]],
) -> None:
    for values, how in classes.items():
        some = photons[photons["class"].isin(values)]
        if len(some):
            axes.plot(some["km"], some[height], **(dict(POINTS) | dict(how)))


def _bars(axes: Axes, land: pd.DataFrame, height: str, label: str, **how: Any) -> None:
    """Draw a value of each land segment over the whole of it."""
    how = {"linewidth": 1.5} | how
    axes.hlines(land[height], land["km_begin"], land["km_end"], "black", label=label, **how)


def _placed(land: pd.DataFrame, origin: pd.Series) -> pd.DataFrame:
    ends = {f"km_{end}": kilometres(land[f"x_{end}"], origin) for end in ("begin", "end")}
    return land.assign(**ends)


def _wooded(land: pd.DataFrame) -> float:
    """Where a stretch with many segments of canopy begins, km."""
    begins = land["km_begin"].to_numpy()
    wood = begins[land["h_canopy"].notna()]
    counts = np.searchsorted(wood, begins + WINDOW_KM) - np.searchsorted(wood, begins)
    counts[begins > begins.max() - WINDOW_KM] = 0
    return float(begins[np.argmax(counts)])
