"""Types of the contents of an encoded index, which msgspec checks when it decodes.

The types declare each value. :mod:`.codec` and :func:`.check_contents` check that sizes, addresses
and shapes fit each other and the file.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

__all__ = [
    "Array",
    "Attribute",
    "ChunkedLayout",
    "CompactLayout",
    "ContiguousLayout",
    "Count",
    "Dataset",
    "Dtype",
    "External",
    "Group",
    "H5pyLayout",
    "LeftOutNode",
    "Link",
    "Misnamed",
    "Scalar",
    "StoredIndex",
    "StoredLayout",
    "StoredNode",
    "StructureDtype",
    "SubarrayDtype",
    "Text",
    "Texts",
    "Unread",
    "from_text",
    "to_text",
]

MAX_ATTRIBUTE_SETS = 1 << 17
"""An empty set takes one byte, but 64 bytes once it is decoded."""

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Text: TypeAlias = str
"""A text as :func:`from_text` returns it."""
_MARK = "\0surrogates\0"


def from_text(text: str) -> Text:
    """Return a text as msgpack can hold it: surrogates stand for bytes that are not UTF-8."""
    if text.isascii() and not text.startswith(_MARK):
        return text
    encoded = text.encode("utf-8", "surrogatepass")
    try:
        encoded.decode()
    except UnicodeDecodeError:
        return _MARK + encoded.decode("latin-1")
    return _MARK + encoded.decode("latin-1") if text.startswith(_MARK) else text


def to_text(text: Text) -> str:
    """Return the text that :func:`from_text` was given."""
    if not text.startswith(_MARK):
        return text
    return text.removeprefix(_MARK).encode("latin-1").decode("utf-8", "surrogatepass")


class _Part(Struct, array_like=True, gc=False):
    """An array of the fields; of a union the first item tells which class it is."""


class StructureDtype(_Part, tag=1):
    """A dtype with named fields: (name, dtype, offset)."""

    itemsize: Count
    fields: tuple[tuple[Text, Dtype, Count], ...]


class SubarrayDtype(_Part, tag=2):
    """A dtype whose elements are arrays."""

    base: Dtype
    shape: tuple[Count, ...]


Dtype: TypeAlias = "str | StructureDtype | SubarrayDtype"


class Array(_Part, tag=1):
    """An array: its bytes in C order, or its texts."""

    dtype: Dtype
    shape: tuple[Count, ...]
    data: bytes | tuple[Text, ...]


class Scalar(_Part, tag=2):
    """A NumPy scalar, as an array without dimensions."""

    array: Array


class Texts(_Part, tag=3):
    """Several texts."""

    texts: tuple[Text, ...]


Attribute: TypeAlias = Text | Texts | Scalar | Array


class External(_Part, tag=1):
    """A link to another file."""

    file: Text
    path: Text


class Misnamed(_Part, tag=2):
    """A link whose name no path can hold."""

    name: Text


Link: TypeAlias = int | Text | External | Misnamed


class CompactLayout(_Part, tag=1):
    """See :class:`xr_icesat2.hdf5.model.Compact`."""

    data: bytes


class ContiguousLayout(_Part, tag=2):
    """See :class:`xr_icesat2.hdf5.model.Contiguous`."""

    offset: Count | None


class ChunkedLayout(_Part, tag=3):
    """See :class:`xr_icesat2.hdf5.model.Chunked`; of each filter its id and element size."""

    btree: Count | None
    chunk_shape: tuple[Annotated[int, Meta(ge=1)], ...]
    filters: Annotated[tuple[tuple[Count, Count], ...], Meta(max_length=32)]


class H5pyLayout(_Part, tag=4):
    """Values that only h5py reads, and why."""

    reason: Text


StoredLayout: TypeAlias = CompactLayout | ContiguousLayout | ChunkedLayout | H5pyLayout
_LeftOutAttributes: TypeAlias = tuple[tuple[Text, Text], ...]


class Group(_Part, tag=1):
    """A group; its attributes by their number in :attr:`StoredIndex.attributes`."""

    attributes: Count
    links: dict[Text, Link]
    left_out_attrs: _LeftOutAttributes


class Dataset(_Part, tag=2):
    """The header of a dataset; attributes by their number in :attr:`StoredIndex.attributes`."""

    attributes: Count
    dtype: Dtype
    shape: tuple[Count, ...]
    layout: StoredLayout
    fill: bytes
    dimension_list: tuple[tuple[int | Text, ...], ...]
    is_scale: bool
    dimension_only: bool
    null_terminated: bool
    left_out_attrs: _LeftOutAttributes


class LeftOutNode(_Part, tag=3):
    """An object that is left out, and why."""

    reason: Text


StoredNode: TypeAlias = Group | Dataset | LeftOutNode


class Unread(_Part):
    """A node of a chunk B-tree that was not read yet."""

    address: Count
    level: Count | None
    first: tuple[Count, ...]
    end: tuple[Count, ...] | None


class StoredIndex(_Part):
    """The index of one granule, without the columns of its chunk tables."""

    attributes: Annotated[list[dict[Text, Attribute]], Meta(max_length=MAX_ATTRIBUTE_SETS)]
    """Each once, though six beams have the same."""
    nodes: dict[Text, StoredNode]
    tables: dict[Text, tuple[Unread, ...]]
    """Of each chunked dataset whose table was read, what was not read of it."""
    values: dict[Text, Array]
    root: int | None
    base: Count
