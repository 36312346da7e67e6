"""The metadata of an HDF5 file as plain values.

The values are checked and converted, and refer to no open file, so they can be pickled, cached and
compared. Places of dataset values are byte offsets in the file; addresses of structure are counted
from the superblock. Sections named in docstrings are those of the *HDF5 File Format Specification,
version 3.0*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np

from xr_icesat2.errors import CorruptGranuleError, NotSupportedError

__all__ = [
    "BY_H5PY",
    "AttributeValue",
    "ChunkTable",
    "Chunked",
    "Compact",
    "Contiguous",
    "DatasetHeader",
    "DatasetLayout",
    "ExternalLink",
    "Filter",
    "GroupHeader",
    "H5pyOnly",
    "IndexContents",
    "LeftOut",
    "LeftOutAttributes",
    "LinkTarget",
    "MisnamedLink",
    "Node",
    "Object",
    "OverlongLink",
    "Subtree",
    "address_of",
    "h5py_link",
    "left_out_attributes",
]

AttributeValue: TypeAlias = "str | tuple[str, ...] | np.generic | np.ndarray"
"""An array of one text is that text, several are a tuple; numbers keep the stored shape."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One step of a dataset's filter pipeline (section IV.A.2.l)."""

    id: int
    """1 deflate, 2 shuffle, 3 fletcher32."""
    element_size: int = 0
    """Bytes an element, for shuffle; 0 for the others."""


@dataclass(frozen=True, slots=True)
class Compact:
    """Values that are stored in the object header."""

    kind: ClassVar = "compact"
    data: bytes


@dataclass(frozen=True, slots=True)
class Contiguous:
    """Values that are stored in one byte range of the file."""

    kind: ClassVar = "contiguous"
    offset: int | None
    """Byte offset, or None if nothing was ever written: all values are the fill value."""


@dataclass(frozen=True, slots=True)
class Chunked:
    """Values that are stored in chunks, found through a version 1 B-tree."""

    kind: ClassVar = "chunked"
    btree: int | None
    """Address of the B-tree's root node, or None if no chunk was ever written."""
    chunk_shape: tuple[int, ...]
    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class H5pyOnly:
    """Values that only h5py can read; ``reason`` is why our parsers do not."""

    kind: ClassVar = "h5py"
    reason: str


DatasetLayout: TypeAlias = Compact | Contiguous | Chunked | H5pyOnly


@dataclass(frozen=True, slots=True)
class ExternalLink:
    """A link to an object of another file, which is never followed."""

    file: str
    path: str

    @property
    def reason(self) -> str:
        """Why its target is left out."""
        return (
            f"it is a link to another file ({self.path!r} in {self.file!r}), and only the granule "
            "itself is read"
        )


@dataclass(frozen=True, slots=True)
class MisnamedLink:
    """A link with a name that no path can hold (``.``, ``..``, or with a slash): never followed."""

    name: str

    @property
    def escaped(self) -> str:
        """The name under which it is shown."""
        if self.name in (".", ".."):
            return self.name.replace(".", "%2E")
        return self.name.replace("/", "%2F")

    @property
    def reason(self) -> str:
        """Why its target is left out."""
        return f"its name is {self.name!r}, which has no place in a path"

    @staticmethod
    def has(name: str) -> bool:
        """Whether no path can hold a name."""
        return name in (".", "..") or "/" in name


@dataclass(frozen=True, slots=True)
class OverlongLink:
    """A link whose name is longer than the limit: never followed, and never saved in an index."""

    shown: str
    """The beginning of the name."""
    reason: str
    """Why its target is left out."""


BY_H5PY = -1
"""Takes the place of a header's address if h5py finds the object by its path."""
LinkTarget: TypeAlias = int | str | ExternalLink | MisnamedLink | OverlongLink
"""The address of an object's header (a hard link), a path (a soft link), or a link that is never
followed. Numbers below :data:`BY_H5PY` are :func:`h5py_link` of an address."""


def h5py_link(address: int) -> int:
    """Return the link to an object that the HDF5 library reads, by the offset of its header."""
    return BY_H5PY - 1 - address


def address_of(link: object) -> int | None:
    """Return the address that a hard link leads to; None if it is not known, or no hard link."""
    if not isinstance(link, int) or link == BY_H5PY:
        return None
    return link if link >= 0 else h5py_link(link)


LeftOutAttributes: TypeAlias = tuple[tuple[str, str], ...]
"""Names of attributes that exist and are not read, each with the reason."""


@dataclass(frozen=True, slots=True)
class GroupHeader:
    """A group: its attributes and what it links to."""

    links: Mapping[str, LinkTarget]
    """Members of the group, keyed by name."""
    attrs: Mapping[str, AttributeValue]
    left_out_attrs: LeftOutAttributes = ()


@dataclass(frozen=True, slots=True)
class DatasetHeader:
    """A dataset: everything but its values and its chunk table."""

    dtype: np.dtype
    """As stored, byte order included; fixed strings are ``S``, variable-length strings object."""
    shape: tuple[int, ...]
    layout: DatasetLayout
    fill: bytes
    """One element as stored, for unwritten parts (zeros if the file defines none)."""
    attrs: Mapping[str, AttributeValue]
    dimension_list: tuple[tuple[int | str, ...], ...] = ()
    """For each dimension the scales attached to it, each a header offset or a path."""
    is_scale: bool = False
    """Whether other datasets may use this one as a dimension scale (``CLASS``)."""
    dimension_only: bool = False
    """Whether it is a dimension without a variable (netCDF-4): its values mean nothing."""
    null_terminated: bool = False
    """Whether its elements are strings that end at the first zero."""
    left_out_attrs: LeftOutAttributes = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that exists and is not read: it is in no Dataset or tree."""

    reason: str
    """What is not supported, as the end of the sentence "It is left out: …"."""
    limited: bool = False
    """Whether it is left out because of a limit, and would be read with another."""
    damaged: bool = False
    """Whether it cannot be read, which is an error to whoever asks for it by its path."""

    def error(self, url: str, path: str) -> CorruptGranuleError | NotSupportedError:
        """Return the error for whoever asks for it by its path."""
        if self.damaged:
            return CorruptGranuleError(f"{url}: {path} cannot be read: {self.reason}.")
        return NotSupportedError(f"{url}: {path} is not supported: {self.reason}")


Object: TypeAlias = GroupHeader | DatasetHeader
Node: TypeAlias = Object | LeftOut


def left_out_attributes(path: str, node: Node) -> dict[str, LeftOut]:
    """Return the attributes of an object that are not read, keyed ``/path@name``."""
    if isinstance(node, LeftOut):
        return {}
    return {f"{path}@{name.replace('/', '%2F')}": LeftOut(why) for name, why in node.left_out_attrs}


@dataclass(frozen=True, slots=True)
class Subtree:
    """An unread node of a chunk B-tree, with the range of keys that its parent declares.

    A key is the first element of a chunk, by its position along each dimension, and a zero.
    """

    address: int
    level: int | None = None
    """Height above the leaves; None for the root, which stores its own."""
    first: tuple[int, ...] = ()
    """The least key that it may have."""
    end: tuple[int, ...] | None = None
    """A key above those of all its entries."""

    def may_hold(self, rows: np.ndarray | None) -> bool:
        """Whether a chunk that begins at one of these rows (ascending) may be in it."""
        if rows is None or not self.first:
            return True
        at = int(np.searchsorted(rows, self.first[0]))
        if at == len(rows) or self.end is None:
            return at < len(rows)
        return (int(rows[at]), *(0 for _ in self.end[1:])) < self.end


@dataclass(frozen=True, slots=True)
class ChunkTable:
    """The byte ranges of the chunks of a dataset, in C order of the chunk grid, as far as read."""

    grid: tuple[int, ...]
    """Number of chunks along each dimension."""
    offsets: np.ndarray = field(repr=False)
    """uint64, one a chunk: byte offset in the file; meaningless where ``sizes`` is 0."""
    sizes: np.ndarray = field(repr=False)
    """uint32, one a chunk: bytes stored; 0 for a chunk that was never written."""
    masks: np.ndarray = field(repr=False)
    """uint32, one a chunk: bit i set means that filter i was skipped for this chunk."""
    unread: tuple[Subtree, ...] = ()
    """Unread parts of the B-tree: their chunks are 0 in all three arrays."""

    @property
    def known(self) -> int:
        """Number of chunks whose byte ranges are known."""
        return int(np.count_nonzero(self.sizes))


@dataclass(frozen=True, slots=True)
class IndexContents:
    """The known structure of a granule, keyed by path: an index as a value."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    tables: Mapping[str, ChunkTable] = field(default_factory=dict)
    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Values of the few small datasets that identify the granule, as stored."""
    root: int | None = None
    """The link to the root group, if it is known."""
    base: int = 0
    """The byte offset from which addresses are counted, once the root group is known."""

    def __or__(self, other: IndexContents) -> IndexContents:
        """Combine both; of two chunk tables keep the one that knows more chunks."""
        more = {
            path: table
            for path, table in other.tables.items()
            if path not in self.tables or table.known >= self.tables[path].known
        }
        return IndexContents(
            {**self.nodes, **other.nodes},
            {**self.tables, **more},
            {**self.values, **other.values},
            *((self.root, self.base) if other.root is None else (other.root, other.base)),
        )
