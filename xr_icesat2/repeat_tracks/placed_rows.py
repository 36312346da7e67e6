"""Where rows of each cycle and ground track are on the axis along the reference ground track."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xr_icesat2.errors import MergeError, SelectionError
from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.links.file_row_numbers import AlongTrackRows, RowValues
from xr_icesat2.links.link_endpoint import Endpoint, with_ground_tracks
from xr_icesat2.messages import some_of
from xr_icesat2.products import Rate

__all__ = ["Cells", "PlacedRows", "TrackAxis", "choose_axis", "place_rows"]

CYCLE = "cycle"
"""Dimension of rates of which each row has values of several cycles."""
NOMINAL_LENGTH = 20.0
"""Nominal metres of a numbered segment of the reference ground track."""


@dataclass(frozen=True, slots=True)
class TrackAxis:
    """The axis along the track, and how rows are placed on it."""

    dim: str
    """``segment_id``, or ``x_atc``."""
    variables: tuple[str, ...]
    """Variables that place a row: the mean of their values."""
    step: float | None
    """Length of a bin in the unit of the variables; None: one row at each number."""
    attrs: Mapping[str, str]

    def positions(self, places: np.ndarray) -> np.ndarray:
        """Return the numbers (int64) of the bins of places, or the places themselves."""
        if self.step is None:
            return places.astype(np.int64)
        return np.floor(places / self.step).astype(np.int64)

    def labels(self, numbers: np.ndarray) -> np.ndarray:
        """Return the labels along the axis: numbers of segments, or middles of bins."""
        return numbers if self.step is None else (numbers + 0.5) * self.step


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The rows of one cycle and ground track, in the order of the axis."""

    rows: np.ndarray
    """int64: positions in the raveled rows."""
    starts: np.ndarray
    """int64 (cells + 1,): first of :attr:`rows` in each cell of the axis."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedRows:
    """All rows on the axis."""

    track: AlongTrackRows
    rgt: int
    cycles: np.ndarray
    tracks: tuple[str, ...]
    numbers: np.ndarray
    """int64: those along the axis that occur, ascending."""
    spots: np.ndarray
    """float (cycles, tracks): spot of each beam; NaN where there is none or it is unknown."""
    cells: Mapping[tuple[int, int], Cells]
    """By position of cycle and ground track."""


def choose_axis(endpoint: Endpoint, spacing: float | None) -> TrackAxis:
    """Choose how the rows of a rate are placed.

    Raises
    ------
    SelectionError
        The rate has a dimension of cycles, it has no fixed places and no ``spacing`` is given, or
        it lacks the variables.
    """
    rate, dataset = endpoint.rate, endpoint.dataset
    if CYCLE in rate.label_variables:
        raise SelectionError(
            f"{endpoint.name} has its cycles on the dimension {CYCLE!r} already, with the same "
            "places in each. Select cycles with ds.sel(cycle=[…]), without along_track."
        )
    exact = rate.track_segment if rate.segment_span is None else None
    if spacing is None:
        if exact is None:
            raise SelectionError(_begin_anywhere(endpoint, rate))
        attrs = {"long_name": "number of the 20 m segment of the reference ground track"}
        return _checked(endpoint, TrackAxis("segment_id", (exact,), None, attrs))
    middle = {"long_name": "middle of the bin along the reference ground track", "units": "meters"}
    if rate.x_atc is not None and (rate.x_atc in dataset.variables or rate.segment_span is None):
        return _checked(endpoint, TrackAxis("x_atc", (rate.x_atc,), spacing, middle))
    if rate.segment_span is None:
        raise SelectionError(
            f"{endpoint.name} has no distance along the track, so along_track cannot place its rows"
        )
    step = spacing / NOMINAL_LENGTH
    if step != round(step):
        raise SelectionError(
            f"spacing={spacing}: rows of {endpoint.name} are placed by the numbers of 20 m "
            "segments. Expected a multiple of 20 metres."
        )
    attrs = {"long_name": "middle of the bin, as a number of 20 m segments of the reference track"}
    return _checked(endpoint, TrackAxis("segment_id", rate.segment_span, step, attrs))


def _begin_anywhere(endpoint: Endpoint, rate: Rate) -> str:
    if rate.segment_span is None and rate.x_atc is None:
        return f"rows of {endpoint.name} have no place along the track, so cycles cannot be aligned"
    return (
        f"rows of {endpoint.name} begin at other places in each cycle. Pass spacing, the length of "
        "bins in metres, such as along_track(spacing=100)."
    )


def _checked(endpoint: Endpoint, axis: TrackAxis) -> TrackAxis:
    lacking = [name for name in axis.variables if name not in endpoint.dataset.variables]
    if lacking:
        raise SelectionError(
            f"{endpoint.name} lacks {', '.join(lacking)}, which along_track needs. Open it with "
            f"attach={lacking} if it is a column of a linked rate, else with these variables."
        )
    return axis


def place_rows(endpoint: Endpoint, axis: TrackAxis) -> PlacedRows:
    """Read the places of all rows, and sort the rows of each cycle and ground track.

    Raises
    ------
    MergeError
        The rows are of several reference ground tracks, or two rows are at one place.
    LinkError
        The Dataset lacks coordinates.
    """
    by_track = with_ground_tracks(endpoint)
    dataset, track = by_track.dataset, by_track.track
    needed = {name: dataset[name].variable for name in axis.variables}
    row_rgt = endpoint.rate.row_rgt
    rgt = row_rgt if row_rgt is not None and row_rgt in dataset.variables else "rgt"
    names = {"rgt": rgt, "cycle": "cycle_number"}
    if lacking := [name for name in names.values() if name not in dataset.variables]:
        raise SelectionError(
            f"{endpoint.name} lacks the coordinates {', '.join(lacking)}; keep the coordinates of "
            "the engine"
        )
    needed |= {key: dataset[name].variable for key, name in names.items()}
    if "spot" in dataset.coords:
        needed["number_of_spot"] = dataset["spot"].variable
    rows = track.rows(needed)
    places = np.mean([_float(rows.values[name]) for name in axis.variables], axis=0)
    kept = np.flatnonzero(rows.real & np.isfinite(places))
    numbers = axis.positions(places[kept])
    cycles, cycle = np.unique(rows.values["cycle"][kept].astype(np.int64), return_inverse=True)
    gts, gt = np.unique(rows.values["spot"][kept].astype(np.int64), return_inverse=True)
    lane = cycle.reshape(-1) * len(gts) + gt.reshape(-1)
    order = np.lexsort((numbers, lane))
    along, cell = np.unique(numbers, return_inverse=True)
    cells, spots = {}, np.full((len(cycles), len(gts)), np.nan)
    lanes = lane[order]
    bounds = np.searchsorted(lanes, np.arange(len(cycles) * len(gts) + 1))
    for n, (first, last) in enumerate(itertools.pairwise(bounds.tolist())):
        if first == last:
            continue
        own = order[first:last]
        counts = np.bincount(cell.reshape(-1)[own], minlength=len(along))
        key = divmod(n, len(gts))
        if axis.step is None and counts.max() > 1:
            raise MergeError(
                f"{endpoint.name}: segment {along[counts.argmax()]} of {BEAMS[gts[key[1]] - 1]} "
                f"occurs twice in cycle {cycles[key[0]]}. Leave one of the granules out."
            )
        cells[key] = Cells(kept[own], np.concatenate([[0], np.cumsum(counts)]))
        if "number_of_spot" in needed:
            spots[key] = rows.values["number_of_spot"][kept[own[0]]]
    tracks = tuple(BEAMS[number - 1] for number in gts)
    return PlacedRows(
        track, _one_track(rows, kept, endpoint, rgt), cycles, tracks, along, spots, cells
    )


def _float(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64, copy=False)


def _one_track(rows: RowValues, kept: np.ndarray, endpoint: Endpoint, name: str) -> int:
    """Return the reference ground track of all rows."""
    found = np.unique(rows.values["rgt"][kept].astype(np.int64))
    if not len(found):
        raise SelectionError(f"{endpoint.name} has no row with a place along the track")
    if len(found) > 1:
        raise MergeError(
            f"rows of {endpoint.name} are of {len(found)} reference ground tracks ({name}: "
            f"{some_of(map(str, found))}), which are different places. Open granules of one "
            f"track, or select it: ds.where(ds[{name!r}] == {found[0]})"
        )
    if found[0] < 0:
        raise MergeError(
            f"the reference ground track of {endpoint.name} is unknown. Open granules with their "
            "original names."
        )
    return int(found[0])


def coordinate(values: np.ndarray, dims: tuple[str, ...], long_name: str) -> xr.Variable:
    """Return a coordinate with its description."""
    return xr.Variable(dims, values, {"long_name": long_name})
