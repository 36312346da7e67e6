"""Links between the beams of two rates; each beam is linked when it is first read."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import xarray as xr

from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.reading.load import Steps
from xr_icesat2.reading.selection import Index

from .declared_links import End
from .file_row_numbers import RowValues
from .link_endpoint import Endpoint
from .linkable_rates import LinkableRate
from .row_matcher import RowMatcher, make_matcher
from .row_range_map import NO_ROW

__all__ = ["BeamLinks", "BeamPosition", "LinkedRates", "LinkedRows", "rows_of_beams"]

MAX_BEAMS = 32
"""Beams whose links stay in memory after they were read, some megabytes each."""
BeamPosition = tuple[int, int]
"""Positions along ``gran_idx`` and along the dimension of beams."""


def rows_of_beams(dataset: xr.Dataset) -> np.ndarray:
    """Return the rows of each beam of a Dataset in ``layout="spot"`` (granules, beams)."""
    rows: np.ndarray = dataset["n_rows" if "n_rows" in dataset.coords else "n_obs"].to_numpy()
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Beams:
    """Where the beams of one rate are."""

    granules: np.ndarray
    """``gran_idx``."""
    tracks: np.ndarray
    """Ground tracks (granules, beams)."""
    rows: np.ndarray
    """Rows of each beam (granules, beams)."""
    dims: tuple[str, str, str]

    @classmethod
    def of(cls, dataset: xr.Dataset) -> _Beams:
        rows = rows_of_beams(dataset)
        tracks = np.broadcast_to(dataset["gt"].to_numpy(), rows.shape)
        granule, beam = map(str, dataset["n_obs"].dims)
        dims = granule, beam, OpenedRate.of(dataset).along
        return cls(dataset["gran_idx"].to_numpy(), tracks, rows, dims)


class LinkedRates:
    """Rates of the same passes in ``layout="spot"``.

    Parameters
    ----------
    by_end
        Datasets by product and group. Those of one product have the same granules.
    """

    def __init__(self, by_end: Mapping[End, xr.Dataset]) -> None:
        self.by_end = by_end
        self._beams: dict[End, _Beams] = {}

    def beam(self, end: End, of: End, beam: BeamPosition) -> xr.Dataset | None:
        """Return the rows of a rate in a beam of the rate ``of``; None if it lacks the beam.

        Granules of a pass are of one orientation, so a ground track is the same beam in all.
        """
        here, there = self._beams_of(of), self._beams_of(end)
        granule = beam[0]
        if not np.array_equal(here.granules, there.granules):
            found = np.flatnonzero(there.granules == here.granules[granule])
            if len(found) != 1:
                return None
            granule = int(found[0])
        places = np.flatnonzero(there.tracks[granule] == here.tracks[beam])
        return self.rows(end, (granule, int(places[0]))) if len(places) else None

    def rows(self, end: End, beam: BeamPosition) -> xr.Dataset:
        """Return the rows of one beam of a rate."""
        beams = self._beams_of(end)
        keys: tuple[Any, ...] = (*beam, slice(0, int(beams.rows[beam])))
        return self.by_end[end].isel(dict(zip(beams.dims, keys, strict=True)))

    def _beams_of(self, end: End) -> _Beams:
        if end not in self._beams:
            self._beams[end] = _Beams.of(self.by_end[end])
        return self._beams[end]


class _LinkedBeam:
    """One beam with the same beam of a linked rate; the link is made when indices are in memory."""

    def __init__(self, of: Endpoint, sides: list[xr.Dataset], index: list[xr.Variable]) -> None:
        self.of = of
        self._sides = sides
        self.index = index
        """Variables that are read whole to find linked rows."""
        self._matcher: RowMatcher | None = None

    @property
    def to(self) -> xr.Dataset | None:
        """Rows of the linked rate in this beam; None if there are none."""
        return self._sides[0] if self._sides else None

    @property
    def matcher(self) -> RowMatcher | None:
        """Finder of linked rows; None if there are none."""
        if self._matcher is None and self._sides:
            to, *through = map(Endpoint.of, self._sides)
            self._matcher = make_matcher(self.of, to, through[0] if through else None)
            self.index = []
        return self._matcher


class LinkedRows:
    """Selected rows of a beam, with the positions of their linked rows."""

    def __init__(self, beam: _LinkedBeam, steps: Steps[RowValues]) -> None:
        self.beam = beam
        self._steps = steps
        self.needed = [*beam.index, *next(steps)]
        """Variables that must be in memory before :attr:`rows`."""
        self._rows: RowValues | None = None
        self._positions: np.ndarray | None = None
        self._checked = False

    @property
    def rows(self) -> RowValues:
        """The selected rows."""
        if self._rows is None:
            try:
                next(self._steps)
            except StopIteration as end:
                self._rows = end.value
        if self._rows is None:
            raise AssertionError("rows are read in one step")
        return self._rows

    @property
    def positions(self) -> np.ndarray:
        """Positions along the track of :attr:`.to`; :data:`NO_ROW` where there is none."""
        if self._positions is None:
            matcher = self.beam.matcher
            if matcher is None:
                self._positions = np.full(len(self.rows.real), NO_ROW, np.int64)
            else:
                self._positions = matcher.match(self.rows)
        return self._positions

    @property
    def to(self) -> xr.Dataset | None:
        """Rows of the linked rate in this beam; None if there are none."""
        return self.beam.to

    def value_steps(self, variable: xr.Variable) -> Steps[np.ndarray]:
        """Read a variable of :attr:`to` at the rows that have a linked row.

        Raises
        ------
        LinkError
            Linked rows have different times.
        """
        matcher = self.beam.matcher
        if matcher is None:
            raise AssertionError("there are no linked rows")
        found = self.positions[self.positions != NO_ROW]
        if not self._checked:
            self._checked = True
            yield from matcher.check_steps(self.rows, self.positions)
        return (yield from matcher.to.value_steps(variable, found))


class BeamLinks:
    """The link from each beam of one rate to that of another.

    Parameters
    ----------
    of
        The rate whose rows are matched.
    target
        The linked rate; None to read only variables of the rows themselves.
    rates
        Both rates, and the one through which they are linked.
    """

    def __init__(self, of: End, target: LinkableRate | None, rates: LinkedRates) -> None:
        self.of = of
        self.target = target
        self.rates = rates
        self._forget()

    def _forget(self) -> None:
        self._kept: dict[BeamPosition, _LinkedBeam] = {}
        # Columns that are read together share what they need.
        self._beams: WeakValueDictionary[BeamPosition, _LinkedBeam] = WeakValueDictionary()
        self._reads: WeakValueDictionary[Hashable, LinkedRows] = WeakValueDictionary()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was read."""
        return {"of": self.of, "target": self.target, "rates": self.rates}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def steps(self, beam: BeamPosition, rows: Index) -> Steps[LinkedRows]:
        """Read what links selected rows of a beam."""
        # Within a thread: each thread of dask goes through steps of its own.
        key = threading.get_ident(), beam, _identity(rows)
        read = self._reads.get(key)
        if read is None:
            linked = self._beam(beam)
            paths = self.target.rows.get(self.of, ()) if self.target else ()
            wanted = {path: linked.of.variable(path) for path in paths}
            read = LinkedRows(linked, linked.of.track.row_steps(wanted, (rows,)))
            self._reads[key] = read
        yield read.needed
        return read

    def _beam(self, beam: BeamPosition) -> _LinkedBeam:
        found = self._beams.get(beam)
        if found is None:
            found = self._link(beam)
            self._beams[beam] = found
        self._kept.pop(beam, None)
        while len(self._kept) >= MAX_BEAMS:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[beam] = found
        return found

    def _link(self, beam: BeamPosition) -> _LinkedBeam:
        of = Endpoint.of(self.rates.rows(self.of, beam))
        if self.target is None:
            return _LinkedBeam(of, [], [])
        ends = [end for end in (self.target.end, self.target.through) if end is not None]
        sides = {end: self.rates.beam(end, self.of, beam) for end in ends}
        present = {end: dataset for end, dataset in sides.items() if dataset is not None}
        if len(present) < len(ends):
            return _LinkedBeam(of, [], [])
        index = []
        for end, dataset in present.items():
            names = [path.rpartition("/")[2] for path in self.target.index.get(end, ())]
            # They are variables of this selection alone, so they may be loaded in place.
            index += [dataset.variables[name] for name in names if name in dataset.variables]
        return _LinkedBeam(of, list(present.values()), index)


def _identity(rows: Index) -> Hashable:
    """Return a key that two selections share only if they select the same."""
    if isinstance(rows, slice):
        return rows.start, rows.stop, rows.step
    return rows.shape, rows.tobytes()
