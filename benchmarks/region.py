"""Photons in a region, as a user of another reader finds them: by the 20 m segments of ATL03."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import h5py
import numpy as np

from benchmarks.task import Task

__all__ = ["SEGMENT_VARIABLES", "box_around_middle", "photon_rows", "read_photons", "rows_of_path"]

SEGMENT_VARIABLES = (
    "reference_photon_lat", "reference_photon_lon", "ph_index_beg", "segment_ph_cnt",
)  # fmt: skip
"""Variables of ``geolocation`` that tell which photons are in a region."""
_KILOMETRES_PER_DEGREE = 111.2


def photon_rows(segments: Mapping[str, np.ndarray], region: tuple[float, ...]) -> slice:
    """Return the photons of the segments in a region, which a beam crosses once."""
    latitude, longitude, first, count = (segments[name] for name in SEGMENT_VARIABLES)
    west, south, east, north = region
    inside = (longitude >= west) & (longitude <= east)
    inside &= (latitude >= south) & (latitude <= north) & (count > 0)
    rows = np.flatnonzero(inside)
    if not len(rows):
        return slice(0, 0)
    begin = int(first[rows[0]]) - 1
    end = int(first[rows[-1]]) - 1 + int(count[rows[-1]])
    if end - begin != count[rows].sum():
        raise ValueError("the region selects photons that do not follow each other")
    return slice(begin, end)


def read_photons(task: Task, read: Callable[[str, slice], np.ndarray]) -> dict[str, np.ndarray]:
    """Read the photons in the region of a task, with a function that reads rows of a dataset."""
    if task.region is None:
        raise ValueError("the task has no region")
    values = {}
    for beam in task.beams:
        segments = {
            name: read(f"{beam}/geolocation/{name}", slice(None)) for name in SEGMENT_VARIABLES
        }
        rows = photon_rows(segments, task.region)
        for path in task.paths():
            if path.startswith(f"{beam}/"):
                values[path] = read(path, rows)
    return values


def rows_of_path(file: h5py.File, task: Task, path: str) -> slice:
    """Return the rows of a dataset that a task reads."""
    if task.region is None:
        return task.slice
    group = file[f"{path.partition('/')[0]}/geolocation"]
    return photon_rows({name: group[name][:] for name in SEGMENT_VARIABLES}, task.region)


def box_around_middle(file: h5py.File, kilometres: float) -> tuple[float, float, float, float]:
    """Return a box of a size around the middle of the middle beams."""
    group = file["gt2l/geolocation"]
    middle = len(group["segment_id"]) // 2
    latitude, longitude = (float(group[name][middle]) for name in SEGMENT_VARIABLES[:2])
    north = kilometres / 2 / _KILOMETRES_PER_DEGREE
    east = north / float(np.cos(np.radians(latitude)))
    return longitude - east, latitude - north, longitude + east, latitude + north
