"""ATL03 and ATL08 of one beam: the class of each photon, and what stands on the ground."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from xr_icesat2 import links

__all__ = ["NEEDED_OF_LAND", "NEEDED_OF_PHOTONS", "classed_photons", "on_ground"]

NEEDED_OF_PHOTONS = [
    "heights/h_ph",
    "heights/dist_ph_along",
    "geolocation/segment_id",
    "geolocation/segment_dist_x",
    "geolocation/segment_length",
    "geolocation/segment_ph_cnt",
    "geolocation/ph_index_beg",
]
"""Variables of ATL03."""
NEEDED_OF_LAND = [
    "signal_photons/ph_segment_id",
    "signal_photons/classed_pc_indx",
    "signal_photons/classed_pc_flag",
    "land_segments/segment_id_beg",
    "land_segments/segment_id_end",
    "land_segments/terrain/h_te_best_fit",
    "land_segments/canopy/h_canopy",
]
"""Variables of ATL08."""


def classed_photons(photons: xr.DataTree, land: xr.DataTree) -> pd.DataFrame:
    """Give the photons of ATL03 with the classes that ATL08 has for them.

    Parameters
    ----------
    photons, land
        Granules of ATL03 and ATL08 that belong together, of one beam; ``layout="flat"``.

    Returns
    -------
    pandas.DataFrame
        A row a photon: ``lat_ph``, ``lon_ph``, ``x_atc``, ``h_ph`` and ``class``: that of
        ``classed_pc_flag`` or :data:`xr_icesat2.links.UNCLASSIFIED`.
    """
    heights, segments = photons["heights"].dataset, photons["geolocation"].dataset
    listed = land["signal_photons"].dataset
    columns = {name: heights[name].to_numpy() for name in ("lat_ph", "lon_ph", "h_ph")}
    columns["x_atc"] = links.along_track_distance(heights, segments).to_numpy()
    columns["class"] = links.photon_classes(heights, segments, listed).to_numpy()
    return pd.DataFrame(columns)


def on_ground(land: xr.Dataset, place: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Give terrain and canopy of the land segments of one beam.

    Parameters
    ----------
    land
        ``land_segments`` of ATL08, ``layout="flat"``; variables of ``terrain`` and ``canopy``
        in it.
    place
        From the numbers of 20 m segments to where they begin, metres along the track.

    Returns
    -------
    pandas.DataFrame
        A row a land segment: ``latitude``, ``longitude``, ``x_begin``, ``x_end`` (metres along
        the track), ``h_te_best_fit`` and ``h_canopy`` (metres, NaN where there is none).
    """
    names = ("latitude", "longitude", "h_te_best_fit", "h_canopy")
    ends = {
        "x_begin": place(land["segment_id_beg"].to_numpy()),
        "x_end": place(land["segment_id_end"].to_numpy() + 1),
    }
    return pd.DataFrame({name: land[name].to_numpy() for name in names} | ends)
