"""Rows of real granules with the numbers of their 20 m segments."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import h5py
import numpy as np

from tests.paths import ALL_GRANULES

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
RATES = {
    "land_ice_segments": ("segment_id", "latitude", "longitude"),
    "segment_quality": ("segment_id", "reference_pt_lat", "reference_pt_lon"),
    "geolocation": ("segment_id", "reference_photon_lat", "reference_photon_lon"),
    "land_segments": ("segment_id_beg", "latitude", "longitude"),
}


class Rows(NamedTuple):
    """Rows of one beam of a real granule."""

    name: str
    beam: str
    rgt: int
    segment: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray


def real_rows() -> Iterator[Rows]:
    for path in ALL_GRANULES:
        named = re.search(r"_(\d{4})\d{4}_\d{3}_\d\d", path.name)
        if named is None or not h5py.is_hdf5(path):
            continue
        with h5py.File(path) as file:
            for group, names in RATES.items():
                for beam in BEAMS:
                    rate = file.get(f"{beam}/{group}")
                    if rate is not None and all(name in rate for name in names):
                        columns = (rate[name][:].astype(np.float64) for name in names)
                        yield Rows(path.name, beam, int(named[1]), *columns)
