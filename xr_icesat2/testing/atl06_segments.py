"""Values of ATL06's main rate: the fit of each segment."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.granule.reference_track import SEGMENT_LENGTH

from .array_types import ArraysByName, Floats
from .beam_track import NO_SURFACE, BeamTrack, SegmentArrays
from .geophysical_models import (
    background_rate,
    dem_source,
    geoid_height,
    neutral_delay,
    solar_position,
    tides,
)
from .surface import ROUGHNESS, surface_height
from .tree_model import I4_FILL

__all__ = ["FittedSegments"]


_NO_SNOW, _NO_PROFILE = -2, 127


@dataclass(frozen=True, slots=True)
class FittedSegments:
    """Rows of ``land_ice_segments``; NaN where the fit failed or a value is unknown."""

    track: BeamTrack
    """The beam."""
    at: SegmentArrays
    """Its segments."""

    def variables(self) -> ArraysByName:
        """Return all variables, by path below the rate's group."""
        at = self.at
        moved = tides(at.time, at.latitude, at.longitude, at.height)
        return {
            **self._segments(),
            **_below("fit_statistics", self._fit_statistics()),
            **_below("ground_track", self._ground_track()),
            **_below("dem", self._dem()),
            **_below("geophysical", self._weather() | moved),
            **_below("bias_correction", self._bias_correction()),
        }

    def _noise(self, field: str, deviation: float | Floats) -> Floats:
        return self.track.random(field, self.at.ids) * deviation

    def _found(self, values: float | NDArray[Any]) -> Floats:
        """Put NaN where no surface was found."""
        return np.where(self.at.source == NO_SURFACE, np.nan, values)

    def _sigma(self) -> Floats:
        return ROUGHNESS / np.sqrt(np.maximum(self.at.photons, 1))

    def _height(self) -> Floats:
        return self.at.height + self._noise("h_li", self._sigma())

    def _segments(self) -> ArraysByName:
        at = self.at
        return {
            "delta_time": at.time,
            "latitude": at.latitude,
            "longitude": at.longitude,
            "segment_id": at.ids,
            "h_li": self._found(self._height()),
            "h_li_sigma": self._found(self._sigma()),
            "sigma_geo_h": self._found(np.hypot(0.1, 5 * at.slope_along)),
            "atl06_quality_summary": at.source > 1,
        }

    def _fit_statistics(self) -> ArraysByName:
        at, sigma = self.at, self._sigma()
        slope_sigma = sigma / SEGMENT_LENGTH
        spread = ROUGHNESS * (1 + self._noise("spread", 0.05))
        across = at.slope_across + self._noise("dh_fit_dy", 0.001)
        return {
            "dh_fit_dx": self._found(at.slope_along + self._noise("dh_fit_dx", slope_sigma)),
            "dh_fit_dx_sigma": self._found(slope_sigma),
            "dh_fit_dy": self._found(across),
            "h_expected_rms": self._found(ROUGHNESS),
            "h_mean": self._found(self._height() + 0.01),
            "h_rms_misfit": self._found(spread * 1.1),
            "h_robust_sprd": self._found(spread),
            "n_fit_photons": np.where(at.source == NO_SURFACE, I4_FILL, at.photons),
            "n_seg_pulses": np.full(at.ids.shape, 56.3),
            "sigma_h_mean": self._found(sigma * 0.9),
            "signal_selection_source": at.source,
            "signal_selection_source_status": np.where(at.source == NO_SURFACE, 4, 0),
            "snr": self._found(at.photons / 3.0),
            "snr_significance": np.where(at.source == NO_SURFACE, 1.0, 0.0),
            "w_surface_window_final": self._found(np.maximum(3.0, 6 * spread)),
        }

    def _ground_track(self) -> ArraysByName:
        at = self.at
        azimuth = self.track.azimuth(at.ids.astype(np.float64))
        return {
            "ref_azimuth": np.radians(azimuth + 90),
            "ref_coelv": np.full(at.ids.shape, np.pi / 2 - 0.007),
            "seg_azimuth": azimuth,
            "sigma_geo_at": np.full(at.ids.shape, 5.0),
            "sigma_geo_r": np.full(at.ids.shape, 0.1),
            "sigma_geo_xt": np.full(at.ids.shape, 5.0),
            "x_atc": at.ids * SEGMENT_LENGTH,
            "y_atc": self._found(at.y_atc + self._noise("y_atc", 0.3)),
        }

    def _dem(self) -> ArraysByName:
        at = self.at
        geoid, to_mean = geoid_height(at.latitude, at.longitude)
        return {
            "dem_flag": dem_source(at.latitude),
            "dem_h": surface_height(at.latitude, at.longitude) + self._noise("dem_h", 0.5),
            "geoid_free2mean": to_mean,
            "geoid_h": geoid,
        }

    def _weather(self) -> ArraysByName:
        at = self.at
        elevation, azimuth = solar_position(at.time, at.latitude, at.longitude)
        daylight = background_rate(elevation)
        cloud = 1 - at.clearness
        no_profile = np.abs(self._noise("profile", 1.0)) < 0.005

        def flag(values: NDArray[Any]) -> NDArray[Any]:
            return np.where(no_profile, _NO_PROFILE, values)

        snow = (cloud > 0.3) & (cloud < 0.5)
        return {
            "bckgrd": self._found(daylight * (1 + self._noise("bckgrd", 0.1))),
            "e_bckgrd": self._found(daylight),
            "solar_elevation": elevation,
            "solar_azimuth": azimuth,
            "r_eff": self._found(0.9 * at.clearness),
            "neutat_delay_total": neutral_delay(at.height),
            "bsnow_conf": flag(np.where(snow, 3, _NO_SNOW)),
            "bsnow_h": np.where(snow, 60.0, np.nan),
            "bsnow_od": np.where(snow, 0.2, np.nan),
            "cloud_flg_asr": flag((cloud * 5).round()),
            "cloud_flg_atm": flag(cloud > 0.2),
            "layer_flag": flag(cloud > 0.4),
            "msw_flag": flag(np.where(snow, 4, np.where(cloud > 0, 1, 0))),
        }

    def _bias_correction(self) -> ArraysByName:
        # After strong returns, the detectors miss the last photons.
        bias = 0.0002 * self.at.photons
        return {
            "fpb_mean_corr": self._found(bias),
            "fpb_mean_corr_sigma": self._found(self._sigma() * 0.1),
            "fpb_med_corr": self._found(bias * 0.8),
            "fpb_med_corr_sigma": self._found(self._sigma() * 0.12),
            "fpb_n_corr": self._found(self.at.photons * 1.05),
            "med_r_fit": self._found(self._noise("med_r_fit", 0.01)),
            "tx_mean_corr": self._found(0.005),
            "tx_med_corr": self._found(0.015),
        }


def _below(group: str, variables: ArraysByName) -> ArraysByName:
    return {f"{group}/{name}": values for name, values in variables.items()}
