"""Read the coordinates that decide which rows are selected, in one burst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xr_icesat2.granule.granule import Granule
from xr_icesat2.products import Rate
from xr_icesat2.reading.decode_options import DecodeOptions
from xr_icesat2.reading.load import load_variables
from xr_icesat2.reading.row_ranges import RowRanges

from .rate_headers import BeamRate, BeamVariable
from .variable import ArrayPart, DecodeRules, VariableLayout, build_variable

__all__ = ["CoordinateQuery", "CoordinateValues", "read_coordinates"]


@dataclass(frozen=True, slots=True)
class CoordinateQuery:
    """Variables of one rate of one beam, by which rows are selected."""

    granule: Granule
    rate: Rate
    beam: BeamRate
    decoded: tuple[str, ...]
    """Paths below the beam of coordinates, to be masked and decoded."""
    raw: tuple[str, ...] = ()
    """Paths below the beam of indices, to be read as stored."""
    rows: RowRanges | None = None
    """Rows to read; None: all that can be inside."""


@dataclass(frozen=True, slots=True)
class CoordinateValues:
    """What was read for one query."""

    rows: RowRanges
    """Rows of the file that the values belong to; all others are outside."""
    values: Mapping[str, np.ndarray]
    """One array for each path; the first dimension is along :attr:`rows`."""


def read_coordinates(queries: Sequence[CoordinateQuery]) -> list[CoordinateValues]:
    """Read all variables of all queries in one burst, with a progress bar if it takes long.

    Returns
    -------
    list of CoordinateValues
        One for each query.
    """
    rows = [
        RowRanges.of_range(0, query.beam.n_obs) if query.rows is None else query.rows
        for query in queries
    ]
    variables = [
        {path: _variable(query, path)[chosen.at(range(chosen.count))] for path in _paths(query)}
        for query, chosen in zip(queries, rows, strict=True)
    ]
    load_variables([v for of_query in variables for v in of_query.values()], progress=None)
    return [
        CoordinateValues(chosen, {path: v.to_numpy() for path, v in of_query.items()})
        for chosen, of_query in zip(rows, variables, strict=True)
    ]


def _paths(query: CoordinateQuery) -> tuple[str, ...]:
    return (*query.decoded, *query.raw)


def _variable(query: CoordinateQuery, path: str) -> xr.Variable:
    """Return one variable of one beam, lazy."""
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
