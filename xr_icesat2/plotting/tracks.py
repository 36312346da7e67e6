"""Read what a picture shows: a few variables of each beam of each granule, in one burst."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.messages import did_you_mean, some_of
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.reading.load import compute_variables, load_variables

__all__ = ["Track", "choose_variable", "is_same_beam", "read_tracks"]

Floats = NDArray[np.float64]

_BEAMS = ("spot", "profile", "pair_track", "gt")
_LABELS = ("gran_idx", "rgt", "cycle_number", *_BEAMS, "data_start_utc", "n_obs", "n_rows")


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The rows of one beam in one granule."""

    labels: Mapping[str, Any]
    """``gran_idx``, ``rgt``, ``cycle_number``, ``spot``, ``gt`` …, as far as they are known."""
    latitude: Floats
    longitude: Floats
    x_atc: Floats | None
    """Distance along the track in metres, if the Dataset has it."""
    values: Mapping[str, NDArray[Any]]
    """By variable; rows are the first dimension."""
    time: np.datetime64
    """Time of the first row, NaT if it is unknown."""

    @property
    def beam(self) -> tuple[str, Any]:
        """Name and value of the coordinate that identifies the beam."""
        return next(
            (name, self.labels[name]) for name in (*_BEAMS, "gran_idx") if name in self.labels
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the rows of a track are in the Dataset."""

    labels: Mapping[str, Any]
    index: Mapping[str, Any]
    """Selection by :meth:`xarray.Variable.isel`; of dimensions that a variable may lack."""


def choose_variable(opened: OpenedRate, given: Any) -> str:
    """Return the name of the variable to draw: the given one, or the rate's main height.

    Raises
    ------
    SelectionError
        There is no such variable along the track; or none was given, and the rate has no main
        height, or the Dataset lacks it.
    """
    variables = opened.dataset.variables
    along = [str(name) for name, found in variables.items() if opened.along in found.dims]
    if given is None:
        if opened.rate.height not in variables:
            what = opened.rate.height or "main height"
            raise SelectionError(
                f"{opened.title} has no {what} here, which is drawn by default. Pass variable=, "
                f"one of: {some_of(along)}"
            )
        return str(opened.rate.height)
    if given not in variables:
        hint = opened.find_below(str(given)) or did_you_mean(str(given), along)
        raise SelectionError(
            f"There is no variable {given!r}.{hint} The variables "
            f"along the track are: {some_of(along)}"
        )
    return str(given)


def read_tracks(
    opened: OpenedRate,
    names: Iterable[str],
    *,
    spots: Any = None,
    granules: Any = None,
    like: Sequence[Track] | None = None,
) -> list[Track]:
    """Read variables and places of the chosen beams, or of those that others are on.

    All are read with one plan. Beams of which a granule has no rows are left out.

    Raises
    ------
    RateError
        The Dataset lacks latitude or longitude.
    SelectionError
        ``spots`` or ``granules`` selects no beam, or none is on those of ``like``.
    """
    latitude, longitude = opened.require("latitude", "longitude")
    x_atc = opened.rate.x_atc if opened.rate.x_atc in opened.dataset.variables else None
    places = _chosen(list(_places(opened, latitude)), spots, granules)
    if like is not None:
        places = _like(places, like, opened)
    wanted = dict.fromkeys(name for name in (latitude, longitude, x_atc, *names) if name)
    parts = [{n: _part(opened.dataset[n].variable, place) for n in wanted} for place in places]
    times = [_first_time(opened, place) for place in places]
    lazy = [one for part in parts for one in part.values()]
    lazy += [time for time in times if time is not None]
    load_variables(lazy, progress=None)
    compute_variables(lazy)
    tracks = []
    for place, part, time in zip(places, parts, times, strict=True):
        rows = _rows(opened, place)
        values = {name: _masked(one, opened.along, rows) for name, one in part.items()}
        x, y = (_one_a_row(values[name]) for name in (longitude, latitude))
        along = _one_a_row(values[x_atc]) if x_atc else None
        tracks.append(Track(place.labels, y, x, along, values, _start(time, place.labels)))
    return tracks


def _one_a_row(values: NDArray[Any]) -> Floats:
    """Return one number a row; the cycles of a reference point of ATL11 have one place."""
    rows = values.reshape(len(values), -1)[:, 0] if values.size else np.zeros(len(values))
    return np.asarray(rows, np.float64)


def _places(opened: OpenedRate, latitude: str) -> Iterator[_Place]:
    """Yield the beams with rows: positions along dimensions, or runs of flat rows."""
    dataset = opened.dataset
    labels = {name: dataset[name].variable for name in _LABELS if name in dataset.coords}
    on_rows = {n: np.asarray(v.values) for n, v in labels.items() if opened.along in v.dims}
    if on_rows:
        yield from _runs(labels, on_rows, opened.along)
        return
    dims = [str(dim) for dim in dataset[latitude].dims if dim != opened.along]
    dims = [dim for dim in dims if dim in {"gran_idx", opened.beam_dim}]
    for at in product(*(range(dataset.sizes[dim]) for dim in dims)):
        index = dict(zip(dims, at, strict=True))
        here = {n: v.isel(index, missing_dims="ignore") for n, v in labels.items()}
        found = {n: v.values[()] for n, v in here.items() if not v.ndim}
        if dataset.sizes[opened.along] and found.get("n_rows", found.get("n_obs", 1)) > 0:
            yield _Place(found, index)


def _runs(
    labels: Mapping[str, xr.Variable], on_rows: Mapping[str, NDArray[Any]], along: str
) -> Iterator[_Place]:
    """Yield the beams of flat rows, in order of their first rows."""
    keys = [v for n, v in on_rows.items() if n in {"gran_idx", *_BEAMS}]
    changes = np.zeros(len(keys[0]), bool)
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    firsts = np.flatnonzero(changes)
    starts = np.concatenate([[0], firsts]) if len(changes) else firsts
    ends = np.concatenate([firsts, [len(changes)]]) if len(changes) else firsts
    beams: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        beams.setdefault(tuple(key[start] for key in keys), []).append((start, end))
    for runs in beams.values():
        rows: Any = slice(*runs[0])
        if len(runs) > 1:
            rows = np.concatenate([np.arange(*run) for run in runs])
        first = runs[0][0]
        found = {n: on_rows[n][first] if n in on_rows else v.values[()] for n, v in labels.items()}
        yield _Place(found, {along: rows})


def _chosen(places: list[_Place], spots: Any, granules: Any) -> list[_Place]:
    for keyword, given, names in (
        ("spots", spots, ("spot", "gt", "profile", "pair_track")),
        ("granules", granules, ("gran_idx",)),
    ):
        if given is None:
            continue
        wanted = {"strong": [1, 3, 5], "weak": [2, 4, 6]}.get(given) if _is_text(given) else None
        listed = np.atleast_1d(given if wanted is None else wanted).tolist()
        kept = [p for p in places if any(p.labels.get(n) in listed for n in names)]
        if places and not kept:
            there = dict.fromkeys(str(p.labels[n]) for p in places for n in names if n in p.labels)
            raise SelectionError(
                f"{keyword}={given!r} selects no beam of this Dataset, which has {some_of(there)}"
            )
        places = kept
    return places


def is_same_beam(one: Track | _Place, other: Track) -> bool:
    """Return whether two tracks are of one beam on one pass."""
    a, b = one.labels, other.labels
    by = next((n for n in _BEAMS if _is_known(a.get(n)) and _is_known(b.get(n))), None)
    names = ("rgt", "cycle_number", *([by] if by else []))
    return by is not None and all(a[n] == b[n] for n in names if n in a and n in b)


def _is_known(label: Any) -> bool:
    return label is not None and label == label and label != ""  # noqa: PLR0124 - NaN


def _like(places: list[_Place], others: Sequence[Track], opened: OpenedRate) -> list[_Place]:
    kept = [place for place in places if any(is_same_beam(place, one) for one in others)]
    if others and not kept:
        raise SelectionError(
            f"over= has no rows of {opened.title} of the same reference ground track, cycle and "
            f"beam as what is drawn under it: {some_of(_names(others))}"
        )
    return kept


def _names(tracks: Sequence[Track]) -> list[str]:
    return [", ".join(f"{n} {v}" for n, v in t.labels.items() if n != "gran_idx") for t in tracks]


def _is_text(given: Any) -> bool:
    return isinstance(given, str)


def _part(variable: xr.Variable, place: _Place) -> xr.Variable:
    return variable.isel(place.index, missing_dims="ignore")


def _rows(opened: OpenedRate, place: _Place) -> int:
    rows = place.index.get(opened.along)
    if isinstance(rows, slice):
        return int(rows.stop - rows.start)
    return opened.dataset.sizes[opened.along] if rows is None else len(rows)


def _masked(variable: xr.Variable, along: str, rows: int) -> NDArray[Any]:
    """Return values with rows first, one for each row; fill values that xarray kept are NaN."""
    if along not in variable.dims:
        return np.broadcast_to(np.asarray(variable.values), (rows,))
    values = variable.transpose(along, ...).values
    fill = variable.attrs.get("_FillValue")
    if fill is not None and values.dtype.kind in "iuf":
        return np.where(values == fill, np.nan, values)
    return np.asarray(values)


def _first_time(opened: OpenedRate, place: _Place) -> xr.Variable | None:
    """Return the time of the first row; None if it is not decoded, or differs between cycles."""
    if opened.time is None:
        return None
    time = _part(opened.dataset[opened.time].variable, place)
    if time.dims != (opened.along,) or time.dtype.kind != "M" or not time.size:
        return None
    return time.isel({opened.along: slice(1)})


def _start(time: xr.Variable | None, labels: Mapping[str, Any]) -> np.datetime64:
    found: Any = np.datetime64("NaT") if time is None else time.values[0]
    if np.isnat(found):
        found = labels.get("data_start_utc", found)
    seconds: Any = np.asarray(found).astype("M8[s]")
    return np.datetime64(seconds.item(), "s")
