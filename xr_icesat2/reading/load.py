"""Load the lazy variables of Datasets in one plan."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from xr_icesat2.progress import progress_bar

from .execute import PendingArray, execute
from .lazy_array import GranuleArray, taken
from .lazy_coordinate_index import lazy_variable

__all__ = ["compute_variables", "load_variables"]

WRAPPERS = (indexing.MemoryCachedArray, indexing.CopyOnWriteArray)


def load_variables(variables: Iterable[xr.Variable], *, progress: bool | None) -> None:
    """Load, in place, those variables that are stored in granules and not read yet.

    Variables that are in memory, or made of dask arrays, are left as they are. ``progress`` is
    whether a bar shows when it takes long; None: where standard error is a terminal.
    """
    lazy: dict[Hashable, tuple[GranuleArray, tuple[Any, ...], list[xr.Variable]]] = {}
    for variable in map(lazy_variable, variables):
        found = _lazy(variable)
        if found is not None:
            array, key = found
            entry = lazy.setdefault((id(array), _identity(key)), (array, key, []))
            entry[2].append(variable)
    pending: list[PendingArray] = [array.pending(key) for array, key, _ in lazy.values()]
    with progress_bar("loading", "B", shown=progress) as count:
        execute(pending, count)
    for (_, key, alike), one in zip(lazy.values(), pending, strict=True):
        values = one.result[(*taken(key), ...)]
        for variable in alike:
            # One each: to change one variable must not change another.
            variable.data = values if variable is alike[0] else values.copy()


def compute_variables(variables: Iterable[xr.Variable]) -> None:
    """Compute, in place, variables made of dask arrays; shared tasks run once."""
    chunked = [variable for variable in variables if variable.chunks is not None]
    if chunked:
        from dask.base import compute  # noqa: PLC0415 - only where there are dask arrays

        computed = compute(*(variable.data for variable in chunked))  # type: ignore[no-untyped-call]
        for variable, values in zip(chunked, computed, strict=True):
            variable.data = values


def _identity(key: tuple[Any, ...]) -> tuple[Hashable, ...]:
    """Return a key that two selections share only if they select the same."""
    return tuple(
        ("slice", k.start, k.stop, k.step)
        if isinstance(k, slice)
        else ("positions", k.dtype.str, k.shape, k.tobytes())
        for k in key
    )


def _lazy(variable: xr.Variable) -> tuple[GranuleArray, tuple[Any, ...]] | None:
    """Return the array of a variable and what is selected of it, if it is one of ours."""
    data = variable._data  # noqa: SLF001 - there is no other way to see that it is lazy
    while isinstance(data, WRAPPERS):
        data = data.array
    if not isinstance(data, indexing.LazilyIndexedArray):
        return None
    if not isinstance(data.array, GranuleArray):
        return None
    key = data.key.tuple
    return data.array, tuple(k if isinstance(k, slice) else np.asarray(k) for k in key)
