"""Decode seconds to times with xarray's results, in a hundredth of its time for a chunk.

xarray inspects each array that it decodes, which takes longer than decompressing a chunk. What it
then does to the values is one multiplication. Once for each unit, a probe of values is decoded
both ways: if the installed xarray gives other times, it decodes all values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from xarray.conventions import decode_cf_variable

from .decode_options import is_icesat2_time

__all__ = ["are_plain_seconds", "decode_seconds", "describe_decoded"]

LONGEST = 4e9
"""Seconds from the epoch, more than a century: what is farther away may be no time at all."""
LONG_NAME = "time (UTC)"
_SECONDS = (
    r"(?:number of |elapsed )?(?:GPS )?seconds:? (?:since|from) the [\w ]*?\w*epoch\b"
    r"(?: of the products)?"
)
_UNIT = re.compile(rf",?\s*\b(?:(?:measured|expressed) )?in {_SECONDS}", re.IGNORECASE)
"""As in *Transmit time of the photon, measured in seconds from the atlas_sdp_gps_epoch*."""
_COUNT = re.compile(rf"\b{_SECONDS}", re.IGNORECASE)
"""As in *Number of GPS seconds since the ATLAS SDP epoch at the last data point*."""
_EPOCH = re.compile(
    r"\s*The ATLAS Standard Data Products \(SDP\) epoch offset is defined within\b.*?"
    r"can be computed\.?|\s*The ATLAS Standard Data Products \(SDP\) epoch offset is defined\b.*",
    re.DOTALL,
)
_CLAIMS = re.compile(r"\bGPS\b|\bseconds:? (?:since|from)\b", re.IGNORECASE)


def are_plain_seconds(
    dtype: np.dtype, result: np.dtype, attrs: Mapping[str, Any], options: Mapping[str, Any]
) -> bool:
    """Return whether a variable counts seconds as float64, to be decoded by default."""
    return (
        dtype == np.float64
        and is_icesat2_time(attrs)
        and result == np.dtype("M8[ns]")
        and attrs.keys() <= {"units", "calendar", "_FillValue", "missing_value"}
        and options["decode_times"] is True
        and options.get("use_cftime") is None
    )


def decode_seconds(stored: np.ndarray, out: np.ndarray, units: str, calendar: str | None) -> bool:
    """Put times into ``out``, of dtype ``M8[ns]``; NaN becomes NaT.

    Returns
    -------
    bool
        Whether that was done. If not, the values, or what xarray does, are not as expected.
    """
    epoch = _epoch(units, calendar)
    if epoch is None or not stored.size:
        return False
    # These two ignore NaN.
    if not (np.fmin.reduce(stored, axis=None) > -LONGEST):
        return False
    if not (np.fmax.reduce(stored, axis=None) < LONGEST):
        return False
    _convert(stored, out.view(np.int64), epoch)
    return True


def _convert(stored: np.ndarray, out: np.ndarray, epoch: int) -> None:
    nanoseconds = stored * 1e9
    with np.errstate(invalid="ignore"):
        np.copyto(out, nanoseconds, casting="unsafe")
    out += epoch
    missing = np.isnan(stored)
    if missing.any():
        np.copyto(out, np.iinfo(np.int64).min, where=missing)


@lru_cache(maxsize=64)
def _epoch(units: str, calendar: str | None) -> int | None:
    """Return the time of second 0 in nanoseconds; None if xarray decodes differently."""
    probe = _probe()
    attrs = {"units": units} | ({} if calendar is None else {"calendar": calendar})
    expected = decode_cf_variable("probe", xr.Variable(("row",), probe.copy(), attrs)).to_numpy()
    if expected.dtype != np.dtype("M8[ns]"):
        return None
    epoch = int(expected[0].astype(np.int64))
    ours = np.empty(probe.shape, np.int64)
    _convert(probe, ours, epoch)
    return epoch if np.array_equal(ours, expected.view(np.int64)) else None


def _probe() -> np.ndarray:
    """Return times of all sizes, with and without fractions, and whole nanoseconds.

    NaN is not among them: xarray converts it with a warning, which it suppresses for the whole
    process, so that two threads that probe at the same time show it.
    """
    random = np.random.default_rng(2018)
    size = 10.0 ** random.uniform(-10, 9.5, 2000)
    signed = size * random.choice([-1.0, 1.0], size.size)
    mission = random.uniform(0, 6e8, 2000)
    whole = np.round(mission[:500])
    near = np.round(mission[:500], 9)
    return np.concatenate([[0.0], signed, mission, whole, near, np.nextafter(near, 0)])


def describe_decoded(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a decoded time, without claims that it counts seconds.

    A description that cannot be reworded is left out. Other attributes are not changed.
    """
    described = dict(attrs)
    if _claims_seconds(attrs.get("long_name")):
        described["long_name"] = LONG_NAME
    for name in ("description", "Description"):
        text = attrs.get(name)
        if not isinstance(text, str):
            continue
        described[name] = _reword(text)
        if _claims_seconds(described[name]):
            del described[name]
    return described


def _claims_seconds(text: Any) -> bool:
    return isinstance(text, str) and _CLAIMS.search(text) is not None


def _reword(text: str) -> str:
    text = _UNIT.sub("", _EPOCH.sub("", text))
    return _COUNT.sub(_time_in_words, text).strip()


def _time_in_words(count: re.Match[str]) -> str:
    return f"{'T' if count[0][0].isupper() else 't'}ime (UTC)"
