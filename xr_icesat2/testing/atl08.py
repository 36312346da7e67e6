"""Values of a synthetic ATL08 granule, from the photons of its ATL03 granule."""

import numpy as np

from .ancillary_data import AncillaryValues, Extent
from .array_types import ArraysByName
from .atl08_photons import MAX_20M_SEGMENTS, LandSegments, SignalPhotons
from .atl08_segments import land_segment_rows, percentiles_of
from .beam_track import BeamTrack
from .identity import SyntheticGranule
from .photons import PhotonCloud

__all__ = ["ATL08Values"]


class ATL08Values(AncillaryValues):
    """Values of an ATL08 granule, see :class:`.GranuleValues`.

    The rows of the granule are the 20 m segments of its ATL03, which form about a fifth as many
    land segments. Its photons are those of the ATL03 with the same seed, track, cycle, region,
    orientation, start and rows.
    """

    def __init__(self, granule: SyntheticGranule) -> None:
        self._tracks = {beam: BeamTrack(granule, beam) for beam in granule.rows}
        super().__init__(granule, Extent.of(granule, self._tracks))
        self._signal = {
            beam: SignalPhotons.of(PhotonCloud.of(track)) for beam, track in self._tracks.items()
        }
        self._land = {beam: LandSegments.of(signal) for beam, signal in self._signal.items()}

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam."""
        return {
            "signal_photons": int(self._signal[beam].first[-1]),
            "land_segments": self._land[beam].begin.size,
        }[rate]

    def block(self, rate: str, beam: str, start: int, stop: int) -> ArraysByName:
        """Return rows ``start:stop`` of all variables of a rate, by path below its group."""
        signal = self._signal[beam]
        if rate == "signal_photons":
            return signal.rows(start, stop)
        return land_segment_rows(signal, self._land[beam], start, stop)

    def constants(self) -> ArraysByName:
        """Return the values of variables stored once in a file, by path."""
        return super().constants() | {
            "ds_geosegments": np.arange(1, MAX_20M_SEGMENTS + 1),
            "ds_metrics": np.arange(1, len(percentiles_of(self._granule.release)) + 1),
            "ds_surf_type": np.arange(1, 6),
        }
