"""The interface of a region, whatever its shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xr_icesat2.extras import require

__all__ = ["Bounds", "Outline", "PointTest", "Region"]

Bounds: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north in degrees; west exceeds east across the antimeridian."""

Outline: TypeAlias = tuple[tuple[float, float], ...]
"""A closed line of (longitude, latitude) in degrees."""

PointTest: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.bool_]]
"""Returns which points are inside; finite longitudes and latitudes of one dimension."""

_BATCH = 1_000_000
"""Points that are tested at once, so that the memory for their projected coordinates is bounded."""


class Region(ABC):
    """A place on Earth, made by :func:`make_region`.

    Regions are immutable, can be pickled, and have a deterministic dask token. Two are equal if
    their areas are written with the same coordinates in the same CRS.
    """

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in degrees; west exceeds east across the antimeridian.

        A region with a pole has bounds of all longitudes. For a CRS other than degrees, the bounds
        contain the region, and are larger by a few metres at most.
        """
        return self._bounds

    @property
    def crs(self) -> Any:
        """The CRS (:class:`pyproj.crs.CRS`) in which edges are straight lines."""
        if self._own_crs is None:
            return require("pyproj", "geo", "The CRS of a region").CRS.from_epsg(4326)
        return self._own_crs

    @property
    def geometry(self) -> Any:
        """The area (a shapely geometry) in :attr:`crs`; None for a raster mask."""
        return self._geometry

    @property
    def operation(self) -> str:
        """How coordinates are transformed from WGS 84 to :attr:`crs`, with the accuracy.

        Empty where they are compared unmodified. PROJ's network is never used.
        """
        return self._operation

    def contains(self, longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.bool_]:
        """Return which points are inside; points on an edge are.

        Parameters
        ----------
        longitude, latitude : array_like
            Degrees (WGS 84 or ITRF), of any shape; longitudes from -180 to 360.

        Returns
        -------
        numpy.ndarray of bool
            Of the same shape. Points that are not finite are outside.
        """
        return _by_batches(self._contains, longitude, latitude)

    def contains_within(
        self, longitude: ArrayLike, latitude: ArrayLike, metres: float
    ) -> NDArray[np.bool_]:
        """Return which points are inside or near: every point within a distance, and a few more.

        Parameters
        ----------
        longitude, latitude : array_like
            As in :meth:`contains`.
        metres : float
            Distance on the ground, from 0. Some points farther away may be included; none nearer is
            missed.

        Returns
        -------
        numpy.ndarray of bool
            Of the same shape.
        """
        if not (np.isfinite(metres) and metres >= 0):
            raise ValueError(f"metres={metres!r}, expected a distance from 0")
        return _by_batches(self._near(float(metres)), longitude, latitude)

    def cmr_parameters(self) -> Sequence[tuple[str, str]]:
        """Return parameters of NASA's catalog (CMR) for an area that contains the region.

        Returns
        -------
        sequence of (name, value)
            ``bounding_box`` for a box. Else polygons whose edges are geodesics: the outline,
            widened by as much as its edges differ from geodesics. Holes are filled.
        """
        return self._cmr_parameters()

    def outlines(self) -> Sequence[Outline]:
        """Return closed lines for a map, in degrees; they may cross the antimeridian."""
        return self._outlines()

    @property
    @abstractmethod
    def _bounds(self) -> Bounds: ...

    @property
    def _own_crs(self) -> Any:
        """None for degrees of WGS 84."""
        return None

    @property
    @abstractmethod
    def _geometry(self) -> Any: ...

    @property
    def _operation(self) -> str:
        return ""

    @abstractmethod
    def _cmr_parameters(self) -> Sequence[tuple[str, str]]: ...

    @abstractmethod
    def _outlines(self) -> Sequence[Outline]: ...

    @abstractmethod
    def _contains(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which points are inside; finite, one dimension."""

    @abstractmethod
    def _near(self, metres: float) -> PointTest:
        """Return a function as :meth:`_contains` for a region that is larger by a distance."""

    @abstractmethod
    def _identity(self) -> tuple[Any, ...]:
        """Return what distinguishes this region from others."""

    @abstractmethod
    def _summary(self) -> str:
        """Return one line without the name of the class."""

    def __getstate__(self) -> dict[str, Any]:
        # Without what is cached: prepared geometries and transformers belong to a process.
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return ("xr_icesat2.region", *self._identity())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Region):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"<Region: {self._summary()}>"


def _by_batches(test: PointTest, longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.bool_]:
    given = np.broadcast_arrays(
        np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64)
    )
    x, y = (each.ravel() for each in given)
    inside = np.isfinite(x) & np.isfinite(y)
    for start in range(0, x.size, _BATCH):
        part = slice(start, start + _BATCH)
        finite = inside[part]
        if finite.all():
            inside[part] = test(x[part], y[part])
        else:
            inside[part][finite] = test(x[part][finite], y[part][finite])
    shaped: NDArray[np.bool_] = inside.reshape(given[0].shape)
    return shaped
