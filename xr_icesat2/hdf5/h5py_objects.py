"""Read headers and values of objects through h5py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5ds, h5g, h5l, h5t

from xr_icesat2.limits import Limits

from .attributes import DIMENSION_ONLY, HIDDEN_ATTRIBUTES, strip_padding, text_attribute
from .datatype import REFERENCES, SEQUENCES, Padding, with_flag_attributes
from .group_links import Members
from .h5py_checks import ObjectID, as_text, check_storage
from .h5py_chunks import check_chunk_sizes
from .h5py_variable_length import (
    UNSEEN,
    TextReferences,
    VariableLengthAttributes,
    check_text_lengths,
)
from .limit_counters import TEXT_BYTES, LimitUsage
from .model import (
    BY_H5PY,
    AttributeValue,
    DatasetHeader,
    ExternalLink,
    GroupHeader,
    H5pyOnly,
    LeftOut,
    LeftOutAttributes,
    LinkTarget,
    MisnamedLink,
    Object,
    h5py_link,
)
from .object_parser import NOTHING
from .parser_driver import RefusedError

__all__ = ["read_h5py_object", "read_h5py_values"]

NAMED_TYPE = "it is a named datatype, which contains no values"
OPAQUE = "it contains opaque bytes"
NO_NUMPY_TYPE = "its type has no numpy equivalent: {}"
NO_TYPE = (TypeError, ValueError, NotImplementedError, KeyError)
"""What h5py raises at a type that numpy has not; the last at the byte order of a VAX."""
OBJECTS_WITHIN = "its compound type contains texts of variable length, sequences or references"


def read_h5py_object(
    file: h5py.File,
    found: ObjectID,
    reason: str,
    usage: LimitUsage,
    varying: VariableLengthAttributes,
) -> Object:
    """Read the header of a group or dataset.

    Parameters
    ----------
    file
        That contains it.
    found
        The object, opened along checked links.
    reason
        Why it is read through the HDF5 library.
    usage
        Counts against the limits of the file.
    varying
        Its attributes of variable length that passed the checks; others are left out.

    Raises
    ------
    RefusedError
        It is not supported, or leads out of the file.
    """
    if isinstance(found, h5g.GroupID):
        links = _links(found, usage)
        attributes = _attributes(h5py.Group(found), usage, varying)
        return GroupHeader(links, attributes.values, attributes.left_out)
    if not isinstance(found, h5d.DatasetID):
        raise RefusedError(NAMED_TYPE)
    check_storage(file, found, usage.limits.soft_links)
    dataset = h5py.Dataset(found)
    if dataset.shape is None:
        raise RefusedError(NOTHING)
    dtype = _dtype(found)
    usage.use_element(dtype.itemsize)
    if dataset.chunks is not None:
        usage.check_chunks(dataset.shape, dataset.chunks, dtype.itemsize)
    element, inner = _element(dtype)
    plain = _plain(element)
    enumeration = h5py.check_enum_dtype(element) or {}
    members = [(as_text(name), number) for name, number in enumeration.items()]
    attributes = _attributes(dataset, usage, varying)
    return DatasetHeader(
        dtype=plain,
        shape=(*dataset.shape, *inner),
        layout=H5pyOnly(reason),
        fill=bytes(plain.itemsize),  # the library puts it where it belongs
        attrs=with_flag_attributes(attributes.values, members, plain),
        dimension_list=_dimension_list(dataset, varying),
        is_scale=bool(dataset.is_scale),
        dimension_only=_is_dimension_only(dataset),
        left_out_attrs=attributes.left_out,
    )


def read_h5py_values(
    file: h5py.File, found: ObjectID | None, rows: slice, references: TextReferences, limits: Limits
) -> np.ndarray:
    """Read a run of rows (all of a scalar) of a dataset.

    Parameters
    ----------
    file
        That contains it.
    found
        The object, opened along checked links.
    rows
        Along its first dimension.
    references
        How the file stores references to texts of variable length.
    limits
        The limits of the file.

    Raises
    ------
    RefusedError
        It is not supported, or leads out of the file.
    CorruptGranuleError
        Many of its texts are one in the file, or a chunk decompresses to more than it should.
    TooLargeError
        There is no memory for its texts.
    """
    if not isinstance(found, h5d.DatasetID):
        raise RefusedError(NAMED_TYPE)
    stored = check_storage(file, found, limits.soft_links)
    dtype, _ = _element(_dtype(found))
    dataset = h5py.Dataset(found)
    if dtype.hasobject:
        check_text_lengths(found, rows, references, limits)
    else:
        _check_chunk_sizes(stored, rows, references)
    view = dataset.asstr("utf-8", "surrogateescape") if dtype.hasobject else dataset
    if dataset.shape:
        return np.asarray(view[rows], _plain(dtype))
    whole = np.asarray(view[()], _plain(dtype))
    return whole[rows] if whole.ndim else whole


def _check_chunk_sizes(
    stored: Sequence[h5d.DatasetID], rows: slice, references: TextReferences
) -> None:
    """Check the chunks of a dataset in some rows, and all of its sources."""
    for number, one in enumerate(stored):
        if one.shape:
            wanted = slice(None) if number else rows
            first, last, _ = wanted.indices(one.shape[0])
            check_chunk_sizes(one, range(first, last), references.file_size, references.base)


def _dtype(found: h5d.DatasetID) -> np.dtype:
    """Return the type of an element as h5py has it; raise if its values are not read."""
    stored = found.get_type()
    if stored.get_class() == h5t.OPAQUE:
        raise RefusedError(OPAQUE)
    try:
        dtype: np.dtype = stored.dtype
    except NO_TYPE as error:
        raise RefusedError(NO_NUMPY_TYPE.format(error)) from error
    if not dtype.hasobject or h5py.check_string_dtype(dtype):
        return dtype
    raise RefusedError(_objects(dtype))  # the library crashes on damaged ones


def _objects(dtype: np.dtype) -> str:
    """Return why values are left out whose dtype contains Python objects."""
    element, _ = _element(dtype)
    if h5py.check_ref_dtype(element):
        return REFERENCES
    return SEQUENCES if element.names is None else OBJECTS_WITHIN


def _element(dtype: np.dtype) -> tuple[np.dtype, tuple[int, ...]]:
    """Return the element type and the shape of a (possibly nested) array type."""
    shape: tuple[int, ...] = ()
    while dtype.subdtype:
        dtype, inner = dtype.subdtype
        shape += inner
    return dtype, shape


def _plain(dtype: np.dtype) -> np.dtype:
    """Drop the notes that h5py attaches to a type."""
    if dtype.subdtype:
        base, shape = dtype.subdtype
        return np.dtype((_plain(base), shape))
    if dtype.names is None or dtype.fields is None:
        return np.dtype(object) if dtype.hasobject else np.dtype(dtype.str)
    fields = [dtype.fields[name] for name in dtype.names]
    return np.dtype(
        {
            "names": list(dtype.names),
            "formats": [_plain(field[0]) for field in fields],
            "offsets": [field[1] for field in fields],
            "itemsize": dtype.itemsize,
        }
    )


def _links(group: h5g.GroupID, usage: LimitUsage) -> dict[str, LinkTarget]:
    usage.use_links(group.get_num_objs())
    names: list[bytes] = []
    group.links.iterate(names.append)
    members = Members(usage)
    for name in names:
        followed = usage.overlong(name) is None and not MisnamedLink.has(as_text(name))
        members.add(name, _link(group, name) if followed else BY_H5PY)
    return members.links


def _link(group: h5g.GroupID, name: bytes) -> LinkTarget:
    info = group.links.get_info(name)
    if info.type == h5l.TYPE_HARD:
        return h5py_link(int(info.u))
    if info.type == h5l.TYPE_SOFT:
        return as_text(group.links.get_val(name))
    if info.type != h5l.TYPE_EXTERNAL:
        return BY_H5PY
    file, path = group.links.get_val(name)
    return ExternalLink(as_text(file), as_text(path))


@dataclass(frozen=True, slots=True)
class _Attributes:
    values: dict[str, AttributeValue]
    left_out: LeftOutAttributes


def _attributes(
    found: h5py.Group | h5py.Dataset, usage: LimitUsage, varying: VariableLengthAttributes
) -> _Attributes:
    values: dict[str, AttributeValue] = {}
    left_out: list[tuple[str, str]] = []
    for name, value in _each_attribute(found, usage, varying):
        if isinstance(value, LeftOut):
            left_out.append((as_text(name), value.reason))
        else:
            values[as_text(name)] = value
    return _Attributes(values, tuple(sorted(left_out)))


def _each_attribute(
    found: h5py.Group | h5py.Dataset, usage: LimitUsage, varying: VariableLengthAttributes
) -> Iterator[tuple[str | bytes, AttributeValue | LeftOut]]:
    """Yield each attribute; h5py gives a name that is not UTF-8 as bytes."""
    size = usage.use_attribute_bytes(TEXT_BYTES * h5a.get_num_attrs(found.id))
    for name in found.attrs:
        if name in HIDDEN_ATTRIBUTES:
            continue
        identifier = found.attrs.get_id(name)
        count = 0 if identifier.shape is None else math.prod(identifier.shape)
        # h5py takes a size of 0 bytes for an error.
        stored = identifier.get_storage_size() if count else 0
        size = usage.use_attribute_bytes(stored + count * TEXT_BYTES, size)
        try:
            dtype = identifier.dtype
        except NO_TYPE as error:
            yield name, LeftOut(NO_NUMPY_TYPE.format(error))
            continue
        if dtype.hasobject and not h5py.check_string_dtype(dtype):
            yield name, LeftOut(_objects(dtype))  # the library may crash on damaged ones
            continue
        if dtype.hasobject and name not in varying.names:
            yield name, LeftOut(UNSEEN)
            continue
        value = _value(found, name, identifier)
        if value is None:
            yield name, LeftOut(OPAQUE)
            continue
        if isinstance(value, h5py.Empty):
            yield name, "" if value.dtype.kind in "SO" else np.empty((0,), value.dtype)
        elif dtype.kind == "S":
            padding = Padding(identifier.get_type().get_strpad())
            yield name, _texts(value, lambda raw, padding=padding: strip_padding(raw, padding))
        elif h5py.check_string_dtype(dtype):
            yield name, _texts(value, as_text)
        else:
            yield name, value


def _value(found: h5py.Group | h5py.Dataset, name: str, identifier: h5a.AttrID) -> Any:
    try:
        return found.attrs[name]
    except OSError:
        if _holds_opaque(identifier.get_type()):
            return None  # bytes with a tag, which h5py does not read
        raise


def _holds_opaque(stored: h5t.TypeID) -> bool:
    kind = stored.get_class()
    if kind == h5t.ARRAY:
        return _holds_opaque(stored.get_super())
    if kind == h5t.COMPOUND:
        members = range(stored.get_nmembers())
        return any(_holds_opaque(stored.get_member_type(number)) for number in members)
    return bool(kind == h5t.OPAQUE)


def _texts(value: Any, convert: Any) -> AttributeValue:
    items = np.asarray(value, object)
    return text_attribute([convert(item) for item in items.ravel()], items.shape)


def _dimension_list(
    found: h5py.Dataset, varying: VariableLengthAttributes
) -> tuple[tuple[int, ...], ...]:
    if "DIMENSION_LIST" not in found.attrs:
        return ()
    if "DIMENSION_LIST" in varying.names:
        return varying.scales
    try:
        kind = h5py.check_vlen_dtype(found.attrs.get_id("DIMENSION_LIST").dtype)
    except NO_TYPE:
        return ()  # references of a kind that h5py does not know
    if kind is None or h5py.check_ref_dtype(kind) is not h5py.Reference:
        return ()  # somebody's own attribute of that name
    raise RefusedError(f"of the list of its dimensions, {UNSEEN}")


def _is_dimension_only(found: h5py.Dataset) -> bool:
    """Return whether it is a dimension without a variable."""
    return bool(found.is_scale) and bytes(h5ds.get_scale_name(found.id)).startswith(DIMENSION_ONLY)
