"""Checks that what was asked for exists, with suggestions for misspelled names."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from xr_icesat2.errors import GroupNotFoundError, SelectionError
from xr_icesat2.granule.beams import TRACKS
from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.model import DatasetHeader, LeftOut
from xr_icesat2.hdf5.paths import join
from xr_icesat2.messages import did_you_mean, some_of
from xr_icesat2.products import Rate

from .granule_coordinates import GRANULE_COORDS
from .rate_headers import read_beam_rates
from .request import Request
from .resolved_granule import ResolvedGranule
from .variable_patterns import matches

__all__ = [
    "check_beams_have_rate",
    "check_group",
    "check_not_all_damaged",
    "check_not_empty",
    "check_rate",
    "check_tree",
]

ALWAYS_THERE = frozenset((*GRANULE_COORDS, "beam_strength", "gt", "n_obs", "source_row", "spot"))
"""Coordinates that every merged Dataset has, and that no file has as a variable."""
ONE_GROUP_OR_TREE = "Open one of them with group=, or all as a tree with xr.open_datatree(…)"


def check_rate(
    resolved: ResolvedGranule, rate: Rate, paths: Collection[str], request: Request
) -> None:
    """Raise if a name in ``variables`` matches no path of a rate."""
    unmatched = _unmatched(request.variables, paths)
    if not unmatched:
        return
    beams = tuple(f"/{beam}/" for beam in resolved.selection.groups.values())
    _check_supported(resolved.granule, unmatched, beams)
    everything = replace(request, variables=None)
    rates = {one.name: _paths_of(resolved, one, everything) for one in resolved.rates}
    own = rates.pop(rate.name, None) or _paths_of(resolved, rate, everything)
    where = [
        f" Another rate has it: group={name!r}."
        for name, own_paths in rates.items()
        if len(_unmatched(unmatched, own_paths)) < len(unmatched)
    ]
    within = [path.removeprefix(f"{rate.group}/") for path in own]
    always = [name for name in unmatched if name in ALWAYS_THERE]
    if always:
        are = "is a coordinate" if len(always) == 1 else "are coordinates"
        where.insert(0, f" {', '.join(always)} {are} of every merged Dataset.")
    msg = (
        f"variables: {', '.join(map(repr, unmatched))} matches nothing in {rate.name} of "
        f"{resolved.granule.url}.{_suggestions(unmatched, within)}{''.join(where)} It contains: "
        f"{some_of(_nearest_first(within))}"
    )
    raise SelectionError(msg)


def check_group(granule: Granule, paths: Collection[str], request: Request) -> None:
    """Raise if a name in ``variables`` matches no path of the group that opens."""
    unmatched = _unmatched(request.variables, paths)
    if not unmatched:
        return
    root = request.root
    _check_supported(granule, unmatched, (f"{root}/".replace("//", "/"),))
    names = sorted(posixpath.basename(path) for path in _datasets_in(granule, root))
    where = _datasets_below(granule, root)
    below = {
        posixpath.dirname(path)
        for path in where
        if len(_unmatched(unmatched, [path])) < len(unmatched)
    }
    if below:
        ways = f"Its subgroups {_list_groups(below)} have it. {ONE_GROUP_OR_TREE}."
    elif names:
        ways = "Open its subgroups with group= and their paths, or as a tree."
    else:
        ways = f"Its subgroups with variables: {_list_groups(map(posixpath.dirname, where))}."
    msg = (
        f"variables: {', '.join(map(repr, unmatched))} matches nothing in {_describe(root)} of "
        f"{granule.url}.{_suggestions(unmatched, names)} It contains: {some_of(names)}. {ways}"
    )
    raise SelectionError(msg)


def check_beams_have_rate(resolved: ResolvedGranule, rate: Rate, request: Request) -> None:
    """Raise GroupNotFoundError if the selected beams have no variables of a rate.

    ``variables`` and ``drop_variables`` are ignored.
    """
    granule, asked = resolved.granule, list(resolved.selection.groups.values())
    everything = replace(request, variables=None, drop_variables=())
    present = tuple(
        sorted(resolved.selection.numbers[group] for group in resolved.selection.present)
    )
    anywhere = replace(resolved, selection=replace(resolved.selection, wanted=present))
    holding = _beams_with(anywhere, rate, everything)
    if not holding.isdisjoint(asked):
        return
    others = [
        repr(other.name)
        for other in replace(resolved, request=everything).rates
        if other.name != rate.name and _beams_with(resolved, other, everything)
    ]
    ways = ["leave the granule out"]
    if holding:
        ways.insert(0, f"select beams that have it ({', '.join(sorted(holding))})")
    if others:
        ways.append(f"open another group: {some_of(others)}")
    msg = f"{granule.url} has no {rate.name or 'variables'} in {', '.join(asked)}. " + _either(ways)
    raise GroupNotFoundError(msg)


def _either(ways: Sequence[str]) -> str:
    text = ", or ".join(ways)
    return f"{text[0].upper()}{text[1:]}."


def _beams_with(resolved: ResolvedGranule, rate: Rate, request: Request) -> set[str]:
    """Return the selected beams that have a variable of a rate."""
    rates = read_beam_rates(resolved.granule, resolved.selection, rate, request)
    return {resolved.selection.groups[number] for number, beam in rates.items() if beam.variables}


def check_not_empty(granules: Sequence[Granule], group: str) -> None:
    """Raise :class:`GroupNotFoundError` if a group has no variables in any granule.

    A group without any members opens if it has attributes.
    """
    if any(_datasets_in(granule, group) for granule in granules):
        return
    granule, inside_of = granules[0], f"{group.rstrip('/')}/"
    holding = {posixpath.dirname(path) for path in _datasets_below(granule, group)}
    unmatched = {p: node for p, node in granule.index.left_out.items() if p.startswith(inside_of)}
    if not (holding or unmatched) and granule.index.group(group).attrs:
        return
    where = "no variables, nor does any of its subgroups"
    if holding:
        listed = _list_groups(holding)
        where = f"no variables itself. These groups have variables: {listed}. {ONE_GROUP_OR_TREE}"
    for path, node in unmatched.items():
        if node.damaged:
            raise node.error(granule.url, path)
    if unmatched:
        listed = some_of(f"{path} ({node.reason})" for path, node in unmatched.items())
        where += f". Not supported: {listed}"
    raise GroupNotFoundError(f"{granule.url}: {_describe(group)} has {where}.")


def check_not_all_damaged(granule: Granule, request: Request) -> None:
    """Raise if everything requested is damaged: it would look like an empty group."""
    paths = [join(request.root, name) for name in granule.index.group(request.root).links]
    wanted = [path for path in paths if not request.drops(path)]
    nodes = granule.index.load(wanted, leave_out_damaged=True)
    damaged = [p for p, node in nodes.items() if isinstance(node, LeftOut) and node.damaged]
    if damaged and len(damaged) == len(nodes):
        granule.index.load(damaged)


def check_tree(granule: Granule, paths: Collection[str], request: Request) -> None:
    """Raise if a name in ``variables`` matches no path of a tree."""
    unmatched = _unmatched(request.variables, paths)
    if not unmatched:
        return
    root = request.root
    found = granule.index.load_below([root], request.drops, leave_out_damaged=True)
    _check_supported(granule, unmatched, (f"{root}/".replace("//", "/"),))
    existing = [
        posixpath.relpath(path, root)
        for path, node in found.items()
        if isinstance(node, DatasetHeader)
    ]
    along = {path.partition("/")[2] for path in existing if _in_beam(path)}
    rest = {path for path in existing if not _in_beam(path)}
    everything = [*_nearest_first(along), *_nearest_first(rest)]
    msg = (
        f"variables: {', '.join(map(repr, unmatched))} matches nothing in the tree of "
        f"{granule.url}.{_suggestions(unmatched, everything)} It contains: {some_of(everything)}"
    )
    raise SelectionError(msg)


def _datasets_in(granule: Granule, group: str) -> list[str]:
    """Return the paths of the datasets directly in a group."""
    links = granule.index.group(group).links
    inside = granule.index.load((join(group, name) for name in links), leave_out_damaged=True)
    return [path for path, node in inside.items() if isinstance(node, DatasetHeader)]


def _datasets_below(granule: Granule, group: str) -> list[str]:
    """Return the paths of all datasets in a group and in the groups below it."""
    found = granule.index.load_below([group], leave_out_damaged=True)
    return [path for path, node in found.items() if isinstance(node, DatasetHeader)]


def _describe(group: str) -> str:
    return "the root group" if group == "/" else f"group {group.strip('/')!r}"


def _list_groups(groups: Iterable[str]) -> str:
    return some_of(repr(path.strip("/")) for path in _nearest_first(set(groups)))


def _unmatched(patterns: Iterable[str] | None, paths: Iterable[str]) -> list[str]:
    """Return the patterns that match none of some paths."""
    return [one for one in patterns or () if not any(matches(path, one) for path in paths)]


def _check_supported(granule: Granule, unmatched: Sequence[str], prefixes: tuple[str, ...]) -> None:
    """Raise if something requested exists, but is unsupported or damaged."""
    left_out = [path for path in granule.index.left_out if path.startswith(prefixes)]
    for path in left_out:
        prefix = max((one for one in prefixes if path.startswith(one)), key=len)
        below = path.removeprefix(prefix)
        within = any(one.strip("/").startswith((f"{path[1:]}/", f"{below}/")) for one in unmatched)
        if within or len(_unmatched(unmatched, [path, below])) < len(unmatched):
            granule.index.node(path)


def _suggestions(unmatched: Sequence[str], paths: Iterable[str]) -> str:
    """Return a suggestion for each pattern: a name, or a path if it is a path."""
    names = {part: None for path in paths for part in path.split("/")}
    return "".join(did_you_mean(one, paths if "/" in one else names) for one in unmatched)


def _nearest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _in_beam(path: str) -> bool:
    return path.partition("/")[0] in TRACKS


def _paths_of(resolved: ResolvedGranule, rate: Rate, request: Request) -> list[str]:
    beams = read_beam_rates(resolved.granule, resolved.selection, rate, request)
    return sorted({path for beam in beams.values() for path in beam.variables})
