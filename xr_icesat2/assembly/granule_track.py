"""Which part of its reference ground track a granule says that it covers."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import numpy as np

from xr_icesat2.errors import IdentityError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.granule.name import file_name, format_name, parse_name
from xr_icesat2.granule.reference_track import SEGMENTS_PER_ORBIT
from xr_icesat2.products import PRODUCTS
from xr_icesat2.reading.granule_reader import read_whole_datasets
from xr_icesat2.region import Region

from .request import Request
from .track_prediction import TrackPrediction

__all__ = ["read_track", "track_paths"]

FIRST, LAST = "/ancillary_data/start_geoseg", "/ancillary_data/end_geoseg"


def track_paths(request: Request) -> Sequence[str]:
    """Return the paths of the datasets that :func:`read_track` needs."""
    return (FIRST, LAST) if request.region is not None else ()


def read_track(
    granule: Granule, identity: Identity, region: Region | None
) -> TrackPrediction | None:
    """Return where the track of an original granule is near a region.

    Returns
    -------
    TrackPrediction or None
        None without a region, and if the granule is a subset, has several orbits, or does not say
        what it covers.
    """
    if region is None:
        return None
    convention = PRODUCTS.convention(identity.product)
    if convention is None or convention.orbits or identity.rgt is None:
        return None
    if not _is_original_name(granule.url):
        return None
    values = read_whole_datasets(granule, [FIRST, LAST])
    first, last = (_number(values.get(path)) for path in (FIRST, LAST))
    if first is None or last is None or not 0 <= last - first <= SEGMENTS_PER_ORBIT:
        return None
    return TrackPrediction(identity.rgt, first, last, region)


def _is_original_name(url: str) -> bool:
    """Return whether a file has the name of a granule, without additions of a subsetter."""
    written, name = file_name(url), parse_name(url)
    if name is None:
        return False
    try:
        original = format_name(name)
    except IdentityError:
        return False
    return posixpath.splitext(written)[0] == posixpath.splitext(original)[0]


def _number(values: np.ndarray | None) -> int | None:
    if values is None or values.size != 1 or values.dtype.kind not in "iu":
        return None
    number = int(values.reshape(-1)[0])
    return number if 0 < number <= 2 * SEGMENTS_PER_ORBIT else None
