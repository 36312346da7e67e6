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

_LEAST = 2.0**-24
"""Shortest piece, as a fraction of an edge."""

_MOST_PIECES = 10_000_000
_BATCH = 200_000
"""Edges that are halved at once, so that memory is bounded."""


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

    def select(self, which: NDArray[Any]) -> _Pieces:
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

    vertices, ring_of = shapely.get_coordinates(rings, return_index=True)
    first = np.flatnonzero(ring_of[1:] == ring_of[:-1])  # the first vertex of each edge
    points, ring, departure, overshoot = [], [], 0.0, np.zeros(2)
    for begin in range(0, len(first), _BATCH):
        edges = first[begin : begin + _BATCH]
        pieces = _short_pieces(vertices[edges], vertices[edges + 1], projection)
        points.append(pieces.start)
        ring.append(ring_of[edges[pieces.edge]])
        departure = max(departure, _departure(pieces))
        overshoot = np.maximum(overshoot, _overshoot(pieces))
    where, numbers = np.concatenate(points), np.concatenate(ring)
    # Each ring ends where it began.
    begins = np.flatnonzero(np.diff(numbers, prepend=-1))
    where = np.insert(where, np.append(begins[1:], len(where)), where[begins], axis=0)
    return SampledRings(
        longitude=where[:, 0],
        latitude=where[:, 1],
        vectors=unit_vectors(*where.T),
        ring=np.insert(numbers, np.append(begins[1:], len(numbers)), numbers[begins]),
        departure=departure,
        overshoot=(float(overshoot[0]), float(overshoot[1])),
    )


def _short_pieces(
    start: NDArray[np.float64], end: NDArray[np.float64], projection: Projection
) -> _Pieces:
    """Halve straight edges until they are short on the sphere; in order."""

    def at(edge: NDArray[np.int64], fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        where = start[edge] + (end[edge] - start[edge]) * fraction[:, None]
        return np.stack(projection.inverse(where[:, 0], where[:, 1]), axis=-1)

    numbers, zero = np.arange(len(start)), np.zeros(len(start))
    pieces = _Pieces(
        numbers, zero, zero + 1, at(numbers, zero), at(numbers, zero + 1), at(numbers, zero + 0.5)
    )
    done: list[_Pieces] = []
    while pieces.edge.size:
        long = _are_long(pieces)
        done.append(pieces.select(~long))
        pieces = pieces.select(long)
        if (
            2 * pieces.edge.size > _MOST_PIECES
            or (pieces.high - pieces.low).min(initial=1) < _LEAST
        ):
            x, y = start[pieces.edge[0]]
            raise SelectionError(
                f"region has an edge from ({x:g}, {y:g}) that is no line on Earth in its CRS "
                f"({projection.operation}). Check the CRS, or convert region with to_crs(4326)."
            )
        half = (pieces.low + pieces.high) / 2
        edge = np.concatenate([pieces.edge, pieces.edge])
        low, high = np.concatenate([pieces.low, half]), np.concatenate([half, pieces.high])
        pieces = _Pieces(
            edge,
            low,
            high,
            np.concatenate([pieces.start, pieces.middle]),
            np.concatenate([pieces.middle, pieces.end]),
            at(edge, (low + high) / 2),
        )
    joined = _Pieces(
        *(np.concatenate([getattr(each, name) for each in done]) for name in pieces.__dict__)
    )
    return joined.select(np.lexsort((joined.low, joined.edge)))


def _are_long(pieces: _Pieces) -> NDArray[np.bool_]:
    start, middle, end = _vectors(pieces)
    chords = np.linalg.norm(middle - start, axis=1) + np.linalg.norm(end - middle, axis=1)
    return np.asarray(chords > STEP)


def _vectors(pieces: _Pieces) -> tuple[NDArray[np.float64], ...]:
    return tuple(unit_vectors(*at.T) for at in (pieces.start, pieces.middle, pieces.end))


def _departure(pieces: _Pieces) -> float:
    """Return twice the greatest distance of middles from great circles.

    A short piece is nearly a parabola, whose middle departs most; the factor covers the rest.
    """
    start, middle, end = _vectors(pieces)
    normal = np.cross(start, end)
    length = np.linalg.norm(normal, axis=1)
    aside = np.abs(np.einsum("ij,ij->i", middle, normal)) / np.where(length > 0, length, 1)
    apart = np.linalg.norm(middle - start, axis=1)
    # Ends that are almost one point have no direction.
    return float(2 * np.where(length > 1e-12, aside, apart).max(initial=0.0))


def _overshoot(pieces: _Pieces) -> NDArray[np.float64]:
    first, second = pieces.middle - pieces.start, pieces.end - pieces.middle
    for step in (first, second):
        step[:, 0] = (step[:, 0] + 180) % 360 - 180
    return np.asarray(np.abs(second - first).max(axis=0, initial=0.0))
