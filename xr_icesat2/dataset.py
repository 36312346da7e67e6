"""Assembly: granules and what is asked of them → a Dataset, or the groups of a tree."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import xarray as xr

from .errors import GroupNotFoundError, SelectionError
from .granule.granule import Granule
from .granule.model import GroupHeader
from .granule.paths import ancestors, join, normalise
from .merge.choose import all_rates, asked_rate, rates_of
from .merge.file_layout import file_datasets
from .merge.flat import flat_datasets
from .merge.granule_coords import granule_coords
from .merge.known import Known, know
from .merge.open import each
from .merge.options import Options, matches
from .merge.rate import MergedRate, common_attrs
from .merge.spot import spot_datasets
from .merge.survey import Survey, survey_rate
from .products import Rate

__all__ = ["assemble_dataset", "assemble_groups", "close_granules"]

FEW_GRANULES = 8
"""Of so many, the raw metadata is held until a tree is complete: its rates lie side by side."""
MERGERS = {"spot": spot_datasets, "flat": flat_datasets}


def assemble_dataset(granules: Sequence[Granule], options: Options, *, listed: bool) -> xr.Dataset:
    """Give one Dataset: a rate of all granules, or a group of the file as it is.

    Parameters
    ----------
    granules
        In the order of ``gran_idx``.
    listed
        Whether the user gave a list: then everything has the dimension ``gran_idx``.
    """
    known = know(granules, options) if options.layout != "file" else None
    rate = asked_rate(known, options) if known else None
    if known is None or rate is None:
        group = normalise(options.group or "/")
        options = replace_layout(options)
        dataset = _file_groups(granules, [group], options, listed=listed)[group]
        if listed and known:
            dataset = _told_apart(dataset, known)
    else:
        merged = _merged(known, rate, options, folded=True)
        parts = MERGERS[options.layout](merged)
        dataset = _folded(parts)
        dataset.attrs = _common_attrs(granules)
    return _finished(dataset, granules)


def assemble_groups(
    granules: Sequence[Granule], options: Options, *, listed: bool
) -> dict[str, xr.Dataset]:
    """Give the groups of a tree: granule coordinates, rates, then the rest of the file."""
    known = know(granules, options) if options.layout != "file" else None
    rate = asked_rate(known, options) if known and options.group is not None else None
    if known is None or (options.group is not None and rate is None):
        options = replace_layout(options)
        groups = _file_groups(granules, _all_groups(granules, options, ()), options, listed=listed)
        if listed and known:
            asked = normalise(options.group or "/")
            groups[asked] = _told_apart(groups[asked], known)
        return _rooted(groups, options, granules)
    if rate is not None:
        nodes = _nodes(_merged(known, rate, options, folded=False))
        top = replace(options, group=rate.name)
        return _rooted(nodes, top, granules)
    tree: dict[str, xr.Dataset] = {}
    held: list[str] = []
    for rate in all_rates(known, options):
        merged = _merged(known, rate, options, folded=False)
        held += merged.dims
        tree |= _nodes(merged)
    tree |= _between(known, tree)
    tracks = known[0].tracks.present
    rest = _all_groups(granules, options, tracks)
    file_part = _file_groups(granules, rest, options, listed=listed)
    _check_tree_patterns(granules[0], [*held, *_paths(file_part)], "/", options)
    root = _root(file_part.pop("/"), known, options)
    return _rooted({"/": root, **tree, **file_part}, options, granules)


def _nodes(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Give the groups of a rate by their paths in a tree; none if no beam has the rate."""
    if not any(survey.beams for survey in merged.surveys):
        return {}
    rate, parts = merged.rate, MERGERS[merged.options.layout](merged)
    if rate.alias is None:
        return {normalise(path): dataset for path, dataset in parts.items()}
    below = {path: posixpath.relpath(path or ".", rate.group or ".") for path in parts}
    return {join(f"/{rate.alias}", below[path]): dataset for path, dataset in parts.items()}


def _between(known: Sequence[Known], tree: Collection[str]) -> dict[str, xr.Dataset]:
    """Give the groups that lie around rates and hold nothing of their own but attributes."""
    around = {group for path in tree for group in ancestors(path)} - {"/", *tree}
    datasets = {}
    for group in around:
        attrs = [
            node.attrs
            for one in known
            for beam in one.tracks.groups.values()
            for node in one.granule.index.load([f"/{beam}{group}"]).values()
        ]
        datasets[group] = xr.Dataset(attrs=common_attrs(attrs))
        datasets[group].encoding["icesat2"] = {}
    return datasets


def replace_layout(options: Options) -> Options:
    """Give the same options for the file's own tree."""
    return replace(options, layout="file", spots=None, beams=None, pad_to=None)


def _merged(known: Sequence[Known], rate: Rate, options: Options, *, folded: bool) -> MergedRate:
    def survey(one: Known) -> Survey:
        own = rate
        if rate.members is not None:
            found = (r for r in rates_of(one, options) if r.name == rate.name)
            own = next(found, rate)
        beams = survey_rate(one.granule, one.tracks, own, options)
        if not beams and folded:
            msg = (
                f"{one.granule.url} has no {rate.name or 'variables'} in "
                f"{', '.join(one.tracks.groups.values())}. Leave the granule out, or ask for "
                "another group."
            )
            raise GroupNotFoundError(msg)
        if folded or len(known) > FEW_GRANULES:
            one.granule.keep()
        return Survey(one.granule, one.identity, one.tracks, beams)

    merged = MergedRate(rate, each(survey, known), options, folded)
    if folded:
        _check_patterns(known[0], merged, options)
    return merged


def _check_patterns(known: Known, merged: MergedRate, options: Options) -> None:
    """Raise if something that was asked for matches no variable."""
    lost = [p for p in options.variables or () if not any(matches(q, p) for q in merged.dims)]
    if lost:
        everything = replace(options, variables=None)
        held = {
            rate.name: _paths_of(known, rate, everything) for rate in all_rates([known], everything)
        }
        names = held.pop(merged.rate.name, None) or _paths_of(known, merged.rate, everything)
        where = [
            f" Another rate has it: group={name!r}."
            for name, paths in held.items()
            if any(matches(path, pattern) for path in paths for pattern in lost)
        ]
        msg = (
            f"variables: {', '.join(map(repr, lost))} matches nothing in {merged.rate.name} of "
            f"{known.granule.url}.{''.join(where)} This one holds: {', '.join(names)}"
        )
        raise SelectionError(msg)


def _paths_of(known: Known, rate: Rate, options: Options) -> list[str]:
    beams = survey_rate(known.granule, known.tracks, rate, options)
    return sorted({path for beam in beams.values() for path in beam.variables})


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


def _root(dataset: xr.Dataset, known: Sequence[Known], options: Options) -> xr.Dataset:
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


def _told_apart(dataset: xr.Dataset, known: Sequence[Known]) -> xr.Dataset:
    """Say which granule is which, but where the group itself holds something of that name."""
    coords = granule_coords([k.identity for k in known])
    told = dataset.assign_coords({n: v for n, v in coords.items() if n not in dataset.variables})
    told.encoding = dataset.encoding
    return told


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
