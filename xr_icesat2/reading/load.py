"""Load the lazy variables of Datasets in one plan, also those computed from other variables.

An array that is computed from others (:class:`StepwiseArray`) yields what it needs next. Each step
is one burst of requests. Several arrays take their steps together, so that many columns cost as
many round trips as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Hashable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from xr_icesat2.progress import ProgressCallback, no_progress, progress_bar

from .execute import PendingArray, execute
from .lazy_array import GranuleArray, index_outer, taken
from .lazy_coordinate_index import lazy_variable

__all__ = [
    "Steps",
    "StepwiseArray",
    "compute_variables",
    "load_variables",
    "lockstep",
    "run_steps",
    "stored_in",
    "whole_array",
]

A = TypeVar("A")
T = TypeVar("T")
WRAPPERS = (indexing.MemoryCachedArray, indexing.CopyOnWriteArray)
Steps: TypeAlias = Generator[Sequence[xr.Variable], None, T]
"""Yields the variables that are needed next; resumes when their values are in memory, in place."""


class StepwiseArray(BackendArray):
    """An array that is computed from other lazy variables when it is indexed."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def steps(self, key: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Read what an int, slice or 1-D array for each dimension selects."""
        raise NotImplementedError

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Read what an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    async def async_getitem(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Read in a thread; the byte source limits how many requests run at once."""
        return await asyncio.to_thread(self.__getitem__, key)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        return run_steps(self.steps(key))


def load_variables(variables: Iterable[xr.Variable], *, progress: bool | None) -> None:
    """Load, in place, those variables that are stored in granules and not read yet.

    Variables that are in memory, or made of dask arrays, are left as they are. ``progress`` is
    whether a bar shows when it takes long; None: where standard error is a terminal.
    """
    with progress_bar("loading", "B", shown=progress) as count:
        run_steps(_filled([lazy_variable(variable) for variable in variables]), count)


def run_steps(steps: Steps[T], count: ProgressCallback = no_progress) -> T:
    """Load what each step needs, and return the result; ``count`` counts bytes."""
    plain = _nested(steps)
    while True:
        try:
            wanted = next(plain)
        except StopIteration as end:
            result: T = end.value
            return result
        _load_stored(wanted, count)


def lockstep(several: Iterable[Steps[T]]) -> Steps[list[T]]:
    """Take the steps of several computations together, and return their results in order."""
    waiting = dict(enumerate(several))
    results: dict[int, T] = {}
    while waiting:
        wanted: list[xr.Variable] = []
        for number, steps in list(waiting.items()):
            try:
                wanted += next(steps)
            except StopIteration as end:
                results[number] = end.value
                del waiting[number]
        if waiting:
            yield wanted
    return [results[number] for number in sorted(results)]


def _filled(variables: Sequence[xr.Variable]) -> Steps[None]:
    """Load variables in place; those that are computed take their steps together."""
    stored = [variable for variable in variables if not _found(variable, StepwiseArray)]
    computed = _grouped(variables, StepwiseArray)
    results = lockstep([_once(stored), *(_nested(a.steps(key)) for a, key, _ in computed)])
    values = yield from results
    for (_, _, alike), one in zip(computed, values[1:], strict=True):
        _place(one, alike)


def _once(variables: Sequence[xr.Variable]) -> Steps[Any]:
    if variables:
        yield variables


def _nested(steps: Steps[T]) -> Steps[T]:
    """Replace computed variables that steps need by the steps of these."""
    while True:
        try:
            wanted = next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        yield from _filled(wanted)


def _load_stored(variables: Sequence[xr.Variable], count: ProgressCallback) -> None:
    lazy = _grouped(variables, GranuleArray)
    pending: list[PendingArray] = [array.pending(key) for array, key, _ in lazy]
    execute(pending, count)
    for (_, key, alike), one in zip(lazy, pending, strict=True):
        _place(one.result[(*taken(key), ...)], alike)


def _place(values: np.ndarray, alike: Sequence[xr.Variable]) -> None:
    for variable in alike:
        # One each: to change one variable must not change another.
        variable.data = values if variable is alike[0] else values.copy()


def _grouped(
    variables: Sequence[xr.Variable], kind: type[A]
) -> list[tuple[A, tuple[Any, ...], list[xr.Variable]]]:
    """Return arrays of a kind with a selection of each, and the variables that hold just that."""
    groups: dict[Hashable, tuple[A, tuple[Any, ...], list[xr.Variable]]] = {}
    for variable in variables:
        found = _found(variable, kind)
        if found is not None:
            array, key = found
            groups.setdefault((id(array), _identity(key)), (array, key, []))[2].append(variable)
    return list(groups.values())


def compute_variables(variables: Iterable[xr.Variable]) -> None:
    """Compute, in place, variables made of dask arrays; shared tasks run once."""
    chunked = [variable for variable in variables if variable.chunks is not None]
    if chunked:
        from dask.base import compute  # noqa: PLC0415 - only where there are dask arrays

        computed = compute(*(variable.data for variable in chunked))  # type: ignore[no-untyped-call]
        for variable, values in zip(chunked, computed, strict=True):
            variable.data = values


def stored_in(variable: xr.Variable) -> GranuleArray | None:
    """Return the array that a lazy variable, or a selection of it, is read from."""
    found = _found(lazy_variable(variable), GranuleArray)
    return None if found is None else found[0]


def whole_array(variable: xr.Variable, kind: type[A]) -> A | None:
    """Return the lazy array of a kind that a variable is, if nothing of it was selected or read."""
    found = _found(lazy_variable(variable), kind)
    if found is None:
        return None
    array, key = found
    sizes = array.shape  # type: ignore[attr-defined]
    whole = all(
        isinstance(k, slice) and k.indices(n) == (0, n, 1) for k, n in zip(key, sizes, strict=True)
    )
    return array if whole else None


def _identity(key: tuple[Any, ...]) -> tuple[Hashable, ...]:
    """Return a key that two selections share only if they select the same."""
    return tuple(
        ("slice", k.start, k.stop, k.step)
        if isinstance(k, slice)
        else ("positions", k.dtype.str, k.shape, k.tobytes())
        for k in key
    )


def _found(variable: xr.Variable, kind: type[A]) -> tuple[A, tuple[Any, ...]] | None:
    """Return the array of a variable and what is selected of it, if it is of a kind."""
    data = variable._data  # noqa: SLF001 - there is no other way to see that it is lazy
    while isinstance(data, WRAPPERS):
        data = data.array
    if not isinstance(data, indexing.LazilyIndexedArray):
        return None
    if not isinstance(data.array, kind):
        return None
    key = data.key.tuple
    return data.array, tuple(k if isinstance(k, slice) else np.asarray(k) for k in key)
