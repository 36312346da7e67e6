"""Assemble a Dataset, or the groups of a tree, from granules and a request."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import xarray as xr

from xr_icesat2.errors import SelectionError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.hdf5.model import GroupHeader, LeftOut
from xr_icesat2.hdf5.paths import ancestors, normalise_path
from xr_icesat2.products import PRODUCTS, Rate

from .attached_columns import OpenedLink, attach_columns
from .companion_granules import Identified, open_companions, set_aside
from .dask_chunks import share_chunks
from .granule_coordinates import granule_coords
from .group_keyword import choose_rate
from .layouts.file import file_datasets, file_tree
from .layouts.spot import spot_datasets
from .merge_granules import common_attrs
from .merged_rate_groups import fold_groups, group_datasets, merge_rate, tree_groups
from .request import FilePath, Request
from .resolve_request import resolve_request
from .resolved_granule import ResolvedGranule, all_rates
from .row_selection import select_rows
from .suggestions import (
    check_group,
    check_not_all_damaged,
    check_not_empty,
    check_tree,
)
from .unsupported_objects import note_left_out, read_left_out

__all__ = ["assemble_dataset", "assemble_groups", "close_granules"]


def assemble_dataset(
    granules: Sequence[Granule], request: Request, identities: Sequence[Identity | None] = ()
) -> xr.Dataset:
    """Assemble one rate of all granules, or one group of the file unmerged.

    Parameters
    ----------
    granules
        In the order of ``gran_idx``.
    request
        As :func:`.make_request` returns it.
    identities
        Of the granules, where they are known already.
    """
    granules, identities, others = set_aside(granules, identities, request)
    resolved = resolve_request(granules, request, identities, one_rate=True)
    request, rate = resolved.request, resolved.request.target
    if isinstance(rate, Rate):
        rows = select_rows(resolved.granules, [rate], request)
        dataset = fold_groups(group_datasets(merge_rate(rows.granules, rate, request, folded=True)))
        dataset.attrs = _common_attrs([one.granule for one in rows.granules])
        dataset, companions = _with_columns(dataset, rows.granules, rate, others, request)
        dataset = rows.finish(dataset)
    else:
        dataset = _numbered(_file_group(granules, request), resolved.identities, request)
        companions = []
    used = [*granules, *companions]
    for granule in used:
        granule.save_index()
    return _with_source(dataset, granules, partial(close_granules, used))


def assemble_groups(
    granules: Sequence[Granule], request: Request, identities: Sequence[Identity | None] = ()
) -> dict[str, xr.Dataset]:
    """Assemble the groups of a tree, by path: the root, the rates, the rest.

    The parameters are those of :func:`assemble_dataset`.
    """
    granules, identities, others = set_aside(granules, identities, request)
    resolved = resolve_request(granules, request, identities, one_rate=False)
    request, target = resolved.request, resolved.request.target
    if isinstance(target, Rate):
        rows = select_rows(resolved.granules, [target], request)
        groups = tree_groups(merge_rate(rows.granules, target, request, folded=False))
        companions = _attach_in_tree(groups, rows.granules, target, others, request)
        groups = {path: rows.finish(dataset) for path, dataset in groups.items()}
    elif isinstance(target, FilePath):
        groups = file_tree(granules, request)
        check_tree(granules[0], _paths(groups), request)
        check_not_all_damaged(granules[0], request)
        groups[target.path] = _numbered(groups[target.path], resolved.identities, request)
        companions = []
    else:
        groups, companions = _whole_tree(resolved.granules, others, request)
    return _from_root(groups, request, granules, companions)


def _file_group(granules: Sequence[Granule], request: Request) -> xr.Dataset:
    """Assemble the group of the file that the request targets."""
    path = request.root
    for granule in granules:
        granule.index.group(path)
    datasets = file_datasets(granules, [path], request)
    check_group(granules[0], _paths(datasets), request)
    check_not_all_damaged(granules[0], request)
    if not datasets[path].variables and (request.group is None or path != "/"):
        check_not_empty(granules, path)
    return datasets[path]


def _whole_tree(
    resolved: Sequence[ResolvedGranule], others: Sequence[Identified], request: Request
) -> tuple[dict[str, xr.Dataset], list[Granule]]:
    """Assemble all rates, and the groups of the file that belong to no rate.

    Return also the granules of other products from which columns are attached.
    """
    rows = select_rows(resolved, None, request)
    resolved, granules = rows.granules, [one.granule for one in rows.granules]
    tree: dict[str, xr.Dataset] = {}
    paths: list[str] = []
    for rate in all_rates(resolved):
        merged = merge_rate(resolved, rate, request, folded=False)
        paths += merged.dims
        tree |= tree_groups(merged)
    tree |= _groups_between(resolved, tree)
    file_part = file_tree(granules, request, without=resolved[0].selection.present)
    check_tree(granules[0], [*paths, *_paths(file_part)], request)
    root = _root(file_part.pop("/"), resolved, request)
    groups = {"/": root, **tree, **file_part}
    noted = read_left_out(dataset.encoding for dataset in groups.values())
    note_left_out(root, {g.url: _not_noted(g, noted.get(g.url, {}), request) for g in granules})
    companions = []
    if request.attach:
        rate = choose_rate(resolved, request)
        companions = _attach_in_tree(groups, resolved, rate, others, request)
    groups = {path: rows.without_granules(dataset) for path, dataset in groups.items()}
    groups["/"].attrs |= rows.attrs
    return groups, companions


def _not_noted(granule: Granule, noted: Collection[str], request: Request) -> dict[str, LeftOut]:
    """Return what is left out of the tree, and is in no group of it."""
    return {
        path: node
        for path, node in granule.index.left_out.items()
        if path not in noted and request.keeps(path) and not node.damaged
    }


def _with_columns(
    dataset: xr.Dataset,
    granules: Sequence[ResolvedGranule],
    rate: Rate,
    others: Sequence[Identified],
    request: Request,
) -> tuple[xr.Dataset, list[Granule]]:
    """Attach the columns that the request names; return also the granules of other products.

    ``others`` are granules of other products in the list that was opened.
    """
    if not request.attach:
        return dataset, []
    companions = open_companions(granules, rate, others, request)
    by_product = {granules[0].identity.product or "": granules, **companions}
    try:
        with_columns = attach_columns(dataset, rate, request, by_product, _open_linked)
    except Exception:
        close_granules([one.granule for several in companions.values() for one in several])
        raise
    return with_columns, [one.granule for several in companions.values() for one in several]


def _attach_in_tree(
    groups: dict[str, xr.Dataset],
    granules: Sequence[ResolvedGranule],
    rate: Rate,
    others: Sequence[Identified],
    request: Request,
) -> list[Granule]:
    """Attach the columns to a rate of a tree, and return the granules of other products."""
    path = normalise_path(rate.name)
    if request.attach and path not in groups:
        raise SelectionError(
            f"attach={list(request.attach)}: the tree has no {rate.name}, to whose rows they "
            "belong. Open a granule that has it, or leave attach out."
        )
    if not request.attach:
        return []
    groups[path], companions = _with_columns(groups[path], granules, rate, others, request)
    return companions


def _open_linked(
    granules: Sequence[ResolvedGranule], rate: Rate, request: Request
) -> OpenedLink | None:
    """Open a rate whose variables are attached to another; None if no beam has it.

    Beams are along a dimension in any layout; dtypes are those of the layout.
    """
    merged = merge_rate(granules, rate, request, folded=True)
    if not any(one.beams for one in merged.granules):
        return None
    groups = spot_datasets(merged, padded=request.rules.pads)
    return OpenedLink(fold_groups(groups), merged.names)


def _groups_between(
    granules: Sequence[ResolvedGranule], tree: Collection[str]
) -> dict[str, xr.Dataset]:
    """Return the groups around rates that have no variables, with their attributes."""
    around = {group for path in tree for group in ancestors(path)} - {"/", *tree}
    datasets = {}
    for group in around:
        attrs = [
            node.attrs
            for one in granules
            for beam in one.selection.groups.values()
            for node in one.granule.index.load([f"/{beam}{group}"]).values()
            if isinstance(node, GroupHeader)
        ]
        datasets[group] = xr.Dataset(attrs=common_attrs(attrs))
        datasets[group].encoding["icesat2"] = {}
    return datasets


def _paths(datasets: Mapping[str, xr.Dataset]) -> list[str]:
    return [f"{group}/{name}" for group, dataset in datasets.items() for name in dataset.variables]


def _root(dataset: xr.Dataset, granules: Sequence[ResolvedGranule], request: Request) -> xr.Dataset:
    coords = granule_coords([one.identity for one in granules])
    if request.rules.concatenates:
        # Rows have a coordinate gran_idx of their own, which an index here would override.
        coords = {
            name: xr.Variable(("granule",) * v.ndim, v.data, v.attrs, v.encoding)
            for name, v in coords.items()
        }
    root = dataset.assign_coords(coords)
    root.attrs = _common_attrs([one.granule for one in granules])
    root.encoding = dataset.encoding
    return root


def _numbered(dataset: xr.Dataset, identities: Sequence[Identity], request: Request) -> xr.Dataset:
    """Add the coordinates of the granules of a list, except names that are taken.

    Gridded products have no numbers.
    """
    if not (request.listed and identities):
        return dataset
    convention = PRODUCTS.convention(identities[0].product)
    if convention is not None and convention.is_gridded:
        return dataset
    coords = granule_coords(identities)
    numbered = dataset.assign_coords(
        {name: v for name, v in coords.items() if name not in dataset.variables}
    )
    numbered.encoding = dataset.encoding
    return numbered


def _common_attrs(granules: Sequence[Granule]) -> dict[str, Any]:
    """Return the root attributes that are the same in all granules."""
    return common_attrs([granule.index.group("/").attrs for granule in granules])


def _from_root(
    groups: Mapping[str, xr.Dataset],
    request: Request,
    granules: Sequence[Granule],
    companions: Sequence[Granule],
) -> dict[str, xr.Dataset]:
    """Return the requested groups by their paths below the root of the tree."""
    root, used = request.root, [*granules, *companions]
    asked = {path for path, dataset in groups.items() if _is_asked(dataset, request)}
    shown = asked | {group for path in asked for group in ancestors(path)} | {root}
    for granule in used:
        granule.save_index()
    close = partial(close_granules, used)
    return {
        normalise_path(posixpath.relpath(path, root)): _with_source(dataset, granules, close)
        for path, dataset in groups.items()
        if path in shown
    }


def _is_asked(dataset: xr.Dataset, request: Request) -> bool:
    """Return whether a group has a requested variable that is no coordinate."""
    sources = dataset.encoding["icesat2"].values()
    return request.variables is None or any(request.keeps(source["path"]) for source in sources)


def _with_source(
    dataset: xr.Dataset, granules: Sequence[Granule], close: Callable[[], None]
) -> xr.Dataset:
    """Record the URLs of the granules, and close the granules when the Dataset is closed."""
    share_chunks(dataset)
    urls = [granule.url for granule in granules]
    dataset.encoding["source"] = urls[0] if len(urls) == 1 else urls
    dataset.set_close(close)
    return dataset


def close_granules(granules: Sequence[Granule]) -> None:
    """Close open files and drop indexes; a later read opens them again."""
    for granule in granules:
        granule.close()
