"""Assembly: granules and what is asked of them → a Dataset, or the groups of a tree."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import xarray as xr

from .errors import GroupNotFoundError, SelectionError
from .granule.granule import Granule
from .granule.identity import Identity
from .granule.model import GroupHeader
from .granule.paths import normalise
from .merge.file_layout import file_datasets
from .merge.flat import flat_datasets
from .merge.from_scales import rates_from_scales
from .merge.granule_coords import granule_coords
from .merge.identify import identify_granule
from .merge.open import check_mergeable, each
from .merge.options import Options, matches
from .merge.rate import MergedRate, common_attrs
from .merge.spot import spot_datasets
from .merge.survey import Survey, Tracks, find_tracks, survey_rate
from .products import PRODUCTS, Rate

__all__ = ["assemble_dataset", "assemble_groups", "close_granules"]

MERGERS = {"spot": spot_datasets, "flat": flat_datasets}


@dataclass(frozen=True)
class _Known:
    """A granule of which the identity and the beams are known."""

    granule: Granule
    identity: Identity
    tracks: Tracks


def assemble_dataset(granules: Sequence[Granule], options: Options, *, listed: bool) -> xr.Dataset:
    """Give one Dataset: a rate of all granules, or a group of the file as it is.

    Parameters
    ----------
    granules
        In the order of ``gran_idx``.
    listed
        Whether the user gave a list: then everything has the dimension ``gran_idx``.
    """
    if options.layout == "file":
        group = normalise(options.group or "/")
        dataset = _file_groups(granules, [group], options, listed=listed)[group]
    else:
        known = _identified(granules, options)
        rate = _asked_rate(known, options)
        if rate is None:
            return assemble_dataset(granules, replace_layout(options), listed=listed)
        merged = _merged(known, rate, options, folded=True)
        parts = MERGERS[options.layout](merged)
        dataset = _folded(parts)
        dataset.attrs = _common_attrs(granules)
    return _finished(dataset, granules)


def assemble_groups(
    granules: Sequence[Granule], options: Options, *, listed: bool
) -> dict[str, xr.Dataset]:
    """Give the groups of a tree: granule coordinates, rates, then the rest of the file."""
    if options.layout == "file":
        groups = _file_groups(granules, _all_groups(granules, options, ()), options, listed=listed)
        return _rooted(groups, options, granules)
    known = _identified(granules, options)
    if options.group is not None:
        rate = _asked_rate(known, options)
        if rate is None:
            return assemble_groups(granules, replace_layout(options), listed=listed)
        parts = MERGERS[options.layout](_merged(known, rate, options, folded=False))
        return _rooted({f"/{p}".rstrip("/") or "/": d for p, d in parts.items()}, options, granules)
    tree: dict[str, xr.Dataset] = {}
    held: list[str] = []
    for rate in _all_rates(known, options):
        merged = _merged(known, rate, options, folded=False)
        held += merged.dims
        for path, dataset in MERGERS[options.layout](merged).items():
            node = f"/{rate.name}{path.removeprefix(rate.group)}" if rate.alias else f"/{path}"
            tree[node.rstrip("/")] = dataset
    tracks = known[0].tracks.present
    rest = _all_groups(granules, options, tracks)
    file_part = _file_groups(granules, rest, options, listed=listed)
    _check_tree_patterns(granules[0], [*held, *_paths(file_part)], "/", options)
    root = _root(file_part.pop("/"), known, options)
    return _rooted({"/": root, **tree, **file_part}, options, granules)


def replace_layout(options: Options) -> Options:
    """Give the same options for the file's own tree."""
    return replace(options, layout="file", spots=None, beams=None, pad_to=None)


def _identified(granules: Sequence[Granule], options: Options) -> list[_Known]:
    def identify(granule: Granule) -> _Known:
        identity = identify_granule(granule)
        tracks = find_tracks(granule, identity, options)
        if tracks is None:
            held = ", ".join(sorted(granule.index.group("/").links))
            msg = (
                f"{granule.url} ({identity.product or 'unknown product'}) has no beams, pairs or "
                f'profiles to merge; it holds: {held}. layout="file" opens it as it is.'
            )
            raise GroupNotFoundError(msg)
        if not tracks.groups:
            msg = (
                f"{granule.url} has none of the {tracks.dim}s asked for "
                f"({', '.join(map(str, tracks.wanted))}); it has "
                f"{', '.join(f'{tracks.numbers[g]} ({g})' for g in tracks.present)}. "
                "Ask for these, or leave the granule out."
            )
            raise SelectionError(msg)
        return _Known(granule, identity, tracks)

    known = each(identify, granules)
    check_mergeable(
        granules, [k.identity for k in known], mixed_releases=options.allow_mixed_releases
    )
    return known


def _asked_rate(known: Sequence[_Known], options: Options) -> Rate | None:
    """Give the rate that ``group`` names (or the main one); None if it is a path in the file."""
    first = known[0]
    spec = PRODUCTS.get(first.identity.product or "")
    wanted = options.group.strip("/") if options.group is not None else None
    for rate in spec.rates if spec else ():
        if rate.name == (spec.main if wanted is None and spec else wanted):
            return rate
    if wanted is not None and normalise(wanted) in first.granule.index.load([wanted]):
        return None
    rates = _all_rates(known[:1], options)
    for rate in rates:
        if wanted is None or rate.name == wanted:
            return rate
    listed = ", ".join(repr(rate.name) for rate in rates) or "none"
    msg = (
        f"{first.granule.url} has no group {options.group!r}. Its rates are: {listed}; "
        "a path in the file, such as 'gt1l' or 'orbit_info', opens that group alone."
    )
    raise GroupNotFoundError(msg)


def _all_rates(known: Sequence[_Known], options: Options) -> list[Rate]:
    """Give the rates of the specification that the granules have, then what it does not know."""
    rates: dict[str, Rate] = {}
    for one in known:
        for rate in _rates_of(one, options):
            rates.setdefault(rate.name, rate)
    return list(rates.values())


def _rates_of(known: _Known, options: Options) -> list[Rate]:
    spec = PRODUCTS.get(known.identity.product or "")
    specified = spec.rates if spec else ()
    beams = known.tracks.groups.values()
    nodes = known.granule.index.load([f"{b}/{rate.group}" for b in beams for rate in specified])
    there = [r for r in specified if any(normalise(f"{b}/{r.group}") in nodes for b in beams)]
    claimed = tuple(rate.group for rate in specified)
    return there + rates_from_scales(known.granule, known.tracks, options, claimed)


def _merged(known: Sequence[_Known], rate: Rate, options: Options, *, folded: bool) -> MergedRate:
    def survey(one: _Known) -> Survey:
        own = rate
        if rate.members is not None:
            found = (r for r in _rates_of(one, options) if r.name == rate.name)
            own = next(found, rate)
        beams = survey_rate(one.granule, one.tracks, own, options)
        if not beams and folded:
            msg = (
                f"{one.granule.url} has no {rate.name or 'variables'} in "
                f"{', '.join(one.tracks.groups.values())}. Leave the granule out, or ask for "
                "another group."
            )
            raise GroupNotFoundError(msg)
        one.granule.keep()
        return Survey(one.granule, one.identity, one.tracks, beams)

    merged = MergedRate(rate, each(survey, known), options, folded)
    if folded:
        _check_patterns(known[0], merged, options)
    return merged


def _check_patterns(known: _Known, merged: MergedRate, options: Options) -> None:
    """Raise if something that was asked for matches no variable."""
    lost = [p for p in options.variables or () if not any(matches(q, p) for q in merged.dims)]
    if lost:
        everything = replace(options, variables=None)
        beams = survey_rate(known.granule, known.tracks, merged.rate, everything)
        names = sorted({path for beam in beams.values() for path in beam.variables})
        msg = (
            f"variables: {', '.join(map(repr, lost))} matches nothing in {merged.rate.name} of "
            f"{known.granule.url}, which holds: {', '.join(names)}"
        )
        raise SelectionError(msg)


def _folded(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    datasets = list(parts.values())
    folded = datasets[0]
    for dataset in datasets[1:]:
        folded = folded.assign(dataset.data_vars)
        folded = folded.assign_coords({n: c for n, c in dataset.coords.items() if n not in folded})
    sources: dict[str, Any] = {}
    for dataset in datasets:
        sources |= dataset.encoding["icesat2"]
    folded.encoding["icesat2"] = sources
    return folded


def _file_groups(
    granules: Sequence[Granule], groups: Sequence[str], options: Options, *, listed: bool
) -> dict[str, xr.Dataset]:
    for granule in granules:
        for group in groups if len(groups) == 1 else ():
            granule.index.group(group)
    datasets = file_datasets(granules, groups, options, listed=listed)
    if options.layout == "file":
        _check_tree_patterns(granules[0], _paths(datasets), next(iter(datasets)), options)
    return datasets


def _paths(datasets: Mapping[str, xr.Dataset]) -> list[str]:
    return [f"{group}/{name}" for group, dataset in datasets.items() for name in dataset.variables]


def _check_tree_patterns(granule: Granule, held: Sequence[str], top: str, options: Options) -> None:
    """Raise if something that was asked for matches none of the paths held."""
    for pattern in options.variables or ():
        if not any(matches(path, pattern) for path in held):
            links = ", ".join(sorted(granule.index.group(top).links)) or "nothing"
            where = f"{top} of {granule.url}, which holds: {links}"
            msg = f"variables: {pattern!r} matches nothing in {where}"
            raise SelectionError(msg)


def _all_groups(granules: Sequence[Granule], options: Options, without: Sequence[str]) -> list[str]:
    """Give the paths of all groups, a group after those around it."""
    root = normalise(options.group or "/")
    hidden = {f"/{name}" for name in without}

    def walk(granule: Granule) -> list[str]:
        nodes = granule.index.below([root], lambda path: path in hidden or options.drops(path))
        return [path for path, node in nodes.items() if isinstance(node, GroupHeader)]

    return list(dict.fromkeys([root, *(p for paths in each(walk, granules) for p in paths)]))


def _root(dataset: xr.Dataset, known: Sequence[_Known], options: Options) -> xr.Dataset:
    coords = granule_coords([k.identity for k in known])
    if options.layout == "flat":
        # Rows have a coordinate gran_idx of their own, which an index here would override.
        coords = {name: v.copy(deep=False) for name, v in coords.items()}
        for variable in coords.values():
            variable.dims = ("granule",)
    root = dataset.assign_coords(coords)
    root.attrs = _common_attrs([k.granule for k in known])
    root.encoding = dataset.encoding
    return root


def _common_attrs(granules: Sequence[Granule]) -> dict[str, Any]:
    """Give the root attributes that are the same in all granules."""
    return common_attrs([granule.index.group("/").attrs for granule in granules])


def _rooted(
    groups: Mapping[str, xr.Dataset], options: Options, granules: Sequence[Granule]
) -> dict[str, xr.Dataset]:
    """Give paths as seen from the group that was asked for."""
    root = normalise(options.group or "/")
    return {
        normalise(posixpath.relpath(path, root)): _finished(dataset, granules)
        for path, dataset in groups.items()
    }


def _finished(dataset: xr.Dataset, granules: Sequence[Granule]) -> xr.Dataset:
    """Say where it came from, and let go of the granules when it is closed."""
    urls = [granule.url for granule in granules]
    dataset.encoding["source"] = urls[0] if len(urls) == 1 else urls
    for granule in granules:
        granule.keep()
    dataset.set_close(partial(close_granules, granules))
    return dataset


def close_granules(granules: Sequence[Granule]) -> None:
    """Let go of open files and indexes; a later read opens them again."""
    for granule in granules:
        granule.close()
