"""Find attributes for decoding whose values no decoder can use."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["UNWRITABLE", "find_unusable"]

UNWRITABLE = frozenset({"_FillValue", "bounds", "coordinates"})
"""Attributes that no writer of xarray accepts if their values are unusable."""


def find_unusable(attrs: Mapping[str, Any], dtype: np.dtype) -> frozenset[str]:
    """Name the attributes that mean nothing for values of a dtype.

    Examples are ``units`` that are a number, a ``_FillValue`` that is a list,
    or a ``scale_factor`` of texts.
    """
    return frozenset(
        name for name, value in attrs.items() if name in _SENSE and not _SENSE[name](value, dtype)
    )


def _is_text(value: Any, _: np.dtype) -> bool:
    return isinstance(value, str)


def _is_codec(value: Any, dtype: np.dtype) -> bool:
    # xarray joins single characters before it decodes them: one may be a part of a letter.
    if not isinstance(value, str) or dtype.kind != "S" or dtype.itemsize == 1:
        return False
    try:
        codecs.lookup(value)
    except LookupError:
        return False
    return True


def _is_factor(value: Any, dtype: np.dtype) -> bool:
    return dtype.kind in "fiu" and np.size(value) == 1 and np.asarray(value).dtype.kind in "fiu"


def _is_fill(value: Any, dtype: np.dtype) -> bool:
    return np.size(value) == 1 and _are_fills(value, dtype)


def _are_fills(value: Any, dtype: np.dtype) -> bool:
    if not np.size(value):
        return False
    kind = np.asarray(value).dtype.kind
    if kind not in "biufcSUO" or (kind == "c" and dtype.kind != "c"):
        return False
    texts = kind in "SUO"
    # Attributes are texts and these are bytes, which xarray finds equal to no text.
    return dtype.kind != "S" and texts == (dtype.kind in "UO")


_SENSE: Mapping[str, Callable[[Any, np.dtype], bool]] = {
    "_Encoding": _is_codec,
    "_FillValue": _is_fill,
    "_Unsigned": _is_text,
    "add_offset": _is_factor,
    "bounds": _is_text,
    "calendar": _is_text,
    "coordinates": _is_text,
    "dtype": _is_text,
    "missing_value": _are_fills,
    "scale_factor": _is_factor,
    "units": _is_text,
}
