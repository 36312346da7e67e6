"""Convert attributes to Python values (section IV.A.2.m).

A string, or an array of one, becomes ``str`` without padding; several become a tuple. Numbers
become numpy scalars or arrays of the stored shape, so a one-element array remains an array.
Attributes that describe the file (``REFERENCE_LIST``, ``CLASS``, ``NAME`` and netCDF-4's own) are
omitted. ``DIMENSION_LIST`` becomes references to dimension scales.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xr_icesat2.errors import CorruptGranuleError

from .attribute_messages import decode_text, read_bodies, split_body
from .dataset_messages import read_dataspace
from .datatype import NOT_READ, Datatype, Kind, Padding, read_datatype
from .heaps import GlobalReference, read_global
from .limit_counters import TEXT_BYTES, LimitUsage
from .model import AttributeValue, LeftOutAttributes
from .object_header import (
    Message,
)
from .parser_driver import Parser

__all__ = [
    "DIMENSION_ONLY",
    "HIDDEN_ATTRIBUTES",
    "REFERENCE_BYTES",
    "Attributes",
    "parse_references",
    "read_attributes",
    "read_scales",
    "strip_padding",
    "text_attribute",
]

HIDDEN_ATTRIBUTES = frozenset(
    {
        "CLASS",
        "DIMENSION_LABELS",
        "DIMENSION_LIST",
        "NAME",
        "REFERENCE_LIST",
        "_NCProperties",
        "_Netcdf4Coordinates",
        "_Netcdf4Dimid",
        "_nc3_strict",
    }
)
"""Attributes that describe the file, not the data: never shown."""
HEARD = frozenset({"CLASS", "DIMENSION_LIST", "NAME"})
"""Hidden attributes that describe dimensions."""
DIMENSION_ONLY = b"This is a netCDF dimension but not a netCDF variable"
"""Beginning of the ``NAME`` of a netCDF-4 dimension that has no variable."""
REFERRING = (b"DIMENSION_LIST", b"REFERENCE_LIST")
"""Hidden attributes that refer to other objects, so each object has different ones."""
FEW_TEXTS = 1 << 12
"""Texts of one attribute; more are counted against the limits before they are decoded."""
REFERENCE_BYTES = 16
"""Bytes of a reference to a value of variable length."""
LONGEST_ALIKE = 2 << 10
"""Bytes of an attribute message; longer ones are texts that only one granule has."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of one object."""

    values: Mapping[str, AttributeValue]
    """Sorted by name. Objects with equal attributes share one mapping."""
    scales: tuple[tuple[int, ...], ...]
    """Header offsets of the scales of each dimension, from ``DIMENSION_LIST``."""
    is_scale: bool
    dimension_only: bool
    """Whether it is a dimension without a variable, see :data:`DIMENSION_ONLY`."""
    left_out: LeftOutAttributes = ()


@dataclass(frozen=True, slots=True)
class _Raw:
    """One attribute message, as far as it can be read without the heaps of its file."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...] | None
    data: bytes
    value: AttributeValue | None
    """None for values in a heap, and for references."""


def read_attributes(
    messages: Sequence[Message], file_size: int, usage: LimitUsage
) -> Parser[Attributes]:
    """Read the attributes of an object from its header messages.

    Raises
    ------
    OverLimitError
        They have more bytes than an object may have.
    """
    bodies = yield from read_bodies(messages, file_size)
    size = usage.use_attribute_bytes(sum(map(len, bodies)))
    own = [body for body in bodies if _is_own(body)]
    alike = _alike(tuple(body for body in bodies if body not in own) if own else tuple(bodies))
    rest = [*alike.rest, *(raw for body in own if (raw := _parse(body)) is not None)]
    scales: tuple[tuple[int, ...], ...] = ()
    is_scale, bare = alike.is_scale, alike.dimension_only
    shown: list[_Raw] = []
    for raw in rest:
        if raw.name == "DIMENSION_LIST":
            scales = yield from read_scales(raw.datatype, raw.data, usage, size)
        elif raw.name == "CLASS":
            is_scale = _is_scale(raw)
        elif raw.name == "NAME":
            bare = raw.data.startswith(DIMENSION_ONLY)
        else:
            shown.append(raw)
    values = (yield from _heaped(alike.values, shown, usage, size)) if shown else alike.values
    left_out = ((r.name, NOT_READ[r.datatype.kind]) for r in shown if r.datatype.kind in NOT_READ)
    return Attributes(values, scales, is_scale, is_scale and bare, tuple(sorted(left_out)))


def _is_own(body: bytes) -> bool:
    """Whether an attribute message is likely unique to its object."""
    # The name follows the sizes, and in version 3 an encoding.
    return (
        body.startswith(REFERRING, 8) or body.startswith(REFERRING, 9) or len(body) > LONGEST_ALIKE
    )


@dataclass(frozen=True, slots=True)
class _Alike:
    """Parsed attribute messages that several objects may share."""

    values: Mapping[str, AttributeValue]
    is_scale: bool
    dimension_only: bool
    rest: Sequence[_Raw]
    """Attributes with values in the heaps of the file."""


# Beams, and granules of one release, have byte-identical attributes.
@lru_cache(maxsize=1 << 12)
def _alike(bodies: tuple[bytes, ...]) -> _Alike:
    values: dict[str, AttributeValue] = {}
    rest: list[_Raw] = []
    is_scale = bare = False
    for raw in map(_parse_shared, bodies):
        if raw is None:
            continue
        if raw.name == "CLASS":
            is_scale = _is_scale(raw)
        elif raw.name == "NAME":
            bare = raw.data.startswith(DIMENSION_ONLY)
        elif raw.value is None or raw.name in HEARD:
            rest.append(raw)
        else:
            _put(values, raw.name, raw.value)
    return _Alike(dict(sorted(values.items())), is_scale, bare, tuple(rest))


def _is_scale(raw: _Raw) -> bool:
    return raw.data.startswith(b"DIMENSION_SCALE")


def _put(values: dict[str, AttributeValue], name: str, value: AttributeValue) -> None:
    if name in values:
        raise CorruptGranuleError(f"two attributes named {name!r}")
    values[name] = value


def _parse(body: bytes) -> _Raw | None:
    """Parse an attribute message; return None if it is never shown."""
    name, datatype_body, dataspace, data = split_body(body)
    if name in HIDDEN_ATTRIBUTES and name not in HEARD:
        return None
    datatype, shape = read_datatype(datatype_body), read_dataspace(dataspace)
    count = 0 if shape is None else math.prod(shape)
    if count * datatype.size > len(data):
        msg = f"attribute {name!r}: {len(data)} bytes for {count} of {datatype.size}"
        raise CorruptGranuleError(msg)
    data = data[: count * datatype.size]
    return _Raw(name, datatype, shape, data, _plain_value(datatype, data, shape))


# Different objects share some attributes.
_parse_shared = lru_cache(maxsize=1 << 14)(_parse)


def _plain_value(
    datatype: Datatype, data: bytes, shape: tuple[int, ...] | None
) -> AttributeValue | None:
    if datatype.kind is Kind.NUMBER:
        return _numbers(datatype, data, shape)
    if datatype.kind is Kind.STRING and len(data) // datatype.size <= FEW_TEXTS:
        return _fixed_texts(datatype, data, shape)
    return None


def _fixed_texts(datatype: Datatype, data: bytes, shape: tuple[int, ...] | None) -> AttributeValue:
    pieces = [data[n : n + datatype.size] for n in range(0, len(data), datatype.size)]
    return text_attribute([strip_padding(p, datatype.padding) for p in pieces], shape)


def _heaped(
    known: Mapping[str, AttributeValue], rest: Sequence[_Raw], usage: LimitUsage, size: int
) -> Parser[Mapping[str, AttributeValue]]:
    """Add values that are stored in heaps, and attributes of many texts."""
    values = dict(known)
    references = {
        raw.name: parse_references(raw.data)
        for raw in rest
        if raw.value is None and raw.datatype.kind is Kind.VARIABLE_STRING
    }
    size = usage.use_attribute_bytes(
        sum(one.length + TEXT_BYTES for each in references.values() for one in each), size
    )
    texts = iter((yield from read_global([one for each in references.values() for one in each], 1)))
    for raw in rest:
        if raw.value is not None:
            _put(values, raw.name, raw.value)
        elif raw.datatype.kind is Kind.VARIABLE_STRING:
            found = [decode_text(next(texts)) for _ in range(len(raw.data) // REFERENCE_BYTES)]
            _put(values, raw.name, text_attribute(found, raw.shape))
        elif raw.datatype.kind is Kind.STRING:
            size = usage.use_attribute_bytes(len(raw.data) // raw.datatype.size * TEXT_BYTES, size)
            _put(values, raw.name, _fixed_texts(raw.datatype, raw.data, raw.shape))
        # Other kinds are left out.
    return dict(sorted(values.items()))


def parse_references(data: bytes) -> list[GlobalReference]:
    """Return references to the values of an attribute of variable-length type."""
    starts = range(0, len(data), REFERENCE_BYTES)
    return [GlobalReference.parse(data[n : n + REFERENCE_BYTES]) for n in starts]


def read_scales(
    datatype: Datatype, data: bytes, usage: LimitUsage, size: int
) -> Parser[tuple[tuple[int, ...], ...]]:
    """Read the addresses of the scales of each dimension from a ``DIMENSION_LIST``."""
    if datatype.kind is not Kind.REFERENCE_LIST:
        return ()  # an attribute of that name with another meaning
    references = parse_references(data)
    usage.use_attribute_bytes(sum(one.length * TEXT_BYTES for one in references), size)
    lists = yield from read_global(references, 8)
    return tuple(tuple(np.frombuffer(one, "<u8").tolist()) for one in lists)


def _numbers(datatype: Datatype, data: bytes, shape: tuple[int, ...] | None) -> AttributeValue:
    array = np.frombuffer(data, datatype.dtype)
    if shape == ():
        scalar: np.generic = array[0]
        return scalar
    return array.reshape(shape or (0,))


def text_attribute(texts: list[str], shape: tuple[int, ...] | None) -> AttributeValue:
    """Return the value of a text attribute.

    netCDF does not distinguish one text from an array of one, and both netCDF engines
    of xarray return and write several as a sequence of ``str``.
    """
    if shape is None:
        return ""
    if len(texts) == 1:
        return texts[0]
    return tuple(texts) if len(shape) == 1 else np.array(texts, object).reshape(shape)


def strip_padding(raw: bytes, padding: Padding) -> str:
    """Return a fixed-length string without its padding."""
    if padding is Padding.NULL_TERMINATED:
        raw = raw.split(b"\0", 1)[0]
    elif padding is Padding.NULL_PADDED:
        raw = raw.rstrip(b"\0")
    else:
        raw = raw.rstrip(b" \0")  # some writers declare blanks and pad with zeros
    return decode_text(raw)
