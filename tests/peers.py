"""Any HDF5 file, as other projects write them: each object is read as h5py does, or left out.

``python -m tests.peers FILE-OR-FOLDER...`` prints each disagreement, and a summary.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from h5py import h5l

from tests.comparison import assert_array
from tests.oracle import ONLY_A_DIMENSION, STRUCTURAL, attribute, values
from xr_icesat2 import Limits
from xr_icesat2.errors import ICESat2Error

UTF_8 = ("utf-8", "surrogateescape")
LONGEST = Limits().name_bytes
BLOCK = 1 << 24
"""Elements that are compared at once."""
SUFFIXES = {".h5", ".hdf5", ".hdf", ".he5", ".nc", ".nc4", ".mat"}


def disagreements(path: Path, counts: Counter[str] | None = None) -> list[str]:
    """What is neither read as h5py reads it nor left out by name."""
    counts = Counter() if counts is None else counts
    tree = xr.open_datatree(path, engine="icesat2", layout="file", decode_cf=False)
    try:
        with h5py.File(path) as file:
            found = _Comparison(tree, counts).objects(file)
    except OSError:
        counts["files that h5py does not open"] += 1
        return []
    finally:
        tree.close()
    return [f"{path}: {one}" for one in found]


def objects(group: h5py.Group, path: str = "", around: tuple[Any, ...] = ()) -> Iterator[tuple]:
    """Each object by its path, links to other files too; none twice on one way."""
    yield path or "/", group
    try:
        names = list(group)
    except (OSError, RuntimeError):
        return  # h5py cannot list it
    for name in names:
        below, kind = f"{path}/{name}", group.id.links.get_info(name.encode(*UTF_8)).type
        if kind not in (h5l.TYPE_HARD, h5l.TYPE_SOFT):
            yield below, "a link to another file, or of a program's own kind"
            continue
        try:
            thing = group[name]
        except (KeyError, OSError, ValueError, RuntimeError):
            continue  # a soft link that leads nowhere
        if isinstance(thing, h5py.Group) and thing.id not in (*around, group.id):
            yield from objects(thing, below, (*around, group.id))
        else:
            yield below, thing


class _Comparison:
    """A tree that was opened, compared with what h5py reads."""

    def __init__(self, tree: xr.DataTree, counts: Counter[str]) -> None:
        self.tree = tree
        self.counts = counts
        self.left_out = tree.icesat2.left_out
        self.groups = {node.path for node in tree.subtree}

    def objects(self, file: h5py.File) -> list[str]:
        found: list[str] = []
        for where, thing in objects(file):
            if self.is_left_out(where):
                self.counts["objects left out"] += 1
            elif isinstance(thing, h5py.Dataset):
                self.counts["datasets"] += 1
                found += self.dataset(where, thing)
            elif isinstance(thing, h5py.Group):
                self.counts["groups"] += 1
                found += self.group(where, thing)
            else:
                found.append(f"{where}: {thing}")
        return found

    def is_left_out(self, path: str) -> bool:
        """Whether an object, or one around it, is named as left out."""
        # Names that are too long are left out under their beginnings.
        path = "/".join(
            f"{name[:64]}…" if len(name.encode(*UTF_8)) > LONGEST else name
            for name in path.split("/")
        )
        return any(path == one or path.startswith(f"{one}/") for one in self.left_out)

    def group(self, path: str, group: h5py.Group) -> list[str]:
        if path.strip("/") and path not in self.groups:
            return [f"{path}: no such group"]
        return self.attributes(path, self.tree[path].attrs, group)

    def dataset(self, path: str, dataset: h5py.Dataset) -> list[str]:
        group, _, name = path.rpartition("/")
        node = self.tree[group or "/"] if group.strip("/") else self.tree
        if name not in node.variables:
            if ONLY_A_DIMENSION in str(dataset.attrs.get("NAME")):
                self.counts["dimensions without a variable"] += 1
                return []
            return [f"{path}: no such variable ({dataset.dtype}, {dataset.shape})"]
        variable = node.variables[name]
        try:
            theirs = np.asarray(values(dataset))
        except Exception as error:  # noqa: BLE001 - h5py raises what it likes
            return _refuses(variable, f"{path}: h5py says {error}")
        if theirs.dtype.kind == "U":
            theirs = theirs.astype(object)
        try:
            mine = variable.to_numpy()
        except ICESat2Error as error:
            return [f"{path}: refused: {error}"]
        try:
            check_values(mine, theirs)
        except AssertionError as error:
            return [f"{path}: {mine.dtype} {mine.shape} {theirs.dtype} {theirs.shape} {error}"]
        return self.attributes(path, variable.attrs, dataset)

    def attributes(self, path: str, mine: Any, thing: h5py.Group | h5py.Dataset) -> list[str]:
        found = []
        flags = {"flag_values", "flag_meanings"} - set(thing.attrs)
        for name in thing.attrs:
            if name in STRUCTURAL:
                continue
            if f"{path}@{name.replace('/', '%2F')}" in self.left_out:
                self.counts["attributes left out"] += 1
                if name in mine:
                    found.append(f"{path}@{name} is left out and read")
                continue
            self.counts["attributes"] += 1
            try:
                theirs = attribute(thing, name)
            except Exception as error:  # noqa: BLE001 - h5py raises what it likes
                found.append(f"{path}@{name}: h5py says {error}, we read it")
                continue
            if name not in mine:
                found.append(f"{path}: no attribute {name}")
            elif not _alike(mine[name], theirs):
                found.append(f"{path}@{name}: {mine[name]!r:.80}, h5py {theirs!r:.80}")
        more = set(mine) - set(thing.attrs) - flags
        return found + ([f"{path}: attributes {more} that are not there"] if more else [])


def check_values(mine: np.ndarray, theirs: np.ndarray) -> None:
    """Raise unless two arrays are equal to the type and the bytes of each member."""
    dtype = theirs.dtype.newbyteorder("=")
    if theirs.ndim != 1 or len(theirs) <= BLOCK:
        _check_members(mine, theirs.astype(dtype))
        return
    assert mine.shape == theirs.shape
    for start in range(0, len(theirs), BLOCK):
        part = slice(start, start + BLOCK)
        _check_members(mine[part], theirs[part].astype(dtype))


def _check_members(mine: np.ndarray, theirs: np.ndarray) -> None:
    if theirs.dtype.names is None:
        assert_array(mine, theirs, "values")
        return
    assert mine.dtype.names == theirs.dtype.names
    for name in theirs.dtype.names:
        _check_members(mine[name], theirs[name])


def _refuses(variable: xr.Variable, what: str) -> list[str]:
    try:
        variable.to_numpy()
    except ICESat2Error:
        return []
    return [f"{what}, we read it"]


def _alike(mine: Any, theirs: Any) -> bool:
    # An array of one text is a text, and a fill value a scalar.
    one, other = np.ravel(mine), np.ravel(theirs)
    if isinstance(theirs, h5py.Empty):
        return one.size == 0 or one.tolist() == [""]
    try:
        if one.dtype.names:
            return all(_alike(one[name], other[name]) for name in other.dtype.names)
        np.testing.assert_array_equal(one, other)
    except AssertionError:
        return False
    return True


def files(given: list[str]) -> Iterator[Path]:
    """The files, and those in the folders."""
    for one in map(Path, given):
        if one.is_dir():
            yield from (path for path in sorted(one.rglob("*")) if path.suffix in SUFFIXES)
        else:
            yield one


def main(given: list[str]) -> int:
    """Compare, and print what differs."""
    counts: Counter[str] = Counter()
    found: list[str] = []
    for path in files(given):
        try:
            found += disagreements(path, counts)
            counts["files"] += 1
        except ICESat2Error as error:
            counts["files refused"] += 1
            print(f"{path}: refused: {type(error).__name__} {error}")
        except Exception as error:  # noqa: BLE001 - it is what is looked for
            found.append(f"{path}: {type(error).__name__} {error}")
    print(*found, sep="\n")
    print(dict(counts), f"{len(found)} disagreements")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
