"""Links between the beams of two rates; each beam is linked when it is first read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.reading.load import Steps, lockstep
from xr_icesat2.reading.selection import Index

from .declared_links import End
from .endpoint import Endpoint
from .linkable_rates import LinkableRate
from .row_matcher import RowMatcher, make_matcher
from .track_rows import RowValues

__all__ = ["BeamLinks", "BeamPosition", "LinkedBeam", "LinkedRates", "rows_of_beams"]

MOST_BEAMS = 32
"""Beams whose links stay in memory, some megabytes each."""
BeamPosition = tuple[int, int]
"""Positions along ``gran_idx`` and along the dimension of beams."""


def rows_of_beams(dataset: xr.Dataset) -> np.ndarray:
    """Return the rows of each beam of a Dataset in ``layout="spot"`` (granules, beams)."""
    rows: np.ndarray = dataset["n_rows" if "n_rows" in dataset.coords else "n_obs"].to_numpy()
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class LinkedRates:
    """Rates of the same passes in ``layout="spot"``.

    Attributes
    ----------
    by_end
        Datasets by product and group. Those of one product have the same granules.
    """

    by_end: Mapping[End, xr.Dataset]

    def beam(self, end: End, of: End, beam: BeamPosition) -> xr.Dataset | None:
        """Return the rows of a rate in a beam of the rate ``of``; None if it lacks the beam.

        Granules of a pass are of one orientation, so a ground track is the same beam in all.
        """
        here, there = self.by_end[of], self.by_end[end]
        granule = _granule(here, there, beam[0])
        if granule is None:
            return None
        track = _ground_tracks(here, beam[0])[beam[1]]
        places = np.flatnonzero(_ground_tracks(there, granule) == track)
        return self.rows(end, (granule, int(places[0]))) if len(places) else None

    def rows(self, end: End, beam: BeamPosition) -> xr.Dataset:
        """Return the rows of one beam of a rate."""
        dataset = self.by_end[end]
        *_, beams = dataset["n_obs"].dims
        rows = int(rows_of_beams(dataset)[beam])
        along = OpenedRate.of(dataset).along
        return dataset.isel({"gran_idx": beam[0], beams: beam[1], along: slice(0, rows)})


def _granule(here: xr.Dataset, there: xr.Dataset, position: int) -> int | None:
    numbers, others = here["gran_idx"].to_numpy(), there["gran_idx"].to_numpy()
    if np.array_equal(numbers, others):
        return position
    found = np.flatnonzero(others == numbers[position])
    return int(found[0]) if len(found) == 1 else None


def _ground_tracks(dataset: xr.Dataset, granule: int) -> np.ndarray:
    tracks = dataset["gt"]
    found: np.ndarray = (tracks[granule] if "gran_idx" in tracks.dims else tracks).to_numpy()
    return found


@dataclass(frozen=True, slots=True, eq=False)
class LinkedBeam:
    """One beam, with what finds its linked rows."""

    of: Endpoint
    to: xr.Dataset | None = None
    """Rows of the linked rate in this beam; None if there are none."""
    matcher: RowMatcher | None = None


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
        self._linked: dict[BeamPosition, LinkedBeam] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was read."""
        return {**self.__dict__, "_linked": {}}

    def steps(
        self, beam: BeamPosition, rows: Index, more: Iterable[str] = ()
    ) -> Steps[tuple[LinkedBeam, RowValues]]:
        """Read what links selected rows of a beam, and more variables of these rows by path."""
        linked = self._linked.get(beam)
        of = linked.of if linked is not None else Endpoint.of(self.rates.rows(self.of, beam))
        needed = self.target.rows.get(self.of, ()) if self.target else ()
        paths = dict.fromkeys((*needed, *more))
        own_rows = of.track.row_steps({path: of.variable(path) for path in paths}, (rows,))
        if linked is not None:
            return linked, (yield from own_rows)
        link: Steps[Any] = self._link(of, beam)
        parts: list[Any] = yield from lockstep([link, own_rows])
        self._keep(beam, parts[0])
        return parts[0], parts[1]

    def _link(self, of: Endpoint, beam: BeamPosition) -> Steps[LinkedBeam]:
        if self.target is None:
            return LinkedBeam(of)
        ends = [end for end in (self.target.end, self.target.through) if end is not None]
        found = {end: self.rates.beam(end, self.of, beam) for end in ends}
        sides = {end: dataset for end, dataset in found.items() if dataset is not None}
        if len(sides) < len(ends):
            return LinkedBeam(of)
        index: list[xr.Variable] = []
        for end, dataset in sides.items():
            names = [path.rpartition("/")[2] for path in self.target.index.get(end, ())]
            read = {n: dataset[n].variable.copy(deep=False) for n in names if n in dataset}
            sides[end] = dataset.assign_coords(read)
            index += [sides[end][name].variable for name in read]
        yield index
        to, *through = (Endpoint.of(dataset) for dataset in sides.values())
        matcher = make_matcher(of, to, through[0] if through else None)
        return LinkedBeam(of, to.dataset, matcher)

    def _keep(self, beam: BeamPosition, linked: LinkedBeam) -> None:
        while len(self._linked) >= MOST_BEAMS:
            self._linked.pop(next(iter(self._linked)), None)
        self._linked[beam] = linked
