"""Measure distances along a ground track from latitude and longitude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ruler", "cumulative_distance", "ellipsoid_directions", "make_ruler"]

Floats = NDArray[np.float64]

_SEMI_MAJOR, _FLATTENING = 6_378_137.0, 1 / 298.257223563  # WGS 84
_RADIUS = 6_371_000.0
_NODE_SPACING = 1000.0
"""Metres. Photons are metres off the line that the beam follows, which must not add up."""
_MAX_NODES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Ruler:
    """Distances along one track, for points on it or beside it."""

    middle: Floats
    """Unit vector to the middle of the track."""
    forward: Floats
    """Unit vector along the track, at right angles to ``middle``."""
    angles: Floats
    """Angle of each node from the middle, ascending."""
    metres: Floats
    """Distance of each node."""

    def measure(self, latitude: Floats, longitude: Floats) -> Floats:
        """Return the distance along the track in metres of points in degrees; NaN where unknown.

        Points must be in the order of the flight if the track is longer than half an orbit.
        """
        angle = _angles(ellipsoid_directions(latitude, longitude), self.middle, self.forward)
        if angle.size:
            # After unwrapping, the points may be a whole turn off.
            off = np.nanmedian(angle) if np.isfinite(angle).any() else 0.0
            turns = np.round((off - self.angles.mean()) / (2 * np.pi))
            angle = angle - turns * 2 * np.pi
        inside = np.interp(angle, self.angles, self.metres)
        before = np.minimum(angle - self.angles[0], 0) * _RADIUS
        after = np.maximum(angle - self.angles[-1], 0) * _RADIUS
        return np.asarray(inside + before + after, np.float64)


def make_ruler(latitude: Floats, longitude: Floats, x_atc: Floats | None = None) -> Ruler:
    """Make a ruler of the rows of one beam, in the order of the flight.

    Parameters
    ----------
    latitude, longitude
        Degrees; rows that are not finite are ignored.
    x_atc
        Known distance along the track in metres, which the ruler continues. Default: the ruler
        begins with 0 at the first row.
    """
    known = np.isfinite(latitude) & np.isfinite(longitude)
    if x_atc is not None:
        known &= np.isfinite(x_atc)
    rows = np.flatnonzero(known)
    if not rows.size:
        nothing = np.array([0.0, 0.0, 1.0])
        return Ruler(nothing, np.array([1.0, 0.0, 0.0]), np.zeros(1), np.zeros(1))
    length = cumulative_distance(ellipsoid_directions(*_at(rows, 100, latitude, longitude))).sum()
    nodes = rows[_spread(rows.size, int(min(length / _NODE_SPACING, _MAX_NODES)))]
    vectors = ellipsoid_directions(latitude[nodes], longitude[nodes])
    middle = vectors[len(vectors) // 2]
    forward = _forward(vectors, middle)
    angles = _angles(vectors, middle, forward)
    if x_atc is not None:
        metres = x_atc[nodes]
    else:
        metres = np.concatenate([[0.0], np.cumsum(cumulative_distance(vectors))])
    # Interpolation needs ascending angles; rows of one place are one node.
    ascending = np.concatenate([[True], np.diff(np.maximum.accumulate(angles)) > 0])
    return Ruler(middle, forward, angles[ascending], metres[ascending])


def _at(rows: NDArray[np.intp], most: int, *arrays: Floats) -> tuple[Floats, ...]:
    chosen = rows[_spread(rows.size, most)]
    return tuple(array[chosen] for array in arrays)


def _spread(size: int, count: int) -> NDArray[np.intp]:
    """Return up to `count` + 1 positions, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, size - 1, max(count, 1) + 1).astype(np.intp))


def ellipsoid_directions(latitude: Floats, longitude: Floats) -> Floats:
    """Return unit vectors, of (n, 3), from the centre of the Earth to points of the ellipsoid."""
    lat, lon = np.radians(latitude), np.radians(longitude)
    across = np.cos(lat)
    up = (1 - _FLATTENING) ** 2 * np.sin(lat)
    vectors = np.stack([across * np.cos(lon), across * np.sin(lon), up], axis=-1)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def cumulative_distance(vectors: Floats) -> Floats:
    """Return the lengths in metres of the ways between points that follow one another."""
    chords = np.linalg.norm(np.diff(vectors, axis=0), axis=-1)
    # Distance from the centre of the Earth, on the ellipsoid, in the middle of each way.
    up = (vectors[1:, 2] + vectors[:-1, 2]) / 2
    stretched = 1 / (1 - _FLATTENING) ** 2 - 1
    radii = _SEMI_MAJOR / np.sqrt(1 + stretched * up**2)
    return np.asarray(2 * radii * np.arcsin(np.clip(chords / 2, 0, 1)))


def _forward(vectors: Floats, middle: Floats) -> Floats:
    """Return the direction of flight at the middle."""
    normal = np.cross(vectors[:-1], vectors[1:]).sum(axis=0)
    if not np.linalg.norm(normal) > 0:
        normal = np.cross(middle, np.roll(middle, 1) + np.array([0.1, 0.2, 0.3]))
    forward = np.cross(normal, middle)
    return np.asarray(forward / np.linalg.norm(forward))


def _angles(vectors: Floats, middle: Floats, forward: Floats) -> Floats:
    """Return angles along the track from its middle, in radians, without jumps."""
    angles = np.arctan2(vectors @ forward, vectors @ middle)
    known = np.isfinite(angles)
    angles[known] = np.unwrap(angles[known])
    return np.asarray(angles)
