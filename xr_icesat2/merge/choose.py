"""Which rates granules have, and which one is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from xr_icesat2.errors import GroupNotFoundError
from xr_icesat2.granule.paths import normalise
from xr_icesat2.products import PRODUCTS, Rate

from .from_scales import rates_from_scales
from .known import Known
from .open import each
from .options import Options

__all__ = ["all_rates", "asked_rate", "rates_of"]


def asked_rate(known: Sequence[Known], options: Options) -> Rate | None:
    """Give the rate that ``group`` names (or the main one); None if it is a path in the file.

    Raises
    ------
    GroupNotFoundError
        It is neither.
    """
    first = known[0]
    spec = PRODUCTS.get(first.identity.product or "")
    wanted = options.group.strip("/") if options.group is not None else None
    if spec:
        rate = _find(spec.rates, spec.main if wanted is None else wanted)
        if rate:
            return rate
    if wanted is not None and normalise(wanted) in first.granule.index.load([wanted]):
        return None
    rates = all_rates(known[:1], options)
    rate = _find(rates, wanted) if wanted is not None else next(iter(rates), None)
    if rate:
        return rate
    listed = ", ".join(repr(rate.name) for rate in rates) or "none"
    msg = (
        f"{first.granule.url} has no group {options.group!r}. Its rates are: {listed}; "
        "a path in the file, such as 'gt1l' or 'orbit_info', opens that group alone."
    )
    raise GroupNotFoundError(msg)


def _find(rates: Iterable[Rate], wanted: str | None) -> Rate | None:
    """Give the rate of that name, else the one that the group belongs to."""
    if wanted is None:
        return None
    by_name = (rate for rate in rates if rate.name == wanted)
    by_group = (rate for rate in rates if rate.answers(wanted))
    return next(by_name, None) or next(by_group, None)


def all_rates(known: Sequence[Known], options: Options) -> list[Rate]:
    """Give the rates of the specification that the granules have, then what it does not know."""
    rates: dict[str, Rate] = {}
    for found in each(partial(rates_of, options=options), known):
        for rate in found:
            rates.setdefault(rate.name, rate)
    return list(rates.values())


def rates_of(known: Known, options: Options) -> list[Rate]:
    """Give the rates of one granule."""
    spec = PRODUCTS.get(known.identity.product or "")
    specified = spec.rates if spec else ()
    beams = known.tracks.groups.values()
    groups = {
        rate.name: [normalise(f"{b}/{g}") for b in beams for g in (rate.group, *rate.siblings)]
        for rate in specified
    }
    nodes = known.granule.index.load([path for paths in groups.values() for path in paths])
    there = [rate for rate in specified if any(path in nodes for path in groups[rate.name])]
    claimed = tuple(group for rate in specified for group in rate.groups)
    return there + rates_from_scales(known.granule, known.tracks, options, claimed)
