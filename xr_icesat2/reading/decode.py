"""Decode stored values: fill values, scaling and times.

The decoded dtype follows from the attributes, the stored dtype, the decoders
and whether the layout pads. The rules and, for anything but fill values, the
arithmetic are xarray's own: each piece is passed through
:func:`xarray.conventions.decode_cf_variable`, so that the result is the same
to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from xarray.coders import CFDatetimeCoder
from xarray.conventions import decode_cf_variable

from xr_icesat2.errors import NotSupportedError
from xr_icesat2.printable import get_logger

from .decode_options import DecodeOptions, is_cf_time
from .time_decoding import are_plain_seconds, decode_seconds, describe_decoded
from .unusable_attributes import UNWRITABLE, find_unusable

__all__ = [
    "DECODING",
    "TIME_ENCODING",
    "DecodedVariable",
    "Decoder",
    "StoredVariable",
    "make_decoder",
    "native_dtype",
]

log = get_logger(__name__)

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
"""Attributes that decoding uses; the others are not pickled with an array."""
SUSPECTS = (frozenset[str](), frozenset({"units", "calendar"}), frozenset(PACKED), DECODING)
"""Attributes to leave out, one set after another, until xarray can decode a variable."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes the stored values of one variable."""

    dtype: np.dtype
    """Of the result."""
    padding: Any
    """Value where no part has one."""
    fills: tuple[Any, ...] = ()
    """Stored values that mean "missing" and become NaN."""
    through_xarray: tuple[dict[str, Any], dict[str, Any]] | None = None
    """Attributes and decoders for xarray to decode with; None where masking is all there is."""
    seconds: bool = False
    """Whether they are seconds that become times, see :mod:`.time_decoding`."""
    undeclared: tuple[float, ...] = ()
    """Stored floats that mean "missing" although no attribute declares them."""
    what: str = ""
    """The variable, as messages name it."""
    variable: str = ""
    """Product and path below the beam: what is logged once for all granules."""

    def __call__(self, stored: np.ndarray) -> np.ndarray:
        """Decode an array of stored values, of any shape."""
        decoded = np.empty(stored.shape, self.dtype)
        self.into(decoded, stored)
        return decoded

    def into(self, out: np.ndarray, stored: np.ndarray) -> None:
        """Decode stored values into an array of their shape and of :attr:`dtype`.

        Raises
        ------
        NotSupportedError
            They are times that the dtype cannot hold.
        """
        for fill in self.undeclared:
            stored = _without(stored, fill, self.variable)
        if self.through_xarray is None:
            self._masked_into(out, stored)
            return
        attrs, options = self.through_xarray
        if self.seconds:
            numbers = np.empty(stored.shape, np.float64)
            self._masked_into(numbers, stored)
            if decode_seconds(numbers, out, attrs["units"], attrs.get("calendar")):
                return
        try:
            decoded = _decode_by_xarray(stored, attrs, options)
            if self.dtype.kind == "M" != decoded.dtype.kind:
                # numpy would convert cftime objects, and wrap what does not fit.
                raise OverflowError("dates out of range")
            out[...] = decoded.astype(self.dtype, copy=False)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise NotSupportedError(
                f"{self.what} has values that cannot be decoded as {self.dtype} "
                f"(units {attrs.get('units')!r}): {error}. decode_times=False and "
                "mask_and_scale=False return them as they are stored."
            ) from error

    def _masked_into(self, out: np.ndarray, stored: np.ndarray) -> None:
        np.copyto(out, stored, casting="unsafe")
        for fill in self.fills:
            missing = stored == fill
            if missing.any():  # far faster than searching for values to replace
                np.copyto(out, np.nan, where=missing)


@dataclass(frozen=True, slots=True)
class DecodedVariable:
    """How a variable is decoded, and its attributes and encoding after that."""

    decoder: Decoder
    attrs: dict[str, Any]
    encoding: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVariable:
    """The stored values of a variable, as far as its attributes do not describe them."""

    what: str
    """The variable, as messages name it."""
    variable: str = ""
    """The variable in any granule of the product, as the log names it."""
    undeclared: tuple[float, ...] = ()
    """Floats that mean "missing" although no attribute declares them."""
    ends: np.ndarray | None = None
    """First and last stored value, where :meth:`.DecodeOptions.depend_on_values`."""
    pad_value: Any = None
    """What stands in raw integers without ``_FillValue`` where no part has an element."""


def make_decoder(
    name: str,
    attrs: Mapping[str, Any],
    dtype: np.dtype,
    decoders: DecodeOptions,
    *,
    padded: bool,
    stored: StoredVariable | None = None,
) -> DecodedVariable:
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
    stored
        What else is known of its values.
    """
    dtype = native_dtype(dtype)
    if dtype.kind == "V":
        # Of structures neither xarray nor the CF conventions say how they are decoded.
        return DecodedVariable(Decoder(dtype, np.zeros((), dtype)[()]), dict(attrs), {})
    stored = stored or StoredVariable(what=name)
    usable, template = _usable(name, attrs, dtype, decoders, stored)
    options = decoders.options(name, usable)
    result, masked = template.dtype, options["mask_and_scale"]
    if masked and padded and result.kind in "iub":
        # Padding is NaN, so an integer becomes the float that xarray takes for masked integers.
        result = np.dtype(np.float32 if result.itemsize <= 2 else np.float64)
    fills = _fills(usable) if masked and result.kind in "fM" else ()
    padding = (
        np.nan if masked and result.kind == "f" else _padding(result, usable, stored.pad_value)
    )
    through, seconds = None, False
    if not _only_masked(dtype, result, usable):
        needed = {key: value for key, value in usable.items() if key in DECODING}
        if result.kind == "O" and decoders.are_times(name, usable) and "use_cftime" not in options:
            # A part of the array may fit datetime64 where the whole does not.
            options = options | {"decode_times": CFDatetimeCoder(use_cftime=True)}
        through = (needed, options)
        seconds = are_plain_seconds(dtype, result, needed, options)
    undeclared = stored.undeclared
    if dtype.kind != "f" or not (masked or result.kind in "MO"):
        undeclared = ()
    elif result.kind in "MO" and "_FillValue" not in usable:
        undeclared = (float(np.finfo(dtype).max),)  # no time, whatever the file is
    decoder = Decoder(
        result,
        padding,
        fills,
        through,
        seconds,
        undeclared,
        stored.what,
        stored.variable or stored.what,
    )
    lost = UNWRITABLE if masked else ()
    kept = {k: v for k, v in attrs.items() if k not in usable and k not in lost}
    described = template.attrs
    if is_cf_time(usable) and "units" not in described:
        described = describe_decoded(described)
    described = kept | described | decoders.other_units(name, described)
    return DecodedVariable(decoder, described, dict(template.encoding))


def native_dtype(dtype: np.dtype) -> np.dtype:
    """Return a dtype in the byte order of this machine."""
    # newbyteorder makes a new dtype each time; native ones are shared. numpy calls a structure
    # native whose fields are arrays of the other byte order.
    return dtype if dtype.isnative and dtype.names is None else dtype.newbyteorder("=")


def _usable(
    name: str,
    attrs: Mapping[str, Any],
    dtype: np.dtype,
    decoders: DecodeOptions,
    stored: StoredVariable,
) -> tuple[dict[str, Any], xr.Variable]:
    """Return the attributes that xarray can decode with, and what they make; log the others."""
    without = find_unusable(attrs, dtype)
    usable = {key: value for key, value in attrs.items() if key not in without}
    for refused in SUSPECTS:
        tried = {key: value for key, value in usable.items() if key not in refused}
        try:
            template = _decoded(name, tried, dtype, decoders.options(name, tried), stored.ends)
        except Exception as error:  # xarray raises errors of many types
            log.debug("%s cannot be decoded", stored.what, exc_info=error)
        else:
            break
    else:
        raise NotSupportedError(f"{stored.what}: xarray cannot decode values of type {dtype}")
    without |= refused & usable.keys()
    usable = tried
    for key in sorted(without):
        _note(stored.what, key, f"{attrs[key]!r:.80}", dtype)
    return usable, template


def _decoded(
    name: str,
    attrs: Mapping[str, Any],
    dtype: np.dtype,
    options: Mapping[str, Any],
    ends: np.ndarray | None,
) -> xr.Variable:
    """Decode no values, or the first and last one, to see what becomes of a variable."""
    values = np.empty(0, dtype)
    if ends is not None:
        values = ends[ends != np.finfo(dtype).max] if dtype.kind == "f" else ends
    # Single characters are not joined, which would leave an array without its last dimension.
    variable = xr.Variable(("row",), values, dict(attrs))
    return decode_cf_variable(name, variable, stack_char_dim=False, **options)


@lru_cache(maxsize=1 << 10)  # once an attribute
def _note(what: str, name: str, value: str, dtype: np.dtype) -> None:
    if dtype.kind == "S":  # for which it may make sense
        reason = f"is not decoded: values of type {dtype} remain bytes"
    else:
        reason = f"makes no sense for {dtype} and is not decoded"
    log.warning("%s: the attribute %s=%s %s", what, name, value, reason)


def _without(stored: np.ndarray, fill: float, variable: str) -> np.ndarray:
    missing = stored == fill
    if not missing.any():
        return stored
    _note_undeclared(variable, fill)
    return np.where(missing, stored.dtype.type(np.nan), stored)


@lru_cache(maxsize=1 << 10)  # once a variable of a product
def _note_undeclared(variable: str, fill: float) -> None:
    log.warning(
        "%s contains %.4g, which no _FillValue declares. It is read as missing", variable, fill
    )


def _only_masked(dtype: np.dtype, result: np.dtype, attrs: Mapping[str, Any]) -> bool:
    """Return whether fill values are all that decoding cares about."""
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
    if (declared := attrs.get("_FillValue")) is not None:
        # One that the type cannot hold (a text, a number out of range) marks nothing.
        unfit = suppress(ValueError, OverflowError, IndexError, FloatingPointError)
        with unfit, np.errstate(invalid="raise", over="raise"):
            fill = np.ravel(declared)[0]
            converted = dtype.type(fill)
            if dtype.kind in "fc" or converted == fill:  # NumPy wraps integers
                return converted
    if dtype.kind in "fc":
        return dtype.type(np.nan)
    return dtype.type(0 if pad_value is None else pad_value)


def _decode_by_xarray(
    stored: np.ndarray, attrs: Mapping[str, Any], options: Mapping[str, Any]
) -> np.ndarray:
    flat = xr.Variable(("row",), stored.flatten(), dict(attrs))
    decoded: np.ndarray = decode_cf_variable("values", flat, **options).to_numpy()
    return decoded.reshape(stored.shape)
