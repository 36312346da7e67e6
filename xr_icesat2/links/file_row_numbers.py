"""Rows of a Dataset along the track: the beam of each, and its row in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.reading.load import Steps, run_steps

__all__ = ["AlongTrackRows", "Beam", "RowValues", "group_by_beam", "load_values"]

ROWS_PER_BLOCK = 1 << 20
"""Rows that are processed together, which bounds memory."""
Beam = tuple[int, int]
"""``gran_idx`` and spot, or what replaces it; see :attr:`AlongTrackRows.by`."""
_TRACKS = np.array(BEAMS)


@dataclass(frozen=True, slots=True, eq=False)
class RowValues:
    """Values of selected rows, in the order of a raveled array."""

    shape: tuple[int, ...]
    values: Mapping[str, np.ndarray]
    """``gran_idx``, ``spot``, ``row`` (in the file), ``n_obs``, requested variables; raveled."""

    @property
    def real(self) -> np.ndarray:
        """bool: which rows are not padding."""
        row = self.values["row"]
        real: np.ndarray = (row >= 0) & (row < self.values["n_obs"])
        return real


@dataclass(frozen=True, slots=True, eq=False)
class AlongTrackRows:
    """The rows of one rate in a Dataset, with the coordinates that locate them.

    It hides the layout: the coordinates of a row's beam are broadcast to the selected rows.
    """

    name: str
    """Name in error messages."""
    dims: tuple[str, ...]
    """Dimensions of the rows; the last is along the track."""
    shape: tuple[int, ...]
    locators: Mapping[str, xr.Variable]
    """``gran_idx``, ``spot``, ``row`` and ``n_obs``, each with some of :attr:`dims`."""
    by: str = "spot"
    """Coordinate that is ``spot`` in :attr:`locators`: ``spot``, ``gt`` (names numbered from 1),
    ``pair_track`` or ``profile``."""
    selected: frozenset[int] = frozenset()
    """``gran_idx`` of granules of which rows were selected, although this rate may have none."""
    by_orbit: bool = False
    """Whether beams are identified by orbit and profile, which pairs of beams share, and not by
    granule and beam."""

    def beam(self, beam: Beam) -> str:
        """Return the name of a beam of a granule in error messages."""
        number = beam[1]
        if self.by_orbit or self.by != "gt":
            which = f"{'profile' if self.by_orbit else self.by} {number}"
        else:
            which = BEAMS[number - 1]
        return f"{self.name}, {which} of granule {beam[0]}"

    @property
    def granules(self) -> frozenset[int]:
        """``gran_idx`` of all granules with rows, or of which rows were selected."""
        gran = self.locators["gran_idx"]
        # layout="flat" has one number for each row: read them in blocks.
        blocks = (
            gran[start : start + ROWS_PER_BLOCK]
            for start in range(0, max(1, gran.size), ROWS_PER_BLOCK)
        )
        few = blocks if gran.ndim else [gran]
        arrays = [*map(load_values, few), np.array(sorted(self.selected), np.int64)]
        return frozenset(int(n) for array in arrays for n in np.unique(self.granule_numbers(array)))

    def granule_numbers(self, gran_idx: np.ndarray) -> np.ndarray:
        """Return the numbers that identify granules: their own, or those of their orbits."""
        if not self.by_orbit:
            return gran_idx
        # Granules of whole orbits have the number of their first region; -1 is unknown.
        return np.where(gran_idx < 0, gran_idx, gran_idx // 100 * 100 + 1)

    def beam_numbers(self, loaded: np.ndarray) -> np.ndarray:
        """Return the numbers that identify beams, by their labels."""
        if self.by != "gt":
            return loaded
        # Missing beams have no name, and only padding.
        numbers = np.searchsorted(_TRACKS, loaded.astype(_TRACKS.dtype)) + 1
        return (numbers + 1) // 2 if self.by_orbit else numbers

    def rows(
        self, more: Mapping[str, xr.Variable] | None = None, key: tuple[Any, ...] | None = None
    ) -> RowValues:
        """Read selected rows, with more of their variables.

        ``key`` is an int, slice or array for each dimension; default: all rows.
        """
        return run_steps(self.row_steps(more, key))

    def row_steps(
        self, more: Mapping[str, xr.Variable] | None = None, key: tuple[Any, ...] | None = None
    ) -> Steps[RowValues]:
        """Take the steps of :meth:`rows`."""
        sizes = dict(zip(self.dims, self.shape, strict=True))
        keys = dict(zip(self.dims, key or [slice(None)] * len(self.dims), strict=True))
        kept = {d: k for d, k in keys.items() if isinstance(k, slice) or np.ndim(k)}
        shape = tuple(
            len(range(*k.indices(sizes[d]))) if isinstance(k, slice) else len(k)
            for d, k in kept.items()
        )
        taken = {
            name: variable[tuple(keys[str(dim)] for dim in variable.dims)]
            for name, variable in {**self.locators, **(more or {})}.items()
        }
        yield list(taken.values())
        values = {}
        for name, variable in taken.items():
            loaded = load_values(variable)
            if name == "spot":
                loaded = self.beam_numbers(loaded)
            elif name == "gran_idx":
                loaded = self.granule_numbers(loaded)
            sized = loaded.reshape([variable.sizes.get(dim, 1) for dim in kept])
            values[name] = np.broadcast_to(sized, shape).ravel()
        return RowValues(shape, values)

    def read_at(self, variable: xr.Variable, positions: np.ndarray) -> np.ndarray:
        """Read a variable, second dimensions last, at positions in the raveled rows."""
        return run_steps(self.value_steps(variable, positions))

    def value_steps(self, variable: xr.Variable, positions: np.ndarray) -> Steps[np.ndarray]:
        """Take the steps of :meth:`read_at`."""
        if not len(positions):
            rest = [size for dim, size in variable.sizes.items() if dim not in self.dims]
            return np.empty((0, *rest), variable.dtype)
        # Adjacent rows often share a position, which is read once.
        heads = np.flatnonzero(np.diff(positions, prepend=positions[0] - 1))
        found = dict(zip(self.dims, np.unravel_index(positions[heads], self.shape), strict=True))
        own = [dim for dim in self.dims if dim in variable.dims]
        ordered = variable.transpose(*own, ...)
        distinct = {dim: _distinct(found[dim]) for dim in own}
        part = ordered[{dim: selection for dim, (selection, _) in distinct.items()}]
        yield [part]
        values = load_values(part)[tuple(places for _, places in distinct.values())]
        repeated: np.ndarray = np.repeat(values, np.diff(heads, append=len(positions)), axis=0)
        return repeated

    def blocks(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Yield indexers of all rows, block by block, and the position of the first."""
        *outer, along = self.shape
        for number, at in enumerate(np.ndindex(*outer)):
            for start in range(0, along, ROWS_PER_BLOCK):
                yield (*at, slice(start, start + ROWS_PER_BLOCK)), number * along + start


def _distinct(positions: np.ndarray) -> tuple[slice | np.ndarray, np.ndarray]:
    """Return a selection of each position once, and the place of each in the selection."""
    first, last = int(positions.min()), int(positions.max())
    if last - first < len(positions):
        return slice(first, last + 1), positions - first
    found, places = np.unique(positions, return_inverse=True)
    return found, places.reshape(-1)


def load_values(variable: xr.Variable) -> np.ndarray:
    """Return the values, also of dask arrays."""
    if variable.chunks is not None:
        # This may run in a dask task, which must not wait for other tasks.
        variable = variable.compute(scheduler="synchronous")
    values: np.ndarray = variable.to_numpy()
    return values


def group_by_beam(rows: RowValues) -> Iterator[tuple[Beam, np.ndarray]]:
    """Yield the numbers of the rows of each beam, in order, without padding."""
    at = np.flatnonzero(rows.real)
    if not len(at):
        return
    gran, spot = rows.values["gran_idx"][at], rows.values["spot"][at]
    changes = np.flatnonzero((np.diff(gran) != 0) | (np.diff(spot) != 0)) + 1
    heads = np.concatenate([[0], changes])
    beams, which = np.unique(
        np.stack([gran[heads], spot[heads]], axis=1), axis=0, return_inverse=True
    )
    which = which.reshape(-1)
    if len(beams) == len(heads):
        stretches = np.split(at, changes)
        for number, beam in enumerate(beams):
            yield (int(beam[0]), int(beam[1])), stretches[int(np.argmax(which == number))]
        return
    of_row = np.repeat(which, np.diff(heads, append=len(at)))
    order = np.argsort(of_row, kind="stable")
    ends = np.searchsorted(of_row[order], np.arange(1, len(beams)))
    for beam, chosen in zip(beams, np.split(order, ends), strict=True):
        yield (int(beam[0]), int(beam[1])), at[chosen]
