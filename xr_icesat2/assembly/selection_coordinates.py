"""Which rates of a product decide about the rows of others, and by which variables."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from xr_icesat2.products import ProductSpec, Rate

from .dimension_scales import STANDARD_NAMES
from .rate_headers import BeamRate, read_beam_rates
from .resolved_granule import ResolvedGranule

__all__ = [
    "LATITUDE",
    "LONGITUDE",
    "TIME",
    "coordinate_path",
    "locating_rates",
    "locating_variables",
    "range_indexes",
    "read_locating_headers",
]

TIME, LATITUDE, LONGITUDE = range(3)
"""Positions in :data:`.STANDARD_NAMES`."""


def locating_rates(
    spec: ProductSpec | None, opened: Sequence[Rate], *, exact: bool
) -> dict[str, Rate]:
    """Return some rates and those that decide about them, by name."""
    needed = {rate.name: rate for rate in opened}
    if spec is None:
        return needed
    deciders = set()
    for rate in opened:
        if rate.located_by is not None:
            deciders.add(rate.located_by.group)
            decider = spec.rate_of(rate.located_by.group)
            needed.setdefault(decider.name, decider)
        elif exact:
            deciders.add(rate.group)
    for rate in spec.rates:
        # Photons, if they are tested themselves.
        by = rate.located_by
        if by is not None and by.group in deciders and rate.latitude:
            needed.setdefault(rate.name, rate)
    return needed


def range_indexes(spec: ProductSpec | None, rate: Rate) -> list[str]:
    """Return the paths below a beam of the indices of rows that the rows of a rate locate."""
    if spec is None:
        return []
    links = (
        spec.range_link(rate.group, other.group)
        for other in spec.rates
        if other.located_by is not None and other.located_by.group == rate.group
    )
    return [path for link in links if link is not None for path in (link.first, link.count)]


def locating_variables(spec: ProductSpec | None, rate: Rate) -> list[str]:
    """Return the paths below a beam of the specified variables by which rows are selected."""
    names = (rate.latitude, rate.longitude, rate.time, rate.track_segment)
    own = [posixpath.join(rate.group, name) for name in names if name]
    return [*own, *range_indexes(spec, rate)]


def read_locating_headers(
    one: ResolvedGranule, rate: Rate, spec: ProductSpec | None
) -> dict[int, BeamRate]:
    """Return the rate of each beam that has it, with the variables that decide about its rows."""
    own = next((known for known in one.rates if known.name == rate.name), rate)
    asked = tuple(locating_variables(spec, rate))
    request = replace(one.request, variables=asked, drop_variables=())
    found = read_beam_rates(one.granule, one.selection, own, request)
    if all(number in found and found[number].variables for number in one.selection.groups):
        return found
    # Only its other variables tell whether a beam without a place has rows.
    anything = replace(request, variables=None)
    return read_beam_rates(one.granule, one.selection, own, anything) | {
        number: beam for number, beam in found.items() if beam.variables
    }


def coordinate_path(rate: Rate, beam: BeamRate, role: int) -> str | None:
    """Return the path below a beam of the time, latitude or longitude of its rows, if any."""
    name = (rate.time, rate.latitude, rate.longitude)[role]
    if name is None:
        return None
    path = posixpath.join(rate.group, name)
    if path in beam.variables:
        return path
    return next(
        (
            path
            for path in sorted(beam.coordinates)
            if beam.variables[path].header.attrs.get("standard_name") == STANDARD_NAMES[role]
        ),
        None,
    )
