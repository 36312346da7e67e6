"""Maps and profiles."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["draw_change", "draw_heights"]

EARLY, LATE, CHANGE = "tab:blue", "tab:orange", "0.25"
ZOOM_KM = 6.0
"""Length of the inset, in which two cycles can be told apart."""


def draw_change(change: xr.Dataset, path: Path, *, source: str) -> None:
    """Draw where the surface rose or sank, and both profiles of the beam with most segments.

    Parameters
    ----------
    change
        From :func:`.elevation_change`, one reference ground track.
    path
        PNG to write.
    source
        What the data are, for the title.
    """
    label = str(change["dh"].attrs["long_name"])
    figure, (left, top, bottom) = _panels()
    limit = float(np.nanpercentile(np.abs(change["dh"]), 99))
    _map(left, change["longitude"], change["latitude"], change["dh"], f"{label} (m)",
         {"cmap": "RdBu", "vmin": -limit, "vmax": limit})  # fmt: skip
    most = np.isfinite(change["dh"]).sum("segment_id").argmax("beam")
    beam = str(change["beam"][most].item())
    profile = change.sel(beam=beam)
    profile = profile.isel(segment_id=np.isfinite(profile["dh"].to_numpy()))
    km = _kilometres(profile["x_atc"])
    first, second = label.removeprefix("elevation change, cycle ").split(" to ")
    for axes in (top, _zoomed(top, km, profile["h_li_first"])):
        axes.plot(km, profile["h_li_first"], ".", ms=2, color=EARLY, label=f"cycle {first}")
        axes.plot(km, profile["h_li_second"], ".", ms=2, color=LATE, label=f"cycle {second}")
    top.legend(loc="lower right", markerscale=4)
    top.set_title(f"Profile along {beam}", loc="left")
    bottom.axhline(0, lw=0.8, color="black")
    bottom.plot(km, profile["dh"], ".", ms=1.5, color=CHANGE)
    bottom.set_ylabel("Change, dh (m)")
    _save(figure, path, source)


def draw_heights(ds: xr.Dataset, path: Path, *, source: str) -> None:
    """Draw where each beam measured which height, and the profiles of the strong beams.

    Parameters
    ----------
    ds
        One granule of ATL06, loaded.
    path
        PNG to write.
    source
        What the data are, for the title.
    """
    granule = ds.isel(gran_idx=0)
    figure, (left, top, bottom) = _panels()
    _map(left, granule["longitude"], granule["latitude"], granule["h_li"],
         "Height above the ellipsoid, h_li (m)", {"cmap": "viridis"})  # fmt: skip
    for axes, strength in ((top, "strong"), (bottom, "weak")):
        for spot in granule["spot"][granule["beam_strength"] == strength]:
            one = granule.sel(spot=spot)
            km = _kilometres(one["x_atc"], granule["x_atc"])
            axes.plot(km, one["h_li"], ".", ms=2, label=f"spot {spot.item()}, {one['gt'].item()}")
        axes.set_title(f"Profiles of the {strength} beams", loc="left")
        axes.set_ylabel("Height, h_li (m)")
        axes.legend(markerscale=4)
    _save(figure, path, source)


def _panels() -> tuple[Figure, tuple[Axes, Axes, Axes]]:
    figure = plt.figure(figsize=(11, 6), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.6), height_ratios=(1.25, 1))
    left, top = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1])
    bottom = figure.add_subplot(grid[1, 1], sharex=top)
    top.tick_params(labelbottom=False)
    top.set_ylabel("Height, h_li (m)")
    bottom.set_xlabel("Distance along the track (km)")
    return figure, (left, top, bottom)


def _map(
    axes: Axes,
    longitude: xr.DataArray,
    latitude: xr.DataArray,
    values: xr.DataArray,
    label: str,
    colours: dict[str, object],
) -> None:
    there = np.isfinite(values.to_numpy())
    points = axes.scatter(
        longitude.to_numpy()[there],
        latitude.to_numpy()[there],
        c=values.to_numpy()[there],
        s=3,
        linewidths=0,
        **colours,  # type: ignore[arg-type]
    )
    axes.set_xlabel("Longitude (°E)")
    axes.set_ylabel("Latitude (°N)")
    axes.set_title("Map of the ground tracks", loc="left")
    axes.figure.colorbar(points, ax=axes, label=label, orientation="horizontal", aspect=30)


def _kilometres(x_atc: xr.DataArray, whole: xr.DataArray | None = None) -> np.ndarray:
    """Distance from where the first beam (or ``x_atc`` itself) begins."""
    start = (x_atc if whole is None else whole).min()
    return np.asarray((x_atc - start) / 1000)


def _zoomed(axes: Axes, km: np.ndarray, heights: xr.DataArray) -> Axes:
    """Give an inset over some kilometres in the middle."""
    begin = float(km[len(km) // 2])
    inside = heights.to_numpy()[(km >= begin) & (km <= begin + ZOOM_KM)]
    inset = axes.inset_axes((0.06, 0.1, 0.42, 0.45))
    inset.set_xlim(begin, begin + ZOOM_KM)
    inset.set_ylim(float(inside.min()) - 1, float(inside.max()) + 1)
    inset.tick_params(labelsize="x-small")
    axes.indicate_inset_zoom(inset, edgecolor="black")
    return inset


def _save(figure: Figure, path: Path, title: str) -> None:
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
    plt.close(figure)
