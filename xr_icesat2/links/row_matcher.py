"""Match rows of one endpoint to rows of another, only for the rows that are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.products import KeyLink, RangeLink, SpanLink, TimeLink
from xr_icesat2.reading.load import Steps, run_steps

from .file_row_numbers import AlongTrackRows, Beam, RowValues, group_by_beam, load_values
from .link_endpoint import Endpoint, with_common_beams
from .link_lookup import check_pair, check_through, find_link, inner_link, known_granules
from .link_tables import (
    LinkTable,
    LinkTables,
    SegmentPositions,
    number_tables,
    range_tables,
    row_tables,
    time_tables,
)
from .row_keys import FileRowKeys, LinkKeys, NearestKeys, NumberKeys, PositionKeys, TimeKeys
from .row_range_map import NO_ROW, map_rows
from .undecoded_values import NO_TIME, nanoseconds

__all__ = ["RowMatcher", "make_matcher"]

SHOT_INTERVAL = 100_000
"""Nanoseconds from one pulse of the laser to the next."""


@dataclass(frozen=True, slots=True, eq=False)
class RowMatcher:
    """Finds the linked row of ``to`` for each row of ``of``."""

    of: AlongTrackRows
    to: AlongTrackRows
    keys: LinkKeys
    tables: LinkTables
    granules: frozenset[int]
    """Granules of both endpoints."""
    counts: LinkTables
    """Tables that determine how many rows a beam of ``of`` must have."""
    times: tuple[str, xr.Variable, xr.Variable] | None = None
    """Times of both endpoints, equal for linked rows, and the path of that of :attr:`of`."""
    apart: int = SHOT_INTERVAL // 2
    """Nanoseconds by which these times may differ."""

    def __call__(self, key: tuple[Any, ...]) -> tuple[RowValues, np.ndarray]:
        """Return rows, and the position of each among the raveled rows of :attr:`to`.

        Raises
        ------
        LinkError
            A granule is missing in :attr:`to`, or the file is inconsistent.
        """
        return run_steps(self.steps(key))

    def steps(self, key: tuple[Any, ...]) -> Steps[tuple[RowValues, np.ndarray]]:
        """Take the steps of a call."""
        rows = yield from self.of.row_steps(self.row_variables, key)
        positions = self.match(rows)
        yield from self.check_steps(rows, positions)
        return rows, positions

    @property
    def row_variables(self) -> dict[str, xr.Variable]:
        """Variables of :attr:`of` that are read for the rows to match, by path."""
        own = {self.times[0]: self.times[1]} if self.times else {}
        return {**self.keys.variables, **own}

    def match(self, rows: RowValues) -> np.ndarray:
        """Return the position of each row among the raveled rows of :attr:`to`.

        ``rows`` have :attr:`row_variables`.
        """
        positions = np.full(rows.values["row"].shape, NO_ROW, np.int64)
        for beam, at in group_by_beam(rows):
            self.check_granules([beam[0]])
            values = {name: array[at] for name, array in rows.values.items()}
            if beam in self.counts:
                self.counts[beam].check(int(values["n_obs"][0]), self.of.beam(beam))
            if beam in self.tables:
                keys = self.keys.of(beam, values)
                positions[at] = self.tables[beam].ranges.find(keys)
        return positions

    def check_steps(self, rows: RowValues, positions: np.ndarray) -> Steps[None]:
        """Raise :class:`LinkError` unless linked rows have the same time."""
        if not self.times:
            return
        path, own_time, their_time = self.times
        found = positions != NO_ROW
        theirs = yield from self.to.value_steps(their_time, positions[found])
        one = nanoseconds(rows.values[path][found], own_time, self.of.name)
        self._check_times(one, nanoseconds(theirs, their_time, self.to.name))

    def check_granules(self, numbers: Any) -> None:
        """Raise :class:`LinkError` unless both endpoints have all granules."""
        alone = {int(number) for number in numbers} - self.granules
        if alone:
            listed = ", ".join(map(str, sorted(self.to.granules))) or "none"
            raise LinkError(
                f"{self.of.name} has rows of granule {min(alone)} (gran_idx: rgt, cycle_number, "
                f"granule_region), but {self.to.name} has rows of {listed}. Open granules that "
                "belong together."
            )

    def _check_times(self, one: np.ndarray, other: np.ndarray) -> None:
        # Segments may have no time; their numbers identify them.
        timed = (one != NO_TIME) & (other != NO_TIME)
        apart = np.abs(one - other)[timed]
        if (apart > self.apart).any():
            raise LinkError(
                f"linked rows of {self.of.name} and {self.to.name} are up to "
                f"{apart.max() / 1e9:.6f} s apart, expected {self.apart / 1e9:g} s at most: one of "
                "the granules was cut or reprocessed since the other was made from it. Download "
                "both again, or versions that match."
            )


def make_matcher(of: Endpoint, to: Endpoint, through: Endpoint | None) -> RowMatcher:
    """Create the matcher of two endpoints, by their declared link.

    Raises
    ------
    LinkError
        No link is declared, they are not a pair, or ``through`` is missing.
    """
    link, forward = find_link(of, to)
    check_pair(of, to)
    of, to, *rest = with_common_beams(of, to, *([] if through is None else [through]))
    through = rest[0] if rest else None
    if isinstance(link, KeyLink):
        matcher = _by_key(link, of, to, through, forward=forward)
    elif isinstance(link, SpanLink) and of.rate.group == link.many:
        matcher = _nearest(link, of, to, through)
    elif through is not None:
        raise LinkError(f"{of.name} and {to.name} are linked directly. Leave through= out.")
    elif isinstance(link, SpanLink):
        matcher = _by_number(link, of, to, forward=forward)
    elif isinstance(link, RangeLink):
        tables = range_tables(link, to)
        matcher = RowMatcher(of.track, to.track, FileRowKeys(), tables, to.track.granules, tables)
    else:
        matcher = _by_time(link, of, to)
    # Report a wrong pair at once, as far as the first and last row show it.
    gran = of.track.locators["gran_idx"]
    ends = gran[[0, -1]] if of.track.dims[-1] in gran.dims and gran.size else gran
    matcher.check_granules(np.ravel(of.track.granule_numbers(load_values(ends))))
    return matcher


def _by_time(link: TimeLink, of: Endpoint, to: Endpoint) -> RowMatcher:
    keys = TimeKeys(link.many_time, of.variable(link.many_time), of.track)
    granules = to.track.granules if link.many_product is None else known_granules(of, to)
    return RowMatcher(of.track, to.track, keys, time_tables(link, to), granules, {})


def _by_number(link: SpanLink, of: Endpoint, to: Endpoint, *, forward: bool) -> RowMatcher:
    here, there = (link.key, link.through_key) if forward else (link.through_key, link.key)
    own, theirs = (
        (link.one_time, link.through_time) if forward else (link.through_time, link.one_time)
    )
    return RowMatcher(
        of.track,
        to.track,
        NumberKeys(here, of.variable(here)),
        number_tables(to, there),
        known_granules(of, to),
        {},
        (own, of.variable(own), to.variable(theirs)),
        round(link.apart * 1e9),
    )


def _nearest(link: SpanLink, of: Endpoint, to: Endpoint, through: Endpoint | None) -> RowMatcher:
    through = check_through(link, of, to, through)
    check_pair(of, through)
    segments = range_tables(inner_link(link), through)
    keys = NearestKeys.of_sides(link, segments, of, through)
    granules = known_granules(of, to) & through.track.granules
    # `link.apart` also covers photons, which are up to half a span from its middle.
    own = f"{link.many}/{of.rate.time}"
    times = own, of.variable(own), to.variable(link.one_time)
    return RowMatcher(
        of.track,
        to.track,
        keys,
        number_tables(to, link.key),
        granules,
        segments,
        times,
        round(link.apart * 1e9),
    )


def _by_key(
    link: KeyLink, of: Endpoint, to: Endpoint, through: Endpoint | None, *, forward: bool
) -> RowMatcher:
    many, target = (of, to) if forward else (to, of)
    through = check_through(link, of, to, through)
    check_pair(target, through)
    granules = known_granules(of, to) & through.track.granules
    named = SegmentPositions.of(link, through)
    own, theirs = (link.many_time, link.to_time) if forward else (link.to_time, link.many_time)
    times = own, of.variable(own), to.variable(theirs)
    keys = PositionKeys.of_side(named, many)
    if forward:
        return RowMatcher(
            of.track, to.track, keys, row_tables(to.track, named.segments), granules, {}, times
        )
    return RowMatcher(
        of.track,
        to.track,
        FileRowKeys(),
        _named_tables(keys, many),
        granules,
        named.segments,
        times,
    )


def _named_tables(keys: PositionKeys, many: Endpoint) -> dict[Beam, LinkTable]:
    """Map row numbers in the file to the row that refers to them."""
    rows = many.track.rows(keys.variables)
    tables = {}
    for beam, at in group_by_beam(rows):
        named = keys.of(beam, {name: array[at] for name, array in rows.values.items()})
        known = named != NO_ROW
        what = f"{many.track.beam(beam)}, rows that it names"
        tables[beam] = LinkTable(map_rows(named[known], at[known], what))
    return tables
