"""Times as whole nanoseconds, decoded or not."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.reading.decode import make_decoder
from xr_icesat2.reading.decode_options import DecodeOptions, is_icesat2_time

__all__ = ["NO_TIME", "nanoseconds"]

NO_TIME = np.iinfo(np.int64).min
"""Nanoseconds of a missing time."""


def nanoseconds(values: np.ndarray, held: xr.Variable, what: str) -> np.ndarray:
    """Give times as int64 nanoseconds since 1970; the least int64 where there is none.

    Numbers are decoded as the engine decodes them, so that both lead to the same.

    Raises
    ------
    LinkError
        They are neither datetime64 nor seconds since 2018-01-01.
    """
    if values.dtype.kind == "f" and is_icesat2_time(held.attrs):
        values = make_decoder(
            "time", held.attrs, values.dtype, DecodeOptions(), padded=True
        ).decoder(values)
    if values.dtype.kind != "M":
        raise LinkError(
            f"times of {what} are {values.dtype}; expected datetime64, or numbers with the units "
            "'seconds since 2018-01-01', as decode_times=True or False gives them"
        )
    return values.astype("datetime64[ns]").astype(np.int64)
