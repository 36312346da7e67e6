"""Granules of a few rows, for what no real granule at hand has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
UNITS = "seconds since 2018-01-01"


def write_tiny(
    path: Path,
    datasets: Mapping[str, Any],
    *,
    product: str | None = None,
    attrs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write arrays by path; ``delta_time`` of a group is the scale of all that is as long in it.

    The same applies to groups below, unless they have one of their own.
    """
    with h5py.File(path, "w") as file:
        if product is not None:
            file.attrs["short_name"] = np.bytes_(product)
        for name, values in datasets.items():
            file[name] = np.asarray(values)
        for number, beam in enumerate(BEAMS):
            if beam in file:
                file[beam].attrs["atlas_spot_number"] = np.bytes_(str(6 - number))
        times = [name for name in datasets if name.rpartition("/")[2] == "delta_time"]
        for name in sorted(times, key=len, reverse=True):
            file[name].make_scale("delta_time")
            file[name].attrs["units"] = np.bytes_(UNITS)
            _attach(file, name, times, datasets)
        for name, own in (attrs or {}).items():
            for key, value in own.items():
                file[name].attrs[key] = np.bytes_(value) if isinstance(value, str) else value
    return path


def _attach(file: h5py.File, time: str, times: list[str], datasets: Mapping[str, Any]) -> None:
    group = time.rpartition("/")[0]
    for name in datasets:
        dataset = file[name]
        below = name.startswith(f"{group}/") and name not in times
        if below and len(dataset) == len(file[time]) and not len(dataset.dims[0]):
            dataset.dims[0].attach_scale(file[time])
