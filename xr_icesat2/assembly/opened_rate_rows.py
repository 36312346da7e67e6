"""The rows of an opened rate, and where each row of the file is among them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr

from xr_icesat2.links.file_row_numbers import AlongTrackRows, Beam
from xr_icesat2.links.link_endpoint import track_of
from xr_icesat2.links.link_tables import row_tables
from xr_icesat2.links.row_range_map import RangeMap
from xr_icesat2.links.undecoded_values import nanoseconds, whole_numbers
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.products import Rate
from xr_icesat2.reading.row_ranges import RowRanges

__all__ = ["OpenedRows"]


@dataclass(frozen=True, eq=False)
class OpenedRows:
    """The rows of an opened rate."""

    opened: OpenedRate
    rate: Rate
    """With the names of the coordinates that the Dataset has."""
    track: AlongTrackRows

    @classmethod
    def of(cls, opened: OpenedRate) -> OpenedRows:
        """Return the rows of an opened rate.

        Raises
        ------
        LinkError
            It lacks coordinates of the engine.
        """
        rate = opened.rate
        if not opened.is_specified:
            names = {name: getattr(opened, name) for name in ("latitude", "longitude", "time")}
            rate = replace(rate, **names)
        return cls(opened, rate, track_of(opened))

    def by_ground_track(self) -> OpenedRows:
        """Return them with beams identified by ground track."""
        if self.track.by == "gt":
            return self
        locators = {**self.track.locators, "spot": self.opened.dataset["gt"].variable}
        return replace(self, track=replace(self.track, locators=locators, by="gt"))

    @cached_property
    def maps(self) -> Mapping[Beam, RangeMap]:
        """By beam, from rows of the file to positions in the raveled rows."""
        return {beam: table.ranges for beam, table in row_tables(self.track, {}).items()}

    @property
    def in_order(self) -> bool:
        """Whether the rows of each beam are in the order of the file."""
        return all((np.diff(one.positions) > 0).all() for one in self.maps.values())

    @cached_property
    def n_obs(self) -> Mapping[Beam, int]:
        """Rows of each beam in the file."""
        first = np.array([one.positions[0] for one in self.maps.values()], np.int64)
        found = self.track.read_at(self.track.locators["n_obs"], first)
        return dict(zip(self.maps, map(int, found), strict=True))

    def beam_rows(self, beam: Beam) -> RowRanges:
        """Return the rows of the file that the Dataset has of a beam."""
        found = self.maps.get(beam)
        if found is None:
            return RowRanges.of_range(0, 0)
        return RowRanges.of_ranges(found.starts, found.starts + found.lengths)

    def positions(self, beam: Beam, rows: RowRanges) -> np.ndarray:
        """Return the positions of rows of the file, which the Dataset has, in the raveled rows."""
        numbers = rows.rows()
        return self.maps[beam].find(numbers) if len(numbers) else numbers

    def beam_numbers(self, labels: np.ndarray) -> np.ndarray:
        """Return the numbers that identify beams."""
        return self.track.beam_numbers(labels)

    def variable(self, path: str) -> xr.Variable | None:
        """Return a variable by its path below the beam, rows first; None if there is none."""
        group, name = posixpath.split(path)
        if name not in self.opened.dataset.variables or group not in self.rate.groups:
            return None
        variable = self.opened.dataset[name].variable
        sizes = dict(zip(self.track.dims, self.track.shape, strict=True))
        if not set(self.track.dims) <= set(variable.dims):
            variable = variable.set_dims(sizes | dict(variable.sizes))
        return variable.transpose(*self.track.dims, ...)

    def values_at(
        self, path: str, variable: xr.Variable, positions: np.ndarray, *, raw: bool
    ) -> np.ndarray:
        """Return values of a variable that is in memory, as stored in the file or decoded."""
        array = variable.to_numpy()
        n = len(self.track.dims)
        taken: np.ndarray = array.reshape(-1, *array.shape[n:])[positions]
        if raw:
            return whole_numbers(path, taken, variable)
        if posixpath.basename(path) == self.rate.time:
            times = nanoseconds(taken, variable, self.track.name)
            decoded: np.ndarray = times.view("datetime64[ns]")
            return decoded
        return taken
