"""A lazy index, whose labels are read or computed when they are first needed.

xarray indexes each coordinate that is named like its dimension when a file is opened. For
``delta_time`` of a photon group that is hundreds of megabytes before anything was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing
from xarray.indexes import Index, PandasIndex

from .lazy_array import index_outer
from .selection import normalise

__all__ = ["LazyIndex", "lazy_variable"]


class LazyIndex(Index):
    """Labels along one dimension that are not in memory yet; selects as a pandas index does.

    Parameters
    ----------
    name
        Name of the coordinate.
    variable
        The coordinate, of one dimension. A lazy one is read at most once.

    Notes
    -----
    xarray aligns indexes of one type only: with a pandas index of other labels it raises
    ``AlignmentError``. Before aligning with one, or ``reindex``, make this one a pandas index:
    ``ds.drop_indexes(name).set_xindex(name)``.
    """

    def __init__(self, name: Hashable, variable: xr.Variable) -> None:
        self.name = name
        self.variable = variable
        (self.dim,) = variable.dims

    @classmethod
    def from_variables(
        cls, variables: Mapping[Any, xr.Variable], *, options: Mapping[str, Any]
    ) -> LazyIndex:
        """Return the index of one coordinate."""
        del options
        ((name, variable),) = variables.items()
        return cls(name, variable)

    @classmethod
    def coordinates(cls, variables: Mapping[str, xr.Variable]) -> xr.Coordinates:
        """Return lazy coordinates, each with an index of its own that shares what it reads."""
        indexes = {name: cls(name, _coordinate(variable)) for name, variable in variables.items()}
        lazy = {name: index.create_variables(variables)[name] for name, index in indexes.items()}
        return xr.Coordinates(lazy, indexes)

    @cached_property
    def labels(self) -> PandasIndex:
        """The index as xarray makes it of labels in memory."""
        return PandasIndex.from_variables({self.name: self.variable}, options={})

    @classmethod
    def of_labels(cls, labels: PandasIndex) -> LazyIndex:
        """Return an index of labels in memory, of the type that aligns with those that are not."""
        ((name, variable),) = labels.create_variables().items()
        return cls(name, _Coordinate(variable.dims, variable.to_numpy()))

    @classmethod
    def concat(
        cls,
        indexes: Sequence[Index],
        dim: Hashable,
        positions: Any = None,
    ) -> LazyIndex:
        """Return the labels of all indexes, one after another."""
        labels = PandasIndex.concat([_labels_of(index) for index in indexes], dim, positions)
        return cls.of_labels(labels)

    def create_variables(
        self, variables: Mapping[Any, xr.Variable] | None = None
    ) -> dict[Any, xr.Variable]:
        """Return the coordinate, as lazy as the index, with the attributes of the one given."""
        coordinate = self.variable.copy(deep=False)
        given = (variables or {}).get(self.name, xr.Variable((), 0))
        coordinate.attrs, coordinate.encoding = given.attrs, given.encoding
        return {self.name: coordinate}

    def to_pandas_index(self) -> pd.Index:
        """Return the labels as pandas has them."""
        return self.labels.to_pandas_index()

    def isel(self, indexers: Mapping[Any, Any]) -> LazyIndex | None:
        """Return the labels at some positions, unread; None if no dimension is left."""
        variable = self.variable.isel({self.dim: indexers[self.dim]})
        return LazyIndex(self.name, variable) if variable.dims == (self.dim,) else None

    def sel(
        self, labels: dict[Any, Any], method: str | None = None, tolerance: Any = None
    ) -> indexing.IndexSelResult:
        """Return the positions of labels."""
        return self.labels.sel(labels, method, tolerance)

    def equals(self, other: Index, *, exclude: frozenset[Hashable] | None = None) -> bool:
        """Return whether labels are equal; those of the same coordinate are not read for it."""
        del exclude
        if not isinstance(other, LazyIndex):
            return False
        return other.variable is self.variable or self.labels.equals(other.labels)

    def join(self, other: LazyIndex, how: Any = "inner") -> LazyIndex:
        """Return the labels of both or of either."""
        return LazyIndex.of_labels(self.labels.join(other.labels, how))

    def reindex_like(
        self, other: LazyIndex, method: str | None = None, tolerance: Any = None
    ) -> dict[Hashable, Any]:
        """Return the positions of the labels of another index."""
        return self.labels.reindex_like(other.labels, method, tolerance)

    def roll(self, shifts: Mapping[Any, int]) -> LazyIndex:
        """Return the labels shifted around the ends."""
        return LazyIndex.of_labels(self.labels.roll(shifts))

    def rename(
        self, name_dict: Mapping[Any, Hashable], dims_dict: Mapping[Any, Hashable]
    ) -> LazyIndex:
        """Return the index under another name."""
        variable = self.variable.copy(deep=False)
        variable.dims = (dims_dict.get(self.dim, self.dim),)
        return LazyIndex(name_dict.get(self.name, self.name), variable)

    def __reduce__(self) -> tuple[Callable[..., LazyIndex], tuple[Any, ...]]:
        return LazyIndex, (self.name, self.variable)

    def __repr__(self) -> str:
        return f"LazyIndex({self.name!r}: labels are read when they are needed)"


class _Coordinate(xr.Variable):
    """A coordinate that has an index: like every such one, never a dask array."""

    __slots__ = ()

    def chunk(self, *chunks: Any, **options: Any) -> _Coordinate:
        """Return the coordinate without chunks."""
        del chunks, options
        return self.copy(deep=False)


def _labels_of(index: Index) -> PandasIndex:
    if isinstance(index, LazyIndex):
        return index.labels
    if isinstance(index, PandasIndex):
        return index
    raise TypeError(f"a {type(index).__name__} has no labels that can be put behind others")


def _coordinate(variable: xr.Variable) -> _Coordinate:
    return _Coordinate(variable.dims, indexing.LazilyIndexedArray(_Labels(variable)))


class _Labels(BackendArray):
    """The labels of an index and of its coordinates: read whole, they are read once for all."""

    def __init__(self, variable: xr.Variable) -> None:
        self.variable = variable.copy(deep=False)
        self.shape = variable.shape
        self.dtype = np.dtype(variable.dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Return the labels that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Labels:
        # Labels do not change: they are read once for all copies.
        return self

    async def async_getitem(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Read in a thread; the byte source limits how many requests run at once."""
        return await asyncio.to_thread(self.__getitem__, key)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        rows = normalise(key[0], *self.shape)
        if isinstance(rows, range) and len(rows) == self.shape[0]:
            self.variable.load()
        return np.asarray(self.variable[key].to_numpy())


def lazy_variable(coordinate: xr.Variable) -> xr.Variable:
    """Return the variable that a whole coordinate shares with its index; others unchanged."""
    data = coordinate._data  # noqa: SLF001 - nothing public returns a lazy array
    labels = data.array if isinstance(data, indexing.LazilyIndexedArray) else None
    if isinstance(labels, _Labels) and data.shape == labels.shape:
        return labels.variable
    return coordinate
