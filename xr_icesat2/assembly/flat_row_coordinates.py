"""Coordinates of flat rows: row labels, gran_idx, gt, spot, source_row.

They are constant in a beam, or count its rows. So one value is stored for each beam, not for each
row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing
from xarray.indexes import PandasIndex

from xr_icesat2.reading.lazy_array import index_outer
from xr_icesat2.reading.lazy_coordinate_index import LazyIndex
from xr_icesat2.reading.row_ranges import RowRanges
from xr_icesat2.reading.selection import indexer, interval, normalise, positions

from .beam_coordinates import beam_coords
from .granule_coordinates import PASS_COORDS, product_coord
from .merge_granules import MergedRate
from .reference_frames import SPATIAL_REF, spatial_ref

__all__ = ["RunArray", "coords_per_beam", "flat_row_coords", "flat_row_index", "row_labels"]

MAX_EAGER_ROWS = 1 << 24
"""Rows of several granules whose labels are computed at open: 128 MiB, in 0.05 to 0.3 s."""
ROW_BITS = 32
"""Bits of a label that count rows; those above are ``gran_idx``, which has eight digits at most."""
BeamValues: TypeAlias = Mapping[str, tuple[np.ndarray, dict[str, Any]]]
"""Keyed by coordinate: one value for each beam that has the rate, and the attributes."""


def coords_per_beam(merged: MergedRate, beams: Sequence[tuple[int, int]]) -> BeamValues:
    """Return the coordinates of each beam: granule, pass, spot, rows, track.

    Parameters
    ----------
    merged
        The rate.
    beams
        (granule number, position along :attr:`.MergedRate.dim`) of each beam.
    """
    coords = beam_coords(merged)
    index = {
        "gran_idx": np.array([granule for granule, _ in beams], np.intp),
        merged.dim: np.array([position for _, position in beams], np.intp),
    }

    def of_beams(name: str) -> tuple[np.ndarray, dict[str, Any]]:
        coord = coords[name]
        return coord.to_numpy()[tuple(index[str(dim)] for dim in coord.dims)], coord.attrs

    values = {name: of_beams(name) for name in ("gran_idx", merged.dim, "n_obs")}
    values["n_obs"] = values["n_obs"][0], {"long_name": f"rows of the beam: {merged.rate.name}"}
    if merged.is_cut:
        long_name = f"selected rows of the beam: {merged.rate.name}"
        values["n_rows"] = of_beams("n_rows")[0], {"long_name": long_name}
    for name in PASS_COORDS:
        if name in coords:
            # Half the width of the coordinate of granules, because a table repeats it in each row.
            array, attrs = of_beams(name)
            values[name] = array.astype(np.int32), attrs
    values |= {name: of_beams(name) for name in ("gt", "spot") if name in coords}
    return values


def flat_row_coords(
    merged: MergedRate, per_beam: BeamValues, beams: Sequence[tuple[int, int]]
) -> dict[str, xr.Variable]:
    """Return the coordinates along the rows: those of their beam, and ``source_row``.

    Parameters
    ----------
    merged
        The rate.
    per_beam
        As :func:`coords_per_beam` returns it.
    beams
        As for :func:`coords_per_beam`.
    """
    lengths = [int(merged.n_rows[beam]) for beam in beams]
    arrays = {
        name: (RunArray(values, lengths), attrs) for name, (values, attrs) in per_beam.items()
    }
    arrays["source_row"] = (
        _source_rows(merged, beams),
        {"long_name": "number of the row in its beam of the file"},
    )
    coords = {
        name: xr.Variable((merged.rate.along,), indexing.LazilyIndexedArray(array), attrs)
        for name, (array, attrs) in arrays.items()
    }
    identities = [one.identity for one in merged.granules]
    scalars = {
        "product": product_coord(identities[0].product),
        SPATIAL_REF: spatial_ref(identities),
    }
    return scalars | coords


def _source_rows(merged: MergedRate, beams: Sequence[tuple[int, int]]) -> RunArray:
    ranges = [merged.kept(beam) for beam in beams]
    starts = np.concatenate([np.empty(0, np.int64), *(one.starts for one in ranges)])
    lengths = np.concatenate([np.empty(0, np.int64), *(one.lengths for one in ranges)])
    return RunArray(starts, lengths, step=1)


def flat_row_index(merged: MergedRate) -> xr.Coordinates:
    """Return labels of rows that no two granules share.

    Those of a granule end below ``(gran_idx + 1) << 32``. xarray combines by the labels of an
    index, and silently keeps one of the files that begin with the same label. Counted up to a
    fixed end, two files of one granule, such as a subset and the whole, begin with different
    labels and overlap, which xarray refuses.
    """
    granules = np.array([one.identity.gran_idx for one in merged.granules], np.int64)
    long_name = f"label of the row; label >> {ROW_BITS} is gran_idx, source_row the row of the file"
    rows = merged.n_rows.sum(axis=1)
    return row_labels(merged.rate.along, granules, rows, merged.row_attrs(long_name))


def row_labels(
    along: str, granules: np.ndarray, rows: np.ndarray, attrs: Mapping[Any, Any]
) -> xr.Coordinates:
    """Return the indexed labels of rows, by the numbers and the rows of granules, in order."""
    ends = (granules + 1) << ROW_BITS
    numbers = indexing.LazilyIndexedArray(RunArray(ends - rows, rows.tolist(), step=1))
    labels = {along: xr.Variable((along,), numbers, attrs)}
    if len(rows) == 1:
        index = PandasIndex(pd.RangeIndex(int((ends - rows)[0]), int(ends[0]), name=along), along)
        return xr.Coordinates(index.create_variables(labels), indexes={along: index})
    return xr.Coordinates(labels) if rows.sum() <= MAX_EAGER_ROWS else LazyIndex.coordinates(labels)


class RunArray(BackendArray):
    """A one-dimensional array that is constant over runs of rows, or counts in them.

    Parameters
    ----------
    values
        One a run: that of all its rows, or of the first one if ``step`` is not 0.
    lengths
        Rows of each run.
    step
        Difference between a row and the next.
    """

    def __init__(
        self, values: np.ndarray, lengths: Sequence[int] | np.ndarray, step: int = 0
    ) -> None:
        self.values = values
        self.step = step
        self.ends = np.cumsum(np.asarray(lengths, np.int64))
        self.starts = self.ends - np.asarray(lengths, np.int64)
        self.shape = (int(self.ends[-1]) if len(self.ends) else 0,)
        self.dtype = values.dtype

    def select_rows(self, rows: RowRanges) -> RunArray:
        """Return the array of some rows."""
        edges = np.unique(np.concatenate([rows.starts, rows.stops, self.ends]))
        heads = np.flatnonzero(rows.contains(edges[:-1]))
        starts = edges[heads]
        run = np.searchsorted(self.ends, starts, side="right")
        values = self.values[run]
        if self.step:
            values = values + self.step * (starts - self.starts[run])
        return RunArray(values, edges[heads + 1] - starts, self.step)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Return the values of the rows that an xarray indexer selects."""
        return index_outer(key, self.shape, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        rows = normalise(key[0], self.shape[0])
        if isinstance(rows, range):
            found = self._read_range(rows)
            return found if isinstance(key[0], slice) else found[0]
        runs = np.searchsorted(self.ends, rows, side="right")
        found = self.values[runs]
        if self.step:
            found = found + self.step * (rows - self.starts[runs])
        return found

    def _read_range(self, rows: range) -> np.ndarray:
        """Fill run by run: ten times as fast as looking up each row."""
        found = np.empty(len(rows), self.dtype)
        if not len(rows):
            return found
        first, last = np.searchsorted(self.ends, sorted((rows[0], rows[-1])), side="right")
        for run in range(first, last + 1):
            piece = interval(rows, int(self.starts[run]), int(self.ends[run]))
            place = indexer(piece.target)
            found[place] = self.values[run]
            if self.step:
                found[place] += self.step * positions(piece.source)
        return found
