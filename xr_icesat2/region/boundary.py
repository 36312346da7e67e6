"""Sample the edges of polygons finely enough to know where on Earth they are.

An edge is straight in the CRS of the region, and a curve on the sphere. Edges are halved until the
pieces are short, and the departure of each piece from the great circle between its ends is
measured at its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError

from .projection import Projection

__all__ = ["STEP", "SampledRings", "sample", "to_degrees", "unit_vectors"]

STEP = np.radians(0.1)
"""Longest piece of an edge, as an angle at the centre of the Earth."""

_MOST_HALVINGS = 24
_MOST_PIECES = 40_000_000


def unit_vectors(longitude: Any, latitude: Any) -> NDArray[np.float64]:
    """Return points on the unit sphere, shape (n, 3), of degrees."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    cosine = np.cos(lat)
    return np.stack([cosine * np.cos(lon), cosine * np.sin(lon), np.sin(lat)], axis=-1)


def to_degrees(vectors: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return longitudes from -180 to 180 and latitudes of vectors of any length."""
    x, y, z = vectors.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


@dataclass(frozen=True, eq=False)
class SampledRings:
    """Points along rings, in order; a ring ends where :attr:`ring` changes."""

    longitude: NDArray[np.float64]
    """Degrees."""
    latitude: NDArray[np.float64]
    vectors: NDArray[np.float64]
    """On the unit sphere, shape (n, 3)."""
    ring: NDArray[np.int64]
    """Number of the ring."""
    departure: float
    """Greatest distance of an edge from the great circles between points, radians."""
    overshoot: tuple[float, float]
    """Most by which an edge exceeds the longitudes and latitudes of its points, degrees."""


@dataclass
class _Pieces:
    """Pieces of edges, from one fraction of an edge to another, with the points of their ends."""

    edge: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    start: NDArray[np.float64]
    """Longitude and latitude, shape (n, 2)."""
    end: NDArray[np.float64]
    middle: NDArray[np.float64]

    def select(self, which: NDArray[np.bool_]) -> _Pieces:
        return _Pieces(*(value[which] for value in self.__dict__.values()))


def sample(rings: Any, projection: Projection) -> SampledRings:
    """Sample rings, so that neighbouring points are at most 0.1° apart.

    Parameters
    ----------
    rings : array of shapely.LinearRing
        In the CRS of the projection.
    projection
        To degrees.

    Raises
    ------
    SelectionError
        An edge leaves the domain of the CRS.
    """
    import shapely  # noqa: PLC0415 - an extra, which made the rings

    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    edges = np.flatnonzero(ring_of[1:] == ring_of[:-1])
    from_, to = points[edges], points[edges + 1]

    def at(edge: NDArray[np.int64], fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        where = from_[edge] + (to[edge] - from_[edge]) * fraction[:, None]
        return np.stack(projection.inverse(where[:, 0], where[:, 1]), axis=-1)

    count = len(edges)
    numbers, zero, one = np.arange(count), np.zeros(count), np.ones(count)
    vertices = np.stack(projection.inverse(points[:, 0], points[:, 1]), axis=-1)
    pieces = _Pieces(
        numbers, zero, one, vertices[edges], vertices[edges + 1], at(numbers, zero + 0.5)
    )
    done: list[_Pieces] = []
    for _ in range(_MOST_HALVINGS):
        long = _is_long(pieces)
        done.append(pieces.select(~long))
        pieces = pieces.select(long)
        if not pieces.edge.size or 2 * pieces.edge.size > _MOST_PIECES:
            break
        half = (pieces.low + pieces.high) / 2
        pieces = _Pieces(
            np.concatenate([pieces.edge, pieces.edge]),
            np.concatenate([pieces.low, half]),
            np.concatenate([half, pieces.high]),
            np.concatenate([pieces.start, pieces.middle]),
            np.concatenate([pieces.middle, pieces.end]),
            np.empty((2 * half.size, 2)),
        )
        pieces.middle = at(pieces.edge, (pieces.low + pieces.high) / 2)
    if pieces.edge.size:
        x, y = from_[pieces.edge[0]]
        raise SelectionError(
            f"region has an edge from ({x:g}, {y:g}) that is no line on Earth in its CRS "
            f"({projection.operation}). Check the CRS, or convert region with to_crs(4326)."
        )
    return _joined(done, ring_of[edges])


def _is_long(pieces: _Pieces) -> NDArray[np.bool_]:
    start, middle, end = (
        unit_vectors(*where.T) for where in (pieces.start, pieces.middle, pieces.end)
    )
    chords = np.linalg.norm(middle - start, axis=1) + np.linalg.norm(end - middle, axis=1)
    return np.asarray(chords > STEP)


def _joined(done: list[_Pieces], ring_of: NDArray[np.int64]) -> SampledRings:
    edge = np.concatenate([each.edge for each in done])
    low = np.concatenate([each.low for each in done])
    order = np.lexsort((low, edge))
    edge = edge[order]
    start, middle, end = (
        np.concatenate([getattr(each, name) for each in done])[order]
        for name in ("start", "middle", "end")
    )
    ring = ring_of[edge]
    last = np.flatnonzero(np.diff(ring, append=-1))  # the last piece of each ring
    # A ring of n pieces has n + 1 points.
    points = np.insert(start, last + 1, end[last], axis=0)
    vectors = unit_vectors(*points.T)
    return SampledRings(
        longitude=points[:, 0],
        latitude=points[:, 1],
        vectors=vectors,
        ring=np.insert(ring, last + 1, ring[last]),
        departure=_departure(*(unit_vectors(*where.T) for where in (start, middle, end))),
        overshoot=_overshoot(start, middle, end),
    )


def _departure(
    start: NDArray[np.float64], middle: NDArray[np.float64], end: NDArray[np.float64]
) -> float:
    """Return twice the greatest distance of middles from great circles.

    A short piece is nearly a parabola, whose middle departs most; the factor covers the rest.
    """
    normal = np.cross(start, end)
    length = np.linalg.norm(normal, axis=1)
    aside = np.abs(np.einsum("ij,ij->i", middle, normal)) / np.where(length > 0, length, 1)
    apart = np.linalg.norm(middle - start, axis=1)
    # Ends that are almost one point have no direction.
    return float(2 * np.where(length > 1e-12, aside, apart).max(initial=0.0))


def _overshoot(
    start: NDArray[np.float64], middle: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[float, float]:
    first, second = middle - start, end - middle
    for step in (first, second):
        step[:, 0] = (step[:, 0] + 180) % 360 - 180
    lon, lat = np.abs(second - first).max(axis=0, initial=0.0)
    return float(lon), float(lat)
