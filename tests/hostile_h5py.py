"""What h5py reads of a damaged file, as facts."""

import posixpath
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np

from tests.hostile_facts import (
    DEEPEST,
    REFUSED,
    Facts,
    as_text,
    described,
    listed_names,
    note_attrs,
)
from tests.oracle import STRUCTURAL, flags

SOFT_LINKS = 16


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
    facts[f"names {path}"] = listed_names(as_text(name) for name in names if _is_there(group, name))
    for name in names:
        child = f"{path.rstrip('/')}/{as_text(name)}"
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
            facts[f"value {path}"] = described(_value(h5py.Dataset(found)))
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
    attributes: dict[str, Any] = dict(more)
    unread: list[str] = []
    for name in names:
        try:
            if as_text(name) not in STRUCTURAL and (value := _attribute(found, name)) is not None:
                attributes[as_text(name)] = value
        except Exception:  # noqa: BLE001
            unread.append(as_text(name))
    note_attrs(facts, path, attributes)
    if unread:
        facts[f"readable {path}"] = facts[f"attrs {path}"]
        facts[f"attrs {path}"] = listed_names([*attributes, *unread])


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
    # Read unmodified, so that the padding is ours to judge.
    raw = np.empty(opened.shape, f"V{stored.get_size()}")
    opened.read(raw, mtype=stored)
    cut = {
        h5py.h5t.STR_SPACEPAD: lambda text: text.rstrip(b" \0"),
        h5py.h5t.STR_NULLTERM: lambda text: text.split(b"\0")[0],
        h5py.h5t.STR_NULLPAD: lambda text: text.rstrip(b"\0"),
    }[stored.get_strpad()]
    texts = [as_text(cut(item.tobytes())) for item in raw.ravel()]
    return np.array(texts, dtype=object).reshape(raw.shape)
