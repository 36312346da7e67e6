"""Coordinates along ``gran_idx``: number, track, cycle, release, time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from xr_icesat2.granule.identity import UNKNOWN, Identity
from xr_icesat2.products import PRODUCTS
from xr_icesat2.reading.decode import TIME_ENCODING

__all__ = ["GRANULE_COORDS", "PASS_COORDS", "granule_coords", "product_coord"]


def _number(value: int | None) -> int:
    return UNKNOWN if value is None else value


NUMBERS: dict[str, tuple[str, Callable[[Identity], int | None]]] = {
    "gran_idx": (
        "number of the granule within its product, -1 where unknown",
        lambda i: i.gran_idx,
    ),
    "rgt": ("reference ground track, -1 where unknown", lambda i: i.rgt),
    "cycle_number": ("repeat cycle, -1 where unknown", lambda i: i.cycle_number),
    "granule_region": ("granule region, -1 where unknown", lambda i: i.granule_region),
    "hemisphere": ("1 north, 2 south, -1 where unknown", lambda i: i.hemisphere),
    "start_rgt": ("reference ground track of the first orbit", lambda i: i.start_rgt),
    "end_rgt": ("reference ground track of the last orbit", lambda i: i.end_rgt),
    "start_cycle": ("repeat cycle of the first orbit", lambda i: i.start_cycle),
    "end_cycle": ("repeat cycle of the last orbit", lambda i: i.end_cycle),
    "first_cycle": ("first of the repeat cycles that are gathered", lambda i: i.first_cycle),
    "last_cycle": ("last of the repeat cycles that are gathered", lambda i: i.last_cycle),
    "sc_orient": (
        "spacecraft orientation: 0 backward, 1 forward, 2 turning, -1 unknown",
        lambda i: i.sc_orient,
    ),
}
TEXTS: dict[str, tuple[str, Callable[[Identity], str | None]]] = {
    "source_file": ("name of the file", lambda i: i.source_file),
    "release": ("release of the product", lambda i: i.release),
    "version": ("version within the release", lambda i: i.version),
}
TIMES: dict[str, tuple[str, Callable[[Identity], np.datetime64]]] = {
    "data_start_utc": ("time of the first data, UTC", lambda i: i.data_start_utc),
    "data_end_utc": ("time of the last data, UTC", lambda i: i.data_end_utc),
}
GRANULE_COORDS = ("product", *NUMBERS, *TEXTS, *TIMES)
"""Names of the coordinates, which no variable may have."""

PASS_COORDS = (
    "rgt", "cycle_number", "start_rgt", "end_rgt", "start_cycle", "end_cycle",
    "first_cycle", "last_cycle",
)  # fmt: skip
"""Coordinates that identify a pass, by which rows of a table are grouped."""


def granule_coords(identities: Sequence[Identity]) -> dict[str, xr.Variable]:
    """Return the coordinates of granules of one product, in their order.

    The product is a scalar: xarray then refuses to merge two products.
    """
    product = identities[0].product
    coords = {"product": product_coord(product)}
    kept = _numbers_of(product)
    for name, (meaning, get) in NUMBERS.items():
        if name not in kept:
            continue
        values = np.array([_number(get(i)) for i in identities], np.int64)
        coords[name] = _variable(values, meaning)
    for name, (meaning, text) in TEXTS.items():
        coords[name] = _variable(np.array([text(i) or "" for i in identities], np.str_), meaning)
    for name, (meaning, time) in TIMES.items():
        times = np.array([time(i) for i in identities], "datetime64[ns]")
        coords[name] = _variable(times, meaning)
    return coords


def _numbers_of(product: str | None) -> set[str]:
    """Return the names of the numbers that granules of a product have, known or not."""
    convention = PRODUCTS.convention(product)
    if convention is None:
        return {"gran_idx", "sc_orient", "rgt", "cycle_number", "granule_region"}
    kept = {"gran_idx", "sc_orient", *convention.numbers}
    if convention.orbits:
        kept |= {"start_rgt", "end_rgt", "start_cycle", "end_cycle"}
    if "first_cycle" in convention.fields:
        kept |= {"first_cycle", "last_cycle"}
    return kept


def product_coord(product: str | None) -> xr.Variable:
    """Return the short name of a product, "" where unknown, as a scalar coordinate."""
    return xr.Variable((), np.array(product or "", np.str_), {"long_name": "product"})


def _variable(values: np.ndarray, meaning: str) -> xr.Variable:
    encoding = dict(TIME_ENCODING) if values.dtype.kind == "M" else {}
    return xr.Variable(("gran_idx",), values, {"long_name": meaning}, encoding)
