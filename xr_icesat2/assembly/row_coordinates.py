"""Read the coordinates that decide which rows are selected."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.model import Chunked
from xr_icesat2.products import Rate
from xr_icesat2.reading.decode_options import DecodeOptions
from xr_icesat2.reading.load import load_variables
from xr_icesat2.reading.row_ranges import RowRanges
from xr_icesat2.reading.selection import indexer

from .rate_headers import BeamRate, BeamVariable
from .track_prediction import BeamPrediction, TrackPrediction
from .variable import ArrayPart, DecodeRules, VariableLayout, build_variable

__all__ = ["CoordinateQuery", "CoordinateValues", "read_coordinates"]


@dataclass(frozen=True, slots=True)
class CoordinateQuery:
    """Variables of one rate of one beam, by which rows are selected."""

    granule: Granule | None
    """None if the values are in an opened Dataset."""
    rate: Rate
    beam: BeamRate
    decoded: tuple[str, ...]
    """Paths below the beam of coordinates, to be masked and decoded."""
    raw: tuple[str, ...] = ()
    """Paths below the beam of indices, to be read as stored."""
    rows: RowRanges | None = None
    """Rows to read; None: all that can be inside."""
    track: TrackPrediction | None = None
    """Predicts which rows can be inside; None: all can."""

    @property
    def prediction(self) -> BeamPrediction | None:
        """Return what is predicted of the rows to read; None: nothing."""
        if self.rows is not None or self.track is None or not self.beam.n_obs:
            return None
        segment = self.beam.variables.get(self.segment)
        if segment is None or segment.header.shape != (self.beam.n_obs,):
            return None
        if segment.header.dtype.kind not in "iu" or not set(self.place) <= set(self.decoded):
            return None
        layout = self.beam.variables[self.place[0]].header.layout
        chunk_rows = layout.chunk_shape[0] if isinstance(layout, Chunked) else 1
        return BeamPrediction(self.track, self.beam.n_obs, chunk_rows)

    @property
    def segment(self) -> str:
        """Path below the beam of the segment numbers."""
        return posixpath.join(self.rate.group, self.rate.track_segment or "")

    @property
    def place(self) -> tuple[str, str]:
        """Paths below the beam of longitude and latitude."""
        group, names = self.rate.group, (self.rate.longitude or "", self.rate.latitude or "")
        return posixpath.join(group, names[0]), posixpath.join(group, names[1])


@dataclass(frozen=True, slots=True)
class CoordinateValues:
    """What was read for one query."""

    rows: RowRanges
    """Rows of the file that the values belong to; all others are outside."""
    values: Mapping[str, np.ndarray]
    """One array for each path; the first dimension is along :attr:`rows`."""

    def merged(self, other: CoordinateValues) -> CoordinateValues:
        """Return the values of both, which have no row in common."""
        rows = np.concatenate([self.rows.rows(), other.rows.rows()])
        order = np.argsort(rows, kind="stable")
        values = {
            path: np.concatenate([array, other.values[path]])[order]
            for path, array in self.values.items()
        }
        return CoordinateValues(self.rows.union(other.rows), values)


def read_coordinates(
    queries: Sequence[CoordinateQuery], *, progress: bool | None = None
) -> list[CoordinateValues]:
    """Read all variables of all queries: in one burst, or in two if rows were not expected.

    Parameters
    ----------
    queries
        What to read.
    progress
        Whether a bar shows when it takes long; None: where standard error is a terminal.

    Returns
    -------
    list of CoordinateValues
        One for each query.
    """
    predictions = [query.prediction for query in queries]
    reads = [
        _Read(query, _rows_of(query, prediction), prediction)
        for query, prediction in zip(queries, predictions, strict=True)
    ]
    load_variables([v for read in reads for v in read.variables.values()], progress=progress)
    more = [read.unexpected() for read in reads]
    load_variables(
        [v for read in more if read is not None for v in read.variables.values()],
        progress=progress,
    )
    return [
        read.values() if rest is None else read.values().merged(rest.values())
        for read, rest in zip(reads, more, strict=True)
    ]


def _rows_of(query: CoordinateQuery, prediction: BeamPrediction | None) -> RowRanges:
    if prediction is not None:
        return prediction.first_rows()
    return query.beam.present if query.rows is None else query.rows


class _Read:
    """Some rows of a query.

    Parameters
    ----------
    query
        What to read.
    rows
        Which rows of it.
    prediction
        Predicts which others can be inside; None: none can.

    Attributes
    ----------
    variables : dict of str to xarray.Variable
        What has to be loaded.
    """

    def __init__(
        self, query: CoordinateQuery, rows: RowRanges, prediction: BeamPrediction | None = None
    ) -> None:
        self._query, self._rows = query, rows
        self._prediction = prediction if rows.count < query.beam.n_obs else None
        chosen = indexer(rows.at(range(rows.count)))
        self.variables = {
            path: _variable(query, path)[chosen] for path in (*query.decoded, *query.raw)
        }
        if self._prediction is not None:
            self.variables[_ALL_SEGMENTS] = _variable(query, query.segment)

    def values(self) -> CoordinateValues:
        """Return the loaded values."""
        values = {
            path: variable.to_numpy()
            for path, variable in self.variables.items()
            if path != _ALL_SEGMENTS
        }
        return CoordinateValues(self._rows, values)

    def unexpected(self) -> _Read | None:
        """Return what has to be read too, because of what was loaded."""
        if self._prediction is None:
            return None
        longitude, latitude = (self.variables[path].to_numpy() for path in self._query.place)
        segments = self.variables[_ALL_SEGMENTS].to_numpy()
        rows = self._prediction.missing_rows(self._rows, segments, longitude, latitude)
        return _Read(self._query, rows) if rows.count else None


_ALL_SEGMENTS = ""
"""Key of the segment numbers of all rows; no path."""


def _variable(query: CoordinateQuery, path: str) -> xr.Variable:
    """Return one variable of one beam, lazy."""
    if query.granule is None:
        raise AssertionError("not stored in a granule")
    found: BeamVariable = query.beam.variables[path]
    shape = found.header.shape
    part = ArrayPart(query.granule, found.path, found.header, (0,) * len(shape))
    dims = tuple(f"dim_{axis}" for axis in range(len(shape)))
    rules = DecodeRules(
        decoders=DecodeOptions() if path in query.decoded else DecodeOptions(mask_and_scale=False),
        decode_coords=True,
        ignore_fill=query.rate.ignore_fill,
    )
    layout = VariableLayout(path, dims, shape, 0, [part], padded=False)
    return build_variable(layout, rules)[0]
