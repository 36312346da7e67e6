"""Statements about a granule from several places of it, and whether they agree."""

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

import numpy as np

from xr_icesat2.errors import IdentityError
from xr_icesat2.messages import AS_IT_IS

__all__ = ["WAY_OUT", "integer", "settle", "text", "utc"]

WAY_OUT = (
    'If the file was renamed, give it its original name back. layout="file" does not ask which '
    f"granule it is: {AS_IT_IS}"
)

Value = TypeVar("Value", int, str)

_UTC = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z?")


def settle(what: str, source_file: str, claims: Iterable[tuple[str, Value | None]]) -> Value | None:
    """Value on which all claims agree.

    Parameters
    ----------
    what
        What is claimed, for the message.
    source_file
        The file's name, for the message.
    claims
        (where it says so, value) pairs, the most trusted first; None claims nothing.

    Returns
    -------
    value or None
        None where nobody claims anything.

    Raises
    ------
    IdentityError
        Two claims differ.
    """
    said = [(where, value) for where, value in claims if value is not None]
    for where, value in said[1:]:
        first_where, first = said[0]
        if value != first:
            raise IdentityError(
                f"{source_file}: the evidence of its {what} contradicts itself: {first_where} "
                f"says {first!r}, {where} says {value!r}. {WAY_OUT}"
            )
    return said[0][1] if said else None


def _first(value: object) -> object:
    """First element of an array, or the scalar itself; None where there is none."""
    flat = np.asarray(value).ravel()
    return flat[0] if flat.size else None


def integer(value: object, valid: range) -> int | None:
    """First of `value` as an int.

    A fill value, that is anything outside `valid`, says nothing.
    """
    first = _first(value)
    if not isinstance(first, (int, float, np.integer, np.floating)) or not math.isfinite(first):
        return None
    return int(first) if int(first) == first and int(first) in valid else None


def text(value: object) -> str | None:
    """First of `value` as text, without the blanks and zeros that fill fixed-length strings."""
    first = _first(value)
    if isinstance(first, bytes):
        first = first.decode("ascii", "replace")
    return (first.strip(" \t\r\n\0") or None) if isinstance(first, str) else None


def utc(what: str, source_file: str, value: object) -> np.datetime64:
    """Time of a ``*_utc`` string, datetime64[ns]; NaT where `value` holds none.

    Raises
    ------
    IdentityError
        The text is no date.
    """
    written = text(value)
    if written is None:
        return np.datetime64("NaT", "ns")
    if _UTC.fullmatch(written):
        with suppress(ValueError):  # the 31st of February
            return np.datetime64(written.rstrip("Z"), "ns")
    raise IdentityError(
        f"{source_file}: {what} is {written!r}, expected a time such as "
        f"'2019-11-06T23:00:08.123456Z'. {WAY_OUT}"
    )
