"""Names in ``variables`` and ``drop_variables`` that mean nothing here, and what was meant."""

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
from .granule_rate import read_beam_rates
from .request import Request
from .resolved_granule import ResolvedGranule
from .variable_patterns import matches

__all__ = [
    "check_beams",
    "check_group",
    "check_not_all_damaged",
    "check_not_empty",
    "check_rate",
    "check_tree",
]

ALWAYS_THERE = frozenset((*GRANULE_COORDS, "beam_strength", "gt", "n_obs", "source_row", "spot"))
"""Coordinates that the merge adds, of which no file has a variable to choose."""
ONE_GROUP_OR_TREE = "Open one of them by group=, or all as a tree with xr.open_datatree(…)"


def check_rate(known: ResolvedGranule, rate: Rate, held: Collection[str], request: Request) -> None:
    """Raise if something that was asked for is none of the paths that a rate has."""
    lost = _lost(request.variables, held)
    if not lost:
        return
    beams = tuple(f"/{beam}/" for beam in known.selection.groups.values())
    _check_supported(known.granule, lost, beams)
    everything = replace(request, variables=None)
    rates = {one.name: _paths_of(known, one, everything) for one in known.rates}
    own = rates.pop(rate.name, None) or _paths_of(known, rate, everything)
    where = [
        f" Another rate has it: group={name!r}."
        for name, paths in rates.items()
        if len(_lost(lost, paths)) < len(lost)
    ]
    within = [path.removeprefix(f"{rate.group}/") for path in own]
    always = [name for name in lost if name in ALWAYS_THERE]
    if always:
        are = "is a coordinate" if len(always) == 1 else "are coordinates"
        where.insert(0, f" {', '.join(always)} {are} that a merged Dataset has anyway.")
    msg = (
        f"variables: {', '.join(map(repr, lost))} matches nothing in {rate.name} of "
        f"{known.granule.url}.{_meant(lost, within)}{''.join(where)} It holds: "
        f"{some_of(_nearest_first(within))}"
    )
    raise SelectionError(msg)


def check_group(granule: Granule, held: Collection[str], request: Request) -> None:
    """Raise if something that was asked for is none of the paths that a group of a file has."""
    lost = _lost(request.variables, held)
    if not lost:
        return
    root = request.root
    _check_supported(granule, lost, (f"{root}/".replace("//", "/"),))
    names = sorted(posixpath.basename(path) for path in _datasets_in(granule, root))
    where = _datasets_below(granule, root)
    below = {posixpath.dirname(path) for path in where if len(_lost(lost, [path])) < len(lost)}
    if below:
        ways = f"Below it are {_listed(below)}, which have it. {ONE_GROUP_OR_TREE}."
    elif names:
        ways = "Groups below it are opened by their paths (group=), or as a tree."
    else:
        ways = f"Groups below it hold variables: {_listed(map(posixpath.dirname, where))}."
    msg = (
        f"variables: {', '.join(map(repr, lost))} matches nothing in {_called(root)} of "
        f"{granule.url}.{_meant(lost, names)} It holds: {some_of(names)}. {ways}"
    )
    raise SelectionError(msg)


def check_beams(known: ResolvedGranule, rate: Rate, request: Request) -> None:
    """Raise :class:`GroupNotFoundError` if the beams asked for hold no variables of a rate.

    Which variables were asked for, or dropped, does not matter.
    """
    granule, asked = known.granule, list(known.selection.groups.values())
    everything = replace(request, variables=None, drop_variables=())
    present = tuple(sorted(known.selection.numbers[group] for group in known.selection.present))
    anywhere = replace(known, selection=replace(known.selection, wanted=present))
    holding = _beams_with(anywhere, rate, everything)
    if not holding.isdisjoint(asked):
        return
    others = [
        repr(other.name)
        for other in replace(known, request=everything).rates
        if other.name != rate.name and _beams_with(known, other, everything)
    ]
    ways = ["leave the granule out"]
    if holding:
        ways.insert(0, f"ask for beams that hold it ({', '.join(sorted(holding))})")
    if others:
        ways.append(f"ask for another group: {some_of(others)}")
    msg = f"{granule.url} has no {rate.name or 'variables'} in {', '.join(asked)}. " + _either(ways)
    raise GroupNotFoundError(msg)


def _either(ways: Sequence[str]) -> str:
    text = ", or ".join(ways)
    return f"{text[0].upper()}{text[1:]}."


def _beams_with(known: ResolvedGranule, rate: Rate, request: Request) -> set[str]:
    """Return the beams that hold a variable of a rate, of those that are asked for."""
    held = read_beam_rates(known.granule, known.selection, rate, request)
    return {known.selection.groups[number] for number, beam in held.items() if beam.variables}


def check_not_empty(granules: Sequence[Granule], group: str) -> None:
    """Raise :class:`GroupNotFoundError` if a group holds no variables in any granule.

    One below which there is nothing is opened for its attributes, if it has any.
    """
    if any(_datasets_in(granule, group) for granule in granules):
        return
    granule, inside_of = granules[0], f"{group.rstrip('/')}/"
    holding = {posixpath.dirname(path) for path in _datasets_below(granule, group)}
    lost = {p: node for p, node in granule.index.left_out.items() if p.startswith(inside_of)}
    if not (holding or lost) and granule.index.group(group).attrs:
        return
    where = "no variables, nor does any group below it"
    if holding:
        where = (
            f"no variables itself. These groups hold some: {_listed(holding)}. {ONE_GROUP_OR_TREE}"
        )
    for path, node in lost.items():
        if node.damaged:
            raise node.error(granule.url, path)
    if lost:
        listed = some_of(f"{path} ({node.reason})" for path, node in lost.items())
        where += f". Not supported: {listed}"
    raise GroupNotFoundError(f"{granule.url}: {_called(group)} holds {where}.")


def check_not_all_damaged(granule: Granule, request: Request) -> None:
    """Raise if all that is asked for of a group is damaged: it would look like an empty group."""
    paths = [join(request.root, name) for name in granule.index.group(request.root).links]
    wanted = [path for path in paths if not request.drops(path)]
    nodes = granule.index.load(wanted, leave_out_damaged=True)
    damaged = [p for p, node in nodes.items() if isinstance(node, LeftOut) and node.damaged]
    if damaged and len(damaged) == len(nodes):
        granule.index.load(damaged)


def check_tree(granule: Granule, held: Collection[str], request: Request) -> None:
    """Raise if something that was asked for is none of the paths that a tree has."""
    lost = _lost(request.variables, held)
    if not lost:
        return
    root = request.root
    found = granule.index.below([root], request.drops, leave_out_damaged=True)
    _check_supported(granule, lost, (f"{root}/".replace("//", "/"),))
    paths = [
        posixpath.relpath(path, root)
        for path, node in found.items()
        if isinstance(node, DatasetHeader)
    ]
    along = {path.partition("/")[2] for path in paths if _in_beam(path)}
    rest = {path for path in paths if not _in_beam(path)}
    everything = [*_nearest_first(along), *_nearest_first(rest)]
    msg = (
        f"variables: {', '.join(map(repr, lost))} matches nothing in the tree of {granule.url}."
        f"{_meant(lost, everything)} It holds: {some_of(everything)}"
    )
    raise SelectionError(msg)


def _datasets_in(granule: Granule, group: str) -> list[str]:
    """Return the paths of the datasets directly in a group."""
    links = granule.index.group(group).links
    inside = granule.index.load((join(group, name) for name in links), leave_out_damaged=True)
    return [path for path, node in inside.items() if isinstance(node, DatasetHeader)]


def _datasets_below(granule: Granule, group: str) -> list[str]:
    """Return the paths of all datasets in a group and in the groups below it."""
    found = granule.index.below([group], leave_out_damaged=True)
    return [path for path, node in found.items() if isinstance(node, DatasetHeader)]


def _called(group: str) -> str:
    return "the root group" if group == "/" else f"group {group.strip('/')!r}"


def _listed(groups: Iterable[str]) -> str:
    return some_of(repr(path.strip("/")) for path in _nearest_first(set(groups)))


def _lost(patterns: Iterable[str] | None, paths: Iterable[str]) -> list[str]:
    """Give the patterns that match none of some paths."""
    return [one for one in patterns or () if not any(matches(path, one) for path in paths)]


def _check_supported(granule: Granule, lost: Sequence[str], prefixes: tuple[str, ...]) -> None:
    """Raise if something that was asked for is there, but not supported or damaged."""
    left_out = [path for path in granule.index.left_out if path.startswith(prefixes)]
    for path in left_out:
        prefix = max((one for one in prefixes if path.startswith(one)), key=len)
        below = path.removeprefix(prefix)
        within = any(one.strip("/").startswith((f"{path[1:]}/", f"{below}/")) for one in lost)
        if within or len(_lost(lost, [path, below])) < len(lost):
            granule.index.node(path)


def _meant(lost: Sequence[str], paths: Iterable[str]) -> str:
    """Ask for each pattern whether a name was meant, or a path if it is one itself."""
    names = {part: None for path in paths for part in path.split("/")}
    return "".join(did_you_mean(one, paths if "/" in one else names) for one in lost)


def _nearest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _in_beam(path: str) -> bool:
    return path.partition("/")[0] in TRACKS


def _paths_of(known: ResolvedGranule, rate: Rate, request: Request) -> list[str]:
    beams = read_beam_rates(known.granule, known.selection, rate, request)
    return sorted({path for beam in beams.values() for path in beam.variables})
