"""Values of a synthetic ATL06 granule: a known surface with clouds and noise."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.granule.reference_track import SEGMENT_LENGTH

from .ancillary_data import AncillaryValues, Extent
from .array_types import ArraysByName
from .atl06_segments import FittedSegments
from .beam_track import NO_SURFACE, BeamTrack, SegmentArrays
from .identity import SyntheticGranule
from .surface import ROUGHNESS

__all__ = ["ATL06Values"]


_HISTOGRAM_BINS = 748
_SEGMENTS_IN_HISTOGRAM = 10
_SEGMENTS_IN_QA = 500  # 10 km
_PULSES_PER_SEGMENT = 28.0

_LAND_ICE: Mapping[str, float] = {
    "dt_hist": 2.5e-11,
    "fit_maxiter": 25,
    "fpb_maxiter": 20,
    "maxiter": 25,
    "max_res_ids": _SEGMENTS_IN_HISTOGRAM,
    "min_dist": 17.0,
    "min_gain_th": 0.0,
    "min_n_pe": 10,
    "min_n_sel": 10,
    "min_signal_conf": 2,
    "n_hist": 5000,
    "n_sigmas": 6.0,
    "nhist_bins": _HISTOGRAM_BINS,
    "proc_interval": 10000,
    "qs_lim_bsc": 3,
    "qs_lim_hrs": 1.0,
    "qs_lim_hsigma": 1.0,
    "qs_lim_msw": 3,
    "qs_lim_snr": 0.002,
    "qs_lim_sss": 1,
    "rbin_width": 0.01,
    "sigma_beam": 4.25,
    "txp_maxiter": 50,
    "win_nsig": 3.0,
}
_FIRST_UNEVEN = "003"  # release with uneven bins; before, there were even ones
_EVEN_BINS = (1000, 0.01)
# Bins of the residual histogram: upper limit of a zone and the bin size in it, upwards.
_ZONES = (
    (-20, 1.0),
    (-10, 0.5),
    (-4, 0.25),
    (-2, 0.02),
    (2, 0.01),
    (4, 0.02),
    (10, 0.25),
    (20, 0.5),
    (50, 1.0),
)
_LOWEST = -50.0


class ATL06Values(AncillaryValues):
    """Values of an ATL06 granule, see :class:`.GranuleValues`."""

    def __init__(self, granule: SyntheticGranule) -> None:
        self._tracks = {beam: BeamTrack(granule, beam) for beam in granule.rows}
        self._segment_rows = {beam: track.segment_rows for beam, track in self._tracks.items()}
        super().__init__(granule, Extent.of(granule, self._tracks))
        self._uneven = granule.release >= _FIRST_UNEVEN
        self._edges = _uneven_edges() if self._uneven else _even_edges()

    def rows(self, rate: str, beam: str) -> int:
        """Count the rows that a rate has in a beam."""
        segment_rows = self._segment_rows[beam]
        return {
            "land_ice_segments": segment_rows.n,
            "residual_histogram": -(-segment_rows.n // _SEGMENTS_IN_HISTOGRAM),
            "segment_quality": segment_rows.dense,
            "quality_assessment": -(-segment_rows.dense // _SEGMENTS_IN_QA),
        }[rate]

    def block(self, rate: str, beam: str, start: int, stop: int) -> ArraysByName:
        """Return rows ``start:stop`` of all variables of a rate, by path below its group."""
        make = {
            "land_ice_segments": self._land_ice_segments,
            "residual_histogram": self._residual_histogram,
            "segment_quality": self._segment_quality,
            "quality_assessment": self._quality_assessment,
        }[rate]
        return make(beam, start, stop)

    def fixed(self, rate: str) -> ArraysByName:
        """Return the values of the rate's variables that have no rows."""
        if rate != "residual_histogram":
            return {}
        tops, middles = self._edges[1:], (self._edges[1:] + self._edges[:-1]) / 2
        return {
            **({"bin_top_h": tops} if self._uneven else {"dh": middles}),
            "ds_segment_id": np.arange(1, _SEGMENTS_IN_HISTOGRAM + 1),
        }

    def constants(self) -> ArraysByName:
        """Return the values of variables stored once in a file, by path."""
        land_ice = {
            f"ancillary_data/land_ice/{name}": np.array([value])
            for name, value in _LAND_ICE.items()
        }
        land_ice["ancillary_data/land_ice/sigma_tx"] = np.full(6, 6.8e-10)
        land_ice["ancillary_data/land_ice/t_dead"] = np.full(6, 3.2e-9)
        return super().constants() | land_ice

    def _land_ice_segments(self, beam: str, start: int, stop: int) -> ArraysByName:
        track = self._tracks[beam]
        ids = self._segment_rows[beam].ids(start, stop)
        return FittedSegments(track, track.segments(ids)).variables()

    def _segment_quality(self, beam: str, start: int, stop: int) -> ArraysByName:
        ids = self._dense(beam, start, stop)
        at = self._tracks[beam].segments(ids)
        status = "signal_selection_status/signal_selection_status"
        return {
            "delta_time": at.time,
            "reference_pt_lat": at.latitude,
            "reference_pt_lon": at.longitude,
            "record_number": self._segment_rows[beam].rows(ids) + 1,
            "segment_id": ids,
            "signal_selection_source": at.source,
            f"{status}_confident": at.source,
            f"{status}_all": np.where(at.source < 2, 0, at.source),
            f"{status}_backup": np.where(at.source == NO_SURFACE, 4, 0),
        }

    def _quality_assessment(self, beam: str, start: int, stop: int) -> ArraysByName:
        track, rows = self._tracks[beam], stop - start
        first = self._segment_rows[beam].ids(0, 1)[0]
        begin = first + _SEGMENTS_IN_QA * np.arange(start, stop)
        middle = begin + (_SEGMENTS_IN_QA - 1) / 2
        dense = self._dense(beam, _SEGMENTS_IN_QA * start, _SEGMENTS_IN_QA * stop)
        source = track.segments(dense).source.reshape(rows, _SEGMENTS_IN_QA)
        latitude, longitude = track.place(middle)
        return {
            "delta_time": track.time(middle),
            "lat_mean": latitude,
            "lon_mean": longitude,
            **{
                f"signal_selection_source_fraction_{value}": (source == value).mean(axis=1)
                for value in range(NO_SURFACE + 1)
            },
        }

    def _residual_histogram(self, beam: str, start: int, stop: int) -> ArraysByName:
        track, segment_rows = self._tracks[beam], self._segment_rows[beam]
        size, rows = _SEGMENTS_IN_HISTOGRAM, stop - start
        ids = segment_rows.ids(size * start, size * stop)
        at = track.segments(ids)
        in_row = (np.arange(ids.size) + size * start < segment_rows.n).reshape(rows, size)
        used = in_row & (at.source != NO_SURFACE).reshape(rows, size)

        def mean(values: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(np.mean(values.reshape(rows, size), axis=1, where=in_row))

        pulses = used.sum(axis=1) * _PULSES_PER_SEGMENT
        background = 0.002 * pulses
        return {
            "delta_time": mean(at.time),
            "lat_mean": mean(at.latitude),
            "lon_mean": mean(at.longitude),
            "x_atc_mean": mean(ids * SEGMENT_LENGTH),
            "pulse_count": pulses,
            "bckgrd_per_m": background,
            "bckgrd_per_bin": background * _EVEN_BINS[1],
            "segment_id_list": np.where(used, ids.reshape(rows, size), 0),
            "count": self._counts(track, at, used, background, start),
        }

    def _counts(
        self,
        track: BeamTrack,
        at: SegmentArrays,
        used: NDArray[np.bool_],
        background: NDArray[np.float64],
        start: int,
    ) -> NDArray[Any]:
        """Return photons in each bin: expected sums, rounded so that each row adds up."""
        photons = np.where(used, at.photons.reshape(used.shape), 0).sum(axis=1)
        offset = track.noise.uniform("histogram", start, start + len(photons))
        share = _bell(self._edges / ROUGHNESS)
        expected = np.outer(photons, share)
        expected += np.outer(background, self._edges - self._edges[0])
        expected += offset[:, np.newaxis]
        whole = np.floor(expected).astype(np.int32)
        return whole[:, 1:] - whole[:, :-1]

    def _dense(self, beam: str, start: int, stop: int) -> NDArray[np.int64]:
        first = self._segment_rows[beam].ids(0, 1)[0]
        return np.arange(first + start, first + stop)


def _even_edges() -> NDArray[np.float64]:
    number, size = _EVEN_BINS
    return np.asarray(size * (np.arange(number + 1) - number / 2), np.float64)


def _uneven_edges() -> NDArray[np.float64]:
    edges = [np.array([_LOWEST])]
    for top, size in _ZONES:
        bottom = edges[-1][-1]
        edges.append(bottom + size * np.arange(1, round((top - bottom) / size) + 1))
    return np.concatenate(edges).round(2)


def _bell(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of a normal distribution below each deviation, to 0.0002."""
    cubed = deviations + 0.044715 * deviations**3
    return np.asarray(0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * cubed)))
