"""Which rates granules have, and which one is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from xr_icesat2.errors import GroupNotFoundError, SelectionError
from xr_icesat2.hdf5.model import GroupHeader
from xr_icesat2.hdf5.paths import normalise
from xr_icesat2.messages import did_you_mean, some_of
from xr_icesat2.products import PRODUCTS, Rate

from .available_rates import infer_rates
from .open_granules import map_granules
from .request import Options
from .resolve_granules import ResolvedGranule

__all__ = ["all_rates", "asked_rate", "rates_of", "specified_rate"]


def asked_rate(known: Sequence[ResolvedGranule], options: Options) -> Rate:
    """Give the rate that ``group`` names, or the main one.

    Raises
    ------
    GroupNotFoundError
        There is none of that name.
    SelectionError
        All of it is to be left out.
    """
    rate = _main_rate(known[0]) if options.group is None else None
    rate = rate or specified_rate(known[0].identity.product, options)
    if rate is None:
        rates = all_rates(known[:1], options)
        group = options.group
        rate = next(iter(rates), None) if group is None else _find(rates, group.strip("/"))
        if rate is None:
            raise _no_such_group(known[0], rates, options)
    if all(options.drops(group) for group in rate.groups):
        msg = (
            f"drop_variables={list(options.drop_variables)} leaves out all of {rate.name}, which "
            f"group={options.group!r} opens: give one of the two, or another one"
        )
        raise SelectionError(msg)
    return rate


def specified_rate(product: str | None, options: Options) -> Rate | None:
    """Return the rate that ``group`` means, if a specification has it."""
    spec = PRODUCTS.get(product or "")
    if spec is None or options.group is None:
        return None
    return _find(spec.rates, options.group.strip("/"))


def _main_rate(known: ResolvedGranule) -> Rate | None:
    """Return the rate that opens by default; without a specification there is none."""
    spec = PRODUCTS.get(known.identity.product or "")
    if spec is None:
        return None
    rates = [rate for group in spec.main for rate in spec.rates if rate.group == group]
    if len(rates) == 1:
        return rates[0]
    # Releases have it in different groups. Of a granule that has none, the newest is reported.
    return next(iter(_present(known, rates)), None) or next(iter(rates), None)


def _find(rates: Iterable[Rate], wanted: str) -> Rate | None:
    """Give the rate of that name, else the one that the group belongs to."""
    by_name = (rate for rate in rates if rate.name == wanted)
    by_group = (rate for rate in rates if rate.has_group(wanted))
    return next(by_name, None) or next(by_group, None)


def _no_such_group(
    known: ResolvedGranule, rates: Sequence[Rate], options: Options
) -> GroupNotFoundError:
    given, names = (options.group or "").strip("/"), [rate.name for rate in rates]
    links = known.granule.index.group("/").links
    meant = _rate_around(known, rates, given) or did_you_mean(given, [*names, *links])
    beams = known.selection.present
    others = known.granule.index.load(name for name in sorted(links) if name not in beams)
    groups = [path.strip("/") for path, node in others.items() if isinstance(node, GroupHeader)]
    such_as = " or ".join(map(repr, [*beams[:1], *groups[-1:]]))
    return GroupNotFoundError(
        f"{known.granule.url} has no group {options.group!r}.{meant} Its rates are: "
        f"{some_of(map(repr, names))}; a path in the file, such as {such_as}, opens that group "
        "alone."
    )


def _rate_around(known: ResolvedGranule, rates: Sequence[Rate], given: str) -> str:
    """Return how to open a group that lies below that of a rate; nothing if there is none."""
    beams = known.selection.groups.values()
    if not known.granule.index.load([f"/{beam}/{given}" for beam in beams]):
        return ""
    for rate in rates:
        if rate.group and given.startswith(f"{rate.group}/"):
            below = given.removeprefix(f"{rate.group}/")
            return f" It is a part of a rate: group={rate.name!r}, variables={below!r} opens it."
    return ""


def all_rates(known: Sequence[ResolvedGranule], options: Options) -> list[Rate]:
    """Give the rates of the specification that the granules have, then what it does not know."""
    rates: dict[str, Rate] = {}
    for found in map_granules(partial(rates_of, options=options), known):
        for rate in found:
            rates.setdefault(rate.name, rate)
    return list(rates.values())


def rates_of(known: ResolvedGranule, options: Options) -> list[Rate]:
    """Give the rates of one granule."""
    spec = PRODUCTS.get(known.identity.product or "")
    specified = spec.rates if spec else ()
    there = _present(known, specified)
    claimed = tuple(group for rate in specified for group in rate.groups)
    return there + infer_rates(known.granule, known.selection, options, claimed)


def _present(known: ResolvedGranule, rates: Sequence[Rate]) -> list[Rate]:
    """Return the rates of which any beam of a granule has a group."""
    beams = known.selection.groups.values()
    groups = {
        rate.name: [normalise(f"{b}/{g}") for b in beams for g in (rate.group, *rate.siblings)]
        for rate in rates
    }
    nodes = known.granule.index.load([path for paths in groups.values() for path in paths])
    return [rate for rate in rates if any(path in nodes for path in groups[rate.name])]
