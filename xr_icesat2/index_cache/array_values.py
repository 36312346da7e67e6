"""Convert dtypes, arrays and attributes to their form in an encoded index, and back.

Decoded values are checked: a crafted index creates no dtype that NumPy would misread, and no array
beyond its bytes.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import numpy as np

from xr_icesat2.hdf5.model import AttributeValue

from .schema import (
    Array,
    Attribute,
    Dtype,
    Scalar,
    StructureDtype,
    SubarrayDtype,
    Texts,
    from_text,
    to_text,
)

__all__ = [
    "from_array",
    "from_attribute",
    "from_dtype",
    "to_array",
    "to_attribute",
    "to_dtype",
]

SIMPLE = re.compile(r"[<>|](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SVU]\d{1,9}|O)", re.ASCII)
LAST_CHARACTER = 0x10FFFF


def from_dtype(dtype: np.dtype) -> Dtype:
    """Return a dtype without the metadata that h5py attaches to it."""
    if dtype.names is not None and dtype.fields is not None:
        fields = [(name, *dtype.fields[name][:2]) for name in dtype.names]
        return StructureDtype(
            dtype.itemsize,
            tuple((from_text(name), from_dtype(kind), offset) for name, kind, offset in fields),
        )
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return SubarrayDtype(from_dtype(base), shape)
    return dtype.str


def to_dtype(wire: Dtype) -> np.dtype:
    """Return the dtype; ``ValueError`` if an array cannot have it."""
    if isinstance(wire, str):
        return _simple(wire)
    if isinstance(wire, SubarrayDtype):
        return np.dtype((to_dtype(wire.base), wire.shape))
    names, kinds, offsets = zip(*wire.fields, strict=True)
    dtype = np.dtype(
        {
            "names": [to_text(name) for name in names],
            "formats": [to_dtype(kind) for kind in kinds],
            "offsets": list(offsets),
            "itemsize": wire.itemsize,
        }
    )
    if dtype.hasobject:
        raise ValueError("a structure that contains objects")
    return dtype


@lru_cache(maxsize=256)
def _simple(text: str) -> np.dtype:
    if not SIMPLE.fullmatch(text):
        raise ValueError(f"{text!r:.50} is not a dtype")
    dtype = np.dtype(text)
    # NumPy 2.0 makes other lengths, even negative ones, of texts of gigabytes.
    if dtype.str != text:
        raise ValueError(f"{text!r:.50} is not a dtype that an array can have")
    return dtype


def from_array(array: np.ndarray) -> Array:
    """Return an array; ``TypeError`` for objects that are not texts."""
    return Array(from_dtype(array.dtype), array.shape, _data(array))


def _data(array: np.ndarray) -> bytes | tuple[Any, ...]:
    if not array.dtype.hasobject:
        return array.tobytes()
    texts = array.ravel().tolist()
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("an array of objects that are not texts")
    return tuple(map(from_text, texts))


def to_array(wire: Array) -> np.ndarray:
    """Return the array; ``ValueError`` unless it has as many bytes as its shape needs."""
    dtype, shape, data = to_dtype(wire.dtype), wire.shape, wire.data
    if dtype.hasobject != isinstance(data, tuple):
        raise ValueError(f"an array of {dtype} whose elements are not")
    if isinstance(data, tuple):
        texts = np.empty(len(data), object)
        texts[:] = [to_text(text) for text in data]
        return texts.reshape(shape)
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes for an array of shape {shape} of {dtype}")
    if dtype.kind == "U":
        _check_characters(np.frombuffer(data, f"{dtype.str[0]}u4"))
    return np.ndarray(shape, dtype, data).copy()


def _check_characters(codes: np.ndarray) -> None:
    if codes.max(initial=0) > LAST_CHARACTER:
        raise ValueError("a text with characters that do not exist")


def from_attribute(value: AttributeValue) -> Attribute:
    """Return the value of an attribute; ``TypeError`` for other types."""
    if isinstance(value, str):
        return from_text(value)
    if isinstance(value, tuple):
        return Texts(tuple(map(from_text, value)))
    if isinstance(value, np.ndarray):
        return from_array(value)
    if isinstance(value, np.generic):
        return Scalar(from_array(np.asarray(value)))
    raise TypeError(f"an attribute of type {type(value).__name__}")


def to_attribute(wire: Attribute) -> AttributeValue:
    """Return the value of an attribute."""
    if isinstance(wire, str):
        return to_text(wire)
    if isinstance(wire, Texts):
        return tuple(map(to_text, wire.texts))
    if isinstance(wire, Array):
        return to_array(wire)
    scalar: Any = to_array(wire.array)[()]
    if not isinstance(scalar, np.generic):
        raise TypeError("a scalar with dimensions")
    return scalar
