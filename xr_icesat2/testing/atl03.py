"""Values of a synthetic ATL03 granule: photons over a known surface and known trees."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .ancillary_data import Extent, ancillary_constants, granule_attribute_values
from .array_types import ArraysByName, Ints
from .atl03_photons import photon_rows
from .atl03_segments import (
    SHOTS_IN_SUM,
    background_rows,
    correction_rows,
    finder_rows,
    geolocation_rows,
)
from .beam_track import BeamTrack
from .identity import SyntheticGranule
from .photons import PhotonCloud, first_shot
from .surface import SURFACE_TYPE_GROUPS, surface_types

__all__ = ["ATL03Values"]


_FINDER = "signal_find_output"
_EVERY = 2  # segments of a surface type make a row of the signal finder


class ATL03Values:
    """What fills the tree of ATL03; see :class:`~xr_icesat2.testing.tree_model.GranuleValues`.

    A granule's rows are its 20 m segments; those of ATL06 with as many rows are the same.
    """

    def __init__(self, granule: SyntheticGranule) -> None:
        self._granule = granule
        self._tracks = {beam: BeamTrack(granule, beam) for beam in granule.rows}
        self._extent = Extent.of(granule, self._tracks)
        self._clouds = {beam: PhotonCloud.of(track) for beam, track in self._tracks.items()}
        self._sums = {beam: _sums(cloud.ids) for beam, cloud in self._clouds.items()}
        self._found = {beam: _found(cloud) for beam, cloud in self._clouds.items()}

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam."""
        cloud = self._clouds[beam]
        if rate == "heights":
            return int(cloud.first[-1])
        if rate == "bckgrd_atlas":
            begin, end = self._sums[beam]
            return end - begin
        if rate.startswith(_FINDER):
            return self._found[beam][rate].size
        return cloud.ids.size

    def block(self, rate: str, beam: str, start: int, stop: int) -> ArraysByName:
        """Rows ``start:stop`` of every variable along the rate, by path below its group."""
        cloud = self._clouds[beam]
        if rate == "heights":
            return photon_rows(cloud, start, stop)
        if rate == "bckgrd_atlas":
            return background_rows(cloud.track, self._sums[beam][0], start, stop)
        if rate.startswith(_FINDER):
            return finder_rows(cloud.track, self._found[beam][rate][start:stop])
        return {"geolocation": geolocation_rows, "geophys_corr": correction_rows}[rate](
            cloud, start, stop
        )

    def fixed(self, rate: str) -> ArraysByName:
        """Values of the rate's variables that have no rows: there are none."""
        del rate
        return {}

    def constants(self) -> ArraysByName:
        """Values of the variables that stand in the file once, by path."""
        scales = {"ds_surf_type": np.arange(1, 6), "ds_xyz": np.arange(1, 4)}
        return ancillary_constants(self._granule, self._extent) | scales

    def attribute_values(self) -> Mapping[str, Any]:
        """Values that attributes refer to."""
        return granule_attribute_values(self._granule, self._extent)


def _sums(ids: Ints) -> tuple[int, int]:
    """First sum of shots that a beam meets, and the one after its last; gaps included."""
    if not ids.size:
        return 0, 0
    first, after = first_shot(np.array([ids[0], ids[-1] + 1]))
    return int(first) // SHOTS_IN_SUM, -(-int(after) // SHOTS_IN_SUM)


def _found(cloud: PhotonCloud) -> dict[str, Ints]:
    """Segments that stand for a row of each surface type's signal finder."""
    types = surface_types(*cloud.track.middles(cloud.ids)[:2])
    return {
        f"{_FINDER}/{name}": cloud.ids[types[:, column]][::_EVERY]
        for column, name in enumerate(SURFACE_TYPE_GROUPS)
    }
