"""A region of polygons, tested in the plane of its own CRS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .boundary import SampledRings, sample, to_degrees
from .box import METRES_PER_DEGREE, BoxRegion, in_bounds, widened
from .catalog_outline import cmr_polygon_parameters
from .extent import extent_in_degrees, extent_of
from .point_in_polygon import PointInPolygon
from .projection import DEGREES, Projection
from .region import Bounds, Outline, PointTest, Region

__all__ = ["PolygonRegion", "stretched"]

_ROUNDING = 0.01
"""Metres that bounds are widened by before points outside them are dropped."""

_MOST_DRAWN = 5000
"""Points of the lines for a map; of longer ones, some are left out."""

_MOST_DISTANCES = 16
"""Distances whose tests are kept."""

_MOST_MEASURED = 5000
"""Points of the boundary at which the scale of a CRS is measured."""


@dataclass(frozen=True, eq=False, repr=False)
class PolygonRegion(Region):
    """An area of polygons with holes, whose edges are straight in a CRS."""

    area: Any
    """shapely.Polygon or MultiPolygon."""
    plane: Any = None
    """pyproj.crs.CRS; None for degrees of WGS 84."""

    @property
    def _geometry(self) -> Any:
        return self.area

    @property
    def _own_crs(self) -> Any:
        return self.plane

    @property
    def _operation(self) -> str:
        return self._projection.operation

    @cached_property
    def _bounds(self) -> Bounds:
        if self.plane is None:
            return extent_in_degrees(self.area)
        return extent_of(self.area, self._samples, self._projection)

    @cached_property
    def _projection(self) -> Projection:
        return DEGREES if self.plane is None else Projection.of(self.plane, self.area.bounds)

    @cached_property
    def _samples(self) -> SampledRings:
        import shapely  # noqa: PLC0415 - an extra, which made the geometry

        return sample(shapely.get_rings(shapely.get_parts(self.area)), self._projection)

    @cached_property
    def _planar(self) -> PointInPolygon:
        return PointInPolygon(self.area, self._projection.turn)

    def _cmr_parameters(self) -> Sequence[tuple[str, str]]:
        if self.plane is None and self.area.equals(self.area.envelope):
            return BoxRegion(*self.bounds).cmr_parameters()
        return cmr_polygon_parameters(self.area, self._projection)

    def _outlines(self) -> Sequence[Outline]:
        sampled = self._samples
        begins = np.diff(sampled.ring, prepend=-1) != 0
        ends = np.append(begins[1:], True)
        step = 1 + len(sampled.ring) // _MOST_DRAWN
        shown = begins | ends | (np.arange(len(begins)) % step == 0)
        lon, lat = to_degrees(sampled.vectors[shown])
        line = np.stack([lon, lat], axis=-1).tolist()
        cuts = [*np.flatnonzero(begins[shown]), len(line)]
        return [tuple(map(tuple, line[a:b])) for a, b in pairwise(cuts)]

    def _contains(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        if self.plane is None:
            return self._planar(x, y)
        nearby = _of_candidates(
            widened(self.bounds, _ROUNDING),
            lambda lon, lat: self._planar(*self._projection.forward(lon, lat)),
        )
        return nearby(x, y)

    @cached_property
    def _nearby(self) -> dict[float, PointTest]:
        """Tests of points near the region by their distance."""
        return {}

    def _near(self, metres: float) -> PointTest:
        # Each granule of a list is tested with the same distances.
        test = self._nearby.get(metres)
        if test is None:
            if len(self._nearby) >= _MOST_DISTANCES:
                self._nearby.clear()
            test = self._nearby[metres] = self._widened(metres)
        return test

    def _widened(self, metres: float) -> PointTest:
        nearby = widened(self.bounds, metres + _ROUNDING)
        if self._projection.turn is None:
            reach = stretched(self._samples, self._projection, metres)
            test: PointTest = PointInPolygon(self.area, None, reach)
        else:
            test = _near_in_degrees(self.area, self._projection.turn, metres)

        def near(longitude: NDArray[Any], latitude: NDArray[Any]) -> NDArray[np.bool_]:
            x, y = self._projection.forward(longitude, latitude)
            # What the CRS does not reach may still be near its border.
            return np.asarray(test(x, y) | ~(np.isfinite(x) & np.isfinite(y)))

        return _of_candidates(nearby, near)

    def _identity(self) -> tuple[Any, ...]:
        digest = sha256(self.area.wkb).hexdigest()
        return ("polygons", digest, None if self.plane is None else self.plane.to_wkt())

    def _summary(self) -> str:
        parts = getattr(self.area, "geoms", [self.area])
        rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
        vertices = sum(len(ring.coords) - 1 for ring in rings)
        holes = len(rings) - len(parts)
        west, south, east, north = self.bounds
        what = f"{len(parts)} polygons" if len(parts) > 1 else "polygon"
        what += f" of {vertices} vertices"
        what += f" with {holes} hole{'s' if holes > 1 else ''}" if holes else ""
        crs = "" if self.plane is None else f", {self.plane.name}"
        return f"{what}, from {west:g}, {south:g} to {east:g}, {north:g} (longitude, latitude){crs}"


def _of_candidates(bounds: Bounds, test: PointTest) -> PointTest:
    """Return a test that is called for points within bounds only."""

    def tested(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        inside = in_bounds(bounds, x, y)
        if inside.any():
            inside[inside] = test(x[inside], y[inside])
        return inside

    return tested


def stretched(samples: SampledRings, projection: Projection, metres: float) -> float:
    """Return a distance in the plane of a CRS that a distance on the ground nowhere exceeds.

    It is measured at points of the boundary, in eight directions.
    """
    at = np.linspace(0, len(samples.vectors) - 1, min(len(samples.vectors), _MOST_MEASURED))
    centre = samples.vectors[at.astype(int)]
    pole = np.where(np.abs(centre[:, 2:]) < 0.9, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    east = np.cross(pole, centre)
    east /= np.linalg.norm(east, axis=1, keepdims=True)
    north = np.cross(centre, east)
    # Farther, because the eight directions may miss that towards the border of the CRS.
    angle = np.radians(1.1 * metres / METRES_PER_DEGREE)
    x0, y0 = projection.forward(*to_degrees(centre))
    longest = 0.0
    for azimuth in np.radians(range(0, 360, 45)):
        aside = np.cos(azimuth) * north + np.sin(azimuth) * east
        x, y = projection.forward(*to_degrees(np.cos(angle) * centre + np.sin(angle) * aside))
        moved = np.hypot(x - x0, y - y0)
        longest = max(longest, float(moved[np.isfinite(moved)].max(initial=0.0)))
    # Between two of eight directions, an ellipse reaches at most 1.09 times as far.
    return 1.1 * longest


def _near_in_degrees(area: Any, turn: float, metres: float) -> PointTest:
    """Return a test in a plane where degrees of longitude are as short as anywhere nearby."""
    import shapely  # noqa: PLC0415 - an extra, which made the geometry

    distance = metres / METRES_PER_DEGREE * turn / 360
    _, south, _, north = area.bounds
    farthest = np.radians(max(abs(south), abs(north)) * 360 / turn) + np.radians(
        metres / METRES_PER_DEGREE
    )
    if farthest >= np.radians(89.9):
        return lambda _, y: np.asarray((y >= south - distance) & (y <= north + distance))
    shorter = float(np.cos(farthest))
    scaled = shapely.transform(area, lambda points: points * (shorter, 1.0))
    test = PointInPolygon(scaled, turn * shorter, distance)
    return lambda x, y: test(x * shorter, y)
