"""What the data dictionaries say of datasets of which a file has lost all attributes.

Written down for the clips of ICESat2VegR, whose datasets have none. Nothing here is taken from
the library's own tables: it is what these are compared with.
"""

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

SINCE_2018 = "seconds since 2018-01-01"
TIMES = {"delta_time", "delta_time_beg", "delta_time_end"}
# Fill values of integers; those of which the file says wrongly that 0 is missing are not here.
INTEGER_FILLS: Mapping[str, int] = {
    "brightness_flag": 127,
    "cloud_flag_atm": 127,
    "cloud_fold_flag": 127,
    "dem_flag": 127,
    "msw_flag": 127,
    "night_flag": 2147483647,
    "sat_flag": 127,
    "segment_cover": 32767,
    "segment_landcover": 255,
    "segment_snowcover": 127,
    "segment_watermask": 255,
    "subset_can_flag": 127,
    "subset_te_flag": 127,
    "terrain_flg": 2147483647,
    "urban_flag": 2147483647,
}


def specified(dataset: h5py.Dataset) -> dict[str, Any]:
    """Return the attributes that decide how values are decoded.

    Floats have none: the greatest value of the type is missing in all products.
    """
    name = dataset.name.rpartition("/")[2]
    if name in TIMES:
        return {"units": SINCE_2018}
    if name in INTEGER_FILLS and dataset.dtype.kind in "iu":
        return {"_FillValue": np.array(INTEGER_FILLS[name], dataset.dtype)[()]}
    return {}
