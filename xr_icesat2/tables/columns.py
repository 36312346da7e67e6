"""Columns of a table: their names, order and types."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import xarray as xr

from xr_icesat2.assembly.granule_coordinates import PASS_COORDS
from xr_icesat2.errors import SelectionError
from xr_icesat2.messages import did_you_mean, some_of
from xr_icesat2.opened_rate import OpenedRate

from .column_values import ColumnValues, ValueRule

__all__ = ["IDENTITY", "SOURCE_ROW", "Column", "SecondDims", "make_columns", "row_dims"]

SecondDims: TypeAlias = Literal["columns", "lists"]

IDENTITY = ("gran_idx", *PASS_COORDS, "spot", "gt", "pair_track", "profile")
"""Coordinates with one value for each beam of a granule, which identify its rows."""
SOURCE_ROW = "source_row"
"""Column with the number of a row in its beam of the file."""
_LEFT_OUT = ("n_obs", "n_rows", "product")
"""Coordinates of rows that describe no single row."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column."""

    name: str
    variable: str
    """Variable of the Dataset that it is made of."""
    rule: ValueRule
    position: tuple[int, ...] | None
    """Position along the second dimensions; None: all of them, as a list in each row."""
    depth: int
    """Number of second dimensions that are lists."""
    attrs: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of :attr:`position`, by dimension."""

    @property
    def is_identity(self) -> bool:
        """Whether it is constant in a beam, so that few values occur."""
        return self.variable in IDENTITY

    def take(self, rows: np.ndarray) -> ColumnValues:
        """Return the values of rows of the variable: first rows, then second dimensions."""
        for position in self.position or ():
            rows = rows[:, position]
        return self.rule.apply(rows)


def make_columns(
    rate: OpenedRate, columns: str | Iterable[str] | None, second_dims: SecondDims
) -> list[Column]:
    """Return the columns in their order: time and place, variables, identity.

    Parameters
    ----------
    rate
        The opened rate.
    columns
        Names of variables; None: all data variables along the track.
    second_dims
        Whether positions along other dimensions become columns or lists.

    Raises
    ------
    SelectionError
        A variable does not exist or has not one value for each row, or two columns would have
        one name.
    """
    if second_dims not in {"columns", "lists"}:
        raise SelectionError(f"second_dims={second_dims!r}: expected 'columns' or 'lists'")
    dataset = rate.dataset
    place = [name for name in (rate.time, rate.latitude, rate.longitude) if name]
    identity = [name for name in IDENTITY if name in dataset.coords and _fits(rate, name)]
    if columns is None:
        chosen = [str(name) for name, v in dataset.data_vars.items() if rate.along in v.dims]
    else:
        chosen = _listed(rate, columns)
    names = dict.fromkeys([*place, *chosen, *identity])
    made = [
        column
        for name in names
        for column in _columns_of(dataset, name, _second_dims(rate, name), second_dims)
    ]
    made.append(_source_row())
    _check_unique(made)
    return made


def _listed(rate: OpenedRate, columns: str | Iterable[str]) -> list[str]:
    """Return names of columns that the user lists, checked."""
    listed = [columns] if isinstance(columns, str) else list(columns)
    known = [str(n) for n in rate.dataset.variables if _fits(rate, str(n)) and n not in _LEFT_OUT]
    for name in listed:
        if not isinstance(name, str):
            raise SelectionError(f"columns: {name!r:.80} is not a name. Pass names of variables.")
        if name not in rate.dataset.variables:
            hint = rate.find_below(name) or did_you_mean(name, known)
            raise SelectionError(
                f"columns: there is no variable {name!r}.{hint} The variables are: {some_of(known)}"
            )
        if not _fits(rate, name):
            dims = rate.dataset[name].dims
            raise SelectionError(
                f"columns: {name} has the dimensions {dims} and no value for each row along "
                f"{rate.along}. Leave it out, and use it from the Dataset."
            )
    # The row number is always there.
    return [name for name in listed if name not in {rate.along, SOURCE_ROW}]


def row_dims(rate: OpenedRate) -> tuple[str, ...]:
    """Return the dimensions that rows have, in the order of the rows of a table."""
    outer = ("gran_idx", rate.beam_dim)
    return (*(str(dim) for dim in outer if dim in rate.dataset.dims), rate.along)


def _fits(rate: OpenedRate, name: str) -> bool:
    """Return whether a variable has values for each row, or for each beam or granule of rows."""
    dims = rate.dataset.variables[name].dims
    return rate.along in dims or set(dims) <= set(row_dims(rate))


def _second_dims(rate: OpenedRate, name: str) -> tuple[str, ...]:
    outer = row_dims(rate)
    return tuple(str(dim) for dim in rate.dataset.variables[name].dims if dim not in outer)


def _columns_of(
    dataset: xr.Dataset, name: str, dims: tuple[str, ...], second_dims: SecondDims
) -> list[Column]:
    """Return the columns of one variable."""
    variable = dataset.variables[name]
    rule = _identity_rule(name, variable) or ValueRule.of(name, variable)
    if not dims:
        return [Column(name, name, rule, (), 0, variable.attrs)]
    if second_dims == "lists":
        return [Column(name, name, rule, None, len(dims), variable.attrs)]
    labels = [_labels(dataset, dim) for dim in dims]
    return [
        Column(
            "_".join([name, *(str(label) for _, label in at)]),
            name,
            rule,
            tuple(position for position, _ in at),
            0,
            variable.attrs,
            {dim: str(label) for dim, (_, label) in zip(dims, at, strict=True)},
        )
        for at in itertools.product(*(enumerate(one) for one in labels))
    ]


def _identity_rule(name: str, variable: xr.Variable) -> ValueRule | None:
    """Return the rule of numbers that identify a beam: of one type in all layouts.

    Unknown spots are NaN in a Dataset, and missing in a table.
    """
    if name not in IDENTITY or variable.dtype.kind not in "iuf":
        return None
    dtype = np.dtype(np.int64 if name == "gran_idx" else np.int32)
    return ValueRule(name, dtype, None, variable.dtype.kind == "f")


def _labels(dataset: xr.Dataset, dim: str) -> list[Any]:
    """Return the labels along a second dimension, or positions where it has none."""
    coord = dataset.coords.get(dim)
    found: list[Any] = list(range(dataset.sizes[dim])) if coord is None else coord.values.tolist()
    return found


def _source_row() -> Column:
    attrs = {"long_name": "number of the row in its beam of the file"}
    return Column(SOURCE_ROW, SOURCE_ROW, ValueRule(SOURCE_ROW, np.dtype(np.int64)), (), 0, attrs)


def _check_unique(columns: Iterable[Column]) -> None:
    used: dict[str, str] = {}
    for column in columns:
        other = used.setdefault(column.name, column.variable)
        if other != column.variable or column.name in {"geometry", "bbox"}:
            raise SelectionError(
                f"two columns would be named {column.name!r}: of {other} and of "
                f"{column.variable}. Rename a variable (ds.rename), or use second_dims='lists'."
            )
