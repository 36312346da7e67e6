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
from tests.oracle import STRUCTURAL, attribute, values
from xr_icesat2.errors import ICESat2Error

UTF_8 = ("utf-8", "surrogateescape")
SUFFIXES = {".h5", ".hdf5", ".hdf", ".he5", ".nc", ".nc4", ".mat"}


def disagreements(path: Path, counts: Counter[str] | None = None) -> list[str]:
    """What is neither read as h5py reads it nor left out by name."""
    counts = Counter() if counts is None else counts
    tree = xr.open_datatree(path, engine="icesat2", layout="file", decode_cf=False)
    left_out = tree.icesat2.left_out
    found: list[str] = []
    with h5py.File(path) as file:
        for where, thing in objects(file):
            if is_left_out(where, left_out):
                counts["left out"] += 1
            elif isinstance(thing, h5py.Dataset):
                counts["datasets"] += 1
                found += _dataset(tree, where, thing)
            elif isinstance(thing, h5py.Group):
                counts["groups"] += 1
                found += _group(tree, where, thing)
            else:
                found.append(f"{where}: {thing}")
    tree.close()
    return [f"{path}: {one}" for one in found]


def objects(group: h5py.Group, path: str = "", around: tuple[Any, ...] = ()) -> Iterator[tuple]:
    """Each object by its path, links to other files too; none twice on one way."""
    yield path or "/", group
    for name in group:
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


def is_left_out(path: str, left_out: Any) -> bool:
    """Whether an object, or one around it, is named as left out."""
    return any(path == one or path.startswith(f"{one}/") for one in left_out)


def _group(tree: xr.DataTree, path: str, group: h5py.Group) -> list[str]:
    if path.strip("/") and path not in {node.path for node in tree.subtree}:
        return [f"{path}: no such group"]
    return _attributes(path, tree[path].attrs, group)


def _dataset(tree: xr.DataTree, path: str, dataset: h5py.Dataset) -> list[str]:
    group, _, name = path.rpartition("/")
    node = tree[group or "/"] if group.strip("/") else tree
    if name not in node.variables:
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
    return _attributes(path, variable.attrs, dataset)


def check_values(mine: np.ndarray, theirs: np.ndarray) -> None:
    """Raise unless two arrays are equal to the type and the bytes of each member."""
    theirs = theirs.astype(theirs.dtype.newbyteorder("="))
    if theirs.dtype.names:
        assert mine.dtype.names == theirs.dtype.names
        for name in theirs.dtype.names:
            check_values(mine[name], theirs[name])
    else:
        assert_array(mine, theirs, "values")


def _refuses(variable: xr.Variable, what: str) -> list[str]:
    try:
        variable.to_numpy()
    except ICESat2Error:
        return []
    return [f"{what}, we read it"]


def _attributes(path: str, mine: Any, thing: h5py.Group | h5py.Dataset) -> list[str]:
    found = []
    flags = {"flag_values", "flag_meanings"} - set(thing.attrs)
    for name in thing.attrs:
        if name in STRUCTURAL:
            continue
        try:
            dtype = thing.attrs.get_id(name).dtype
            if dtype.hasobject and not h5py.check_string_dtype(dtype):
                continue
            theirs = attribute(thing, name)
        except Exception:  # noqa: BLE001, S112 - h5py reads it no more than we do
            continue
        if isinstance(theirs, h5py.Empty):
            continue
        if name not in mine:
            found.append(f"{path}: no attribute {name}")
        elif not _alike(mine[name], theirs):
            found.append(f"{path}@{name}: {mine[name]!r:.80}, h5py {theirs!r:.80}")
    more = set(mine) - set(thing.attrs) - flags
    return found + ([f"{path}: attributes {more} that are not there"] if more else [])


def _alike(mine: Any, theirs: Any) -> bool:
    # An array of one text is a text, and a fill value a scalar.
    one, other = np.ravel(mine), np.ravel(theirs)
    if one.dtype.kind in "fc" and other.dtype.kind in "fc":
        return np.array_equal(one, other, equal_nan=True)
    return one.tolist() == other.tolist()


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
