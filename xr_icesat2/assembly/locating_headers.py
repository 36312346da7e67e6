"""Read the headers of the variables by which rows of a rate are selected."""

from __future__ import annotations

from dataclasses import replace

from xr_icesat2.products import ProductSpec, Rate

from .locating_rates import locating_variables
from .rate_headers import BeamRate, read_beam_rates
from .resolved_granule import ResolvedGranule

__all__ = ["read_locating_headers"]


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
