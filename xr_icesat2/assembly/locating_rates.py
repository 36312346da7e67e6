"""Which rates of a product decide about the rows of others, and by which variables."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from xr_icesat2.products import ProductSpec, Rate

from .dimension_scales import STANDARD_NAMES
from .rate_headers import BeamRate

__all__ = [
    "LATITUDE",
    "LONGITUDE",
    "TIME",
    "coordinate_path",
    "locating_rates",
    "locating_variables",
    "range_indexes",
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
