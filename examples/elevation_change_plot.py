"""Maps and profiles of ATL06."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xr_icesat2 import icesat2

from .plotting import COLOURS, POINTS, distance_km, save_figure

__all__ = ["draw_change", "draw_heights"]

ZOOM_KM = 1.5
"""Length of the inset, short enough to show two cycles apart."""


def draw_change(change: xr.Dataset, expected: xr.DataArray, path: Path, title: str) -> None:
    """Draw a map of the change, and profiles of the beam with most segments.

    Parameters
    ----------
    change
        From :func:`.elevation_change`, of one reference ground track.
    expected
        True values of ``dh``, on the same dimensions.
    path
        PNG file to write.
    title
        Title above the picture.
    """
    label = str(change["dh"].attrs["long_name"])
    figure, (left, top, bottom) = _panels()
    _draw_map(left, change, "dh", f"{label.capitalize()} (m)")
    most = change["dh"].notnull().sum("segment_id").argmax("gt")
    beam = change.isel(gt=most).assign(expected=expected.isel(gt=most))
    beam = beam.isel(segment_id=beam["dh"].notnull().to_numpy())
    km = distance_km(beam["x_atc"], beam["x_atc"])
    cycles = label.rpartition("cycle ")[2].split(" to ")
    for axes in (top, _inset(top, km, beam["h_li_first"])):
        names = ("h_li_first", "h_li_second")
        for name, cycle, colour in zip(names, cycles, ("blue", "orange"), strict=True):
            axes.plot(km, beam[name], color=COLOURS[colour], label=f"cycle {cycle}", **POINTS)
    top.set_title(f"Profile along {beam['gt'].item()}", loc="left")
    top.legend(loc="upper right", markerscale=4)
    bottom.plot(km, beam["dh"], color="0.45", label="measured", **POINTS)
    bottom.plot(km, beam["expected"], color=COLOURS["red"], label="true change")
    bottom.legend(loc="lower right", markerscale=4)
    bottom.set_title("Change along this profile", loc="left")
    bottom.set_ylabel("Change, dh (m)")
    save_figure(figure, path, title)


def draw_heights(ds: xr.Dataset, path: Path, title: str) -> None:
    """Draw a map of the heights, and the profiles of the strong beams.

    Parameters
    ----------
    ds
        One granule of ATL06.
    path
        PNG file to write.
    title
        Title above the picture.
    """
    strong = ds.isel(spot=ds["beam_strength"].to_numpy() == "strong")
    count = int((strong["n_obs"] > 0).sum())
    figure = plt.figure(figsize=(12, 9), layout="constrained")
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 1.5))
    left, right = parts
    icesat2(ds).plot.map(ax=left.subplots())
    icesat2(strong).plot.profile(ax=right.subplots(count, squeeze=False))
    save_figure(figure, path, title)


def _panels() -> tuple[Figure, tuple[Axes, Axes, Axes]]:
    figure = plt.figure(figsize=(11, 6), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.5), height_ratios=(1.25, 1))
    left, top = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1])
    bottom = figure.add_subplot(grid[1, 1], sharex=top)
    top.tick_params(labelbottom=False)
    top.set_ylabel("Height, h_li (m)")
    bottom.set_xlabel("Distance along the track (km)")
    return figure, (left, top, bottom)


def _draw_map(axes: Axes, ds: xr.Dataset, name: str, label: str) -> None:
    valid = np.isfinite(ds[name].to_numpy())
    x, y, colour = (ds[n].to_numpy()[valid] for n in ("longitude", "latitude", name))
    # A few outliers would leave one colour for all other points.
    low, high = np.percentile(colour, (1, 99))
    points = axes.scatter(x, y, c=colour, s=3, linewidths=0, vmin=low, vmax=high)
    axes.locator_params("x", nbins=5)
    axes.set_xlabel("Longitude (°E)")
    axes.set_ylabel("Latitude (°N)")
    axes.set_title("Map of the ground tracks", loc="left")
    axes.figure.colorbar(points, ax=axes, label=label, aspect=40, extend="both")


def _inset(axes: Axes, km: np.ndarray, heights: xr.DataArray) -> Axes:
    """Return an inset that shows the densest part of the profile right of the inset."""
    behind = np.arange(len(km) // 3, len(km) // 2 + 1)
    counts = np.searchsorted(km, km[behind] + ZOOM_KM) - behind
    begin = float(km[behind[np.argmax(counts)]])
    inside = heights.to_numpy()[(km >= begin) & (km <= begin + ZOOM_KM)]
    inset = axes.inset_axes((0.09, 0.12, 0.42, 0.42))
    inset.set_xlim(begin, begin + ZOOM_KM)
    inset.set_ylim(float(inside.min()) - 1.5, float(inside.max()) + 1)
    inset.tick_params(labelsize="x-small")
    inset.locator_params(nbins=4)
    axes.indicate_inset_zoom(inset, edgecolor="black")
    return inset
