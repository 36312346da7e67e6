"""Values of a synthetic ATL03 granule: photons over a known surface and trees."""

import numpy as np

from .ancillary_data import AncillaryValues, Extent
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


class ATL03Values(AncillaryValues):
    """Values of an ATL03 granule, see :class:`.GranuleValues`.

    The rows of the granule are its 20 m segments, the same as those of an ATL06 with as many rows.
    """

    def __init__(self, granule: SyntheticGranule) -> None:
        self._tracks = {beam: BeamTrack(granule, beam) for beam in granule.rows}
        super().__init__(granule, Extent.of(granule, self._tracks))
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
        """Return rows ``start:stop`` of all variables of a rate, by path below its group."""
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

    def constants(self) -> ArraysByName:
        """Return the values of variables stored once in a file, by path."""
        scales = {"ds_surf_type": np.arange(1, 6), "ds_xyz": np.arange(1, 4)}
        return super().constants() | scales


def _sums(ids: Ints) -> tuple[int, int]:
    """Return the first sum of shots of a beam, and the one after its last."""
    if not ids.size:
        return 0, 0
    first, after = first_shot(np.array([ids[0], ids[-1] + 1]))
    return int(first) // SHOTS_IN_SUM, -(-int(after) // SHOTS_IN_SUM)


def _found(cloud: PhotonCloud) -> dict[str, Ints]:
    """Return the segments with a row in the signal finder of each surface type."""
    types = surface_types(*cloud.track.middles(cloud.ids)[:2])
    return {
        f"{_FINDER}/{name}": cloud.ids[types[:, column]][::_EVERY]
        for column, name in enumerate(SURFACE_TYPE_GROUPS)
    }
