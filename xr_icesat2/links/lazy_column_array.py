"""A variable of a linked rate on the rows of another, in any layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xr_icesat2.reading.lazy_array import taken
from xr_icesat2.reading.load import Steps, StepwiseArray, lockstep
from xr_icesat2.reading.padded_array import Cut, Mosaic
from xr_icesat2.reading.selection import Index, indexer, normalise, orthogonal

from .beam_links import BeamLinks, BeamPosition, LinkedRows
from .file_row_numbers import load_values
from .photon_classes import class_numbers
from .row_range_map import NO_ROW

__all__ = ["AttachedColumn", "ColumnArray"]


@dataclass(frozen=True, slots=True, eq=False)
class AttachedColumn:
    """A variable of the linked rate, or of the rows themselves, and what is computed of it."""

    dtype: np.dtype
    """Dtype of the column."""
    padding: Any
    """Value of the column in padding."""
    variable: str | None = None
    """Name of the variable in the Dataset of the linked rate."""
    missing: Any = None
    """Value of the variable where a row has no linked row."""
    own: str | None = None
    """Path of a variable of the rows themselves, which is added to the other."""
    norm: bool = False
    """Whether it is the length of the vector along the last dimension."""
    classes: bool = False
    """Whether it holds classes of photons."""

    def computed(self, values: np.ndarray | None, own: np.ndarray | None, what: str) -> np.ndarray:
        """Return the column at rows, from values of the variables."""
        if values is None:
            values, own = np.asarray(own), None
        if self.norm:
            values = np.sqrt(np.square(values.astype(np.float64)).sum(axis=-1))
        if own is not None:
            values = values.astype(np.float64) + own
        if self.classes:
            values = class_numbers(values, self.missing, what)
        return values.astype(self.dtype, copy=False)


class ColumnArray(StepwiseArray):
    """A column on the rows of all beams; each beam is linked when it is read.

    Parameters
    ----------
    links
        Finds the linked rows.
    column
        What is attached.
    beams
        Position of each part of the mosaic.
    mosaic
        Place of each beam in the array.
    """

    def __init__(
        self,
        links: BeamLinks,
        column: AttachedColumn,
        beams: Sequence[BeamPosition],
        mosaic: Mosaic,
    ) -> None:
        self.links = links
        self.column = column
        self.beams = tuple(beams)
        self.mosaic = mosaic
        self.shape = mosaic.shape
        self.dtype = column.dtype

    def steps(self, key: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Read selected rows."""
        selections = [normalise(k, n) for k, n in zip(key, self.shape, strict=True)]
        cuts = list(self.mosaic.cut(selections))
        result = np.full([len(one) for one in selections], self.column.padding, self.dtype)
        parts = yield from lockstep([self._part(cut) for cut in cuts])
        for cut, values in zip(cuts, parts, strict=True):
            place = orthogonal(cut.target)
            result[place] = values.reshape(result[place].shape)
        return result[(*taken(key), ...)]

    def _part(self, cut: Cut) -> Steps[np.ndarray]:
        column, (rows, *rest) = self.column, map(indexer, cut.source)
        read = yield from self.links.steps(self.beams[cut.part], rows)
        parts = yield from lockstep([self._linked(read, rest), self._own(read, rows)])
        what = "" if self.links.target is None else self.links.target.end[0]
        return column.computed(parts[0], parts[1], what)

    def _linked(self, read: LinkedRows, rest: Sequence[Index]) -> Steps[np.ndarray | None]:
        """Read the variable of the linked rate at the rows."""
        column = self.column
        if column.variable is None:
            return None
        found = read.positions != NO_ROW
        if read.to is None:
            second = (1,) if column.norm else self.shape[len(self.shape) - len(rest) :]
            values = np.full((len(found), *second), column.missing)
        else:
            variable = read.to.variables[column.variable]
            values = np.full((len(found), *variable.shape[1:]), column.missing, variable.dtype)
            values[found] = yield from read.value_steps(variable)
        if column.norm:
            return values
        for axis, chosen in enumerate(rest, start=1):
            values = values[(slice(None),) * axis + (chosen,)]
        return values

    def _own(self, read: LinkedRows, rows: Index) -> Steps[np.ndarray | None]:
        """Read the variable of the rows themselves."""
        if self.column.own is None:
            return None
        part = read.beam.of.variable(self.column.own)[(rows,)]
        yield [part]
        return load_values(part)
