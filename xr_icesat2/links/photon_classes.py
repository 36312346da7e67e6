"""Classes of photons from ATL08, and their distance along the track."""

from __future__ import annotations

import posixpath
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.products import KeyLink, RangeLink

from .api import Opened, attach, on_rows_of
from .file_row_numbers import group_by_beam
from .lazy_linked_arrays import AttachedArray
from .link_endpoint import Endpoint
from .link_lookup import find_link, find_range_link
from .row_matcher import make_matcher
from .undecoded_values import whole_numbers

__all__ = [
    "CLASS_ATTRS",
    "UNCLASSIFIED",
    "along_track_distance",
    "class_numbers",
    "photon_classes",
]

CLASS_NAMES = ("noise", "ground", "canopy", "top_of_canopy", "unclassified")
UNCLASSIFIED = 4
"""Class of photons that ATL08 does not list. They are not noise: their class is unknown."""
CLASS_ATTRS = {
    "long_name": "class of the photon",
    "flag_values": np.arange(len(CLASS_NAMES), dtype=np.int8),
    "flag_meanings": " ".join(CLASS_NAMES),
}


def photon_classes(photons: Opened, segments: Opened, listed: Opened) -> xr.DataArray:
    """Return the class of ATL03 photons from the ATL08 granule of the same pass.

    Parameters
    ----------
    photons
        ``heights`` of ATL03, with any selection of rows.
    segments
        ``geolocation`` of the same granules.
    listed
        ``signal_photons`` of ATL08, of the same passes and release, any version.

    Returns
    -------
    DataArray
        With the dimensions of ``photons``, lazy along them: 0 noise, 1 ground, 2 canopy, 3 top of
        canopy (*ATL08 data dictionary*, ``classed_pc_flag``), 4 unclassified: not listed in
        ATL08, or listed without a class. int8; in ``layout="spot"`` float32, NaN in padding.

    Raises
    ------
    LinkError
        These are not a pair: linked photons have different times.
    """
    of, to = Endpoint.of(photons), Endpoint.of(listed)
    link, forward = find_link(of, to)
    if not isinstance(link, KeyLink) or link.classes is None or forward:
        raise LinkError(
            f"{to.name} does not contain classes of {of.name}. Pass heights of ATL03 and "
            "signal_photons of ATL08."
        )
    matcher = make_matcher(of, to, Endpoint.of(segments))
    padded = len(of.track.dims) > 1
    dtype, padding = (np.dtype(np.float32), np.nan) if padded else (np.dtype(np.int8), UNCLASSIFIED)
    array = AttachedArray(matcher, _classes(link.classes, to), dtype, UNCLASSIFIED, padding)
    return on_rows_of(of, "photon_class", array, (), dict(CLASS_ATTRS))


def _classes(path: str, endpoint: Endpoint) -> xr.Variable:
    variable = endpoint.variable(path)
    rows = endpoint.track.rows({"flag": variable})
    flags = np.full(len(rows.real), UNCLASSIFIED, np.int8)
    for _, at in group_by_beam(rows):
        found = whole_numbers(path, rows.values["flag"][at], variable)
        fill = variable.encoding.get("_FillValue", variable.attrs.get("_FillValue"))
        flags[at] = class_numbers(found, fill, endpoint.name)
    return xr.Variable(endpoint.track.dims, flags.reshape(endpoint.track.shape))


def class_numbers(values: np.ndarray, missing: Any, what: str) -> np.ndarray:
    """Return classes as int8: :data:`UNCLASSIFIED` for NaN and for ``missing``.

    Raises
    ------
    LinkError
        A value is not a class.
    """
    unknown = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    if missing is not None:
        unknown |= values == missing
    found = np.where(unknown, UNCLASSIFIED, values)
    if ((found < 0) | (found > UNCLASSIFIED)).any():
        raise LinkError(
            f"{what} has the classes {sorted(set(found.tolist()))}; expected 0 to 3 or the fill "
            "value. Open it without changing them."
        )
    return found.astype(np.int8)


def along_track_distance(photons: Opened, segments: Opened) -> xr.DataArray:
    """Return the distance of ATL03 photons along the track.

    Parameters
    ----------
    photons
        ``heights`` of ATL03, with ``dist_ph_along``.
    segments
        ``geolocation`` of the same granules, with ``segment_dist_x``.

    Returns
    -------
    DataArray
        float64, metres from the equator crossing, with the dimensions of ``photons``:
        ``segment_dist_x`` + ``dist_ph_along`` (*ATL03 ATBD*, section 3); NaN where a photon's
        segment was left out. It is chunked if ``photons`` is (``chunks={}``).

    Raises
    ------
    LinkError
        As for :func:`match_rows`.
    """
    of, to = Endpoint.of(photons), Endpoint.of(segments)
    link = find_range_link(to, of)
    if not isinstance(link, RangeLink) or link.x_atc is None:
        raise LinkError(
            f"{to.name} does not contain the distance along the track of {of.name}. Pass heights "
            "and geolocation of ATL03."
        )
    start, past = link.x_atc
    to.variable(start), of.variable(past)
    name = posixpath.basename(start)
    spread = attach(of.dataset.drop_vars(name, errors="ignore"), to.dataset, name)
    distance = spread[name] + of.dataset[posixpath.basename(past)].astype(np.float64)
    distance.attrs = {"long_name": "distance along the track", "units": "meters"}
    return distance.rename("x_atc")
