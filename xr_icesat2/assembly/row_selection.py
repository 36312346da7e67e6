"""Which rows of every beam a region and a window of time select, before rates are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import xarray as xr

from xr_icesat2.errors import SelectionError
from xr_icesat2.messages import some_of
from xr_icesat2.printable import get_logger
from xr_icesat2.products import Rate

from .granule_rows import GranuleRows, Key, Queries
from .parallel import map_granules
from .request import Request
from .resolved_granule import ResolvedGranule
from .row_coordinates import CoordinateValues, read_coordinates
from .row_filter import RowFilter

__all__ = ["RowSelection", "select_rows"]

log = get_logger(__name__)
OUTER = ("gran_idx", "granule", "beam_idx")
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
            outer = {dim: slice(0) for dim in OUTER if dim in dataset.dims}
            encoding = dataset.encoding
            dataset = dataset.isel(outer)
            dataset.encoding = encoding
        return dataset


def select_rows(
    granules: Sequence[ResolvedGranule], rates: Sequence[Rate] | None, request: Request
) -> RowSelection:
    """Select rows of rates of all granules; all their coordinates are read in one burst.

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

    def begin(one: ResolvedGranule) -> GranuleRows:
        return GranuleRows.of(one, one.rates if rates is None else rates, rows)

    begun = map_granules(begin, granules)
    for step in (GranuleRows.first_queries, GranuleRows.second_queries):
        for granule, values in zip(begun, _read([step(one) for one in begun]), strict=True):
            granule.read |= values
    for granule, values in zip(begun, _read([one.third_queries() for one in begun]), strict=True):
        granule.times |= values
    found = [granule.select() for granule in begun]
    whole = sorted({reason for one in begun for reason in one.unlocated})
    if whole and rates is not None:
        raise SelectionError(_cannot_locate(whole, request))
    notes = sorted({note for one in begun for note in one.notes})
    if whole:
        notes.append(f"all rows are kept: {some_of(whole)}")
    for note in notes:
        log.warning("%s", note)
    inside = [
        replace(one, rows=rows)
        for one, rows, granule in zip(granules, found, begun, strict=True)
        if granule.has_rows
    ]
    outside = [
        one.identity.source_file or one.granule.url.rpartition("/")[2]
        for one, granule in zip(granules, begun, strict=True)
        if not granule.has_rows
    ]
    attrs = _attributes(request, notes, outside)
    if inside:
        return RowSelection(inside, attrs)
    return RowSelection([replace(one, rows={}) for one in granules], attrs, is_empty=True)


def _read(queries: Sequence[Queries]) -> list[dict[Key, CoordinateValues]]:
    """Read what granules wait for, all in one burst."""
    listed = [(g, key, query) for g, each in enumerate(queries) for key, query in each.items()]
    found: list[dict[Key, CoordinateValues]] = [{} for _ in queries]
    read = read_coordinates([query for _, _, query in listed]) if listed else []
    for (g, key, _), values in zip(listed, read, strict=True):
        found[g][key] = values
    return found


def _attributes(
    request: Request, notes: Sequence[str], outside: Sequence[str]
) -> dict[str, str | list[str]]:
    attrs: dict[str, str | list[str]] = {}
    if request.region is not None:
        attrs["region"] = repr(request.region)
        if request.region.operation:
            attrs["region_operation"] = request.region.operation
    if request.time is not None:
        attrs["time_window"] = str(request.time)
    if notes:
        attrs["region_notes"] = list(notes)
    if outside:
        attrs["granules_outside"] = list(outside)
    return attrs


def _cannot_locate(whole: Sequence[str], request: Request) -> str:
    keyword = "region" if request.region is not None else "time"
    return (
        f"{keyword}= cannot select rows of a rate without a place: {some_of(whole)}. Leave "
        f"{keyword} out, or open the tree with it: other rates are selected there."
    )
