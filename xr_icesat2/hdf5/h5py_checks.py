"""Check an object before h5py reads it, so that no other file and no plugin is opened.

The HDF5 library follows external storage, external links, sources of virtual datasets, and loads
plugins for filters. The types of links and the creation properties show all of these beforehand. So
h5py never gets a path of several names: each link on the path is checked, then opened by itself.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

import h5py
from h5py import h5d, h5g, h5l, h5o, h5t, h5z

from .dataset_messages import MAX_SOURCES
from .filters import FILTERS, check_order
from .h5py_chunks import filter_steps
from .model import ExternalLink
from .object_parser import STORED_ELSEWHERE
from .parser_driver import RefusedError

__all__ = ["ObjectID", "as_text", "check_storage", "open_object"]

ObjectID: TypeAlias = h5g.GroupID | h5d.DatasetID | h5t.TypeID

SAME_FILE = "."
"""The name by which a virtual dataset refers to its own file."""
MAX_NESTED = 16
"""Levels of virtual datasets whose sources are virtual datasets."""
BUILT_IN = frozenset(filter(h5z.filter_avail, FILTERS))
"""Filters for which no plugin is searched; the library may be built without some."""


def open_object(file: h5py.File, path: str, max_soft_links: int) -> ObjectID | None:
    """Open an object by its path, along hard and soft links only; None if there is none.

    Raises
    ------
    RefusedError
        A link on the way leads to another file, or soft links lead in a circle.
    """
    root = h5g.open(file.id, b"/")
    here: ObjectID = root
    names = deque(_names(path.encode("utf-8", "surrogateescape")))
    soft_links = 0
    while names:
        name = names.popleft()
        if not isinstance(here, h5g.GroupID) or not here.links.exists(name):
            return None
        kind = here.links.get_info(name).type
        if kind == h5l.TYPE_HARD:
            here = h5o.open(here, name)
        elif kind == h5l.TYPE_SOFT and soft_links < max_soft_links:
            soft_links += 1
            target = here.links.get_val(name)
            here = root if target.startswith(b"/") else here
            names.extendleft(reversed(_names(target)))
        else:
            raise RefusedError(_refusal(here, name, kind))
    return here


def _names(path: bytes) -> list[bytes]:
    return [name for name in path.split(b"/") if name not in (b"", b".")]


def _refusal(group: h5g.GroupID, name: bytes, kind: int) -> str:
    if kind == h5l.TYPE_SOFT:
        return "it is a soft link that leads in a circle"
    if kind == h5l.TYPE_EXTERNAL:
        file, path = (as_text(part) for part in group.links.get_val(name))
        return ExternalLink(file, path).reason
    return f"it is a link of a kind that a program defined for itself ({kind})"


def as_text(name: bytes | str) -> str:
    """Decode a name or text; bytes that are not UTF-8 are kept."""
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name


def _file_name(properties: h5py.h5p.PropDCID, number: int) -> str:
    try:
        return str(properties.get_virtual_filename(number))
    except UnicodeDecodeError as error:
        return as_text(error.object)


def check_storage(
    file: h5py.File, found: h5d.DatasetID, max_soft_links: int
) -> list[h5d.DatasetID]:
    """Raise unless the values of a dataset can be read from this file, and without plugins.

    Returns
    -------
    list of DatasetID
        The dataset, and all sources of a virtual one.

    Raises
    ------
    RefusedError
        They are in another file, or go through a filter that is not built in.
    """
    sources = _Sources(file, max_soft_links)
    sources.check(found)
    return sources.found


class _Sources:
    """Checks a dataset, and the sources of a virtual one."""

    def __init__(self, file: h5py.File, max_soft_links: int) -> None:
        self._file = file
        self._max_soft_links = max_soft_links
        self.found: list[h5d.DatasetID] = []
        self._checked: set[object] = set()
        self._around: list[object] = []
        self._left = MAX_SOURCES

    def check(self, found: h5d.DatasetID) -> None:
        self.found.append(found)
        properties = found.get_create_plist()
        if properties.get_external_count():
            raise RefusedError(STORED_ELSEWHERE)
        for number in range(properties.get_nfilters()):
            code, _, _, name = properties.get_filter(number)
            if code not in BUILT_IN:
                raise RefusedError(
                    f"its filter {code} ({as_text(name)!r}) is not built in, and plugins are not "
                    "searched"
                )
        check_order([step.code for step in filter_steps(properties)])
        if properties.get_layout() == h5d.VIRTUAL:
            self._check_sources(found, properties)

    def _check_sources(self, found: h5d.DatasetID, properties: h5py.h5p.PropDCID) -> None:
        address = h5o.get_info(found).addr
        if address in self._around:
            raise RefusedError("it is a virtual dataset that is its own source")
        self._left -= properties.get_virtual_count()
        if self._left < 0:
            raise RefusedError(f"a virtual dataset of more than {MAX_SOURCES:,} sources")
        if len(self._around) > MAX_NESTED:
            raise RefusedError(f"virtual datasets nested in more than {MAX_NESTED} levels")
        if address in self._checked:
            return
        self._around.append(address)
        for number in range(properties.get_virtual_count()):
            name = _file_name(properties, number)
            if name != SAME_FILE:
                raise RefusedError(
                    f"it is a virtual dataset, whose values are stored in another file ({name!r}), "
                    "and only the granule itself is read"
                )
            self._check_source(properties.get_virtual_dsetname(number))
        self._around.pop()
        self._checked.add(address)

    def _check_source(self, path: str) -> None:
        if "%" in path:
            raise RefusedError(f"it is a virtual dataset of many sources ({path!r})")
        source = open_object(self._file, path, self._max_soft_links)
        # A missing source reads as the fill value.
        if isinstance(source, h5d.DatasetID):
            self.check(source)
