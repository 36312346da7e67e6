"""Convert datatype messages to numpy dtypes (section IV.A.2.d)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np

from .binary import Cursor
from .model import AttributeValue
from .parser_driver import RefusedError, UnsupportedError

__all__ = [
    "NOT_READ",
    "REFERENCES",
    "SEQUENCES",
    "VARIABLE",
    "Datatype",
    "Kind",
    "Padding",
    "read_datatype",
]

FIXED, FLOAT, STRING, REFERENCE, ENUM, VARIABLE = 0, 1, 3, 7, 8, 9
IEEE = {
    # exponent location, exponent size, mantissa location, mantissa size, bias
    2: (10, 5, 0, 10, 15),
    4: (23, 8, 0, 23, 127),
    8: (52, 11, 0, 52, 1023),
}
OBJECT_REFERENCE_BYTES = 8
LONGEST_REFERENCE = 64
"""Bytes."""
LONGEST_STRING = 1 << 30
"""Bytes of a fixed-length string: numpy takes less than 2 GiB."""
BOOLEAN = {b"FALSE": b"\x00", b"TRUE": b"\x01"}


class Kind(Enum):
    """The kind of an element."""

    NUMBER = "number"
    STRING = "fixed-length string"
    VARIABLE_STRING = "variable-length string"
    REFERENCE = "reference to an object or to a region of a dataset"
    REFERENCE_LIST = "variable-length list of object references"
    SEQUENCE = "variable-length list of anything else"


REFERENCES = "it contains references to other objects"
SEQUENCES = "it contains sequences of variable length"
NOT_READ = {
    Kind.REFERENCE: REFERENCES,
    Kind.REFERENCE_LIST: SEQUENCES,
    Kind.SEQUENCE: SEQUENCES,
}
"""Why values of a kind are left out."""


class Padding(Enum):
    """How a fixed-length string is padded to the length of its field."""

    NULL_TERMINATED = 0
    NULL_PADDED = 1
    SPACE_PADDED = 2


@dataclass(frozen=True, slots=True)
class Datatype:
    """A datatype that this parser supports."""

    kind: Kind
    dtype: np.dtype
    """The numpy dtype of an element; object for values in a heap."""
    size: int
    """Bytes an element as stored."""
    padding: Padding = Padding.NULL_TERMINATED
    members: tuple[tuple[str, int], ...] = ()
    """Names and numbers of an enumeration."""


@lru_cache(maxsize=1 << 12)
def read_datatype(body: bytes) -> Datatype:
    """Return the datatype of a message, or raise :class:`UnsupportedError`.

    Raises
    ------
    RefusedError
        The HDF5 library does not read it either.
    """
    cursor = Cursor(body)
    head = cursor.number(1)
    version, kind = head >> 4, head & 0x0F
    bits, size = cursor.number(3), cursor.number(4)
    if version not in (1, 2, 3):
        raise UnsupportedError(f"datatype version {version}")
    if kind == FIXED:
        return Datatype(Kind.NUMBER, _integer(cursor, bits, size), size)
    if kind == FLOAT:
        return Datatype(Kind.NUMBER, _float(cursor, bits, size), size)
    if kind == STRING:
        return _string(bits, size)
    if kind == REFERENCE and 0 < size <= LONGEST_REFERENCE:
        # To objects, or to regions of datasets.
        return Datatype(Kind.REFERENCE, np.dtype(f"V{size}"), size)
    if kind == ENUM:
        return _enumeration(cursor, bits, size, version)
    if kind == VARIABLE:
        return _variable(cursor, bits, size)
    raise UnsupportedError(f"datatype class {kind}")


def _integer(cursor: Cursor, bits: int, size: int) -> np.dtype:
    offset, precision = cursor.number(2), cursor.number(2)
    if size > 1 and 2 * precision < 8 * size:
        msg = f"the HDF5 library refuses integers of {precision} bits in {size} bytes"
        raise RefusedError(msg)
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size or bits & ~0x09:
        raise UnsupportedError(f"an integer of {precision} bits in {size} bytes")
    return np.dtype(f"{_order(bits & 1)}{'i' if bits & 8 else 'u'}{size}")


def _float(cursor: Cursor, bits: int, size: int) -> np.dtype:
    offset, precision = cursor.number(2), cursor.number(2)
    fields = (*(cursor.number(1) for _ in range(4)), cursor.number(4))
    sign, normalised = bits >> 8, (bits >> 4) & 3
    regular = offset == 0 and precision == 8 * size and sign == 8 * size - 1 and normalised == 2
    if IEEE.get(size) != fields or not regular or bits & 0x4E:
        raise UnsupportedError(f"a floating point type of {size} bytes that is not IEEE 754")
    return np.dtype(f"{_order(bits & 1)}f{size}")


def _string(bits: int, size: int) -> Datatype:
    if bits & 0x0F > 2 or (bits >> 4) & 0x0F > 1 or not 0 < size <= LONGEST_STRING:
        raise UnsupportedError(f"a string type with padding {bits & 0x0F}, {size} bytes")
    return Datatype(Kind.STRING, np.dtype(f"S{size}"), size, Padding(bits & 0x0F))


def _enumeration(cursor: Cursor, bits: int, size: int, version: int) -> Datatype:
    base = read_datatype(cursor.data[cursor.position :])
    cursor.skip(12)
    names = [_name(cursor, version) for _ in range(bits & 0xFFFF)]
    members = {name: cursor.take(size) for name in names}
    if base.kind is not Kind.NUMBER or base.dtype.kind not in "iu" or base.size != size:
        raise UnsupportedError("an enumeration of other than integers")
    if members == BOOLEAN:
        return Datatype(Kind.NUMBER, np.dtype(bool), size)
    numbers = np.frombuffer(b"".join(members.values()), base.dtype).tolist()
    texts = [name.decode("utf-8", "surrogateescape") for name in members]
    return Datatype(Kind.NUMBER, base.dtype, size, members=tuple(zip(texts, numbers, strict=True)))


def _name(cursor: Cursor, version: int) -> bytes:
    end = cursor.data.find(b"\0", cursor.position)
    if end < 0:
        raise UnsupportedError("an enumeration whose names do not end")
    name = cursor.take(end - cursor.position)
    cursor.skip(8 - len(name) % 8 if version < 3 else 1)
    return name


def _variable(cursor: Cursor, bits: int, size: int) -> Datatype:
    base = read_datatype(cursor.data[cursor.position :])
    if size != 16:
        raise UnsupportedError(f"a variable-length type of {size} bytes")
    if bits & 0x0F == 1 and base.size == 1:
        return Datatype(Kind.VARIABLE_STRING, np.dtype(object), size)
    if base.kind is Kind.REFERENCE and base.size == OBJECT_REFERENCE_BYTES:
        return Datatype(Kind.REFERENCE_LIST, np.dtype(object), size)
    return Datatype(Kind.SEQUENCE, np.dtype(object), size)


def _order(big: int) -> str:
    return ">" if big else "<"


NO_WORD = re.compile(r"[^A-Za-z0-9_.+@-]+", re.ASCII)
"""Characters that no meaning may have."""
FLAGS = "flag_values", "flag_meanings"


def with_flag_attributes(
    attrs: Mapping[str, AttributeValue], members: Sequence[tuple[str, int]], dtype: np.dtype
) -> Mapping[str, AttributeValue]:
    """Add ``flag_values`` and ``flag_meanings`` of an enumeration, unless the dataset has them.

    Parameters
    ----------
    attrs
        Of the dataset.
    members
        Name and number of each member of its enumeration; empty if its type is none.
    dtype
        Of the numbers.
    """
    if not members or not attrs.keys().isdisjoint(FLAGS):
        return attrs
    members = sorted(members, key=lambda member: member[1])
    words = _words(name for name, _ in members)
    values = np.array([number for _, number in members], dtype.newbyteorder("="))
    return dict(sorted({**attrs, "flag_values": values, "flag_meanings": " ".join(words)}.items()))


def _words(names: Iterable[str]) -> list[str]:
    """Return each name as one word, different from all others."""
    words: dict[str, None] = {}
    for name in names:
        plain = NO_WORD.sub("_", name) or "_"
        word, number = plain, 1
        while word in words:
            number += 1
            word = f"{plain}_{number}"
        words[word] = None
    return list(words)
