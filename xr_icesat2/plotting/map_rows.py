"""The rows that a map shows: where they are, and what colours them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.region import make_region

from .hue import Hue, make_hue
from .labels import beam_title, granules_title
from .tracks import Track, choose_variable, read_tracks

__all__ = ["MapRows", "read_map_rows"]

Floats = NDArray[np.float64]

_ROBUST = (1.0, 99.0)
_EDGE_STEP = 0.1
"""Degrees of an outline that are drawn as one straight line."""


@dataclass(frozen=True, slots=True, eq=False)
class MapRows:
    """All rows with a place, beam after beam."""

    name: str
    title: str
    longitude: Floats
    latitude: Floats
    values: NDArray[Any]
    hue: Hue
    outlines: Sequence[Floats]
    """Closed lines of (longitude, latitude), with points close together and without jumps."""
    tracks: Sequence[Track]
    counts: Sequence[int]
    """Rows of each track."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have a value."""
        if self.values.dtype.kind != "f":
            return np.ones(len(self.values), bool)
        return np.asarray(np.isfinite(self.values), bool)

    def places(self) -> tuple[Floats, Floats]:
        """Return longitude and latitude of all rows and outlines."""
        return (
            _joined([self.longitude, *(line[:, 0] for line in self.outlines)]),
            _joined([self.latitude, *(line[:, 1] for line in self.outlines)]),
        )

    def colour_limits(self, *, robust: bool) -> tuple[float, float]:
        """Return the least and the greatest value of the colour bar."""
        values = self.values[self.known]
        if not values.size:
            return 0.0, 1.0
        low, high = np.percentile(values, _ROBUST) if robust else (values.min(), values.max())
        return float(low), float(high)


def read_map_rows(
    given: xr.Dataset | xr.DataTree,
    variable: str | None,
    region: Any,
    *,
    spots: Any,
    granules: Any,
) -> MapRows:
    """Read the variable and the places of the chosen beams.

    Raises
    ------
    RateError, SelectionError
        As :meth:`.PlotMethods.map`.
    """
    opened = OpenedRate.of(given)
    name = choose_variable(opened, variable)
    _check_one_value(opened, name)
    outlines = () if region is None else make_region(region).outlines()
    tracks = read_tracks(opened, [name], spots=spots, granules=granules)
    placed = [np.isfinite(track.longitude) & np.isfinite(track.latitude) for track in tracks]
    chosen = list(zip(tracks, placed, strict=True))
    beam = f"\n{beam_title(tracks[0])}" if len(tracks) == 1 else ""
    return MapRows(
        name,
        granules_title(opened, tracks) + beam,
        _joined(track.longitude[which] for track, which in chosen),
        _joined(track.latitude[which] for track, which in chosen),
        _joined(track.values[name][which] for track, which in chosen),
        make_hue(name, opened, tracks),
        [_densified(np.array(line, float)) for line in outlines],
        tracks,
        [int(which.sum()) for which in placed],
    )


def _check_one_value(opened: OpenedRate, name: str) -> None:
    known = {"gran_idx", opened.beam_dim, opened.along}
    others = [str(dim) for dim in opened.dataset[name].dims if dim not in known]
    if others:
        dim = others[0]
        raise SelectionError(
            f"{name} has several values a row, along {' and '.join(others)}. Select one first, "
            f"such as ds.isel({dim}=0)"
        )


def _joined(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    listed = list(parts)
    return np.concatenate(listed) if listed else np.zeros(0)


def _densified(line: Floats) -> Floats:
    """Return a line, straight in longitude and latitude, with points that are close together."""
    line = np.stack([np.unwrap(line[:, 0], period=360), line[:, 1]], axis=-1)
    steps = np.abs(np.diff(line, axis=0)).max(axis=1, initial=0)
    counts = np.maximum(np.ceil(steps / _EDGE_STEP), 1).astype(int)
    at = np.concatenate(
        [i + np.arange(count) / count for i, count in enumerate(counts)] + [[len(line) - 1.0]]
    )
    rows = np.arange(len(line))
    return np.stack([np.interp(at, rows, line[:, i]) for i in range(2)], axis=-1)
