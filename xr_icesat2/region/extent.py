"""Calculate the bounds in degrees of polygons in any CRS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .boundary import SampledRings
from .box import wrapped
from .projection import Projection
from .region import Bounds

__all__ = ["extent_in_degrees", "extent_of"]

_NEAR_POLE = 89.8
"""Latitude beyond which longitudes of neighbouring points may differ by any angle."""


def extent_in_degrees(geometry: Any) -> Bounds:
    """Return west, south, east, north of a geometry in degrees."""
    import shapely  # noqa: PLC0415 - an extra, which made the geometry

    west, south, east, north = shapely.bounds(shapely.get_parts(geometry)).T
    first, last = _hull(west, east)
    return (first, float(south.min()), last, float(north.max()))


def extent_of(geometry: Any, samples: SampledRings, projection: Projection) -> Bounds:
    """Return west, south, east, north of a geometry in another CRS."""
    lon_more, lat_more = samples.overshoot
    south = max(-90.0, float(samples.latitude.min()) - lat_more)
    north = min(90.0, float(samples.latitude.max()) + lat_more)
    west, east = _hull(*_intervals(samples, lon_more))
    for pole in (-90.0, 90.0):
        if _covers(geometry, projection, pole):
            west, east = -180.0, 180.0
            south, north = min(south, pole), max(north, pole)
    return (west, south, east, north)


def _covers(geometry: Any, projection: Projection, latitude: float) -> bool:
    import shapely  # noqa: PLC0415 - an extra, which made the geometry

    x, y = projection.forward(np.array([0.0]), np.array([latitude]))
    return bool(np.isfinite([x, y]).all() and shapely.intersects_xy(geometry, x[0], y[0]))


def _intervals(samples: SampledRings, more: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the first and last longitude of each ring; 360° apart for a ring round a pole."""
    starts = np.flatnonzero(np.diff(samples.ring, prepend=-1))
    steps = np.diff(samples.longitude, prepend=0.0)
    steps = (steps + 180) % 360 - 180
    steps[starts] = 0.0
    total = np.cumsum(steps)
    ends = np.append(starts[1:], len(total)) - 1
    origin = (samples.longitude[starts] + 180) % 360 - 180 - total[starts]
    first = np.minimum.reduceat(total, starts) + origin - more
    last = np.maximum.reduceat(total, starts) + origin + more
    polar = np.maximum.reduceat(np.abs(samples.latitude), starts) > _NEAR_POLE
    round_pole = polar | (np.abs(total[ends] - total[starts]) > 180)
    return np.where(round_pole, -180.0, first), np.where(round_pole, 180.0, last)


def _hull(first: NDArray[Any], last: NDArray[Any]) -> tuple[float, float]:
    """Return the shortest interval of longitudes that contains all intervals."""
    begin = first % 360
    end = begin + (last - first)
    order = np.argsort(begin)
    reached = np.maximum.accumulate(end[order])
    # How far intervals before each one reach, those that begin before 0° included.
    before = np.maximum(np.append(-np.inf, reached[:-1]), reached[-1] - 360)
    gaps = begin[order] - before
    at = int(gaps.argmax())
    if gaps[at] <= 0:
        return -180.0, 180.0
    end[order[at:]] -= 360
    return wrapped(float(first[order[at]])), wrapped(float(last[end.argmax()]))
