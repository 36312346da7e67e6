"""Real granules, one at a time: a picture and a table of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .canopy import on_ground
from .change_picture import draw_heights
from .drawing import COLOURS
from .forest_picture import LAND_CLASSES, draw_photons

__all__ = ["show_granule"]

CONFIDENCE: Mapping[tuple[int, ...], Mapping[str, Any]] = {
    (-2, -1, 0, 1): {"label": "noise and buffer", "color": "0.7"},
    (2,): {"label": "low confidence", "color": COLOURS["sky"]},
    (3,): {"label": "medium", "color": COLOURS["orange"]},
    (4,): {"label": "high", "color": COLOURS["blue"]},
}
"""By values of ``signal_conf_ph``, how to draw them."""
SEGMENT = 20.0
"""Length of the segments that photons are counted in, metres."""
ABOVE_GROUND = "Height above the ground, ph_h (m)"
ABOVE_ELLIPSOID = "Height above the ellipsoid, h_ph (m)"


def show_granule(path: Path, output: Path, tell: Callable[[str], None]) -> list[Path]:
    """Open a granule of ATL03, ATL06 or ATL08, and leave a table and a picture of it in a folder.

    Parameters
    ----------
    path
        The granule.
    output
        Folder; made if it is not there.
    tell
        What is done with what there is to say: ``print``.

    Returns
    -------
    list of Path
        What is left; nothing of other products.
    """
    output.mkdir(parents=True, exist_ok=True)
    with xr.open_dataset(path, engine="icesat2") as ds:
        product = str(ds.attrs.get("short_name"))
        tell(f"\n# A real granule, {path}:\n\n{ds}")
    if product not in _SHOWN:
        tell(f"\nNo picture: it is of {product}, and there are pictures of {', '.join(_SHOWN)}.")
        return []
    table, picture = output / f"{path.stem}.parquet", output / f"{path.stem}.png"
    _SHOWN[product](path, picture).to_parquet(table, index=False)
    return [table, picture]


def _show_heights(path: Path, picture: Path) -> pd.DataFrame:
    """ATL06: a map and profiles."""
    with xr.open_dataset(path, engine="icesat2") as ds:
        drawn = ds[["h_li", "x_atc", "atl06_quality_summary"]].load()
    draw_heights(drawn, picture, path.name)
    names = ["gt", "latitude", "longitude", *drawn.data_vars]
    return drawn.to_dataframe()[names].dropna(subset=["h_li"])


def _show_photons(path: Path, picture: Path) -> pd.DataFrame:
    """ATL03: photons of the longest stretch of one beam, by confidence."""
    with xr.open_datatree(path, engine="icesat2", layout="flat") as tree:
        heights = tree["heights"].to_dataset().load()
        segments = tree["geolocation"].to_dataset().load()
    count = segments["segment_ph_cnt"].to_numpy()
    ids, x = segments["segment_id"].to_numpy(), segments["segment_dist_x"].to_numpy()
    stretch = np.cumsum(np.diff(ids, prepend=ids[0]) > 1)
    photons = pd.DataFrame(
        {name: heights[name].to_numpy() for name in ("gt", "lat_ph", "lon_ph", "h_ph")}
        | {
            "x_atc": np.repeat(x, count) + heights["dist_ph_along"].to_numpy(),
            "class": heights["signal_conf_ph"].max("surface_type").to_numpy(),
        }
    )
    longest = photons[np.repeat(stretch == np.bincount(stretch).argmax(), count)]
    shown = longest.rename(columns={"h_ph": ABOVE_ELLIPSOID})
    title = f"{path.name}, {shown['gt'].iloc[0]}: photons by their highest confidence"
    draw_photons(shown, ABOVE_ELLIPSOID, CONFIDENCE, None, picture, title)
    return photons


def _show_canopy(path: Path, picture: Path) -> pd.DataFrame:
    """ATL08: its photons above the ground, and the canopy, of the beam with most of it."""
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
    # ATL08 says the segment of a photon; where in it, its time does.
    seconds = (shown["delta_time"] - shown["delta_time"].min()).dt.total_seconds()
    begin = SEGMENT * (shown["ph_segment_id"] - first)
    shown = shown.assign(x_atc=np.polyval(np.polyfit(seconds, begin, 1), seconds))
    canopy = on_ground(
        land.isel(segment_idx=land["gt"].to_numpy() == beam), lambda ids: SEGMENT * (ids - first)
    )
    title = f"{path.name}, {beam}: photons by class, and the canopy"
    draw_photons(shown, ABOVE_GROUND, LAND_CLASSES, canopy, picture, title)
    return land.to_dataframe()


_SHOWN: Mapping[str, Callable[[Path, Path], pd.DataFrame]] = {
    "ATL03": _show_photons,
    "ATL06": _show_heights,
    "ATL08": _show_canopy,
}
