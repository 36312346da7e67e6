"""Points of rows in a CRS: coordinates, well-known binary and extent."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj

from xr_icesat2.errors import SelectionError
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.region.projection import without_network

from .column_values import ColumnValues

__all__ = ["PointRule", "Points", "wkb_of"]

_WGS84 = "EPSG:4326"
_SAME_DEGREES = {("EPSG", "4326"), ("OGC", "CRS84"), ("EPSG", "9000"), ("EPSG", "9990")}
"""WGS 84, and ITRF2014 and ITRF2020, in which the mission's coordinates are."""
_LITTLE_ENDIAN = 1
_POINT, _POINT_Z = 1, 1001
"""Geometry types of ISO well-known binary."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Coordinates of rows."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray | None
    exists: np.ndarray
    """bool: whether a row has a position. Where it has none, x and y are NaN."""

    @property
    def coordinates(self) -> Sequence[np.ndarray]:
        """float64: x, y, and z if there is one."""
        return [self.x, self.y] if self.z is None else [self.x, self.y, self.z]

    @property
    def has_z(self) -> np.ndarray:
        """bool: whether a point has a third coordinate.

        Where it is missing, a point has two: a transformation would turn all into infinities.
        """
        return np.zeros(len(self.x), bool) if self.z is None else np.isfinite(self.z)

    def types(self) -> set[str]:
        """Return the geometry types that occur, as GeoParquet names them."""
        with_z = self.has_z[self.exists]
        return {"Point Z" if one else "Point" for one in np.unique(with_z).tolist()}

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the greatest coordinates; infinities where there are none."""
        finite = [axis[np.isfinite(axis)] for axis in self.coordinates]
        least = [axis.min(initial=np.inf) for axis in finite]
        return np.array(least), np.array([axis.max(initial=-np.inf) for axis in finite])


@dataclass(frozen=True, slots=True, eq=False)
class PointRule:
    """How columns become points."""

    latitude: str
    longitude: str
    z: str | None
    crs: pyproj.CRS
    transformer: pyproj.Transformer | None
    """From WGS 84; None where the degrees are used unmodified."""

    @classmethod
    def of(cls, rate: OpenedRate, names: Sequence[str], z: str | None, crs: Any) -> PointRule:
        """Return the rule of a rate.

        Parameters
        ----------
        rate
            The opened rate.
        names
            Columns of the table.
        z
            The column with the third coordinate.
        crs
            Anything that pyproj accepts.

        Raises
        ------
        RateError
            The rate has no latitude or longitude.
        SelectionError
            ``z`` is no column, or points cannot be in the CRS.
        """
        latitude, longitude = rate.require("latitude", "longitude")
        if z is not None and z not in names:
            raise SelectionError(
                f"z={z!r} is not a column of the table. Its columns are: {', '.join(names)}"
            )
        target = _parse(crs)
        flat = target.to_2d()
        if flat.to_authority() in _SAME_DEGREES:
            return cls(latitude, longitude, z, target, None)
        return cls(latitude, longitude, z, target, _transformer(flat))

    def points(self, values: Mapping[str, ColumnValues]) -> Points:
        """Return the points of rows.

        Raises
        ------
        SelectionError
            The CRS does not reach a row.
        """
        x, y = (_floats(values[name]) for name in (self.longitude, self.latitude))
        exists = np.isfinite(x) & np.isfinite(y)
        if not exists.all():
            x, y = np.where(exists, x, np.nan), np.where(exists, y, np.nan)
        if self.transformer is not None:
            x, y = self._transform(self.transformer, x, y, exists)
        return Points(x, y, None if self.z is None else _floats(values[self.z]), exists)

    def _transform(
        self,
        transformer: pyproj.Transformer,
        longitude: np.ndarray,
        latitude: np.ndarray,
        exists: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        x, y = np.full(len(exists), np.nan), np.full(len(exists), np.nan)
        x[exists], y[exists] = transformer.transform(longitude[exists], latitude[exists])
        lost = exists & ~(np.isfinite(x) & np.isfinite(y))
        if lost.any():
            at = int(lost.argmax())
            raise SelectionError(
                f"crs={self.crs.name!r} does not reach {lost.sum()} rows, such as longitude "
                f"{longitude[at]:g}, latitude {latitude[at]:g}. Select other rows, or another CRS."
            )
        return x, y

    @property
    def operation(self) -> str:
        """Description of the transformation; empty if there is none."""
        if self.transformer is None:
            return ""
        accuracy = self.transformer.accuracy
        known = f"{accuracy:g} m" if accuracy >= 0 else "unknown"
        return f"{self.transformer.description} (accuracy: {known})"


def _transformer(crs: pyproj.CRS) -> pyproj.Transformer:
    """Return the best operation for the area of a CRS that needs no network, for all rows.

    Raises
    ------
    SelectionError
        PROJ has none.
    """
    used = crs.area_of_use
    area: Any = pyproj.aoi.AreaOfInterest(*used.bounds) if used else None
    with without_network(pyproj), warnings.catch_warnings():
        # The operation and its accuracy are recorded, whether or not grids are missing.
        warnings.simplefilter("ignore", UserWarning)
        group = pyproj.transformer.TransformerGroup(
            _WGS84, crs, always_xy=True, area_of_interest=area
        )
    if not group.transformers:
        raise SelectionError(f"PROJ cannot transform WGS 84 to crs={crs.name!r}. Use another CRS.")
    return group.transformers[0]


def _parse(given: Any) -> pyproj.CRS:
    """Return the CRS that the user gave, if x and y can be points in it."""
    try:
        crs = pyproj.CRS.from_user_input(given)
    except pyproj.exceptions.CRSError as error:
        raise SelectionError(
            f"crs={given!r:.80} is not known to PROJ: {error}. Pass an EPSG code, such as "
            "'EPSG:3413', or a pyproj.CRS."
        ) from error
    if crs.is_compound or crs.is_vertical or not (crs.is_geographic or crs.is_projected):
        raise SelectionError(
            f"crs={given!r:.80} is {crs.type_name}; expected a geographic or projected one. "
            "Heights are not transformed: pass the horizontal part alone."
        )
    return crs


def _floats(column: ColumnValues) -> np.ndarray:
    """Return a column as float64, NaN where it is missing."""
    values = column.data.astype(np.float64)
    if column.missing is not None:
        values[column.missing] = np.nan
    return values


def wkb_of(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Return points in well-known binary: uint8 of all, and int32 where each begins and ends."""
    written = _records(points.x, points.y)
    if points.z is None:
        return written.ravel(), _offsets(np.full(len(written), written.shape[1]))
    with_z = points.has_z
    written_z = _records(points.x, points.y, points.z)
    sizes = np.full(len(written), written.shape[1])
    sizes[with_z] = written_z.shape[1]
    if with_z.all():
        return written_z.ravel(), _offsets(sizes)
    # A record with z is as long as one without and one coordinate more.
    written_z[~with_z, : written.shape[1]] = written[~with_z]
    used = np.arange(written_z.shape[1]) < sizes[:, None]
    return written_z[used], _offsets(sizes)


def _records(*axes: np.ndarray) -> np.ndarray:
    """Return points of the same coordinates: uint8 (rows, bytes)."""
    names = "xyz"[: len(axes)]
    record = np.dtype([("order", "u1"), ("type", "<u4"), *((name, "<f8") for name in names)])
    written = np.empty(len(axes[0]), record)
    written["order"] = _LITTLE_ENDIAN
    written["type"] = _POINT if len(axes) == 2 else _POINT_Z
    for name, values in zip(names, axes, strict=True):
        written[name] = values
    return written.view(np.uint8).reshape(len(written), record.itemsize)


def _offsets(sizes: np.ndarray) -> np.ndarray:
    offsets = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    return offsets
