"""Which rows of every beam a region and a window of time select, before rates are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import xarray as xr

from xr_icesat2.errors import SelectionError
from xr_icesat2.messages import some_of
from xr_icesat2.printable import get_logger
from xr_icesat2.products import Rate
from xr_icesat2.progress import progress_bar
from xr_icesat2.reading.row_ranges import RowRanges

from .granule_rows import GranuleRows, Key, Queries
from .parallel import map_granules
from .request import Request
from .resolved_granule import ResolvedGranule
from .row_coordinates import CoordinateValues, read_coordinates
from .row_filter import RowFilter

__all__ = ["RowSelection", "log_notes", "select_rows", "selection_attrs", "warn_of_no_rows"]

log = get_logger(__name__)
GRANULE_DIMS = ("gran_idx", "granule", "beam_idx")
"""Dimensions of granules, which have no positions if no granule has a row inside."""


@dataclass(frozen=True, slots=True)
class RowSelection:
    """The granules with rows inside, and what is to be said about the others."""

    granules: Sequence[ResolvedGranule]
    """With their selected rows. If none has a row inside, all, with no row."""
    attrs: dict[str, Any] = field(default_factory=dict)
    """Attributes of what is assembled."""
    is_empty: bool = False
    """Whether no granule has a row inside."""

    def finish(self, dataset: xr.Dataset) -> xr.Dataset:
        """Add the attributes, and remove the granules if none has rows."""
        dataset = self.without_granules(dataset)
        dataset.attrs |= self.attrs
        return dataset

    def without_granules(self, dataset: xr.Dataset) -> xr.Dataset:
        """Remove the granules from a Dataset if none has rows."""
        if self.is_empty:
            outer = {dim: slice(0) for dim in GRANULE_DIMS if dim in dataset.dims}
            encoding = dataset.encoding
            dataset = dataset.isel(outer)
            dataset.encoding = encoding
        return dataset


def select_rows(
    granules: Sequence[ResolvedGranule], rates: Sequence[Rate] | None, request: Request
) -> RowSelection:
    """Select rows of rates of all granules; the coordinates of each are read in one burst.

    Parameters
    ----------
    granules
        With their beams.
    rates
        The rate that is opened; None: all rates, of which those that cannot be located are kept
        whole.
    request
        With its region and window.

    Raises
    ------
    SelectionError
        The rate cannot be located.
    """
    if not request.selects_rows:
        return RowSelection(granules)

    rows = RowFilter(request.region, request.region_exact, request.time)
    single = len(granules) == 1
    with progress_bar("selecting rows", " granules", shown=None) as count:

        def select(one: ResolvedGranule) -> GranuleRows:
            opened = one.rates if rates is None else rates
            begun = GranuleRows.of(one, opened, rows)
            begun.select(partial(_read, progress=None if single else False))
            count(1, 0)
            return begun

        count(0, len(granules))
        selected = map_granules(select, granules)
    notes = log_notes(selected, rows, is_tree=rates is None)
    inside = [
        replace(one, rows=granule.selected)
        for one, granule in zip(granules, selected, strict=True)
        if granule.has_rows
    ]
    outside = [
        one.identity.source_file or one.granule.url.rpartition("/")[2]
        for one, granule in zip(granules, selected, strict=True)
        if not granule.has_rows
    ]
    attrs = selection_attrs(rows, notes, outside)
    if inside:
        return RowSelection(inside, attrs)
    warn_of_no_rows(rows, len(granules))
    nothing = RowRanges.of_range(0, 0)
    empty = [
        replace(one, rows=dict.fromkeys(granule.selected, nothing))
        for one, granule in zip(granules, selected, strict=True)
    ]
    return RowSelection(empty, attrs, is_empty=True)


def _read(queries: Queries, *, progress: bool | None) -> dict[Key, CoordinateValues]:
    """Read what a granule waits for."""
    read = read_coordinates(list(queries.values()), progress=progress) if queries else []
    return dict(zip(queries, read, strict=True))


def log_notes(selected: Sequence[GranuleRows], rows: RowFilter, *, is_tree: bool) -> list[str]:
    """Log and return what a user should know about the selected rows.

    Raises
    ------
    SelectionError
        The rows of a rate cannot be located. In a tree, that rate keeps all its rows, with a note.
    """
    whole = sorted({reason for one in selected for reason in one.unlocated})
    if whole and not is_tree:
        raise SelectionError(_cannot_locate(whole, rows))
    notes = sorted({note for one in selected for note in one.notes})
    if whole:
        notes.append(f"all rows are kept: {some_of(whole)}")
    for note in notes:
        log.warning("%s", note)
    return notes


def selection_attrs(
    rows: RowFilter, notes: Sequence[str], outside: Sequence[str]
) -> dict[str, str | list[str]]:
    """Return attributes that say how rows were selected, and of which granules there are none."""
    attrs: dict[str, str | list[str]] = {}
    if rows.region is not None:
        attrs["region"] = repr(rows.region)
        if rows.region.operation:
            attrs["region_operation"] = rows.region.operation
    if rows.window is not None:
        attrs["time_window"] = str(rows.window)
    if notes:
        attrs["region_notes"] = list(notes)
    if outside:
        attrs["granules_outside"] = list(outside)
    return attrs


def warn_of_no_rows(rows: RowFilter, count: int) -> None:
    """Log that no granule has a row inside, and what to check."""
    of = "the granule" if count == 1 else f"the {count} granules"
    where, checks = [], []
    if rows.region is not None:
        where.append(f"region ({rows.region!r})")
        checks.append(
            "Check that longitude is before latitude; xr_icesat2.search(…, region=…) finds "
            "granules that touch a region."
        )
    if rows.window is not None:
        where.append(f"window of time ({rows.window})")
        checks.append("Compare the window, in UTC, with data_start_utc of the granules.")
    log.warning("No row of %s is inside the %s. %s", of, " and the ".join(where), " ".join(checks))


def _cannot_locate(whole: Sequence[str], rows: RowFilter) -> str:
    """Return the message of an error for rates of which rows cannot be selected."""
    keyword = "region" if rows.region is not None else "time"
    return (
        f"{keyword}= cannot select rows of a rate without a place: {some_of(whole)}. Leave "
        f"{keyword} out, or open the tree with it: other rates are selected there."
    )
