"""Find the range of rows for each row of another rate: the photons of segments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xr_icesat2.errors import LinkError
from xr_icesat2.products import SpanLink

from .file_row_numbers import AlongTrackRows, Beam, group_by_beam
from .link_endpoint import Endpoint, with_common_beams
from .link_lookup import check_pair, check_through, find_range_link, inner_link, known_granules
from .link_tables import LinkTables, number_tables, range_tables, row_tables
from .row_range_map import NO_ROW
from .undecoded_values import whole_numbers

__all__ = ["check_same_tracks", "find_row_ranges"]

Spans = tuple[np.ndarray, np.ndarray, np.ndarray]
"""int64: positions in the raveled rows of ``one``, the first row of ``many`` in the file for each,
and the row after the last."""


def find_row_ranges(
    one: Endpoint, many: Endpoint, through: Endpoint | None
) -> tuple[np.ndarray, np.ndarray, Endpoint]:
    """Return the first row and the length of the range of each row of ``one``.

    Returns
    -------
    first, count
        int64, along the track of ``many``.
    many
        The other endpoint.

    Raises
    ------
    LinkError
        No link is declared, the endpoints are not a pair, or the file is inconsistent.
    """
    link = find_range_link(one, many)
    check_pair(one, many)
    if isinstance(link, SpanLink):
        through = check_through(link, one, many, through)
        check_pair(many, through)
        one, many, through = with_common_beams(one, many, through)
        counts = range_tables(inner_link(link), through)
        spans = _spanned(link, one, through, counts)
    elif through is not None:
        raise LinkError(f"{one.name} and {many.name} are linked directly. Leave through= out.")
    else:
        one, many = with_common_beams(one, many)
        counts = range_tables(link, one)
        spans = _own(counts)
    check_same_tracks(one.track, many.track)
    tables = row_tables(many.track, counts)
    there = many.track.granules
    if through is not None:
        there = known_granules(one, many) & through.track.granules
    first = np.full(int(np.prod(one.track.shape)), NO_ROW, np.int64)
    count = np.zeros_like(first)
    for beam, (positions, starts, ends) in spans:
        if beam[0] not in there:
            msg = f"{one.track.beam(beam)}: there is no {many.name} of that granule"
            raise LinkError(f"{msg}. Open granules that belong together.")
        if beam not in tables:
            continue
        ranges = tables[beam].ranges
        if not ranges.gapless:
            raise LinkError(
                f"rows of {many.track.beam(beam)} are not in the order of their file, so the "
                "rows of a segment are not contiguous. Sort them, or use links.match_rows."
            )
        before = ranges.below(starts)
        n = ranges.below(ends) - before
        at = positions[n > 0]
        first[at] = (ranges.positions[0] + before[n > 0]) % many.track.shape[-1]
        count[at] = n[n > 0]
    return first, count, many


def _own(tables: LinkTables) -> Iterator[tuple[Beam, Spans]]:
    """Yield the ranges of rows that contain their first row and count."""
    for beam, table in tables.items():
        ranges = table.ranges
        yield beam, (ranges.positions, ranges.starts, ranges.starts + ranges.lengths)


def _spanned(
    link: SpanLink, one: Endpoint, through: Endpoint, counts: LinkTables
) -> Iterator[tuple[Beam, Spans]]:
    """Yield the ranges of rows that span several rows of ``through``."""
    key = one.variable(link.key)
    rows = one.track.rows({"key": key})
    numbered = number_tables(through, link.through_key)
    size = int(np.prod(through.track.shape))
    for beam, at in group_by_beam(rows):
        if beam not in counts:
            yield beam, (at[:0], at[:0], at[:0])
            continue
        ranges = counts[beam].ranges
        begins, lengths = np.zeros(size, np.int64), np.zeros(size, np.int64)
        begins[ranges.positions], lengths[ranges.positions] = ranges.starts, ranges.lengths
        last = whole_numbers(link.key, rows.values["key"][at], key)
        starts = ends = np.full(len(at), NO_ROW, np.int64)
        for back in reversed(range(link.rows)):
            segment = numbered[beam].ranges.find(last - back)
            found = (segment != NO_ROW) & (lengths[segment] > 0)
            apart = found & (ends != NO_ROW) & (begins[segment] != ends)
            if apart.any():
                raise LinkError(
                    f"{through.track.beam(beam)}: segments {last[apart][0] - back - 1} and "
                    f"{last[apart][0] - back} are adjacent, but their rows of {link.many} are "
                    "not. The file is inconsistent. Download it again."
                )
            starts = np.where(found & (starts == NO_ROW), begins[segment], starts)
            ends = np.where(found, begins[segment] + lengths[segment], ends)
        some = starts != NO_ROW
        yield beam, (at[some], starts[some], ends[some])


def check_same_tracks(of: AlongTrackRows, to: AlongTrackRows) -> None:
    """Raise unless a position along the track of ``to`` determines a row."""
    outer = to.dims[:-1]

    def labels(track: AlongTrackRows, dim: str) -> np.ndarray:
        return track.locators["gran_idx" if dim == "gran_idx" else "spot"].to_numpy()

    same = outer == of.dims[:-1] and all(
        np.array_equal(labels(of, dim), labels(to, dim)) for dim in outer
    )
    if outer and not same:
        raise LinkError(
            "positions along a track need the same granules and spots in both rates, but "
            f"{of.name} has {dict(zip(of.dims, of.shape, strict=True))} and {to.name} "
            f"{dict(zip(to.dims, to.shape, strict=True))}. Open both in one layout with the same "
            "spots, or use links.attach."
        )
