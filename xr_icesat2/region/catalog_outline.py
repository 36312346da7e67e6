"""Draw the outline of a region for NASA's catalog (CMR): geodesic polygons that contain it.

CMR joins the points of a polygon by great circles on a sphere. In a gnomonic projection these are
straight lines, so the outline is widened and simplified there, with shapely. Source: CMR's
spatial-lib (``arc.clj``, ``ring_validations.clj``, ``codec.clj``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import ICESat2Error

from .boundary import SampledRings, sample, to_degrees
from .point_in_polygon import PointInPolygon
from .projection import Projection

__all__ = ["MAX_POINTS", "cmr_polygon_parameters"]

MAX_POINTS = 300
"""Points of the outline in one gnomonic plane. CMR's parser fails for some 660 points."""

MAX_POLYGONS = 20
"""Polygons of the outline in one plane."""

_EARTH = 6_371_000.0
_FINEST = 50 / _EARTH
"""Smallest tolerance of the outline, radians."""

_SLACK = 5 / _EARTH
"""Covers that points are written with seven decimals, and the rounding of CMR (1e-5°)."""

_WIDEST = np.radians(50)
"""Greatest angle from the centre of a gnomonic plane, whose scale there is 2.4."""


def cmr_polygon_parameters(geometry: Any, projection: Projection) -> list[tuple[str, str]]:
    """Return the parameters ``polygon[]`` of CMR for an area that contains polygons.

    Parameters
    ----------
    geometry
        shapely.Polygon or MultiPolygon in the CRS of the projection. Holes are filled.
    projection
        To degrees.
    """
    rings = list(_rings(geometry, projection))
    written = [
        ("polygon[]", ",".join(_number(x) for point in ring for x in point)) for ring in rings
    ]
    return [*written, ("options[polygon][or]", "true")] if len(written) > 1 else written


def _number(value: float) -> str:
    return f"{value:z.7f}".rstrip("0").rstrip(".")


def _rings(geometry: Any, projection: Projection) -> Iterator[NDArray[np.float64]]:
    """Yield closed rings of longitude and latitude, counterclockwise."""
    import shapely  # noqa: PLC0415 - an extra, which made the geometry

    parts = shapely.get_parts(geometry)
    parts = parts[shapely.get_type_id(parts) == 3]  # splitting may leave lines and points
    if not parts.size:
        return
    filled = shapely.polygons(shapely.get_exterior_ring(parts))
    samples = sample(shapely.get_exterior_ring(parts), projection)
    mean = samples.vectors.mean(axis=0)
    length = np.linalg.norm(mean)
    centre = mean / length if length > 0.1 else samples.vectors[0]
    angle = float(np.arccos(np.clip(samples.vectors @ centre, -1, 1).min()))
    if angle > _WIDEST or _covers(filled, -centre, projection):
        for half in _halves(geometry):
            yield from _rings(half, projection)
        return
    yield from _outline(samples, centre, angle)


def _covers(parts: Any, vector: NDArray[np.float64], projection: Projection) -> bool:
    x, y = projection.forward(*to_degrees(vector[None, :]))
    if not np.isfinite([x, y]).all():
        return False
    return any(bool(PointInPolygon(part, projection.turn)(x, y)[0]) for part in parts)


def _halves(geometry: Any) -> Iterator[Any]:
    import shapely  # noqa: PLC0415 - an extra, which made the geometry

    west, south, east, north = geometry.bounds
    if east - west > north - south:
        middle = (west + east) / 2
        boxes = ((west, south, middle, north), (middle, south, east, north))
    else:
        middle = (south + north) / 2
        boxes = ((west, south, east, middle), (west, middle, east, north))
    yield from (shapely.intersection(geometry, shapely.box(*box)) for box in boxes)


def _outline(
    samples: SampledRings, centre: NDArray[np.float64], angle: float
) -> Iterator[NDArray[np.float64]]:
    """Yield the rings of an outline in the gnomonic plane about a centre."""
    import shapely  # noqa: PLC0415 - an extra, which made the geometry

    pole = np.eye(3)[np.abs(centre).argmin()]
    right = np.cross(pole, centre)
    right /= np.linalg.norm(right)
    up = np.cross(centre, right)
    depth = samples.vectors @ centre
    plane = np.stack([samples.vectors @ right, samples.vectors @ up], axis=-1) / depth[:, None]
    lines = shapely.linestrings(plane, indices=samples.ring)
    margin = (samples.departure + _SLACK) / np.cos(angle) ** 2
    for polygon in _around(lines, margin):
        x, y = shapely.get_coordinates(polygon.exterior).T[:, :, None]
        yield np.stack(to_degrees(centre + x * right + y * up), axis=-1)


def _around(lines: Any, margin: float) -> list[Any]:
    """Return few polygons with few points that contain all within or near closed lines.

    What the lines enclose is enclosed by their buffer, too, whatever simplification made of them.
    """
    import shapely  # noqa: PLC0415 - an extra, which made the geometry

    tolerance, needed = _FINEST, margin
    while tolerance < 10:
        lines = shapely.simplify(lines, tolerance, preserve_topology=False)
        # Simplified, a small ring is a line of no length, for which GEOS has no distance.
        points = (shapely.get_type_id(lines) == 1) & (shapely.length(lines) == 0)
        lines[points] = shapely.get_point(lines[points], 0)
        needed += tolerance
        # A circle of eight corners is 8 % narrower than its radius.
        grown = shapely.union_all(shapely.buffer(lines, 1.1 * (needed + tolerance), quad_segs=2))
        exteriors = shapely.get_exterior_ring(shapely.get_parts(grown))
        outline = shapely.simplify(shapely.union_all(shapely.polygons(exteriors)), tolerance)
        parts = shapely.get_parts(outline)
        count = int(shapely.get_num_coordinates(parts).sum())
        if parts.size <= MAX_POLYGONS and count <= MAX_POINTS:
            apart = shapely.distance(lines, shapely.boundary(outline))
            if shapely.covers(outline, lines).all() and apart.min() >= needed:
                return [shapely.geometry.polygon.orient(part, 1.0) for part in parts]
        tolerance *= 4 if count > 4 * MAX_POINTS else 2
    raise ICESat2Error("region has no outline for the catalog. Pass its bounds as bbox instead.")
