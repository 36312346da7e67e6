"""Assembly: granules and what is asked of them → a Dataset, or the groups of a tree."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import xarray as xr

from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.hdf5.model import GroupHeader, LeftOut, Node
from xr_icesat2.hdf5.paths import ancestors, join, normalise, parent
from xr_icesat2.products import PRODUCTS, Rate

from .dask_chunks import share_blocks
from .granule_coordinates import granule_coords
from .granule_rate import GranuleRate, read_beam_rates
from .layouts.file import file_datasets, leaves_out_damaged
from .layouts.flat import flat_datasets
from .layouts.spot import spot_datasets
from .merged_rate import MergedRate, common_attrs
from .open_granules import map_granules
from .request import Options
from .resolve_granules import ResolvedGranule, identities_of, know
from .suggestions import (
    check_beams,
    check_below_beams,
    check_group,
    check_not_all_damaged,
    check_not_empty,
    check_rate,
    check_tree,
)
from .target import all_rates, asked_rate, rates_of
from .unmerged import opens_as_it_is
from .unsupported_objects import left_out_of, note_left_out, without_left_out

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
    if options.layout == "file":
        group = normalise(options.group or "/")
        for granule in granules:
            granule.index.group(group)
        datasets = file_datasets(granules, [group], options, listed=listed)
        check_group(granules[0], _paths(datasets), options)
        check_not_all_damaged(granules[0], group, options)
        if not datasets[group].variables and (options.group is None or group != "/"):
            check_not_empty(granules, group)
        return _finished(datasets[group], granules)
    identities = identities_of(granules, options)
    if opens_as_it_is(granules, identities, options):
        dataset = assemble_dataset(granules, replace_layout(options), listed=listed)
        return _finished(_told_apart(dataset, identities), granules) if listed else dataset
    check_below_beams(options)
    known = know(granules, identities, options)
    merged = _merged(known, asked_rate(known, options), options, folded=True)
    dataset = _folded(_parts(merged))
    dataset.attrs = _common_attrs(granules)
    return _finished(dataset, granules)


def assemble_groups(
    granules: Sequence[Granule], options: Options, *, listed: bool
) -> dict[str, xr.Dataset]:
    """Give the groups of a tree: granule coordinates, rates, then the rest of the file."""
    if options.layout == "file":
        file_part = _file_groups(granules, options, (), listed=listed)
        check_tree(granules[0], _paths(file_part), options)
        check_not_all_damaged(granules[0], normalise(options.group or "/"), options)
        return _rooted(file_part, options, granules)
    identities = identities_of(granules, options)
    if opens_as_it_is(granules, identities, options):
        groups = assemble_groups(granules, replace_layout(options), listed=listed)
        if listed:
            groups["/"] = _finished(_told_apart(groups["/"], identities), granules)
        return groups
    check_below_beams(options)
    known = know(granules, identities, options)
    if options.group is not None:
        rate = asked_rate(known, options)
        nodes = _nodes(_merged(known, rate, options, folded=False))
        return _rooted(nodes, replace(options, group=rate.name), granules)
    tree: dict[str, xr.Dataset] = {}
    held: list[str] = []
    for rate in all_rates(known, options):
        merged = _merged(known, rate, options, folded=False)
        held += merged.dims
        tree |= _nodes(merged)
    tree |= _between(known, tree)
    file_part = _file_groups(granules, options, known[0].selection.present, listed=listed)
    check_tree(granules[0], [*held, *_paths(file_part)], options)
    root = _root(file_part.pop("/"), known, options)
    groups = {"/": root, **tree, **file_part}
    noted = left_out_of(dataset.encoding for dataset in groups.values())
    note_left_out(root, {g.url: _not_noted(g, noted.get(g.url, {}), options) for g in granules})
    return _rooted(groups, options, granules)


def _not_noted(granule: Granule, noted: Collection[str], options: Options) -> dict[str, LeftOut]:
    """Give what is left out of the tree, and is in no group of it."""
    return {
        path: node
        for path, node in granule.index.left_out.items()
        if path not in noted and options.keeps(path) and not node.damaged
    }


def _nodes(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Give the groups of a rate by their paths in a tree; none if no beam has the rate."""
    if not any(one.beams for one in merged.granules):
        return {}
    rate, parts = merged.rate, _parts(merged)
    if rate.alias is None:
        return {normalise(path): dataset for path, dataset in parts.items()}
    below = {path: posixpath.relpath(path or ".", rate.group or ".") for path in parts}
    return {join(f"/{rate.alias}", below[path]): dataset for path, dataset in parts.items()}


def _parts(merged: MergedRate) -> dict[str, xr.Dataset]:
    """Give the groups of a rate by their paths below the beam."""
    parts = MERGERS[merged.options.layout](merged)
    note_left_out(parts[merged.top], merged.left_out)
    return parts


def _between(known: Sequence[ResolvedGranule], tree: Collection[str]) -> dict[str, xr.Dataset]:
    """Give the groups that lie around rates and hold nothing of their own but attributes."""
    around = {group for path in tree for group in ancestors(path)} - {"/", *tree}
    datasets = {}
    for group in around:
        attrs = [
            node.attrs
            for one in known
            for beam in one.selection.groups.values()
            for node in one.granule.index.load([f"/{beam}{group}"]).values()
            if isinstance(node, GroupHeader)
        ]
        datasets[group] = xr.Dataset(attrs=common_attrs(attrs))
        datasets[group].encoding["icesat2"] = {}
    return datasets


def replace_layout(options: Options) -> Options:
    """Give the same options for the file's own tree."""
    return replace(options, layout="file", spots=None, beams=None, sc_orient=None, pad_to=None)


def _merged(
    known: Sequence[ResolvedGranule], rate: Rate, options: Options, *, folded: bool
) -> MergedRate:
    asked = folded or options.group is not None

    def read_one(one: ResolvedGranule) -> GranuleRate:
        own = rate
        if rate.members is not None:
            found = (r for r in rates_of(one, options) if r.name == rate.name)
            own = next(found, rate)
        beams = read_beam_rates(one.granule, one.selection, own, options)
        if asked and not any(beam.variables for beam in beams.values()):
            check_beams(one, own, options)
        if folded or len(known) > FEW_GRANULES:
            one.granule.save_index()
        return GranuleRate(one.granule, one.identity, one.selection, beams)

    granules, left_out = without_left_out(map_granules(read_one, known), rate, options)
    merged = MergedRate(rate, granules, options, folded, left_out)
    if asked:
        check_rate(known[0], rate, merged.dims, options)
    return merged


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
    note_left_out(folded, left_out_of(dataset.encoding for dataset in datasets))
    return folded


def _file_groups(
    granules: Sequence[Granule], options: Options, without: Sequence[str], *, listed: bool
) -> dict[str, xr.Dataset]:
    """Give all groups as they are, but for some at the root."""
    root = normalise(options.group or "/")
    below = _all_below(granules, root, options, without, listed=listed)
    groups = [p for nodes in below for p, node in nodes.items() if isinstance(node, GroupHeader)]
    datasets = file_datasets(granules, list(dict.fromkeys([root, *groups])), options, listed=listed)
    for granule, nodes in zip(granules, below, strict=True):
        for path, node in nodes.items():
            if isinstance(node, LeftOut) and options.keeps(path):
                note_left_out(datasets[parent(path)], {granule.url: {path: node}})
    return datasets


def _paths(datasets: Mapping[str, xr.Dataset]) -> list[str]:
    return [f"{group}/{name}" for group, dataset in datasets.items() for name in dataset.variables]


def _all_below(
    granules: Sequence[Granule],
    root: str,
    options: Options,
    without: Sequence[str],
    *,
    listed: bool,
) -> list[dict[str, Node]]:
    """Give all that lies below a group, of each granule by path, a group after those around it."""
    hidden = {f"/{name}" for name in without}

    def walk(granule: Granule) -> dict[str, Node]:
        granule.index.group(root)
        found = granule.index.below(
            [root],
            lambda path: path in hidden or options.drops(path),
            leave_out_damaged=leaves_out_damaged(options, listed=listed),
        )
        granule.index.release()  # so that they are not in memory along with the tree
        return found

    return map_granules(walk, granules)


def _root(dataset: xr.Dataset, known: Sequence[ResolvedGranule], options: Options) -> xr.Dataset:
    coords = granule_coords([k.identity for k in known])
    if options.layout == "flat":
        # Rows have a coordinate gran_idx of their own, which an index here would override.
        coords = {
            name: xr.Variable(("granule",) * v.ndim, v.data, v.attrs, v.encoding)
            for name, v in coords.items()
        }
    root = dataset.assign_coords(coords)
    root.attrs = _common_attrs([k.granule for k in known])
    root.encoding = dataset.encoding
    return root


def _told_apart(dataset: xr.Dataset, identities: Sequence[Identity]) -> xr.Dataset:
    """Say which granule is which, but where the group itself holds something of that name.

    Maps are not numbered.
    """
    convention = PRODUCTS.convention(identities[0].product)
    if convention is not None and convention.is_gridded:
        return dataset
    coords = granule_coords(identities)
    told = dataset.assign_coords({n: v for n, v in coords.items() if n not in dataset.variables})
    told.encoding = dataset.encoding
    return told


def _common_attrs(granules: Sequence[Granule]) -> dict[str, Any]:
    """Give the root attributes that are the same in all granules."""
    return common_attrs([granule.index.group("/").attrs for granule in granules])


def _rooted(
    groups: Mapping[str, xr.Dataset], options: Options, granules: Sequence[Granule]
) -> dict[str, xr.Dataset]:
    """Give paths as seen from the group that was asked for, and no groups of unasked variables."""
    root = normalise(options.group or "/")
    held = {path for path, dataset in groups.items() if _is_asked(dataset, options)}
    shown = held | {group for path in held for group in ancestors(path)} | {root}
    for granule in granules:
        granule.save_index()
    close = partial(close_granules, granules)
    return {
        normalise(posixpath.relpath(path, root)): _with_source(dataset, granules, close)
        for path, dataset in groups.items()
        if path in shown
    }


def _is_asked(dataset: xr.Dataset, options: Options) -> bool:
    """Whether a group holds any variable that was asked for; its coordinates need not be."""
    sources = dataset.encoding["icesat2"].values()
    return options.variables is None or any(options.keeps(source["path"]) for source in sources)


def _finished(dataset: xr.Dataset, granules: Sequence[Granule]) -> xr.Dataset:
    """Complete a Dataset, and keep the indexes of its granules."""
    for granule in granules:
        granule.save_index()
    return _with_source(dataset, granules, partial(close_granules, granules))


def _with_source(
    dataset: xr.Dataset, granules: Sequence[Granule], close: Callable[[], None]
) -> xr.Dataset:
    """Say where it came from, and let go of the granules when it is closed."""
    share_blocks(dataset)
    urls = [granule.url for granule in granules]
    dataset.encoding["source"] = urls[0] if len(urls) == 1 else urls
    dataset.set_close(close)
    return dataset


def close_granules(granules: Sequence[Granule]) -> None:
    """Let go of open files and indexes; a later read opens them again."""
    for granule in granules:
        granule.close()
