"""The area of a search: a region, or the box around it where shapely is not installed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from xr_icesat2.errors import MissingExtraError, SelectionError
from xr_icesat2.region import Region, make_region
from xr_icesat2.region.box import make_box
from xr_icesat2.region.geometry_checks import check_turns
from xr_icesat2.region.points import parse_points, parse_ring

__all__ = ["parse_area"]


def parse_area(bbox: Any, region: Any) -> Region | None:
    """Parse the area of a search.

    Parameters
    ----------
    bbox
        West, south, east, north in degrees.
    region
        What :func:`xr_icesat2.region.make_region` takes.

    Returns
    -------
    Region or None
        None for the whole Earth. Without shapely, the box around the points of a polygon, with a
        warning.

    Raises
    ------
    SelectionError
        Both are given, or one is not an area; the message explains it.
    """
    if bbox is not None and region is not None:
        raise SelectionError("bbox and region were both given. Pass one of them.")
    if bbox is not None:
        return make_box(bbox, "bbox")
    if region is None:
        return None
    # Points of an iterator are needed twice.
    points = parse_points(region)
    given = region if points is None else points
    try:
        return make_region(given)
    except MissingExtraError:
        if points is None:
            raise
        return _box_around(points)


def _box_around(points: list[Any]) -> Region:
    ring = np.array(parse_ring(points))
    check_turns(ring)
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    warnings.warn(
        "shapely is not installed, so the search finds all granules in the box around the points "
        "of region. To search by the polygon: python -m pip install 'xr-icesat2[geo]'",
        stacklevel=4,
    )
    turn = 360 if west < -180 else 0
    return make_box((west + turn, south, east + turn, north))
