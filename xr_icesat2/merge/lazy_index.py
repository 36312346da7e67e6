"""An index on a dimension's own coordinate that reads nothing until it is used.

xarray reads a coordinate that is named like its dimension when a file is
opened, to index it. For ``delta_time`` of a photon group that would be hundreds
of megabytes, before anything was asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import xarray as xr
from xarray.core.indexing import IndexSelResult
from xarray.core.types import JoinOptions
from xarray.indexes import PandasIndex

__all__ = ["LazyIndex"]


class LazyIndex(xr.Index):
    """Labels of a dimension, read when something is selected by them or compared.

    Parameters
    ----------
    name
        Of the coordinate and its dimension.
    variable
        The lazy coordinate.
    """

    def __init__(self, name: Hashable, variable: xr.Variable) -> None:
        self._name = name
        self.variable = variable

    @classmethod
    def coordinates(cls, variables: Mapping[str, xr.Variable]) -> xr.Coordinates:
        """Give coordinates, each with such an index of its own."""
        indexes = {name: cls(name, variable) for name, variable in variables.items()}
        return xr.Coordinates(dict(variables), indexes=indexes)

    def create_variables(
        self, variables: Mapping[Any, xr.Variable] | None = None
    ) -> dict[Any, xr.Variable]:
        """Give the coordinate, as lazy as it is."""
        del variables  # what it was before a selection
        return {self._name: self.variable}

    def to_pandas_index(self) -> pd.Index:
        """Read the labels."""
        return self.loaded().index

    def sel(self, labels: dict[Any, Any], **options: Any) -> IndexSelResult:
        """Read the labels and select by them."""
        return self.loaded().sel(labels, **options)

    def isel(self, indexers: Mapping[Any, Any]) -> LazyIndex | None:
        """Give the labels at some positions, unread; None if no dimension is left."""
        variable = self.variable.isel({self._name: indexers[self._name]})
        return LazyIndex(self._name, variable) if variable.dims == (self._name,) else None

    def equals(self, other: xr.Index, *, exclude: frozenset[Hashable] | None = None) -> bool:
        """Compare labels, which reads them unless it is the very same coordinate."""
        del exclude  # there is one dimension: xarray asks for nothing if it is excluded
        if not isinstance(other, LazyIndex):
            return False
        mine, others = self.variable, other.variable
        return mine is others or bool(mine.equals(others))

    def join(self, other: LazyIndex, how: JoinOptions = "inner") -> LazyIndex:
        """Read the labels of both and join them, as xarray does for its own indexes."""
        joined = self.loaded().join(other.loaded(), how)
        return LazyIndex(self._name, joined.create_variables()[self._name])

    def reindex_like(
        self, other: LazyIndex, method: str | None = None, tolerance: Any = None
    ) -> dict[Hashable, Any]:
        """Read the labels of both and give the positions of the other's."""
        return self.loaded().reindex_like(other.loaded(), method, tolerance)

    def rename(
        self, name_dict: Mapping[Any, Hashable], dims_dict: Mapping[Any, Hashable]
    ) -> LazyIndex:
        """Follow the coordinate to another name."""
        name = name_dict.get(self._name, self._name)
        variable = self.variable.copy(deep=False)
        variable.dims = (dims_dict.get(self._name, self._name),)
        return LazyIndex(name, variable)

    def loaded(self) -> PandasIndex:
        """Read the labels."""
        name = self.variable.dims[0]
        return PandasIndex(pd.Index(self.variable.to_numpy(), name=name), name)
