"""The content of a file as a flat set of facts, which two readers of it can compare.

A fact is a key (``names /gt1l``, ``attrs /gt1l/h``, ``value /gt1l/h``) and a short text, which is
equal for two readers if and only if they read the same. ``REFUSED`` stands for an allowed error.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

REFUSED = "refused"
DEEPEST = 12
"""Levels of groups that are compared: with two links to each, they have 2 ** 12 paths."""
Facts = dict[str, str]


def described(array: Any) -> str:
    """A value as text: type, shape and a digest of the bytes in native order."""
    array = np.asarray(array)
    if array.dtype.kind == "U":
        array = array.astype(object)
    if array.dtype.hasobject:
        content = "\0".join(map(as_text, array.ravel().tolist())).encode("utf-8", "surrogateescape")
        kind = "text"
    else:
        array = array.astype(array.dtype.newbyteorder("="))
        content, kind = array.tobytes(), array.dtype.str
        if array.dtype.names:  # with gaps, which hold anything
            content = repr(array.tolist()).encode()
    return f"{kind} {array.shape} {hashlib.blake2b(content, digest_size=8).hexdigest()}"


def as_text(item: Any) -> str:
    """Return a name or text of a file as ``str``."""
    return item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else str(item)


def listed_names(names: Iterable[str]) -> str:
    """The members of a group as text; of names that no path can hold, what stands for them."""
    return described(np.array(sorted(map(escaped, names)), dtype=object))


def escaped(name: str) -> str:
    """The name under which a member is shown."""
    return name.replace(".", "%2E") if name in (".", "..") else name.replace("/", "%2F")


def note_attrs(facts: Facts, path: str, attrs: Mapping[str, Any]) -> None:
    """Note the names of attributes and each of them; a ``_FillValue`` of one as a scalar."""
    facts[f"attrs {path}"] = listed_names(attrs)
    for name, value in attrs.items():
        if name == "_FillValue" and np.size(value) == 1:
            value = np.ravel(value)[0]  # noqa: PLW2901
            value = as_text(value) if isinstance(value, bytes) else value  # noqa: PLW2901
        facts[f"attr {path}@{name}"] = described(value)


SUPPLIED = ((), ("units",), ("_FillValue",), ("_FillValue", "units"))


def without_supplied(ours: Facts, theirs: Facts) -> Facts:
    """Leave out what the specification supplies for datasets that have no attributes at all."""
    supplied = {listed_names(names): names for names in SUPPLIED}
    facts = dict(ours)
    for key, fact in theirs.items():
        if key.startswith("attrs ") and fact == listed_names(()) and facts.get(key) in supplied:
            for name in supplied[facts[key]]:
                del facts[f"attr {key.removeprefix('attrs ')}@{name}"]
            facts[key] = fact
    return facts
