"""Read the columns of a block of rows, all variables in one plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.reading.load import compute_variables, load_variables

from .column_values import ColumnValues
from .columns import SOURCE_ROW, Column, SecondDims, make_columns, row_dims
from .row_blocks import Block, RowBlocks, make_row_blocks

__all__ = ["RowReader"]

_MOST_ROWS = 1_000_000
_BLOCK_BYTES = 96 << 20
"""Values of a block: reading, selecting and encoding them takes several times as much memory."""


@dataclass(frozen=True)
class RowReader:
    """Reads columns of the rows of a Dataset."""

    rate: OpenedRate
    columns: list[Column]
    rows: RowBlocks

    @classmethod
    def of(
        cls,
        opened: xr.Dataset | xr.DataTree,
        columns: str | Iterable[str] | None,
        second_dims: SecondDims,
    ) -> RowReader:
        """Return the reader of what the user opened.

        Raises
        ------
        RateError
            It has not the rows of one rate, or lacks coordinates of the engine.
        SelectionError
            The columns do not exist.
        """
        rate = OpenedRate.of(opened)
        return cls(rate, make_columns(rate, columns, second_dims), make_row_blocks(rate))

    @cached_property
    def _variables(self) -> Mapping[str, xr.Variable]:
        known = self.rate.dataset.variables
        names = dict.fromkeys(column.variable for column in self.columns)
        return {name: known[name].to_base_variable() for name in names if name in known}

    @cached_property
    def _dims(self) -> tuple[str, ...]:
        return row_dims(self.rate)

    @cached_property
    def block_rows(self) -> int:
        """Positions of a block at most, by the size of a row."""
        size: int = sum(
            variable.dtype.itemsize * math.prod(self._second_sizes(variable))
            for variable in self._variables.values()
        )
        return max(1 << 10, min(_MOST_ROWS, _BLOCK_BYTES // max(1, size)))

    def _second_sizes(self, variable: xr.Variable) -> tuple[int, ...]:
        return tuple(size for dim, size in variable.sizes.items() if dim not in self._dims)

    def read(self, block: Block) -> dict[str, ColumnValues]:
        """Return the values of a block by column, padding left out."""
        taken = {
            name: variable.isel(block, missing_dims="ignore")
            for name, variable in self._variables.items()
        }
        load_variables(taken.values(), progress=False)
        compute_variables(taken.values())
        sizes = self.rate.dataset.sizes
        shape = tuple(len(range(sizes[dim])[block.get(dim, slice(None))]) for dim in self._dims)
        real = self.rows.real(block, shape)
        rows = {name: self._select(variable, shape, real) for name, variable in taken.items()}
        if SOURCE_ROW not in rows:
            # Padded rows have their number in the beam as label.
            labels = self.rate.dataset.indexes[self.rate.along][
                block.get(self._dims[-1], slice(None))
            ]
            numbers = np.broadcast_to(labels.to_numpy(), shape)
            rows[SOURCE_ROW] = numbers.ravel() if real is None else numbers[real]
        return {column.name: column.take(rows[column.variable]) for column in self.columns}

    def _select(
        self, variable: xr.Variable, shape: tuple[int, ...], real: np.ndarray | None
    ) -> np.ndarray:
        """Return the values of rows: first rows, then second dimensions."""
        second = [dim for dim in variable.dims if dim not in self._dims]
        ordered = variable.transpose(*(d for d in self._dims if d in variable.dims), *second)
        rest = self._second_sizes(variable)
        own = [variable.sizes.get(dim, 1) for dim in self._dims]
        values = np.broadcast_to(ordered.to_numpy().reshape(*own, *rest), (*shape, *rest))
        selected: np.ndarray = values.reshape(-1, *rest) if real is None else values[real]
        return selected
