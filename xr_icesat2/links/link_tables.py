"""Tables from keys to linked rows, read from the endpoint with fewer rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from xr_icesat2.errors import LinkError
from xr_icesat2.products import KeyLink, RangeLink, TimeLink

from .file_row_numbers import AlongTrackRows, Beam, group_by_beam
from .link_endpoint import Endpoint
from .link_lookup import inner_link
from .row_range_map import (
    NO_ROW,
    RangeMap,
    RangePositions,
    checked_row_ranges,
    map_rows,
    map_unique_keys,
)
from .undecoded_values import NO_TIME, nanoseconds, whole_numbers

__all__ = [
    "LinkTable",
    "LinkTables",
    "SegmentPositions",
    "number_tables",
    "range_tables",
    "row_tables",
    "time_tables",
]


@dataclass(frozen=True, slots=True, eq=False)
class LinkTable:
    """Keys of one beam, with their positions in the rows of the other endpoint."""

    ranges: RangeMap
    rows: int | None = None
    """Rows that the linked beam must have, by the counts; None if these do not determine it."""
    least: int = 0
    """Minimum number of its rows."""

    def check(self, n_obs: int, what: str) -> None:
        """Raise :class:`LinkError` if the linked beam has another number of rows."""
        if n_obs < self.least or self.rows not in (None, n_obs):
            raise LinkError(
                f"{what} has {n_obs} rows, but the counts of the linked rate add up to "
                f"{self.least if self.rows is None else self.rows}. The file is inconsistent, or "
                "these are two files. Download it again, and open both rates from it."
            )


LinkTables = Mapping[Beam, LinkTable]


def range_tables(link: RangeLink, one: Endpoint) -> dict[Beam, LinkTable]:
    """Map row numbers of ``many`` to the row of ``one`` that contains them."""
    first, count = one.variable(link.first), one.variable(link.count)
    rows = one.track.rows({"first": first, "count": count})
    tables = {}
    for beam, at in group_by_beam(rows):
        values = {name: array[at] for name, array in rows.values.items()}
        ranges = checked_row_ranges(
            whole_numbers(link.first, values["first"], first),
            whole_numbers(link.count, values["count"], count),
            values["row"].astype(np.int64),
            base=link.base,
            tiling=link.tiling,
            what=one.track.beam(beam),
        )
        ranges = replace(ranges, positions=at[ranges.positions])
        whole = len(at) == values["n_obs"][0]
        tables[beam] = LinkTable(ranges, ranges.end if link.tiling and whole else None, ranges.end)
    return tables


def number_tables(endpoint: Endpoint, path: str) -> dict[Beam, LinkTable]:
    """Map values of a variable, unique in a beam, to their row."""
    key = endpoint.variable(path)
    rows = endpoint.track.rows({"key": key})
    tables = {}
    for beam, at in group_by_beam(rows):
        numbers = whole_numbers(path, rows.values["key"][at], key)
        ranges = map_unique_keys(numbers, f"{endpoint.track.beam(beam)}, {path}")
        tables[beam] = LinkTable(replace(ranges, positions=at[ranges.positions].astype(np.int64)))
    return tables


def time_tables(link: TimeLink, one: Endpoint) -> dict[Beam, LinkTable]:
    """Map times of ``many`` in nanoseconds to the row of ``one`` that covers them."""
    time = one.variable(link.one_time)
    rows = one.track.rows({"time": time})
    duration = round(link.duration * 1e9)
    tables = {}
    for beam, at in group_by_beam(rows):
        starts = nanoseconds(rows.values["time"][at], time, one.track.beam(beam))
        # A missing time would match other missing times.
        order = np.argsort(starts, kind="stable")
        order = order[starts[order] != NO_TIME]
        lengths = np.full(len(order), duration, np.int64)
        tables[beam] = LinkTable(RangeMap(starts[order], lengths, at[order].astype(np.int64)))
    return tables


def row_tables(track: AlongTrackRows, counts: LinkTables) -> dict[Beam, LinkTable]:
    """Map row numbers in the file to current positions, block by block.

    ``counts`` determine how many rows beams must have.
    """
    parts: dict[Beam, list[RangeMap]] = defaultdict(list)
    for key, start in track.blocks():
        rows = track.rows(key=key)
        for beam, at in group_by_beam(rows):
            if beam in counts:
                counts[beam].check(int(rows.values["n_obs"][at[0]]), track.beam(beam))
            numbers = rows.values["row"][at].astype(np.int64)
            parts[beam].append(map_rows(numbers, at + start, track.beam(beam)))
    return {
        beam: LinkTable(join_ranges(ranges, track.beam(beam))) for beam, ranges in parts.items()
    }


def join_ranges(parts: list[RangeMap], what: str) -> RangeMap:
    """Join the ranges of several blocks; raise LinkError if a row occurs twice."""
    starts, lengths, positions = (
        np.concatenate([getattr(ranges, name) for ranges in parts])
        for name in ("starts", "lengths", "positions")
    )
    order = np.argsort(starts, kind="stable")
    ranges = RangeMap(starts[order], lengths[order], positions[order], step=1)
    overlapping = ranges.starts[1:] < ranges.starts[:-1] + ranges.lengths[:-1]
    if overlapping.any():
        raise LinkError(
            f"{what}: row {ranges.starts[1:][overlapping][0]} of the file occurs twice, expected "
            "once. Remove one of the two."
        )
    return ranges


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPositions:
    """Rows of ``to``, identified by segment and position in it."""

    link: KeyLink
    through: AlongTrackRows
    segments: LinkTables
    keyed: Mapping[Beam, RangePositions]

    @classmethod
    def of(cls, link: KeyLink, through: Endpoint) -> SegmentPositions:
        """Read the segments of a granule."""
        segments = range_tables(inner_link(link), through)
        key = through.variable(link.through_key)
        rows = through.track.rows({"key": key})
        keyed = {}
        for beam, table in segments.items():
            # Nothing refers to segments without rows.
            keys = whole_numbers(link.through_key, rows.values["key"][table.ranges.positions], key)
            unique = map_unique_keys(keys, f"{through.track.beam(beam)}, {link.through_key}")
            keyed[beam] = RangePositions(unique, table.ranges.starts, table.ranges.lengths)
        return cls(link, through.track, segments, keyed)

    def rows(self, beam: Beam, keys: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Return the row in the file of each key and position, or :data:`NO_ROW`."""
        if beam not in self.keyed:
            return np.full(keys.shape, NO_ROW, np.int64)
        what = self.through.beam(beam)
        return self.keyed[beam].rows(keys, positions, base=self.link.base, what=what)
