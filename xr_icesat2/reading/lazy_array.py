"""The lazy array behind a variable: parts of datasets of granules, read when indexed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from xr_icesat2.available_memory import fits
from xr_icesat2.errors import TooLargeError
from xr_icesat2.granule.granule import Granule

from .decode import Decoder
from .execute import PendingArray, execute
from .granule_reader import DatasetRead, DecodeTarget
from .padded_array import Cut, Mosaic, gaps
from .row_ranges import RowRanges
from .selection import normalise

__all__ = ["GranuleArray", "index_outer", "taken"]


class GranuleArray(BackendArray):
    """An array of which each part is a dataset of a granule.

    Parameters
    ----------
    granules
        The granules of the parts.
    paths
        The paths of the parts in their granules, each once.
    parts
        int32 (parts, 3): position in ``granules``, in ``paths`` and in ``decoders``.
    mosaic
        The box of each part in the array.
    codings
        How stored values become values; all of one dtype. There are several where
        parts declare different fill values.

    Notes
    -----
    What is pickled is this object, once a variable in a dask graph: granules
    by reference (url and version), paths, and a few numbers a part; no chunk
    tables.
    """

    __slots__ = ("decoders", "dtype", "granules", "mosaic", "parts", "paths", "shape")

    def __init__(
        self,
        granules: Sequence[Granule],
        paths: Sequence[str],
        parts: np.ndarray,
        mosaic: Mosaic,
        decoders: Sequence[Decoder],
    ) -> None:
        self.granules = tuple(granules)
        self.paths = tuple(paths)
        self.parts = parts
        self.mosaic = mosaic
        self.decoders = tuple(decoders)
        self.shape = mosaic.shape
        self.dtype = decoders[0].dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Read what an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    async def async_getitem(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Read in a thread; the byte source limits how many requests run at once."""
        return await asyncio.to_thread(self.__getitem__, key)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        pending = self.pending(key)
        try:
            execute([pending])
        except TooLargeError:
            raise
        except MemoryError as error:
            raise self._too_large(pending.result.shape) from error
        return pending.result[(*taken(key), ...)]

    def select_rows(
        self, axis: int, rows: Mapping[tuple[int, ...], RowRanges], length: int
    ) -> GranuleArray:
        """Return the array of some positions along an axis; see :meth:`.Mosaic.select_rows`."""
        mosaic = self.mosaic.select_rows(axis, rows, length)
        return GranuleArray(self.granules, self.paths, self.parts, mosaic, self.decoders)

    def pending(self, key: tuple[Any, ...]) -> PendingArray:
        """Return the array that an int, slice or 1-D array per dimension selects, to be filled.

        Every dimension is still there: what an int selects is of size 1.

        Raises
        ------
        TooLargeError
            There is no memory for it.
        """
        selections = [normalise(k, n) for k, n in zip(key, self.shape, strict=True)]
        shape = tuple(len(selection) for selection in selections)
        cuts = list(self.mosaic.cut(selections))
        padding = self.decoders[0].padding
        padded = gaps(shape, self.mosaic.lead, cuts)
        # Linux hands out more than there is, and ends the process when it is used.
        size = math.prod(shape) * self.dtype.itemsize
        if not fits(size):
            raise self._too_large(shape)
        try:
            result = np.empty(shape, self.dtype)
            if padded is None:
                result[...] = padding
        except MemoryError as error:
            raise self._too_large(shape) from error
        return PendingArray(result, padding, padded or [], self._by_granule(cuts, result))

    def _too_large(self, shape: tuple[int, ...]) -> TooLargeError:
        size = math.prod(shape) * self.dtype.itemsize
        return TooLargeError(
            f"{self.granules[0].url}: {self.paths[0]} of shape {shape} needs {size:.3g} bytes, and "
            "more while it is read, which exceeds the available memory. Select less of it first, "
            "or open it with chunks={}."
        )

    def _by_granule(
        self, cuts: Sequence[Cut], result: np.ndarray
    ) -> dict[Granule, list[DatasetRead]]:
        sinks = [DecodeTarget(result, decoder) for decoder in self.decoders]
        wanted: dict[Granule, list[DatasetRead]] = {}
        for cut in cuts:
            granule, path, decoder = self.parts[cut.part].tolist()
            read = DatasetRead(self.paths[path], sinks[decoder], cut.source, cut.target)
            wanted.setdefault(self.granules[granule], []).append(read)
        return wanted


def taken(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the index that drops the dimensions that an int selects from."""
    # With an ellipsis behind it a single element stays an array: a short text keeps its type.
    return tuple(0 if np.ndim(k) == 0 and not isinstance(k, slice) else slice(None) for k in key)


def index_outer(
    key: indexing.ExplicitIndexer,
    shape: tuple[int, ...],
    read: Callable[[tuple[Any, ...]], np.ndarray],
) -> np.ndarray:
    """Read through ``read``, which takes an int, slice or 1-D array for each dimension.

    Basic and outer indexers are passed as they are, slices of any step included;
    only pointwise ones are taken apart by xarray.
    """
    if isinstance(key, indexing.BasicIndexer | indexing.OuterIndexer):
        return read(key.tuple)
    result: np.ndarray = indexing.explicit_indexing_adapter(
        key, shape, indexing.IndexingSupport.OUTER, read
    )
    return result
