"""Values of a synthetic ATL13 granule: lakes at known levels, along four orbits."""

from .ancillary_data import AncillaryValues, Extent
from .array_types import ArraysByName
from .atl13_crossings import Crossings
from .atl13_segments import ShortSegments
from .beam_track import BeamTrack
from .identity import SyntheticGranule

__all__ = ["ATL13Values"]


class ATL13Values(AncillaryValues):
    """Values of an ATL13 granule, see :class:`.GranuleValues`."""

    def __init__(self, granule: SyntheticGranule) -> None:
        orbits = len(granule.rgts)
        tracks = {beam: BeamTrack(granule, beam) for beam in granule.rows}
        self._tracks = tracks
        self._crossings = {
            beam: Crossings.find(track, granule.rows[beam], orbits)
            for beam, track in tracks.items()
        }
        ends = {
            beam: (int(crossings.first[0]), int(crossings.first[-1]) + crossings.length - 1)
            for beam, crossings in self._crossings.items()
            if crossings.first.size
        }
        super().__init__(granule, Extent.worldwide(granule, tracks, ends))

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam: those of short segments, or none."""
        return self._granule.rows[beam] if rate == "" else 0

    def block(self, rate: str, beam: str, start: int, stop: int) -> ArraysByName:
        """Return rows ``start:stop`` of all variables of a rate, by path below its group."""
        del rate  # no other has rows
        return ShortSegments(self._tracks[beam], self._crossings[beam], start, stop).variables()
