"""Values of a synthetic ATL13 granule: lakes at known levels, along four orbits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xr_icesat2.testing.atl13_rows import ShortSegments
from xr_icesat2.testing.crossings import Crossings
from xr_icesat2.testing.facts import Extent, ancillary_constants, granule_facts
from xr_icesat2.testing.granule import Granule
from xr_icesat2.testing.segments import BeamTrack

__all__ = ["ATL13Values"]

Block = dict[str, NDArray[Any]]

_TYPES = 9  # of water bodies; as many sizes

_INLAND_WATER: Mapping[str, ArrayLike] = {
    "anmly_test": [0.1, 0.2, 0.3, 0.4],
    "atm_window1": 30.0,
    "atm_window2": 15.0,
    "b1_sseg1": 0.5,
    "b2_sseg1": 0.05,
    "b_long": 0.01,
    "bckgrd_threshold": [0.1, 0.5],
    "bin_detrend": 0.05,
    "c_adj": 0.97,
    "c_fresnel": 0.02,
    "detrend_width": 3.0,
    "f2_d_min": 0.1,
    "gauss_pk_thres": 0.1,
    "h_mavg_a": 3,
    "h_mavg_b": 5,
    "h_mavg_c": 7,
    "l_sub": 1000,
    "l_surf": 100,
    "lsbr_threshold": 0.7,
    "m_avg_d": 5,
    "max_gseg_search": 100,
    "ref_dist_iw_bdy": 100.0,
    "s_seg1": 30,
    "shore_buffer": 100,
    "sig_threshold": 2,
    "signal_window_bottom": -50.0,
    "signal_window_top": 15.0,
    "size_to_process": np.ones((_TYPES, _TYPES)),
    "sseg_length_test": 300.0,
    "sseg_mode_cnt_test": 3,
    "sseg_mode_freq_test": 5,
    "sseg_mode_spread_test": 1.0,
    "sub_max": 50.0,
    "type_to_process": np.ones(_TYPES),
}


class ATL13Values:
    """What fills the tree of ATL13; see :class:`~xr_icesat2.testing.tree.Values`."""

    def __init__(self, granule: Granule) -> None:
        orbits = len(granule.rgts)
        tracks = {beam: BeamTrack(granule, beam) for beam in granule.rows}
        self._granule = granule
        self._tracks = tracks
        self._crossings = {
            beam: Crossings.find(track, granule.rows[beam], orbits)
            for beam, track in tracks.items()
        }
        ends = {
            beam: (int(crossings.first[0]), int(crossings.first[-1]))
            for beam, crossings in self._crossings.items()
            if crossings.first.size
        }
        self._extent = Extent.worldwide(granule, tracks, ends)

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam: those of short segments, or none."""
        return self._granule.rows[beam] if rate == "" else 0

    def block(self, rate: str, beam: str, start: int, stop: int) -> Block:
        """Rows ``start:stop`` of every variable along the rate, by path below its group."""
        del rate  # no other has rows
        return ShortSegments(self._tracks[beam], self._crossings[beam], start, stop).variables()

    def fixed(self, rate: str) -> Block:
        """Values of the rate's variables that have no rows: there are none."""
        del rate
        return {}

    def constants(self) -> Block:
        """Values of the variables that stand in the file once, by path."""
        inland_water = {
            f"ancillary_data/inland_water/{name}": np.atleast_1d(np.asarray(value))
            for name, value in _INLAND_WATER.items()
        }
        return ancillary_constants(self._granule, self._extent) | inland_water

    def facts(self) -> Mapping[str, Any]:
        """Values that attributes refer to."""
        return granule_facts(self._granule, self._extent)
