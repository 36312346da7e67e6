"""Placeholder values for variables that have no true values.

These are housekeeping data, calibrations and the like. Their values follow from the name, units,
flags and limits of the variable and the number of the row.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .array_types import Ints
from .tree_model import GranuleValues, ProductTree, TableVariable, TreeGroup, TreeRate

__all__ = ["CompletedValues", "placeholder_rows"]


_ROWS_OF_A_FLAG = 37
_WAVE = 211.0  # rows
_MISSING_EVERY = 101  # rows, where there is a fill value
# Middle of the values by their unit in small letters, where nothing else limits them.
_MIDDLES: Mapping[str, float] = {
    "counts": 12.0,
    "degrees": 0.01,
    "degreesc": 20.0,
    "joules": 1.5e-4,
    "meters": 0.5,
    "ns": 3.0,
    "ps": 40.0,
    "radians": 0.01,
    "seconds": 1e-9,
    "volts": 0.3,
}
_LENGTH = 1  # of a dimension of few events, whose length differs from granule to granule
_BEGIN = "ancillary_data/start_delta_time"
_SINCE = "seconds since 2018"


@dataclass(frozen=True, slots=True)
class CompletedValues:
    """Values of a product, with placeholders for all other variables of its tree.

    It is a :class:`.GranuleValues` itself.
    """

    values: GranuleValues
    """Values of the product."""
    tree: ProductTree
    """Tree of the granule."""

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam."""
        return self.values.rows(rate, beam)

    def block(self, rate: str, beam: str, start: int, stop: int) -> Mapping[str, NDArray[Any]]:
        """Return rows ``start:stop`` of all variables of a rate, by path below its group."""
        known = self.values.block(rate, beam, start, stop)
        found = self._rate(rate)
        rows = np.arange(start, stop)
        missing = {
            path: placeholder_rows(variable, path, rows, _shape(variable, found)[1:])
            for path, variable in _variables(found).items()
            if path not in known and variable.dims[0] == found.coordinates[0]
        }
        return {**missing, **known}

    def fixed(self, rate: str) -> Mapping[str, NDArray[Any]]:
        """Return the values of a rate's variables that have no rows, by path."""
        known = self.values.fixed(rate)
        found = self._rate(rate)
        missing = {
            path: _once(variable, path, _shape(variable, found))
            for path, variable in _variables(found).items()
            if path not in known and variable.dims[0] != found.coordinates[0]
        }
        return {**missing, **known}

    def constants(self) -> Mapping[str, NDArray[Any]]:
        """Return the values of variables stored once in a file, by path."""
        known = self.values.constants()
        begin = float(known[_BEGIN][0])
        missing = {}
        for group in self.tree.groups:
            for variable in group.variables:
                path = f"{group.path}/{variable.name}".lstrip("/")
                if path not in known:
                    shape = tuple(self._size(group, dim, known) for dim in variable.dims)
                    since = begin if variable.units.startswith(_SINCE) else None
                    missing[path] = _once(variable, path, shape, since)
        return {**missing, **known}

    def _size(self, group: TreeGroup, dim: str | int, known: Mapping[str, NDArray[Any]]) -> int:
        """Return the length of a dimension of a variable stored once."""
        if isinstance(dim, int):
            return dim
        scale = self.tree.scale(group.path, dim)
        if scale in known:
            return len(known[scale])
        return self.tree.scales[scale] or _LENGTH

    def attribute_values(self) -> Mapping[str, Any]:
        """Return the values that attributes contain."""
        return self.values.attribute_values()

    def _rate(self, name: str) -> TreeRate:
        return next(rate for rate in self.tree.rates if rate.name == name)


def placeholder_rows(
    variable: TableVariable, path: str, rows: Ints, shape: tuple[int, ...] = ()
) -> NDArray[Any]:
    """Return rows of a variable that change slowly within its limits.

    Parameters
    ----------
    variable
        Variable of the tree.
    path
        Path, which distinguishes it from similar variables.
    rows
        Numbers of the rows, which determine the values.
    shape
        Shape of one row.

    Returns
    -------
    ndarray
        ``(len(rows), *shape)``; NaN, or the fill value of an integer, in one of 101 rows where
        the variable has a fill value.
    """
    dtype = np.dtype(variable.dtype)
    phase = zlib.crc32(path.encode())
    # Steps, so that large tables compress well.
    place = rows[:, None] + 7 * (np.arange(math.prod(shape)) // 16)
    values = _values(variable, dtype, place + phase % 1009)
    missing = (rows + phase) % _MISSING_EVERY == 0
    if variable.fill is not None and dtype.kind in "fiu":
        values[missing] = np.nan if dtype.kind == "f" else variable.fill
    return np.asarray(values.reshape(len(rows), *shape))


def _values(variable: TableVariable, dtype: np.dtype[Any], place: Ints) -> NDArray[Any]:
    if dtype.kind == "S":
        text = f"synthetic {variable.name}".encode("ascii")
        return np.full(place.shape, text[: dtype.itemsize].ljust(dtype.itemsize), dtype)
    if variable.flags:
        flags = np.array([value for _, value in variable.flags])
        return np.asarray(flags[place // _ROWS_OF_A_FLAG % len(flags)])
    low, high = _limits(variable, dtype)
    values = low + (high - low) * (0.5 + 0.4 * np.sin(2 * np.pi * place / _WAVE))
    return np.asarray(values if dtype.kind == "f" else values.round())


def _limits(variable: TableVariable, dtype: np.dtype[Any]) -> tuple[float, float]:
    least, greatest = variable.valid
    middle = _MIDDLES.get(variable.units.lower(), 1.0)
    if dtype.kind != "f":
        middle = max(round(middle), 2)
    if least is None:
        least = 0.5 * middle if greatest is None else min(0.0, greatest)
    return least, least + middle if greatest is None else greatest


def _once(
    variable: TableVariable, path: str, shape: tuple[int, ...], since: float | None = None
) -> NDArray[Any]:
    """Return values of a variable without rows; scales count from 1."""
    rows = np.arange(shape[0])
    if since is not None:
        return np.broadcast_to(since + rows, shape)
    if variable.is_scale:
        return rows + 1
    return placeholder_rows(variable, path, rows, shape[1:])


def _shape(variable: TableVariable, rate: TreeRate) -> tuple[int, ...]:
    """Return the shape of a variable in a rate's groups; one row along the rate."""
    sizes = {rate.coordinates[0]: 1, **rate.sizes}
    return tuple(dim if isinstance(dim, int) else sizes[dim] for dim in variable.dims)


def _variables(rate: TreeRate) -> dict[str, TableVariable]:
    return {
        f"{group.path}/{variable.name}".lstrip("/"): variable
        for group in rate.groups
        for variable in group.variables
    }
