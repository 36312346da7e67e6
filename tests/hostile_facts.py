"""What a file holds as a flat set of facts, told by h5py and by the engine.

A fact is a key (``names /gt1l``, ``attrs /gt1l/h``, ``value /gt1l/h``) and a short text that
two readers agree on if and only if they read the same. ``REFUSED`` is what a reader says that
raised an error it may raise.
"""

import glob
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.oracle import STRUCTURAL

REFUSED = "refused"
DEEPEST = 12
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
    return f"{kind} {array.shape} {hashlib.blake2b(content, digest_size=8).hexdigest()}"


def _text(item: Any) -> str:
    return item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else str(item)


def names_told(names: Iterable[str]) -> str:
    """The members of a group as text."""
    return told(np.array(sorted(names), dtype=object))


def attrs_told(attrs: dict[str, Any]) -> str:
    """Attributes as text; a ``_FillValue`` that is an array of one as the scalar it is given as."""
    attrs = dict(attrs)
    if np.size(attrs.get("_FillValue", ())) == 1:
        attrs["_FillValue"] = np.ravel(attrs["_FillValue"])[0]
    return "; ".join(f"{name!r}={told(attrs[name])}" for name in sorted(attrs))


# --- h5py ---------------------------------------------------------------------------------------


def by_h5py(path: Path) -> Facts:
    """Everything that h5py reads of a file; objects by name, errors as ``REFUSED``."""
    facts: Facts = {}
    try:
        file = h5py.File(path)
    except Exception:  # noqa: BLE001 - libhdf5 raises what it likes
        return facts
    with file:
        _group(facts, file.id, "/", ())
    return facts


def _group(facts: Facts, group: h5py.h5g.GroupID, path: str, around: tuple[int, ...]) -> None:
    _attributes(facts, group, path)
    try:
        address = h5py.h5o.get_info(group).addr
        names = list(group)
    except Exception:  # noqa: BLE001
        facts[f"names {path}"] = REFUSED
        return
    facts[f"names {path}"] = names_told(map(_text, names))
    if address in around or len(around) > DEEPEST:
        facts[f"names {path}"] = REFUSED  # a group that contains itself
        return
    for name in names:
        _object(facts, group, name, f"{path.rstrip('/')}/{_text(name)}", (*around, address))


def _object(facts, group, name, path, around) -> None:
    try:
        found = h5py.h5o.open(group, name)
    except Exception:  # noqa: BLE001
        return
    if isinstance(found, h5py.h5g.GroupID):
        _group(facts, found, path, around)
    elif isinstance(found, h5py.h5d.DatasetID):
        _attributes(facts, found, path)
        try:
            facts[f"value {path}"] = told(_value(h5py.Dataset(found)))
        except Exception:  # noqa: BLE001
            facts[f"value {path}"] = REFUSED


def _value(dataset: h5py.Dataset) -> Any:
    if dataset.shape is None:
        raise ValueError("no values")
    return dataset[...]


def _attributes(facts: Facts, found: Any, path: str) -> None:
    try:
        names = [h5py.h5a.open(found, index=n).name for n in range(h5py.h5a.get_num_attrs(found))]
        attrs = {
            _text(name): value
            for name in names
            if _text(name) not in STRUCTURAL and (value := _attribute(found, name)) is not None
        }
        facts[f"attrs {path}"] = attrs_told(attrs)
    except Exception:  # noqa: BLE001
        facts[f"attrs {path}"] = REFUSED


def _attribute(found: Any, name: bytes) -> Any:
    """One attribute as text or numbers; None for what means nothing outside its file."""
    opened = h5py.h5a.open(found, name)
    stored = opened.get_type()
    if opened.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        is_text = stored.get_class() == h5py.h5t.STRING
        return "" if is_text else np.empty(0, opened.dtype)
    if stored.get_class() == h5py.h5t.STRING and not stored.is_variable_str():
        return _fixed_text(opened, stored)
    if opened.dtype.hasobject and not h5py.check_string_dtype(opened.dtype):
        return None
    value = np.empty(opened.shape, opened.dtype)
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


def by_engine(path: Path) -> Facts:
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
    for node in tree.subtree:
        _dataset(facts, node.path, node.to_dataset(inherit=False))
        held = {*node.children, *node.to_dataset(inherit=False).variables}
        facts[f"names {node.path}"] = names_told(map(str, held))
    tree.close()
    return facts


def _merge(path: Path) -> None:
    """Open and load the main rate, decoded: which values these are is tested elsewhere."""
    import xarray as xr  # noqa: PLC0415

    from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

    with suppress(ICESat2Error):
        xr.open_dataset(path, engine="icesat2").load()


RAW = {"engine": "icesat2", "layout": "file", "decode_cf": False}


def _dataset(facts: Facts, group: str, dataset: Any) -> None:
    from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

    facts[f"attrs {group}"] = attrs_told(dataset.attrs)
    for name, variable in dataset.variables.items():
        path = f"{group.rstrip('/')}/{name}"
        facts[f"attrs {path}"] = attrs_told(variable.attrs)
        try:
            facts[f"value {path}"] = told(variable.values)
        except ICESat2Error:
            facts[f"value {path}"] = REFUSED


class _Piecewise:
    """What can be had of a file that does not open as a whole."""

    def __init__(self, path: Path, facts: Facts) -> None:
        from xr_icesat2.merge.open import open_granules  # noqa: PLC0415

        self.path = path
        self.facts = facts
        (self.granule,) = open_granules([path], None, None)

    def read(self) -> None:
        """Each group, each with what lies in it."""
        from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415
        from xr_icesat2.granule.model import GroupHeader  # noqa: PLC0415

        groups = ["/"]
        for group in groups:
            try:
                names = list(self.granule.index.group(group).links)
            except ICESat2Error:
                self.facts[f"names {group}"] = self.facts[f"attrs {group}"] = REFUSED
                continue
            self.facts[f"names {group}"] = names_told(names)
            datasets = []
            for name in names:
                child = f"{group.rstrip('/')}/{name}"
                try:
                    node = self.granule.index.node(child)
                except ICESat2Error:
                    self.facts[f"value {child}"] = REFUSED
                    continue
                (groups if isinstance(node, GroupHeader) else datasets).append(
                    child if isinstance(node, GroupHeader) else name
                )
            self._variables(group, names, datasets)
        self.granule.close()

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
                self.facts[f"value {group.rstrip('/')}/{wanted}"] = REFUSED
            else:
                _dataset(self.facts, group, ds)
