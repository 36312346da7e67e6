"""What a file holds as a flat set of facts, told by h5py and by the engine.

A fact is a key (``names /gt1l``, ``attrs /gt1l/h``, ``value /gt1l/h``) and a short text that
two readers agree on if and only if they read the same. ``REFUSED`` is what a reader says that
raised an error it may raise.
"""

import glob
import hashlib
import itertools
import posixpath
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np

from tests.oracle import STRUCTURAL, flags

REFUSED = "refused"
DEEPEST = 12
"""Levels of groups that are compared: with two links to each, they have 2 ** 12 paths."""
SOFT_LINKS = 16
Facts = dict[str, str]


def told(array: Any) -> str:
    """A value as text: type, shape and a digest of the bytes in native order."""
    array = np.asarray(array)
    if array.dtype.kind == "U":
        array = array.astype(object)
    if array.dtype.hasobject:
        content = "\0".join(map(_text, array.ravel().tolist())).encode("utf-8", "surrogateescape")
        kind = "text"
    else:
        array = array.astype(array.dtype.newbyteorder("="))
        content, kind = array.tobytes(), array.dtype.str
        if array.dtype.names:  # with gaps, which hold anything
            content = repr(array.tolist()).encode()
    return f"{kind} {array.shape} {hashlib.blake2b(content, digest_size=8).hexdigest()}"


def _text(item: Any) -> str:
    return item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else str(item)


def names_told(names: Iterable[str]) -> str:
    """The members of a group as text; of names that no path can hold, what stands for them."""
    return told(np.array(sorted(map(escaped, names)), dtype=object))


def escaped(name: str) -> str:
    """The name under which a member is shown."""
    return name.replace(".", "%2E") if name in (".", "..") else name.replace("/", "%2F")


def note_attrs(facts: Facts, path: str, attrs: Mapping[str, Any]) -> None:
    """Note the names of attributes and each of them; a ``_FillValue`` of one as a scalar."""
    facts[f"attrs {path}"] = names_told(attrs)
    for name, value in attrs.items():
        if name == "_FillValue" and np.size(value) == 1:
            value = np.ravel(value)[0]  # noqa: PLW2901
            value = _text(value) if isinstance(value, bytes) else value  # noqa: PLW2901
        facts[f"attr {path}@{name}"] = told(value)


SUPPLIED = ((), ("units",), ("_FillValue",), ("_FillValue", "units"))


def without_supplied(ours: Facts, theirs: Facts) -> Facts:
    """Leave out what the specification supplies for datasets that have no attributes at all."""
    supplied = {names_told(names): names for names in SUPPLIED}
    facts = dict(ours)
    for key, fact in theirs.items():
        if key.startswith("attrs ") and fact == names_told(()) and facts.get(key) in supplied:
            for name in supplied[facts[key]]:
                del facts[f"attr {key.removeprefix('attrs ')}@{name}"]
            facts[key] = fact
    return facts


# --- h5py ---------------------------------------------------------------------------------------


def by_h5py(path: Path, undamaged: Path) -> Facts:
    """Everything that h5py reads of a file; objects by name, errors as ``REFUSED``.

    In a group that it cannot list, objects are asked for by their names in the undamaged file.
    """
    facts: Facts = {}
    try:
        file = h5py.File(path)
    except Exception:  # noqa: BLE001 - libhdf5 raises what it likes
        return facts
    with file, h5py.File(undamaged) as original:
        _group(facts, file.id, "/", (), original)
    return facts


def _group(
    facts: Facts,
    group: h5py.h5g.GroupID,
    path: str,
    around: tuple[int, ...],
    original: h5py.File,
) -> None:
    if len(around) > DEEPEST:
        return
    _attributes(facts, group, path)
    address = h5py.h5o.get_info(group).addr
    names: list[bytes] = []
    try:
        group.links.iterate(names.append)
    except Exception:  # noqa: BLE001
        facts[f"names {path}"] = REFUSED
        for name in original.get(path, ()):
            child = f"{path.rstrip('/')}/{name}"
            _object(facts, group, name.encode(), child, (*around, address), original)
        return
    if address in around:
        facts[f"names {path}"] = REFUSED  # a group that contains itself
        return
    facts[f"names {path}"] = names_told(_text(name) for name in names if _is_there(group, name))
    for name in names:
        child = f"{path.rstrip('/')}/{_text(name)}"
        _object(facts, group, name, child, (*around, address), original)


def _is_there(group: h5py.h5g.GroupID, name: bytes) -> bool:
    """Whether a link is more than a soft one that leads nowhere in this file."""
    here = name
    with suppress(Exception):  # such as of the root, to which no link leads
        for _ in range(SOFT_LINKS):
            if group.links.get_info(here).type != h5py.h5l.TYPE_SOFT:
                return True
            here = posixpath.join(posixpath.dirname(here), group.links.get_val(here))
    try:
        h5py.h5o.open(group, name)
    except Exception:  # noqa: BLE001
        return False
    return True


def _object(facts, group, name, path, around, original) -> None:
    try:
        found = h5py.h5o.open(group, name)
    except Exception:  # noqa: BLE001
        return
    if isinstance(found, h5py.h5g.GroupID):
        _group(facts, found, path, around, original)
    elif isinstance(found, h5py.h5d.DatasetID):
        _attributes(facts, found, path, _flags(found))
        try:
            facts[f"value {path}"] = told(_value(h5py.Dataset(found)))
        except Exception:  # noqa: BLE001
            facts[f"value {path}"] = REFUSED


def _value(dataset: h5py.Dataset) -> Any:
    if dataset.shape is None:
        raise ValueError("no values")
    return dataset[...]


def _flags(found: h5py.h5d.DatasetID) -> dict[str, Any]:
    try:
        return flags(h5py.Dataset(found))
    except Exception:  # noqa: BLE001 - of a type that h5py does not know, or damaged
        return {}


def _attributes(
    facts: Facts, found: Any, path: str, more: Mapping[str, Any] = MappingProxyType({})
) -> None:
    try:
        names = [h5py.h5a.open(found, index=n).name for n in range(h5py.h5a.get_num_attrs(found))]
    except Exception:  # noqa: BLE001
        facts[f"attrs {path}"] = REFUSED
        return
    held: dict[str, Any] = dict(more)
    unread: list[str] = []
    for name in names:
        try:
            if _text(name) not in STRUCTURAL and (value := _attribute(found, name)) is not None:
                held[_text(name)] = value
        except Exception:  # noqa: BLE001
            unread.append(_text(name))
    note_attrs(facts, path, held)
    if unread:
        facts[f"readable {path}"] = facts[f"attrs {path}"]
        facts[f"attrs {path}"] = names_told([*held, *unread])


def _attribute(found: Any, name: bytes) -> Any:
    """One attribute as text or numbers; None for what means nothing outside its file."""
    opened = h5py.h5a.open(found, name)
    stored, dtype = opened.get_type(), opened.dtype  # which h5py has only of what it can read
    if opened.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        is_text = stored.get_class() == h5py.h5t.STRING
        return "" if is_text else np.empty(0, dtype)
    if stored.get_class() == h5py.h5t.STRING and not stored.is_variable_str():
        return _fixed_text(opened, stored)
    if dtype.hasobject and not h5py.check_string_dtype(dtype):
        return None
    value = np.empty(opened.shape, dtype)
    opened.read(value)
    return value


def _fixed_text(opened: Any, stored: Any) -> np.ndarray:
    # Read as it lies, so that the padding is ours to judge.
    raw = np.empty(opened.shape, f"V{stored.get_size()}")
    opened.read(raw, mtype=stored)
    cut = {
        h5py.h5t.STR_SPACEPAD: lambda text: text.rstrip(b" \0"),
        h5py.h5t.STR_NULLTERM: lambda text: text.split(b"\0")[0],
        h5py.h5t.STR_NULLPAD: lambda text: text.rstrip(b"\0"),
    }[stored.get_strpad()]
    texts = [_text(cut(item.tobytes())) for item in raw.ravel()]
    return np.array(texts, dtype=object).reshape(raw.shape)


# --- the engine ---------------------------------------------------------------------------------


MOST_DAMAGED = 4


def by_engine(path: Path, undamaged: Path | None = None) -> Facts:
    """Everything that ``layout="file"`` reads of a file; our own errors as ``REFUSED``.

    The tree whole; where that is refused each group, where that is refused each variable. Any
    other error than the library's own goes on to the caller.
    """
    import xarray as xr  # noqa: PLC0415 - the h5py worker does without

    from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

    facts: Facts = {}
    _merge(path)
    try:
        tree = xr.open_datatree(path, **RAW)
    except ICESat2Error:
        _Piecewise(path, facts).read()
        return facts
    # A soft link that leads out of the file is to h5py one that leads nowhere.
    left_out = {
        where: "damaged" in reason
        for where, reason in tree.icesat2.left_out.items()
        if "lies below" not in reason and not _is_attribute(tree, where)
    }
    for node in tree.subtree:
        if node.level > DEEPEST:
            continue
        dataset = node.to_dataset(inherit=False)
        _dataset(facts, node.path, dataset)
        named = {where: d for where, d in left_out.items() if posixpath.dirname(where) == node.path}
        held = {*map(str, node.children), *map(str, dataset.variables)}
        facts[f"names {node.path}"] = names_told({*held, *map(posixpath.basename, named)})
        # To h5py a soft link to what is damaged leads nowhere, or somewhere.
        damaged = [posixpath.basename(where) for where, is_damaged in named.items() if is_damaged]
        names = held | {*map(posixpath.basename, named)}
        ways = itertools.chain.from_iterable(
            itertools.combinations(damaged, n) for n in range(1, MOST_DAMAGED)
        )
        if damaged:
            facts[f"sound {node.path}"] = "|".join(names_told(names - {*some}) for some in ways)
    tree.close()
    return facts


def _is_attribute(tree: Any, where: str) -> bool:
    """Whether what is left out is an attribute of something that is shown."""
    cuts = [number for number, character in enumerate(where) if character == "@"]
    return any(where[:cut] == "/" or where[1:cut] in tree for cut in cuts)


def _merge(path: Path) -> None:
    """Open and load the main rate, decoded: which values these are is tested elsewhere."""
    import xarray as xr  # noqa: PLC0415

    from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

    with suppress(ICESat2Error):
        xr.open_dataset(path, engine="icesat2").load()


RAW = {"engine": "icesat2", "layout": "file", "decode_cf": False}


def _dataset(facts: Facts, group: str, dataset: Any) -> None:
    from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

    note_attrs(facts, group, dataset.attrs)
    for name, variable in dataset.variables.items():
        path = f"{group.rstrip('/')}/{name}"
        note_attrs(facts, path, variable.attrs)
        try:
            facts[f"value {path}"] = told(variable.values)
        except ICESat2Error:
            facts[f"value {path}"] = REFUSED


DEEPEST_ASKED = 5
"""Levels of groups that are asked for one by one: cycles of links never end."""


class _Piecewise:
    """What can be had of a file that does not open as a whole."""

    def __init__(self, path: Path, facts: Facts) -> None:
        from xr_icesat2.assembly.open_granules import open_granules  # noqa: PLC0415
        from xr_icesat2.assembly.request import make_request  # noqa: PLC0415

        self.path = path
        self.facts = facts
        (self.granule,), _ = open_granules(make_request(path, {}))

    def read(self) -> None:
        """Each group, each with what lies in it."""
        from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

        tree = self.granule.index._tree
        groups = [("/", frozenset({tree.root}))]
        for group, around in groups:
            try:
                links = self.granule.index.group(group).links
            except ICESat2Error:
                continue
            self.facts[f"names {group}"] = names_told(links)
            datasets = []
            for name, link in links.items():
                child = f"{group.rstrip('/')}/{name}"
                kind = self._kind(child)
                if kind is None and isinstance(link, str):
                    # It leads nowhere, or to what is damaged: which, is not to be told from here.
                    self.facts[f"names {group}"] = REFUSED
                elif kind == "group" and group.count("/") < DEEPEST_ASKED:
                    address = tree.target(child)
                    if address not in around:  # not a group that contains itself
                        groups.append((child, around | {address}))
                elif kind == "dataset":
                    datasets.append(name)
            self._variables(group, list(links), datasets)
        self.granule.close()

    def _kind(self, path: str) -> str | None:
        from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415
        from xr_icesat2.hdf5.model import GroupHeader  # noqa: PLC0415

        try:
            node = self.granule.index.node(path)
        except ICESat2Error:
            return None
        return "group" if isinstance(node, GroupHeader) else "dataset"

    def _variables(self, group: str, names: list[str], datasets: list[str]) -> None:
        import xarray as xr  # noqa: PLC0415

        from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

        try:
            _dataset(self.facts, group, xr.open_dataset(self.path, group=group, **RAW))
        except ICESat2Error:
            pass
        else:
            return
        for wanted in datasets:
            others = [glob.escape(name) for name in names if name != wanted]
            try:
                ds = xr.open_dataset(self.path, group=group, drop_variables=others, **RAW)
            except ICESat2Error:
                continue
            _dataset(self.facts, group, ds)
