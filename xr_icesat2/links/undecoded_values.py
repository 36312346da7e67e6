"""Restore integers and times as in the file, from decoded or raw variables."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.reading.decode import make_decoder
from xr_icesat2.reading.decode_options import DecodeOptions, is_icesat2_time

__all__ = ["NO_TIME", "nanoseconds", "whole_numbers"]

NO_TIME = np.iinfo(np.int64).min
"""Value of a missing time."""


def nanoseconds(values: np.ndarray, variable: xr.Variable, what: str) -> np.ndarray:
    """Return times as int64 nanoseconds since 1970; :data:`NO_TIME` where missing.

    Raw numbers are decoded as the engine decodes them, so both give the same result.

    Raises
    ------
    LinkError
        They are neither datetime64 nor seconds since 2018-01-01.
    """
    if values.dtype.kind == "f" and is_icesat2_time(variable.attrs):
        values = make_decoder(
            "time", variable.attrs, values.dtype, DecodeOptions(), padded=True
        ).decoder(values)
    if values.dtype.kind != "M":
        raise LinkError(
            f"times of {what} have the dtype {values.dtype}, expected datetime64, or numbers "
            "with the units 'seconds since 2018-01-01'. Use them as opened, with decode_times=True "
            "or False."
        )
    return values.astype("datetime64[ns]").astype(np.int64)


def whole_numbers(name: str, values: np.ndarray, variable: xr.Variable) -> np.ndarray:
    """Return integers as stored in the file (int64), from decoded values.

    Raises
    ------
    LinkError
        Some are missing, and the fill value is unknown.
    """
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False)
    missing = np.isnan(values)
    if missing.any():
        fill = variable.encoding.get("_FillValue", variable.attrs.get("_FillValue"))
        if fill is None or not np.isfinite(fill):
            raise LinkError(
                f"{name} has missing values, and its encoding no fill value. Use it as opened, or "
                "open it with mask_and_scale=False."
            )
        values = np.where(missing, fill, values)
    return values.astype(np.int64)
