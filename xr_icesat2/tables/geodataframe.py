"""Tables as geopandas GeoDataFrames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr

from .column_values import ColumnValues
from .columns import SecondDims
from .dataframe import frame_of
from .points import PointRule, Points
from .row_reader import RowReader

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["to_geodataframe"]


def to_geodataframe(
    opened: xr.Dataset | xr.DataTree,
    columns: str | Iterable[str] | None,
    second_dims: SecondDims,
    z: str | None,
    crs: Any,
    *,
    progress: bool | None,
) -> gpd.GeoDataFrame:
    """Return rows with points; see :meth:`.DatasetAccessor.to_geodataframe`."""
    reader = RowReader.of(opened, columns, second_dims)
    rule = PointRule.of(reader.rate, [column.name for column in reader.columns], z, crs)
    frame = frame_of(reader, progress=progress)
    named = (rule.latitude, rule.longitude, *((z,) if z is not None else ()))
    points = rule.points({name: _column(frame, name) for name in named})
    result = gpd.GeoDataFrame(frame, geometry=_geometry(points, rule))
    if rule.operation:
        result.attrs["transformation"] = rule.operation
    return result


def _geometry(points: Points, rule: PointRule) -> gpd.array.GeometryArray:
    geometry = np.full(len(points.x), None, object)
    with_z = points.has_z
    flat = points.exists & ~with_z
    geometry[flat] = shapely.points(points.x[flat], points.y[flat])
    if points.z is not None:
        high = points.exists & with_z
        geometry[high] = shapely.points(*(axis[high] for axis in points.coordinates))
    return gpd.array.from_shapely(geometry, crs=rule.crs)


def _column(frame: pd.DataFrame, name: str) -> ColumnValues:
    return ColumnValues(frame[name].to_numpy(np.float64, na_value=np.nan))
