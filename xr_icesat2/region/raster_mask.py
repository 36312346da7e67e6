"""A region that is a raster of booleans, for areas that polygons describe badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .box import in_bounds, widened
from .point_in_polygon import shifts
from .polygons import PolygonRegion
from .projection import DEGREES, Projection
from .region import Bounds, Outline, PointTest, Region

__all__ = ["Affine", "MaskRegion"]

Affine: TypeAlias = tuple[float, float, float, float, float, float]
"""x = a·column + b·row + c, y = d·column + e·row + f, of the corner of a pixel."""

_BLOCKS = 64
"""Blocks a side that the outline of a mask consists of."""

_ROUNDING = 0.01
"""Metres that bounds are widened by before points outside them are dropped."""


@dataclass(frozen=True, eq=False, repr=False)
class MaskRegion(Region):
    """The pixels of a raster that are True; a pixel includes its first edges, not its last."""

    mask: NDArray[np.bool_]
    """Rows and columns, without those that are all False at the edges."""
    affine: Affine
    """From columns and rows to x and y in the CRS."""
    plane: Any = None
    """pyproj.crs.CRS; None for degrees of WGS 84."""

    @property
    def _geometry(self) -> Any:
        return None

    @property
    def _own_crs(self) -> Any:
        return self.plane

    @property
    def _operation(self) -> str:
        return self._projection.operation

    @property
    def _bounds(self) -> Bounds:
        return self._cover.bounds

    @cached_property
    def _projection(self) -> Projection:
        if self.plane is None:
            return DEGREES
        return Projection.of(self.plane, self._cover.area.bounds)

    @cached_property
    def _cover(self) -> PolygonRegion:
        """The blocks of pixels of which one or more are True."""
        import shapely  # noqa: PLC0415 - an extra
        from shapely.affinity import affine_transform  # noqa: PLC0415

        rows, columns = self.mask.shape
        step = max(1, -(-max(rows, columns) // _BLOCKS))
        tops, lefts = np.arange(0, rows, step), np.arange(0, columns, step)
        filled = np.add.reduceat(np.add.reduceat(self.mask, tops, dtype=np.int64), lefts, axis=1)
        row, column = np.nonzero(filled)
        blocks = shapely.box(
            lefts[column],
            tops[row],
            np.minimum(lefts[column] + step, columns),
            np.minimum(tops[row] + step, rows),
        )
        a, b, c, d, e, f = self.affine
        area = affine_transform(shapely.union_all(blocks), (a, b, d, e, c, f))
        return PolygonRegion(shapely.normalize(area), self.plane)

    def _cmr_parameters(self) -> Sequence[tuple[str, str]]:
        return self._cover.cmr_parameters()

    def _outlines(self) -> Sequence[Outline]:
        return self._cover.outlines()

    def _contains(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        inside = in_bounds(widened(self.bounds, _ROUNDING), x, y)
        if inside.any():
            inside[inside] = self._pixels(*self._projection.forward(x[inside], y[inside]))
        return inside

    def _pixels(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        a, b, c, d, e, f = self.affine
        rows, columns = self.mask.shape
        inside = np.zeros(x.shape, bool)
        west, _, east, _ = self._cover.area.bounds
        for shift in shifts(self._projection.turn, west, east):
            right, down = x + shift - c, y - f
            column = np.floor((e * right - b * down) / (a * e - b * d))
            row = np.floor((a * down - d * right) / (a * e - b * d))
            on = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
            inside[on] |= self.mask[row[on].astype(np.int64), column[on].astype(np.int64)]
        return inside

    def _near(self, metres: float) -> PointTest:
        return self._cover._near(metres)  # noqa: SLF001 - of the same class

    def _identity(self) -> tuple[Any, ...]:
        crs = None if self.plane is None else self.plane.to_wkt()
        digest = sha256(np.packbits(self.mask).tobytes()).hexdigest()
        return ("mask", self.mask.shape, digest, self.affine, crs)

    def _summary(self) -> str:
        rows, columns = self.mask.shape
        west, south, east, north = self.bounds
        crs = "" if self.plane is None else f", {self.plane.name}"
        return (
            f"mask of {int(self.mask.sum())} pixels in {rows} × {columns}, from {west:g}, "
            f"{south:g} to {east:g}, {north:g} (longitude, latitude){crs}"
        )
