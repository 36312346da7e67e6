"""Test points against polygons in a plane, by a prepared shapely geometry."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.extras import require

__all__ = ["PointInPolygon", "shifts"]

_PREPARING = threading.Lock()


def shifts(turn: float | None, west: float, east: float) -> list[float]:
    """Return what to add to longitudes, so that they may be between two others.

    Longitudes are from half a turn west to a whole turn east. Without a turn, x is no longitude.
    """
    if turn is None:
        return [0.0]
    return [by for by in (-turn, 0.0, turn) if west <= turn + by and east >= -turn / 2 + by]


class PointInPolygon:
    """Callable that returns which points are inside, on an edge, or nearer than a distance.

    Parameters
    ----------
    geometry
        shapely.Polygon or MultiPolygon. Not prepared again if it is already.
    turn
        A full turn of longitude: points are also tested a turn farther east and west. None in a
        projected plane.
    reach
        Distance in the plane within which points outside count as well.
    """

    def __init__(self, geometry: Any, turn: float | None, reach: float = 0.0) -> None:
        self._shapely = require("shapely", "geo", "A polygon as a region")
        self._geometry, self._reach = geometry, reach
        west, south, east, north = geometry.bounds
        self._bounds = (west - reach, south - reach, east + reach, north + reach)
        self._shifts = shifts(turn, west - reach, east + reach)
        inner = geometry.representative_point()
        with _PREPARING:
            # The first calls build indexes, which must not happen in two threads at once.
            self._shapely.prepare(geometry)
            self._test(np.array([inner.x, west]), np.array([inner.y, south]))

    def __call__(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which points are inside; arrays of one dimension."""
        west, south, east, north = self._bounds
        inside = np.zeros(x.shape, bool)
        level = (y >= south) & (y <= north)
        for shift in self._shifts:
            moved = x + shift if shift else x
            near = np.flatnonzero(level & (moved >= west) & (moved <= east))
            if near.size:
                inside[near] |= self._test(moved[near], y[near])
        return inside

    def _test(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        inside = np.asarray(self._shapely.intersects_xy(self._geometry, x, y))
        if self._reach:
            outside = np.flatnonzero(~inside)
            points = self._shapely.points(x[outside], y[outside])
            inside[outside] = self._shapely.dwithin(self._geometry, points, self._reach)
        return inside
