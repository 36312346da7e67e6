"""ATL03 and ATL08: photons of a forest in their classes, and the canopy over them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xr_icesat2.links import UNCLASSIFIED
from xr_icesat2.testing import canopy_height, photon_classes

from .canopy import NEEDED_OF_LAND, NEEDED_OF_PHOTONS, classed_photons, on_ground
from .forest_picture import draw_forest
from .stage import Stage, took

__all__ = ["show_forest"]

BEAM = "gt2r"
PLACE: Mapping[str, Any] = {"rgt": 533, "region": 3, "cycle": 7, "beams": [BEAM]}
"""In Finland, about noon of a day in April: the sun makes noise."""
CLASSES: Mapping[int, str] = {
    UNCLASSIFIED: "unclassified",
    0: "noise",
    1: "ground",
    2: "canopy",
    3: "top of canopy",
}


def show_forest(stage: Stage, segments: int) -> list[Path]:
    """Write photons and what ATL08 says of them, open both from S3, and bring them together.

    Parameters
    ----------
    stage
        Where.
    segments
        Segments of 20 m along the one beam.

    Returns
    -------
    list of Path
        Tables of photons and of land segments, and a picture of both.
    """
    stage.tell("\n# ATL03 and ATL08: photons by class, and the canopy over them\n")
    what = {**PLACE, "n_segments": segments}
    photon_url, land_url = (stage.write(product, **what) for product in ("ATL03", "ATL08"))
    photon_tree = _read(photon_url, NEEDED_OF_PHOTONS, stage)
    land_tree = _read(land_url, NEEDED_OF_LAND, stage)
    photons = classed_photons(photon_tree, land_tree)
    _tell_of(photons, photon_classes(BEAM, **what), stage)
    geolocation = photon_tree["geolocation"].dataset
    ids, begin = geolocation["segment_id"].to_numpy(), geolocation["segment_dist_x"].to_numpy()
    land = on_ground(_folded(land_tree), lambda numbers: np.interp(numbers, ids, begin))
    stage.tell(f"\nLand segments:\n\n{land}")
    tables = [stage.output / "photons.parquet", stage.output / "canopy.parquet"]
    for frame, path in zip((photons, land), tables, strict=True):
        frame.to_parquet(path, index=False)
    trees = photons[["x_atc"]].assign(expected=canopy_height(photons["lat_ph"], photons["lon_ph"]))
    picture = stage.output / "photons.png"
    title = f"ATL03 and ATL08 (synthetic), track {PLACE['rgt']}, beam {BEAM}"
    draw_forest(photons, land, trees, picture, title)
    return [*tables, picture]


def _tell_of(photons: pd.DataFrame, truth: np.ndarray, stage: Stage) -> None:
    by_class = photons["class"].value_counts().sort_index().rename(CLASSES)
    stage.tell(f"\nPhotons by class:\n\n{by_class.to_string()}")
    listed = (photons["class"] != UNCLASSIFIED).to_numpy()
    right = photons["class"].to_numpy()[listed] == truth[listed]
    stage.tell(f"\n{right.sum()} of the {right.size} with a class have that of their making.")


def _read(url: str, variables: list[str], stage: Stage) -> xr.DataTree:
    began = time.perf_counter()
    with xr.open_datatree(
        url,
        engine="icesat2",
        layout="flat",
        variables=variables,
        storage_options=stage.storage_options,
    ) as tree:
        loaded = tree.load()
    stage.tell(f"\nRead {len(variables)} variables of {url}, {took(began)}.")
    return loaded


def _folded(land: xr.DataTree) -> xr.Dataset:
    """Terrain and canopy beside what tells where they are."""
    nodes = ("land_segments/terrain", "land_segments/canopy", "land_segments")
    return xr.merge([land[node].to_dataset() for node in nodes], compat="override")
