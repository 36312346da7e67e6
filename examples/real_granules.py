"""Picture and table of a granule of your own (ATL03, ATL06 or ATL08)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from xr_icesat2 import icesat2, links

from .elevation_change_plot import draw_heights
from .forest_canopy import land_segment_table
from .forest_canopy_plot import draw_photons
from .plotting import save_figure

__all__ = ["show_granule"]

SEGMENT = 20.0
"""Length of the segments of ATL03 and ATL08, in metres."""
ABOVE_GROUND = "Height above the ground, ph_h (m)"
GAP = 40.0
"""Distance between photons that follow one another, above which a run ends, in metres."""


def show_granule(path: Path, output: Path, report: Callable[[str], None]) -> list[Path]:
    """Open a granule, and write a table and a picture of it.

    Parameters
    ----------
    path
        Granule of ATL03, ATL06 or ATL08.
    output
        Folder of the files; it is created if it is missing.
    report
        Function that takes each line of text, such as ``print``.

    Returns
    -------
    list of Path
        The table and the picture; nothing for other products.
    """
    output.mkdir(parents=True, exist_ok=True)
    with xr.open_dataset(path, engine="icesat2") as ds:
        product = str(ds.attrs.get("short_name"))
        report(f"\n# A real granule, {path}:\n\n{ds}")
    if product not in _SHOWN:
        report(f"\nNo picture: {product} is not one of {', '.join(_SHOWN)}.")
        return []
    table, picture = output / f"{path.stem}.parquet", output / f"{path.stem}.png"
    _SHOWN[product](path, picture).to_parquet(table, index=False)
    return [table, picture]


def _show_heights(path: Path, picture: Path) -> pd.DataFrame:
    """Draw a map and profiles of ATL06."""
    with xr.open_dataset(path, engine="icesat2") as ds:
        drawn = ds[["h_li", "x_atc", "atl06_quality_summary"]].load()
    draw_heights(drawn, picture, path.name)
    return icesat2(drawn).to_dataframe().dropna(subset=["h_li"])


def _show_photons(path: Path, picture: Path) -> pd.DataFrame:
    """Draw the longest run of photons of one ATL03 beam, by confidence."""
    with xr.open_datatree(path, engine="icesat2", layout="flat") as tree:
        heights = tree["heights"].to_dataset().load()
        segments = tree["geolocation"].to_dataset().load()
    heights["x_atc"] = links.along_track_distance(heights, segments)
    run = np.cumsum(np.abs(np.diff(heights["x_atc"], prepend=heights["x_atc"][0])) > GAP)
    longest = heights.isel(photon_idx=run == np.bincount(run).argmax())
    axes = icesat2(longest).plot.profile()
    save_figure(axes.figure, picture, path.name)
    confidence = heights["signal_conf_ph"].max("surface_type")
    photons = heights.assign(confidence=confidence)
    return icesat2(photons).to_dataframe(["h_ph", "x_atc", "confidence"])


def _show_canopy(path: Path, picture: Path) -> pd.DataFrame:
    """Draw photons and canopy above ground of the ATL08 beam with most canopy."""
    names = ["ph_h", "ph_segment_id", "classed_pc_flag"]
    with xr.open_dataset(path, engine="icesat2", layout="flat", group="signal_photons") as ds:
        photons = ds[names].load().to_dataframe()
    with xr.open_dataset(path, engine="icesat2", layout="flat") as ds:
        land = ds[["segment_id_beg", "segment_id_end", "h_te_best_fit", "h_canopy"]].load()
    beam = land["gt"][np.isfinite(land["h_canopy"])].to_series().value_counts().idxmax()
    shown = photons[photons["gt"] == beam].rename(
        columns={"ph_h": ABOVE_GROUND, "classed_pc_flag": "class"}
    )
    first = shown["ph_segment_id"].min()
    # ATL08 has the segment of a photon; its time gives the place in the segment.
    seconds = (shown["delta_time"] - shown["delta_time"].min()).dt.total_seconds()
    begin = SEGMENT * (shown["ph_segment_id"] - first)
    shown = shown.assign(x_atc=np.polyval(np.polyfit(seconds, begin, 1), seconds))
    canopy = land_segment_table(
        land.isel(segment_idx=land["gt"].to_numpy() == beam), lambda ids: SEGMENT * (ids - first)
    )
    title = f"{path.name}, {beam}: photons by class, and the canopy"
    draw_photons(shown, ABOVE_GROUND, canopy, picture, title)
    return icesat2(land).to_dataframe()


_SHOWN: Mapping[str, Callable[[Path, Path], pd.DataFrame]] = {
    "ATL03": _show_photons,
    "ATL06": _show_heights,
    "ATL08": _show_canopy,
}
