"""The truth behind synthetic photons, which no product tells whole."""

from collections.abc import Collection, Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError

from .granule import Granule, rows_of_beams
from .photons import PhotonCloud
from .segments import BeamTrack

__all__ = ["true_photon_classes"]

_SEGMENTS_AT_ONCE = 2000


def true_photon_classes(  # noqa: PLR0913 (each is something that decides what a granule holds)
    beam: str,
    *,
    rgt: int = 658,
    cycle_number: int = 1,
    granule_region: int = 3,
    start: datetime | None = None,
    n_segments: int | Mapping[str, int] = 1000,
    beams: Collection[str] | None = None,
    empty_beams: Collection[str] = (),
    sc_orient: int = 1,
    seed: int = 0,
) -> NDArray[np.int8]:
    """Class of every photon of a synthetic ATL03, in the order of ``heights``.

    ATL08 lists all signal and the noise near it: the classes of those photons are in its
    ``classed_pc_flag``, and all others are noise.

    Parameters
    ----------
    beam
        Ground track, ``gt1l`` to ``gt3r``.
    rgt, cycle_number, granule_region, start, n_segments, beams, empty_beams, sc_orient, seed
        As :func:`write_granule` was told.

    Returns
    -------
    ndarray
        ``(n_photons,)``, int8: 0 noise, 1 ground, 2 canopy, 3 top of canopy.

    Raises
    ------
    SelectionError
        No granule can be as said, or it lacks the beam.
    """
    granule = Granule(
        product="ATL03",
        rgt=rgt,
        cycle_number=cycle_number,
        granule_region=granule_region,
        release="006",
        version="01",
        start=start,
        rows=rows_of_beams(n_segments, beams, empty_beams),
        sc_orient=sc_orient,
        seed=seed,
    )
    if beam not in granule.rows:
        raise SelectionError(
            f"the granule has no beam {beam!r}; of {', '.join(granule.rows)} classes can be told"
        )
    cloud = PhotonCloud.of(BeamTrack(granule, beam))
    n = cloud.ids.size
    parts = [
        cloud.photons(row, min(row + _SEGMENTS_AT_ONCE, n)).class_
        for row in range(0, n, _SEGMENTS_AT_ONCE)
    ]
    return np.concatenate([np.zeros(0, np.int8), *parts])
