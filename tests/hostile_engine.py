"""What ``engine="icesat2"`` reads of a damaged file, as facts."""

import glob
import itertools
import posixpath
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import xarray as xr

from tests.hostile_facts import DEEPEST, REFUSED, Facts, described, listed_names, note_attrs
from xr_icesat2.errors import ICESat2Error

RAW = {"engine": "icesat2", "layout": "file", "decode_cf": False}
MAX_DAMAGED = 4


def by_engine(path: Path, undamaged: Path | None = None) -> Facts:
    """Everything that ``layout="file"`` reads of a file; our own errors as ``REFUSED``.

    The whole tree. If that is refused, each group of the undamaged file, and if that is refused,
    each of its variables. Errors other than the library's own are raised.
    """
    facts: Facts = {}
    with suppress(ICESat2Error):  # other tests compare these values
        xr.open_dataset(path, engine="icesat2").load()
    try:
        tree = xr.open_datatree(path, **RAW)
    except ICESat2Error:
        _note_groups(facts, path, undamaged or path)
        return facts
    left_out = _left_out_members(tree)
    for node in tree.subtree:
        if node.level > DEEPEST:
            continue
        dataset = node.to_dataset(inherit=False)
        _note_dataset(facts, node.path, dataset)
        named = {where: d for where, d in left_out.items() if posixpath.dirname(where) == node.path}
        names = {*map(str, node.children), *map(str, dataset.variables)}
        names |= {*map(posixpath.basename, named)}
        facts[f"names {node.path}"] = listed_names(names)
        # To h5py a soft link to a damaged object leads nowhere, or somewhere.
        damaged = [posixpath.basename(where) for where, is_damaged in named.items() if is_damaged]
        if damaged:
            some = itertools.chain.from_iterable(
                itertools.combinations(damaged, n) for n in range(1, MAX_DAMAGED)
            )
            facts[f"sound {node.path}"] = "|".join(listed_names(names - {*one}) for one in some)
    tree.close()
    return facts


def _left_out_members(tree: xr.DataTree) -> dict[str, bool]:
    """Members of groups that are left out, each with whether it is damaged.

    Without soft links through another object that is left out: to h5py these lead nowhere.
    """
    left_out = tree.icesat2.left_out
    return {
        where: "damaged" in reason
        for where, reason in left_out.items()
        if not _is_attribute(tree, where)
        and not any(other != where and _names(reason, other) for other in left_out)
    }


def _names(reason: str, path: str) -> bool:
    """Whether a reason contains a path, outside of quotes."""
    return re.search(rf"(?<![\w'\"/]){re.escape(path)}(?=[\s,]|$)", reason) is not None


def _is_attribute(tree: xr.DataTree, where: str) -> bool:
    """Whether what is left out is an attribute of something that is shown."""
    cuts = [number for number, character in enumerate(where) if character == "@"]
    return any(where[:cut] == "/" or _is_shown(tree, where[:cut]) for cut in cuts)


def _is_shown(tree: xr.DataTree, path: str) -> bool:
    """Whether a tree has a group or a variable of this path."""
    group, name = posixpath.split(path)
    try:
        node = tree[group]
    except KeyError:
        return False
    return name in node.children or name in node.variables


def _note_dataset(facts: Facts, group: str, dataset: xr.Dataset) -> None:
    note_attrs(facts, group, dataset.attrs)
    for name, variable in dataset.variables.items():
        path = f"{group.rstrip('/')}/{name}"
        note_attrs(facts, path, variable.attrs)
        try:
            facts[f"value {path}"] = described(variable.values)
        except ICESat2Error:
            facts[f"value {path}"] = REFUSED


def _note_groups(facts: Facts, path: Path, undamaged: Path) -> None:
    """Note each group of a file that does not open as a whole, or each variable."""
    for group, variables in _members(undamaged).items():
        try:
            _note_dataset(facts, group, xr.open_dataset(path, group=group, **RAW))
        except ICESat2Error:
            pass
        else:
            continue
        for name in variables:
            with suppress(ICESat2Error):
                ds = xr.open_dataset(path, group=group, variables=[glob.escape(name)], **RAW)
                _note_dataset(facts, group, ds)


def _members(undamaged: Path) -> Mapping[str, list[str]]:
    """The variables of an undamaged file, by group."""
    members: dict[str, list[str]] = {"/": []}

    def note(path: str, found: Any) -> None:
        if isinstance(found, h5py.Group):
            members[f"/{path}"] = []
        else:
            group, _, name = f"/{path}".rpartition("/")
            members[group or "/"].append(name)

    # h5py raises RuntimeError where it cannot list a group.
    with suppress(OSError, RuntimeError), h5py.File(undamaged) as file:
        file.visititems(note)
    return members
