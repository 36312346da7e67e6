"""Select rows of opened Datasets and trees by place and time: ``ds.icesat2.clip``."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xr_icesat2.errors import GroupNotFoundError, RateError, SelectionError
from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.links.file_row_numbers import Beam
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.products import ProductSpec, Rate
from xr_icesat2.reading.load import compute_variables, load_variables, stored_in
from xr_icesat2.reading.row_ranges import RowRanges

from .assemble import assemble_dataset
from .clipped_dataset import clip_rate, without_granules
from .granule_rows import GranuleRows, Key, Queries
from .opened_rate_rows import OpenedRows
from .rate_headers import BeamRate
from .request import Request
from .row_coordinates import CoordinateQuery, CoordinateValues
from .row_filter import RowFilter
from .row_selection import log_notes, selection_attrs, warn_of_no_rows
from .selection_coordinates import locating_rates, range_indexes

__all__ = ["clip_nodes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBeam(BeamRate):
    """One beam of an opened rate; :attr:`variables` has the paths that the Dataset has, alone."""

    rows: OpenedRows
    beam: Beam

    @property
    def present(self) -> RowRanges:
        """Rows of the file that the Dataset has."""
        return self.rows.beam_rows(self.beam)


def clip_nodes(nodes: Mapping[str, xr.Dataset], rows: RowFilter) -> dict[str, xr.Dataset]:
    """Select rows of the rates of a Dataset or a tree.

    Parameters
    ----------
    nodes
        Datasets by path, with the coordinates that they inherit.
    rows
        Which rows are selected.

    Returns
    -------
    dict
        The Datasets by path. Those that are of no rate lose granules without rows.

    Raises
    ------
    RateError
        A Dataset is of no rate.
    SelectionError
        The rows of a Dataset cannot be located.
    """
    opened = _opened(nodes)
    by_rate: dict[str, OpenedRows] = {}
    for one in sorted(opened.values(), key=_linking, reverse=True):
        by_rate.setdefault(one.rate.name, one)
    decided = by_rate | _deciding(by_rate, rows)
    if len({one.track.by for one in decided.values()}) > 1:
        decided = {name: one.by_ground_track() for name, one in decided.items()}
    granules = _granule_numbers(nodes, decided)
    begun = [_begin(number, decided, frozenset(by_rate), rows) for number in granules]
    reader = _Reader()
    for granule in begun:
        granule.select(reader.read)
    notes = log_notes(begun, rows, is_tree=len(nodes) > 1)
    inside = [number for number, one in zip(granules, begun, strict=True) if one.has_rows]
    outside = [
        _source_name(nodes, number)
        for number, one in zip(granules, begun, strict=True)
        if not one.has_rows
    ]
    if granules and not inside:
        warn_of_no_rows(rows, len(granules))
    attrs = selection_attrs(rows, notes, outside)
    kept = {
        (name, (number, beam)): chosen
        for number, of_granule in zip(granules, begun, strict=True)
        if of_granule.has_rows
        for (name, beam), chosen in of_granule.selected.items()
    }
    clipped = {}
    for path, dataset in nodes.items():
        result = dataset
        if path in opened:
            name = opened[path].rate.name
            of_rate = {beam: chosen for (rate, beam), chosen in kept.items() if rate == name}
            # Groups of one rate have the same rows, each in a Dataset of its own.
            result = clip_rate(
                _same_beams(opened[path], decided[name]), of_rate, inside or granules
            )
        clipped[path] = without_granules(result, inside, granules)
    first = next(iter(clipped))
    clipped[first] = clipped[first].assign_attrs(attrs)
    clipped[first].encoding = nodes[first].encoding
    return clipped


def _opened(nodes: Mapping[str, xr.Dataset]) -> dict[str, OpenedRows]:
    opened: dict[str, OpenedRows] = {}
    for path, dataset in nodes.items():
        try:
            rate = OpenedRate.of(dataset)
        except RateError:
            if len(nodes) == 1:
                raise
            continue
        opened[path] = OpenedRows.of(rate)
    if not opened:
        raise RateError("expected a tree with rates of beams, of which rows can be selected")
    return opened


def _linking(rows: OpenedRows) -> int:
    """Return how many variables of links a Dataset has: not all groups of a rate have them."""
    spec = rows.opened.spec
    return sum(rows.variable(path) is not None for path in range_indexes(spec, rows.rate))


def _same_beams(rows: OpenedRows, like: OpenedRows) -> OpenedRows:
    return rows.by_ground_track() if like.track.by == "gt" else rows


def _granule_numbers(nodes: Mapping[str, xr.Dataset], rates: Mapping[str, OpenedRows]) -> list[int]:
    """Return ``gran_idx`` of all granules, in their order."""
    numbers: dict[int, None] = {}
    for dataset in nodes.values():
        coord = dataset.variables.get("gran_idx")
        if coord is not None and coord.dims in {("gran_idx",), ("granule",)}:
            numbers |= dict.fromkeys(coord.to_numpy().tolist())
    for one in rates.values():
        located = one.track.locators["gran_idx"]
        if one.track.dims[-1] not in located.dims:
            numbers |= dict.fromkeys(np.ravel(located.to_numpy()).tolist())
        first = {beam[0]: int(m.positions[0]) for beam, m in reversed([*one.maps.items()])}
        numbers |= dict.fromkeys(sorted(first, key=lambda number: first[number]))
        numbers |= dict.fromkeys(sorted(one.track.selected))
    return list(numbers)


def _begin(
    number: int, rates: Mapping[str, OpenedRows], opened: frozenset[str], rows: RowFilter
) -> GranuleRows:
    """Return the selection of the rows of one granule."""
    spec = _spec(rates)
    needed = locating_rates(spec, [rates[name].rate for name in opened], exact=rows.exact)
    beams: dict[Key, BeamRate] = {}
    groups: dict[int, str] = {}
    numbers = {beam[1] for one in rates.values() for beam in one.maps if beam[0] == number}
    for name, one in rates.items():
        wanted = [posixpath.join(one.rate.group, name) for name in one.rate.coordinates]
        wanted += range_indexes(spec, one.rate)
        paths: dict[str, Any] = {p: None for p in wanted if one.variable(p) is not None}
        for which in sorted(numbers):
            beam = number, which
            groups[which] = BEAMS[which - 1] if one.track.by == "gt" else f"{one.track.by} {which}"
            beams[name, which] = OpenedBeam(
                n_obs=one.n_obs.get(beam, 0),
                variables=paths,
                attrs={},
                coordinates=frozenset(),
                labels={},
                rows=one,
                beam=beam,
            )
    known = {name: rates[name].rate for name in rates} | {
        name: rate for name, rate in needed.items() if name not in rates
    }
    return GranuleRows(f"granule {number}", spec, groups, rows, known, opened, beams)


def _spec(rates: Mapping[str, OpenedRows]) -> ProductSpec | None:
    return next((one.opened.spec for one in rates.values() if one.opened.spec), None)


class _Reader:
    """Reads coordinates of opened rates, each variable once for all granules."""

    def __init__(self) -> None:
        self._variables: dict[tuple[int, str], xr.Variable] = {}

    def read(self, queries: Queries) -> dict[Key, CoordinateValues]:
        """Return what a granule waits for; what is not loaded yet is read in one burst."""
        new: dict[tuple[int, str], xr.Variable] = {}
        for query in queries.values():
            rows = _beam_of(query).rows
            for path in (*query.decoded, *query.raw):
                key, variable = (id(rows), path), rows.variable(path)
                if variable is not None and key not in self._variables:
                    new.setdefault(key, variable.copy(deep=False))
        load_variables(new.values(), progress=None)
        compute_variables(new.values())
        self._variables |= new
        return {key: self._values(query) for key, query in queries.items()}

    def _values(self, query: CoordinateQuery) -> CoordinateValues:
        of = _beam_of(query)
        chosen = of.present if query.rows is None else query.rows
        at = of.rows.positions(of.beam, chosen)
        values = {}
        for path in (*query.decoded, *query.raw):
            variable = self._variables[id(of.rows), path]
            values[path] = of.rows.values_at(path, variable, at, raw=path in query.raw)
        return CoordinateValues(chosen, values)


def _beam_of(query: CoordinateQuery) -> OpenedBeam:
    if not isinstance(query.beam, OpenedBeam):
        raise TypeError("not a beam of an opened rate")
    return query.beam


def _deciding(by_rate: Mapping[str, OpenedRows], rows: RowFilter) -> dict[str, OpenedRows]:
    """Open the rates that decide about others, and are not in the Dataset or tree.

    Raises
    ------
    SelectionError
        It is not stored in granules any more.
    """
    spec = _spec(by_rate)
    rates = [one.rate for one in by_rate.values()]
    needed = locating_rates(spec, rates, exact=rows.exact)
    missing = [
        rate
        for name, rate in needed.items()
        if name not in by_rate or _lacks_links(by_rate[name], spec, opened=frozenset(by_rate))
    ]
    granules = list(
        dict.fromkeys(
            granule
            for one in by_rate.values()
            for variable in one.opened.dataset.variables.values()
            if (array := stored_in(variable)) is not None
            for granule in array.granules
        )
    )
    found = {}
    for rate in missing if granules else ():
        variables = tuple(range_indexes(spec, rate))
        request = Request(group=rate.name, layout="flat", variables=variables)
        try:
            dataset = assemble_dataset(granules, request)
        except GroupNotFoundError:
            continue
        found[rate.name] = OpenedRows.of(OpenedRate.of(dataset))
    for rate in rates if missing and not granules else ():
        _check_decider(rate, missing, rows)
    return found


def _lacks_links(rows: OpenedRows, spec: ProductSpec | None, opened: frozenset[str]) -> bool:
    """Return whether a Dataset lacks a variable by which rows of another rate are located."""
    return any(
        rows.variable(path) is None
        for other in (spec.rates if spec else ())
        if other.name in opened and other.located_by and other.located_by.group == rows.rate.group
        for path in range_indexes(spec, rows.rate)
    )


def _check_decider(rate: Rate, missing: Sequence[Rate], rows: RowFilter) -> None:
    """Raise if a rate that is missing decides about the rows of another."""
    by = rate.located_by
    if by is None or (rows.exact and rate.latitude):
        return
    decider = next((one.name for one in missing if one.group == by.group), None)
    if decider is not None:
        way_out = ", or pass exact=True to test each row itself" if rate.latitude else ""
        raise SelectionError(
            f"rows of {rate.name} are selected by the place of {decider}. It or its indices are "
            "not there, and cannot be read, because no variable is stored in a granule any more "
            "(all are loaded, or made of dask arrays). Clip a tree of both, with all variables of "
            f"{decider}, or pass region= when opening{way_out}."
        )


def _source_name(nodes: Mapping[str, xr.Dataset], number: int) -> str:
    """Return the name of the file of a granule, or its number."""
    for dataset in nodes.values():
        names, numbers = (dataset.variables.get(name) for name in ("source_file", "gran_idx"))
        if names is not None and numbers is not None and names.dims == numbers.dims:
            found = names.to_numpy()[numbers.to_numpy() == number]
            if len(found) and found[0]:
                return str(found[0])
    return str(number)
