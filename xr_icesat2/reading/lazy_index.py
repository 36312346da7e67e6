"""An index on a dimension's own coordinate that reads nothing until it is used.

xarray reads a coordinate that is named like its dimension when a file is
opened, to index it. For ``delta_time`` of a photon group that would be hundreds
of megabytes, before anything was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing
from xarray.indexes import PandasIndex

from .lazy_array import index_outer
from .selection import normalise

__all__ = ["LazyIndex", "behind"]


class _SameKind(type):
    """Makes a class equal to :class:`xarray.indexes.PandasIndex`.

    xarray aligns indexes that are equal in name, dimensions and type.
    """

    def __eq__(cls, other: object) -> bool:
        return cls is other or other is PandasIndex

    def __hash__(cls) -> int:
        return hash(PandasIndex)


class LazyIndex(PandasIndex, metaclass=_SameKind):
    """A :class:`xarray.indexes.PandasIndex` of which the labels are not read yet.

    It is one in name, too, as soon as they are: its class changes.

    Parameters
    ----------
    name
        Of the coordinate.
    variable
        The lazy coordinate, of one dimension.
    """

    def __init__(self, name: Hashable, variable: xr.Variable) -> None:
        self.name = name
        self.variable = variable
        self.dim = variable.dims[0]
        self.coord_dtype = variable.dtype

    @classmethod
    def from_variables(
        cls, variables: Mapping[Any, xr.Variable], *, options: Mapping[str, Any]
    ) -> LazyIndex:
        """Give the index of one coordinate."""
        del options
        ((name, variable),) = variables.items()
        return cls(name, variable)

    @classmethod
    def coordinates(cls, variables: Mapping[str, xr.Variable]) -> xr.Coordinates:
        """Give coordinates, each with such an index of its own."""
        indexes = {name: cls(name, variable) for name, variable in variables.items()}
        lazy = {name: index.create_variables(variables)[name] for name, index in indexes.items()}
        return xr.Coordinates(lazy, indexes=indexes)

    def __getattr__(self, attribute: str) -> Any:
        # The place of the labels is empty until somebody looks at them.
        if attribute != "index":
            raise AttributeError(f"{type(self).__name__} has no {attribute!r}")
        read = PandasIndex.from_variables({self.name: self.variable}, options={})
        self.index = read.index
        self.__class__ = PandasIndex  # type: ignore[assignment]
        return self.index

    @classmethod
    def concat(cls, indexes: Sequence[PandasIndex], dim: Hashable, positions: Any = None) -> Any:
        """Read the labels of all and put them end to end."""
        return PandasIndex.concat(indexes, dim, positions)

    def equals(self, other: xr.Index, *, exclude: frozenset[Hashable] | None = None) -> bool:
        """Compare labels, which are read for it, but for those of the same index."""
        return other is self or bool(super().equals(other, exclude=exclude))

    def create_variables(
        self, variables: Mapping[Any, xr.Variable] | None = None
    ) -> dict[Any, xr.Variable]:
        """Give the coordinate, as lazy as the index, with the attributes of that of its name."""
        coordinate = _Coordinate((self.dim,), indexing.LazilyIndexedArray(_Labels(self)))
        if variables is not None and self.name in variables:
            coordinate.attrs = variables[self.name].attrs
            coordinate.encoding = variables[self.name].encoding
        return {self.name: coordinate}

    def isel(self, indexers: Mapping[Any, Any]) -> PandasIndex | None:
        """Give the labels at some positions, unread; None if no dimension is left."""
        variable = self.variable.isel({self.dim: indexers[self.dim]})
        return LazyIndex(self.name, variable) if variable.dims == (self.dim,) else None

    def rename(
        self, name_dict: Mapping[Any, Hashable], dims_dict: Mapping[Any, Hashable]
    ) -> LazyIndex:
        """Follow the coordinate to another name."""
        variable = self.variable.copy(deep=False)
        variable.dims = (dims_dict.get(self.dim, self.dim),)
        return LazyIndex(name_dict.get(self.name, self.name), variable)

    def _copy(self, deep: bool = True, memo: dict[int, Any] | None = None) -> LazyIndex:
        # Labels do not change: so they are read once for all copies.
        del deep, memo
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return LazyIndex, (self.name, self.variable)

    def __repr__(self) -> str:
        return f"PandasIndex({self.name!r}: labels not read yet)"


class _Coordinate(xr.Variable):
    """A coordinate that is indexed: like all such ones, never made of dask arrays."""

    __slots__ = ()

    def chunk(self, *chunks: Any, **options: Any) -> _Coordinate:
        """Give the same."""
        del chunks, options
        return self.copy(deep=False)


class _Labels(BackendArray):
    """The values of a coordinate: who reads all of them reads them for its index, too."""

    def __init__(self, owner: LazyIndex) -> None:
        self.owner: PandasIndex = owner
        self.variable: xr.Variable = owner.variable
        self.shape = self.variable.shape
        self.dtype = np.dtype(owner.coord_dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Give the labels that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    async def async_getitem(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Read in a thread; the byte source bounds what is under way at once."""
        return await asyncio.to_thread(self.__getitem__, key)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        (size,) = self.shape
        rows = normalise(key[0], size)
        if isinstance(self.owner, LazyIndex) and not (
            isinstance(rows, range) and len(rows) == size
        ):
            found: np.ndarray = self.variable[key].to_numpy()
        else:
            found = np.asarray(self.owner.index, self.dtype)[key]
        return found


def behind(variable: xr.Variable) -> xr.Variable:
    """Give what an index reads, if a variable is all of its coordinate; others as they are."""
    data = variable._data  # noqa: SLF001 - there is no other way to see that it is lazy
    array = data.array if isinstance(data, indexing.LazilyIndexedArray) else None
    if isinstance(array, _Labels) and data.shape == array.shape:
        variable = array.variable
    return variable
