"""ATL03 and ATL08: photons of a forest by class, terrain and canopy of each land segment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xr_icesat2 import links
from xr_icesat2.links import UNCLASSIFIED
from xr_icesat2.testing import canopy_height, true_photon_classes

from .forest_canopy_plot import draw_forest
from .workspace import Workspace, elapsed

__all__ = ["add_classes", "classify_photons", "land_segment_table", "show_forest_canopy"]

BEAM = "gt2r"
GRANULE: Mapping[str, Any] = {"rgt": 533, "granule_region": 3, "cycle_number": 7, "beams": [BEAM]}
"""A pass over Finland at noon in April: sunlight adds noise photons."""
PHOTON_VARIABLES = [
    "heights/h_ph",
    "heights/dist_ph_along",
    "geolocation/segment_id",
    "geolocation/segment_dist_x",
    "geolocation/segment_length",
    "geolocation/segment_ph_cnt",
    "geolocation/ph_index_beg",
]
"""Variables of ATL03 that :func:`classify_photons` needs."""
LAND_VARIABLES = [
    "signal_photons/ph_segment_id",
    "signal_photons/classed_pc_indx",
    "signal_photons/classed_pc_flag",
    "land_segments/segment_id_beg",
    "land_segments/segment_id_end",
    "land_segments/terrain/h_te_best_fit",
    "land_segments/canopy/h_canopy",
    "land_segments/canopy/h_canopy_abs",
]
"""Variables of ATL08 that :func:`classify_photons` and :func:`land_segment_table` need."""
CLASSES: Mapping[int, str] = {
    UNCLASSIFIED: "unclassified",
    0: "noise",
    1: "ground",
    2: "canopy",
    3: "top of canopy",
}


def show_forest_canopy(workspace: Workspace, segments: int) -> list[Path]:
    """Write ATL03 and ATL08 of one pass, open both from S3, and combine them.

    Write tables of photons and of land segments, and a picture of both. The one beam has
    ``segments`` segments of 20 m.
    """
    workspace.report("\n# ATL03 and ATL08: photons by class, and the canopy\n")
    keywords = {**GRANULE, "n_segments": segments}
    photon_url, land_url = (workspace.write(product, **keywords) for product in ("ATL03", "ATL08"))
    photon_tree = _read(photon_url, PHOTON_VARIABLES, workspace)
    land_tree = _read(land_url, LAND_VARIABLES, workspace)
    photons = classify_photons(photon_tree, land_tree)
    _report_classes(photons, true_photon_classes(BEAM, **keywords), workspace)
    geolocation = photon_tree["geolocation"].dataset
    ids, begin = geolocation["segment_id"].to_numpy(), geolocation["segment_dist_x"].to_numpy()
    segments_of_land = _merge_nodes(land_tree)
    land = land_segment_table(segments_of_land, lambda nrs: np.interp(nrs, ids, begin))
    workspace.report(f"\nLand segments:\n\n{land}")
    tables = [workspace.output / "photons.parquet", workspace.output / "canopy.parquet"]
    for frame, path in zip((photons, land), tables, strict=True):
        frame.to_parquet(path, index=False)
    trees = photons[["x_atc"]].assign(expected=canopy_height(photons["lat_ph"], photons["lon_ph"]))
    picture = workspace.output / "photons.png"
    title = f"ATL03 and ATL08 (synthetic), track {GRANULE['rgt']}, beam {BEAM}"
    draw_forest(add_classes(photon_tree, land_tree), segments_of_land, land, trees, picture, title)
    return [*tables, picture]


def classify_photons(photons: xr.DataTree, land: xr.DataTree) -> pd.DataFrame:
    """Join the photons of ATL03 with their class in ATL08.

    Parameters
    ----------
    photons, land
        Granules of ATL03 and ATL08 of one pass and one beam, with ``layout="flat"``.

    Returns
    -------
    pandas.DataFrame
        One row for each photon: ``lat_ph``, ``lon_ph``, ``x_atc``, ``h_ph`` and ``class``,
        which is ``classed_pc_flag`` or :data:`xr_icesat2.links.UNCLASSIFIED`.
    """
    rows = add_classes(photons, land)
    names = {"lat_ph": "lat_ph", "lon_ph": "lon_ph", "h_ph": "h_ph", "x_atc": "x_atc"}
    names["class"] = "atl08_class"
    return pd.DataFrame({column: rows[name].to_numpy() for column, name in names.items()})


def add_classes(photons: xr.DataTree, land: xr.DataTree) -> xr.Dataset:
    """Return the photons of ATL03 with ``atl08_class`` and ``x_atc``, as ``attach=`` adds them.

    Parameters
    ----------
    photons, land
        As for :func:`classify_photons`.
    """
    heights, segments = photons["heights"].to_dataset(), photons["geolocation"].dataset
    listed = land["signal_photons"].dataset
    return heights.assign(
        x_atc=links.along_track_distance(heights, segments),
        atl08_class=links.photon_classes(heights, segments, listed),
    )


def land_segment_table(
    land: xr.Dataset, distance: Callable[[np.ndarray], np.ndarray]
) -> pd.DataFrame:
    """Tabulate terrain and canopy of the land segments of one beam.

    Parameters
    ----------
    land
        ``land_segments`` of ATL08 with ``layout="flat"``, with the variables of ``terrain``
        and ``canopy``.
    distance
        Function from numbers of 20 m segments to the along-track distance in metres at
        which each begins.

    Returns
    -------
    pandas.DataFrame
        One row for each land segment: ``latitude``, ``longitude``, ``x_begin`` and ``x_end``
        (along-track distance in metres), ``h_te_best_fit`` and ``h_canopy`` (metres, or NaN).
    """
    names = ("latitude", "longitude", "h_te_best_fit", "h_canopy")
    ends = {
        "x_begin": distance(land["segment_id_beg"].to_numpy()),
        "x_end": distance(land["segment_id_end"].to_numpy() + 1),
    }
    return pd.DataFrame({name: land[name].to_numpy() for name in names} | ends)


def _report_classes(photons: pd.DataFrame, truth: np.ndarray, workspace: Workspace) -> None:
    by_class = photons["class"].value_counts().sort_index().rename(CLASSES)
    workspace.report(f"\nPhotons by class:\n\n{by_class.to_string()}")
    classified = (photons["class"] != UNCLASSIFIED).to_numpy()
    right = photons["class"].to_numpy()[classified] == truth[classified]
    workspace.report(f"\n{right.sum()} of {right.size} classified photons have their true class.")


def _read(url: str, variables: list[str], workspace: Workspace) -> xr.DataTree:
    began = time.perf_counter()
    with xr.open_datatree(
        url,
        engine="icesat2",
        layout="flat",
        variables=variables,
        storage_options=workspace.storage_options,
    ) as tree:
        loaded = tree.load()
    workspace.report(f"\nRead {len(variables)} variables of {url}, {elapsed(began)}.")
    return loaded


def _merge_nodes(land: xr.DataTree) -> xr.Dataset:
    """Merge terrain and canopy with the land segments that they belong to."""
    nodes = ("land_segments/terrain", "land_segments/canopy", "land_segments")
    return xr.merge([land[node].to_dataset() for node in nodes], compat="override")
