"""Types, arrays and attributes as JSON values, and back; what comes back is checked.

JSON can only hold text, numbers and lists of them: whoever wrote it, reading it
makes nothing but these.
"""

from __future__ import annotations

import binascii
import math
import re
from functools import lru_cache
from typing import Any

import numpy as np

from xr_icesat2.hdf5.model import AttributeValue

__all__ = [
    "from_array", "from_attribute", "from_bytes", "from_dtype",
    "to_array", "to_attribute", "to_bytes", "to_dtype", "to_number", "to_text", "to_tuple",
]  # fmt: skip

SIMPLE = re.compile(r"[<>|](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SVU]\d{1,9}|O)", re.ASCII)
MOST_NUMBER = (1 << 64) - 1
MOST_CHARACTER = 0x10FFFF


def to_number(plain: Any) -> int:
    """Check a count or a place in a file."""
    if type(plain) is not int or not 0 <= plain <= MOST_NUMBER:
        raise ValueError(f"{plain!r:.50} is no count")
    return plain


def to_text(plain: Any) -> str:
    """Check a text."""
    if not isinstance(plain, str):
        raise TypeError(f"{plain!r:.50} is no text")
    return plain


def to_tuple(plain: Any) -> tuple[int, ...]:
    """Check a list of counts."""
    return tuple(map(to_number, _listed(plain)))


def _listed(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise TypeError(f"{plain!r:.50} is no list")
    return plain


def from_bytes(data: bytes) -> str:
    """Give bytes as text."""
    return binascii.b2a_base64(data, newline=False).decode()


def to_bytes(plain: Any) -> bytes:
    """Take bytes out of a text."""
    return binascii.a2b_base64(to_text(plain), strict_mode=True)


def from_dtype(dtype: np.dtype) -> Any:
    """Give a type without the notes that h5py attaches to it."""
    if dtype.names is not None and dtype.fields is not None:
        fields = [(name, *dtype.fields[name][:2]) for name in dtype.names]
        return [dtype.itemsize, *([n, from_dtype(kind), at] for n, kind, at in fields)]
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return {"of": from_dtype(base), "shape": shape}
    return dtype.str


def to_dtype(plain: Any) -> np.dtype:
    """Take a type."""
    if isinstance(plain, str):
        return _simple(plain)
    if isinstance(plain, dict):
        return np.dtype((to_dtype(plain["of"]), to_tuple(plain["shape"])))
    size, *fields = _listed(plain)
    names, kinds, offsets = zip(*fields, strict=True)
    dtype = np.dtype(
        {
            "names": [to_text(name) for name in names],
            "formats": [to_dtype(kind) for kind in kinds],
            "offsets": [to_number(at) for at in offsets],
            "itemsize": to_number(size),
        }
    )
    if dtype.hasobject:
        raise ValueError("a structure that holds objects")
    return dtype


@lru_cache(maxsize=256)
def _simple(text: str) -> np.dtype:
    if not SIMPLE.fullmatch(text):
        raise ValueError(f"{text!r:.50} is no type of values")
    dtype = np.dtype(text)
    # Of texts of gigabytes, numpy 2.0 makes types of another length, even a negative one.
    if dtype.str != text:
        raise ValueError(f"{text!r:.50} is no type that an array can have")
    return dtype


def from_array(array: np.ndarray) -> list[Any]:
    """Give an array; of objects, only texts are possible."""
    return [from_dtype(array.dtype), array.shape, _data(array)]


def _data(array: np.ndarray) -> Any:
    if not array.dtype.hasobject:
        return from_bytes(array.tobytes())
    texts = array.ravel().tolist()
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("an array of objects that are no texts")
    return texts


def to_array(plain: Any) -> np.ndarray:
    """Take an array that is as large as it says."""
    kind, lengths, data = _listed(plain)
    dtype, shape = to_dtype(kind), to_tuple(lengths)
    if dtype.hasobject:
        texts = np.empty(len(_listed(data)), object)
        texts[:] = [to_text(text) for text in data]
        return texts.reshape(shape)
    raw = to_bytes(data)
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes for an array of shape {shape} of {dtype}")
    if dtype.kind == "U":
        _check_characters(np.frombuffer(raw, f"{dtype.str[0]}u4"))
    return np.ndarray(shape, dtype, raw).copy()


def _check_characters(codes: np.ndarray) -> None:
    if codes.max(initial=0) > MOST_CHARACTER:
        raise ValueError("a text with characters that there are not")


def from_attribute(value: AttributeValue) -> Any:
    """Give the value of an attribute."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return {"texts": value}
    if isinstance(value, np.ndarray):
        return from_array(value)
    if isinstance(value, np.generic):
        return [from_array(np.asarray(value))]
    raise TypeError(f"an attribute of type {type(value).__name__}")


def to_attribute(plain: Any) -> AttributeValue:
    """Take the value of an attribute: a text, some texts, an array, or a scalar in a list."""
    if isinstance(plain, str):
        return plain
    if isinstance(plain, dict):
        return tuple(map(to_text, _listed(plain["texts"])))
    if len(_listed(plain)) == 1:
        scalar: Any = to_array(plain[0])[()]
        if not isinstance(scalar, np.generic):
            raise TypeError("a scalar that is none")
        return scalar
    return to_array(plain)
