"""Which rows of one granule a region and a window of time select, rate by rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from xr_icesat2.errors import LinkError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.products import PRODUCTS, ProductSpec, RangeLink, Rate
from xr_icesat2.reading.row_ranges import RowRanges

from .granule_track import read_track
from .rate_headers import BeamRate
from .resolved_granule import ResolvedGranule
from .row_coordinates import CoordinateQuery, CoordinateValues
from .row_filter import Places, RowFilter
from .rows_by_link import CoveredRanges, check_complete, rows_by_time
from .selection_coordinates import (
    LATITUDE,
    LONGITUDE,
    TIME,
    coordinate_path,
    locating_rates,
    range_indexes,
    read_locating_headers,
)
from .track_prediction import TrackPrediction

__all__ = ["GranuleRows", "Key", "Queries"]

Key: TypeAlias = tuple[str, int]
"""Name of a rate and number of a beam."""
Queries: TypeAlias = dict[Key, CoordinateQuery]
NO_PLACE = "a beam has neither latitude and longitude nor a link to them"
NO_PLACE_OR_TIME = f"{NO_PLACE}, or no times that can be decoded"
NEAR_METRES, NEAR_SECONDS = 5000.0, 1.0
"""How near to the row that locates them all rows are. Photons are in the 20 m of their segment, and
up to 1.5 km beside it if they are 15 km high and the spacecraft points 5° from nadir."""


@dataclass(slots=True)
class GranuleRows:
    """Selects the rows of one granule, in steps between which coordinates are read.

    Attributes
    ----------
    read
        What was read so far.
    notes
        What is to be said about the result.
    unlocated
        Rates of beams that have neither a place nor a link to one, and are kept whole.
    """

    name: str
    """Of the granule, in messages."""
    spec: ProductSpec | None
    """Specification of its product."""
    groups: Mapping[int, str]
    """Names of beams by their numbers."""
    rows: RowFilter
    rates: dict[str, Rate]
    """All that are opened, and those that decide about them."""
    opened: frozenset[str]
    beams: Mapping[Key, BeamRate]
    granule: Granule | None = None
    """Where coordinates are read; None: in an opened Dataset, of which rows may be left out."""
    track: TrackPrediction | None = None
    """Predicts which rows can be inside."""
    read: dict[Key, CoordinateValues] = field(default_factory=dict)
    covered: dict[Key, CoveredRanges] = field(default_factory=dict)
    tested: dict[Key, RowRanges] = field(default_factory=dict)
    """Selected rows of rates that are tested themselves, although another rate locates them."""
    times: dict[Key, CoordinateValues] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    unlocated: set[str] = field(default_factory=set)
    selected: dict[Key, RowRanges] = field(default_factory=dict)
    """Selected rows of each beam of the rates that are opened."""
    has_rows: bool = False
    """Whether anything of the granule is inside."""

    @classmethod
    def of(cls, one: ResolvedGranule, opened: Sequence[Rate], rows: RowFilter) -> GranuleRows:
        """Read the headers of all rates that decide about some rates."""
        spec = PRODUCTS.get(one.identity.product or "")
        rates = locating_rates(spec, opened, exact=rows.exact)
        beams: dict[Key, BeamRate] = {}
        for rate in rates.values():
            found = read_locating_headers(one, rate, spec)
            beams |= {(rate.name, number): beam for number, beam in found.items()}
        track = read_track(one.granule, one.identity, rows.region)
        names = frozenset(rate.name for rate in opened)
        url, groups = one.granule.url, one.selection.groups
        return cls(url, spec, groups, rows, rates, names, beams, one.granule, track)

    def first_queries(self) -> Queries:
        """Return queries for the places of rows, and for the links between rates."""
        timed = {
            by.group
            for rate in self.rates.values()
            if (by := rate.located_by) and (by.metres or self._link_of(rate) is None)
        }
        queries = {}
        for key, beam in self.beams.items():
            rate = self.rates[key[0]]
            if rate.located_by is None:
                paths = self._deciding(key, time=rate.group in timed)
            elif self._link_of(rate) is None:
                paths = self._paths(key, [TIME])
            else:
                continue
            raw = tuple(path for path in range_indexes(self.spec, rate) if path in beam.variables)
            if paths is not None:
                queries[key] = replace(self._query(key, paths, raw), track=self._track_of(rate))
        return queries

    def second_queries(self) -> Queries:
        """Check the links; return queries for the places of rows that have to be tested."""
        queries = {}
        for key, rate, link in self._linked():
            decider = (self._decider(rate).name, key[1])
            try:
                self.covered[key] = self._runs_of(link, key, decider)
            except LinkError as error:
                paths = self._deciding(key) if self._can_be_tested(key) else None
                if paths is None:
                    self._keep_whole(key, str(error))
                else:
                    queries[key] = self._query(key, paths)
                    if not self.rows.exact:
                        self.notes.add(self._note(key, str(error)))
                continue
            if self.rows.exact and self._can_be_tested(key):
                paths = self._deciding(key) or ()
                rows = self._near(key, decider) if link.tiling else None
                queries[key] = replace(self._query(key, paths), rows=rows)
        return queries

    def _near(self, key: Key, decider: Key) -> RowRanges:
        """Return rows that may be inside, for the row that locates them is near or unknown."""
        places, covered = self._places(decider), self.covered[key]
        near = self.rows.contains(places, NEAR_METRES, NEAR_SECONDS) | places.unknown
        if self.granule is not None:
            return covered.covered(near)
        # A Dataset may have photons without their segments.
        return self.beams[key].present.difference(covered.covered(~near))

    def third_queries(self) -> Queries:
        """Test rows that are tested themselves; return queries for times that others need."""
        queries = {}
        by_time = {
            (rate.located_by.group, number)
            for (name, number) in self.beams
            if (rate := self.rates[name]).located_by and self._link_of(rate) is None
        }
        for key, rate, _ in self._linked():
            beam, paths = self.beams[key], self._paths(key, [TIME])
            if key in self.read:
                if (tested := self._inside(key)) is None:
                    continue
                self.tested[key] = tested
                if paths and (self._decider(rate).group, key[1]) in by_time:
                    queries[key] = replace(self._query(key, paths), rows=self.tested[key])
            elif key in self.covered and rate.located_by and rate.located_by.metres and paths:
                ends = np.append(beam.present.starts[:1], beam.present.stops[-1:] - 1)
                queries[key] = replace(self._query(key, paths), rows=RowRanges.of_rows(ends))
        return queries

    def select(self, read: Callable[[Queries], dict[Key, CoordinateValues]]) -> None:
        """Select rows; ``read`` reads coordinates, which are not kept."""
        self.read |= read(self.first_queries())
        self.read |= read(self.second_queries())
        self.times |= read(self.third_queries())
        self.selected = self._selected()
        for values in (self.read, self.covered, self.tested, self.times):
            values.clear()

    def _selected(self) -> dict[Key, RowRanges]:
        """Return the selected rows of each beam of the rates that are opened."""
        own = {
            key: rows
            for key in self.read
            if self.rates[key[0]].located_by is None and (rows := self._inside(key)) is not None
        }
        for key, rate, _ in self._linked():
            decider = (self._decider(rate).name, key[1])
            if self.rows.exact and key in self.tested and key in self.covered and decider in own:
                own[decider] = own[decider].union(self.covered[key].segments_of(self.tested[key]))
        found: dict[Key, RowRanges] = {}
        for key, beam in self.beams.items():
            if key[0] not in self.opened:
                continue
            rate = self.rates[key[0]]
            if rate.located_by is None:
                rows = own.get(key)
            elif self._link_of(rate) is not None:
                rows = self.tested.get(key, self._covered(key))
            else:
                rows = self._by_time(key, own)
            if rows is None:
                self._keep_whole(key, NO_PLACE if self.rows.window is None else NO_PLACE_OR_TIME)
                rows = RowRanges.of_range(0, beam.n_obs)
            found[key] = rows
        decided = [*own.values(), *self.tested.values()]
        # What cannot be located is kept, and is no reason to leave a granule out.
        self.has_rows |= any(rows.count for rows in decided) or not (decided or self.covered)
        return found

    def _covered(self, key: Key) -> RowRanges | None:
        """Return the rows of one beam that selected segments cover."""
        rate, runs = self.rates[key[0]], self.covered.get(key)
        if runs is None or rate.located_by is None:
            return None
        by, decider = rate.located_by, (self._decider(rate).name, key[1])
        places = self._places(decider)
        if not self.rows.can_test(places):
            return None
        inside = self.rows.contains(places, by.metres, by.seconds)
        rows = runs.covered(inside)
        if by.metres:
            times = self.times.get(key)
            ends = None if times is None else next(iter(times.values.values()))
            rows = rows.union(runs.between(self.rows, places, by, ends))
            self.has_rows |= bool(rows.count)
        return rows

    def _by_time(self, key: Key, own: Mapping[Key, RowRanges]) -> RowRanges | None:
        """Return the rows of one beam that are valid when selected rows were measured."""
        rate = self.rates[key[0]]
        if rate.located_by is None or key not in self.read:
            return None
        decider = self._decider(rate)
        times = []
        if (there := (decider.name, key[1])) in own:
            read = self.read[there]
            times.append(self._time(there)[read.rows.positions_of(own[there])])
        for other, linked, _ in self._linked():
            if other[1] == key[1] and self._decider(linked) is decider and other in self.times:
                times.append(next(iter(self.times[other].values.values())))
        if not times or any(array.dtype.kind != "M" for array in (*times, self._time(key))):
            return None
        return rows_by_time(self._time(key), np.concatenate(times), rate.located_by.seconds)

    def _inside(self, key: Key) -> RowRanges | None:
        """Return the rows of one beam that are inside by their own place; None if unknown."""
        places = self._places(key)
        if not self.rows.can_test(places):
            return None
        inside = self.rows.contains(places)
        return RowRanges.of_rows(self.read[key].rows.rows()[inside])

    def _places(self, key: Key) -> Places:
        values = self.read[key].values
        time, latitude, longitude = (self._path(key, role) for role in (TIME, LATITUDE, LONGITUDE))
        return Places(
            longitude=values.get(longitude or ""),
            latitude=values.get(latitude or ""),
            time=values.get(time or ""),
        )

    def _time(self, key: Key) -> np.ndarray:
        return self.read[key].values[self._path(key, TIME) or ""]

    def _runs_of(self, link: RangeLink, key: Key, decider: Key) -> CoveredRanges:
        read = self.read.get(decider)
        if read is None or not {link.first, link.count} <= read.values.keys():
            raise LinkError(f"{link.one} is missing")
        beam, n_obs = self.beams[key], self.beams[decider].n_obs
        some = not read.rows.count or read.rows.count < n_obs
        if self.granule is None and link.tiling and some and not self.rows.exact:
            check_complete(link, read, beam.present, self._beam_name(key))
        return CoveredRanges.of(link, read, n_obs, beam.n_obs)

    def _linked(self) -> Iterator[tuple[Key, Rate, RangeLink]]:
        """Yield the beams of rates that are located by a link to another rate."""
        for key in self.beams:
            rate = self.rates[key[0]]
            link = self._link_of(rate)
            if link is not None:
                yield key, rate, link

    def _link_of(self, rate: Rate) -> RangeLink | None:
        if rate.located_by is None or self.spec is None:
            return None
        return self.spec.range_link(rate.located_by.group, rate.group)

    def _decider(self, rate: Rate) -> Rate:
        if rate.located_by is None or self.spec is None:
            return rate
        return self.spec.rate_of(rate.located_by.group)

    def _track_of(self, rate: Rate) -> TrackPrediction | None:
        """Return the prediction by which rows of a rate are left unread."""
        if rate.track_segment is None:
            return None
        # Whether the track is inside between two rows is decided by all rows.
        gaps = any(
            by is not None and by.group == rate.group and by.metres
            for by in (other.located_by for other in self.rates.values())
        )
        return None if gaps else self.track

    def _can_be_tested(self, key: Key) -> bool:
        return self._paths(key, [LATITUDE, LONGITUDE]) is not None

    def _deciding(self, key: Key, *, time: bool = False) -> tuple[str, ...] | None:
        """Return the paths of the coordinates that decide; None if one is missing."""
        roles = [LATITUDE, LONGITUDE] if self.rows.region is not None else []
        if self.rows.window is not None:
            roles.append(TIME)
        paths = self._paths(key, roles)
        if paths is not None and time and TIME not in roles:
            paths += self._paths(key, [TIME]) or ()
        return paths

    def _paths(self, key: Key, roles: Iterable[int]) -> tuple[str, ...] | None:
        paths = [self._path(key, role) for role in roles]
        return tuple(path for path in paths if path) if all(paths) else None

    def _path(self, key: Key, role: int) -> str | None:
        return coordinate_path(self.rates[key[0]], self.beams[key], role)

    def _query(
        self, key: Key, paths: tuple[str, ...], raw: tuple[str, ...] = ()
    ) -> CoordinateQuery:
        return CoordinateQuery(self.granule, self.rates[key[0]], self.beams[key], paths, raw)

    def _note(self, key: Key, why: str) -> str:
        rate = self.rates[key[0]]
        names = f"{rate.latitude} and {rate.longitude}"
        if self.rows.region is None:
            names = str(rate.time)
        return (
            f"{self.name}: rows of {self._beam_name(key)} are selected by {names}, not by "
            f"{self._decider(rate).name}: {why}"
        )

    def _keep_whole(self, key: Key, why: str) -> None:
        if key[0] in self.opened and self.beams[key].n_obs:
            self.unlocated.add(f"{key[0]} of {self.name}, where {why}")

    def _beam_name(self, key: Key) -> str:
        return f"{self.groups[key[1]]}/{key[0]}"
