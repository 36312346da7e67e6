"""From stored to decoded values, element by element.

What a variable becomes follows from its attributes, its dtype, the decoders
and whether its array has padding; never from its values. The rules and, for
anything but fill values, the arithmetic are xarray's own: each piece is passed
through :func:`xarray.conventions.decode_cf_variable`, so that the result is
the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from xarray.conventions import decode_cf_variable

from .decoders import SINCE, Decoders
from .seconds import are_plain_seconds, decode_seconds
from .time_attributes import describe_decoded

__all__ = ["DECODING", "TIME_ENCODING", "Coding", "Decoded", "make_coding"]

FILLS = ("_FillValue", "missing_value")
TIME_ENCODING: Mapping[str, Any] = MappingProxyType(
    {
        "units": "nanoseconds since 2018-01-01",
        "calendar": "proleptic_gregorian",
        "dtype": np.dtype("int64"),
        "_FillValue": np.iinfo(np.int64).min,
    }
)
"""How decoded times are written: whole nanoseconds, for seconds as a float would lose some."""
PACKED = ("scale_factor", "add_offset", "_Unsigned")
DECODING = frozenset((*FILLS, *PACKED, "units", "calendar", "dtype", "_Encoding"))
"""Attributes that decoding looks at; the others need not travel with an array."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How the stored values of one variable become the values that a user sees."""

    dtype: np.dtype
    """Of the result."""
    padding: Any
    """What stands where no part has a value."""
    fills: tuple[Any, ...] = ()
    """Stored values that mean "missing" and become NaN."""
    through_xarray: tuple[dict[str, Any], dict[str, Any]] | None = None
    """Attributes and decoders for xarray to decode with; None where masking is all there is."""
    seconds: bool = False
    """Whether they are seconds that become times, see :mod:`.seconds`."""

    def __call__(self, stored: np.ndarray) -> np.ndarray:
        """Decode an array of stored values, of any shape."""
        decoded = np.empty(stored.shape, self.dtype)
        self.into(decoded, stored)
        return decoded

    def into(self, out: np.ndarray, stored: np.ndarray) -> None:
        """Decode stored values into an array of their shape and of :attr:`dtype`."""
        if self.through_xarray is None:
            self._masked_into(out, stored)
            return
        attrs, options = self.through_xarray
        if self.seconds:
            numbers = np.empty(stored.shape, np.float64)
            self._masked_into(numbers, stored)
            if decode_seconds(numbers, out, attrs["units"], attrs.get("calendar")):
                return
        out[...] = _decode_by_xarray(stored, attrs, options).astype(self.dtype, copy=False)

    def _masked_into(self, out: np.ndarray, stored: np.ndarray) -> None:
        np.copyto(out, stored, casting="unsafe")
        for fill in self.fills:
            missing = stored == fill
            if missing.any():  # far faster than to look for what to replace
                np.copyto(out, np.nan, where=missing)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding makes of a variable."""

    coding: Coding
    attrs: dict[str, Any]
    encoding: dict[str, Any]


def make_coding(
    name: str,
    attrs: Mapping[str, Any],
    dtype: np.dtype,
    decoders: Decoders,
    *,
    padded: bool,
    pad_value: Any = None,
) -> Decoded:
    """Decide how a variable is decoded.

    Parameters
    ----------
    name
        Of the variable, as decoders given by variable know it.
    attrs
        As in the file, fill values that are declared wrongly already left out.
    dtype
        As stored.
    decoders
        What the user wants decoded.
    padded
        Whether the array may have elements that no part has.
    pad_value
        What stands there in raw integers without ``_FillValue``.
    """
    dtype = dtype.newbyteorder("=")
    if dtype.kind == "V":
        # Of structures neither xarray nor the CF conventions say how they are decoded.
        return Decoded(Coding(dtype, np.zeros((), dtype)[()]), dict(attrs), {})
    options = decoders.options(name, attrs)
    template = decode_cf_variable(
        name, xr.Variable(("row",), np.empty(0, dtype), dict(attrs)), **options
    )
    result, masked = template.dtype, options["mask_and_scale"]
    if masked and padded and result.kind in "iub":
        # Padding is NaN, so an integer becomes the float that xarray takes for masked integers.
        result = np.dtype(np.float32 if result.itemsize <= 2 else np.float64)
    fills = _fills(attrs) if masked and result.kind in "fM" else ()
    padding = np.nan if masked and result.kind == "f" else _padding(result, attrs, pad_value)
    through, seconds = None, False
    if not _only_masked(dtype, result, attrs):
        needed = {key: value for key, value in attrs.items() if key in DECODING}
        through = (needed, options)
        seconds = are_plain_seconds(dtype, result, needed, options)
    coding = Coding(result, padding, fills, through, seconds)
    described = template.attrs
    if "units" in attrs and "units" not in described and SINCE in str(attrs["units"]):
        described = describe_decoded(described)
    described = described | decoders.other_units(name, described)
    return Decoded(coding, described, dict(template.encoding))


def _only_masked(dtype: np.dtype, result: np.dtype, attrs: Mapping[str, Any]) -> bool:
    """Whether fill values are all that decoding cares about."""
    if any(key in attrs for key in PACKED) or (result.kind == "O" and dtype.kind != "O"):
        return False
    if result.kind == "c":
        return not any(key in attrs for key in FILLS)
    return result.kind in "fiubSOU"


def _fills(attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    values = [np.ravel(attrs[key]) for key in FILLS if key in attrs]
    return tuple(fill for array in values for fill in array if fill == fill)  # noqa: PLR0124 - NaN


def _padding(dtype: np.dtype, attrs: Mapping[str, Any], pad_value: Any) -> Any:
    if dtype.kind in "mM":
        return np.array("NaT", dtype)[()]
    if dtype.kind in "SU":
        return dtype.type()
    if dtype.kind == "O":
        return "" if "units" not in attrs else np.nan
    declared = attrs.get("_FillValue")
    if dtype.kind in "fc" and declared is None:
        return dtype.type(np.nan)
    if declared is not None:
        # One that the type cannot hold (a text, a number out of range) marks nothing.
        with suppress(ValueError, OverflowError, IndexError):
            return dtype.type(np.ravel(declared)[0])
    return dtype.type(pad_value)


def _decode_by_xarray(
    stored: np.ndarray, attrs: Mapping[str, Any], options: Mapping[str, Any]
) -> np.ndarray:
    flat = xr.Variable(("row",), stored.flatten(), dict(attrs))
    decoded: np.ndarray = decode_cf_variable("values", flat, **options).to_numpy()
    return decoded.reshape(stored.shape)
