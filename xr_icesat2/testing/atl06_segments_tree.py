"""ATL06, the rate of 40 m segments: names, types, units, fills and flags.

Source: a release 006 granule (SDP edition 4.3, template ANC25-06 050). The texts are our own.
"""

from collections.abc import Mapping

from xr_icesat2.testing.tree import (
    F8_FILL,
    I4_FILL,
    MODEL,
    PHYSICAL,
    QUALITY,
    REFERENCE,
    Group,
    Rate,
    f4,
    f8,
    i1,
    i4,
    latitude,
    longitude,
    time,
)

__all__ = ["LAND_ICE_SEGMENTS", "SIGNAL_SELECTION_SOURCE"]

SIGNAL_SELECTION_SOURCE: Mapping[str, int] = {
    "succeeded_using_pe": 0,
    "succeeded_using_flagged_pe": 1,
    "succeeded_using_backup": 2,
    "failed": 3,
}
_QUALITY_SUMMARY = {"best_quality": 0, "potential_problem": 1}
_DEM = {"none": 0, "arctic": 1, "global": 2, "mss": 3, "antarctic": 4}
_MSW = {
    "cannot_determine": -1,
    "no_layers": 0,
    "layer_gt_3km": 1,
    "layer_between_1_and_3_km": 2,
    "layer_lt_1km": 3,
    "blow_snow_od_lt_0.5": 4,
    "blow_snow_od_gt_0.5": 5,
}
_LAYER = {"likely_clear": 0, "likely_cloudy": 1}
_CLOUD_ASR = {
    "clear_with_high_confidence": 0,
    "clear_with_medium_confidence": 1,
    "clear_with_low_confidence": 2,
    "cloudy_with_low_confidence": 3,
    "cloudy_with_medium_confidence": 4,
    "cloudy_with_high_confidence": 5,
}
_I1_FILL = 127
_SLOPE = "meters/meters"
_TIDES = "ATL03 ATBD, Section 6.3"
_PER_SEGMENT = "One row for each segment of the group above."

_SEGMENTS = Group(
    "",
    {
        "Description": "Heights of 40 m land-ice segments every 20 m, with position and error.",
        "data_rate": "Sparse: one row where at least one beam of the pair found a surface.",
    },
    (
        time("delta_time", "section 4.4", "Elapsed GPS seconds: since the epoch of the products"),
        latitude("latitude", PHYSICAL, "section 3.10", "Latitude: of the segment centre, WGS84"),
        longitude("longitude", PHYSICAL, "section 3.10", "Longitude: of the segment centre, WGS84"),
        i4("segment_id", "1", REFERENCE, "section 3.1.2.1", "Reference point, m: from the equator, "
           "that of the second of two ATL03 segments", fill=0),
        f4("h_li", "meters", PHYSICAL, "section 4.4", "Land-ice height: of the median of the "
           "selected photons, corrected for first-photon bias"),
        f4("h_li_sigma", "meters", QUALITY, "section 4.4", "Error of h_li: sampling and bias"),
        f4("sigma_geo_h", "meters", QUALITY, "ATBD Section 3.10", "Vertical geolocation error"),
        i1("atl06_quality_summary", "1", QUALITY, "section 4.3", "Quality summary: 0 where no test "
           "found a problem", flags=_QUALITY_SUMMARY),
    ),
)  # fmt: skip

_FIT_STATISTICS = Group(
    "fit_statistics",
    {"Description": "How well the segment fits the photons.", "data_rate": _PER_SEGMENT},
    (
        f4("dh_fit_dx", _SLOPE, PHYSICAL, "section 3.3.5.1", "Along-track slope"),
        f4("dh_fit_dx_sigma", _SLOPE, QUALITY, "section 3.6.4", "Error of the along-track slope"),
        f4("dh_fit_dy", _SLOPE, PHYSICAL, "section 3.7", "Across-track slope: of the pair"),
        f4("h_expected_rms", "meters", QUALITY, "section 3.6.3", "Expected RMS misfit"),
        f4("h_mean", "meters", MODEL, "ATL06 ATBD", "Mean height: without bias corrections"),
        f4("h_rms_misfit", "meters", QUALITY, "section 3.6.3", "RMS misfit: photons to segment"),
        f4("h_robust_sprd", "meters", REFERENCE, "section 3.6.3", "Robust spread: of the misfit"),
        i4("n_fit_photons", "1", PHYSICAL, "section 3.3.5.2", "Photons in the fit", fill=I4_FILL),
        f4("n_seg_pulses", "counts", REFERENCE, "section 3.3.3", "Pulses that may have hit it"),
        f4("sigma_h_mean", "meters", QUALITY, "section 3.6.4", "Error of the mean height"),
        i1("signal_selection_source", "1", QUALITY, "section 3.3.3", "Signal selection source: "
           "the last algorithm that was tried", flags=SIGNAL_SELECTION_SOURCE),
        i1("signal_selection_source_status", "1", QUALITY, "section 3.3.3", "Signal selection "
           "status: of the last algorithm that was tried", valid=(0, 4)),
        f4("snr", "1", PHYSICAL, "section 3.6.2", "Signal-to-noise ratio: in the final window"),
        f4("snr_significance", "1", PHYSICAL, "section 3.6.2", "Significance of the ratio: the "
           "probability that noise alone gives as much"),
        f4("w_surface_window_final", "meters", PHYSICAL, "section 3.3.5.2", "Window height"),
    ),
)  # fmt: skip

_GROUND_TRACK = Group(
    "ground_track",
    {"Description": "Where the segment lies by the track.", "data_rate": _PER_SEGMENT},
    (
        f4("ref_azimuth", "radians", REFERENCE, "ATL03g, Section 3.3", "Azimuth: ground to laser"),
        f4("ref_coelv", "radians", REFERENCE, "ATL03g, Section 3.3", "Co-elevation: of the beam"),
        f4("seg_azimuth", "degrees", REFERENCE, "section 3.1.2.2", "Azimuth of the pair track"),
        f4("sigma_geo_at", "meters", QUALITY, "section 3.10", "Along-track geolocation error"),
        f4("sigma_geo_r", "meters", QUALITY, "ATBD Section 3.10, (ATL03 sigma_h)",
           "Radial orbit error"),
        f4("sigma_geo_xt", "meters", QUALITY, "section 3.10", "Across-track geolocation error"),
        f8("x_atc", "meters", REFERENCE, "section 3.1.2.2", "Along-track distance: from the "
           "ascending node, parallel to the reference track", fill=F8_FILL),
        f4("y_atc", "meters", REFERENCE, "section 3.1.2.2", "Across-track distance: from the "
           "reference track"),
    ),
)  # fmt: skip

_DEM_GROUP = Group(
    "dem",
    {"Description": "Heights of an elevation model and of the geoid.", "data_rate": _PER_SEGMENT},
    (
        i1("dem_flag", "1", REFERENCE, "ATL03", "Source of the elevation model", flags=_DEM),
        f4("dem_h", "meters", REFERENCE, "ATL06 ATBD", "Height of the elevation model"),
        f4("geoid_free2mean", "meters", MODEL, "ATL03", "Tide-free to mean-tide geoid: to add"),
        f4("geoid_h", "meters", REFERENCE, "EGM2008", "Geoid height: tide-free, above WGS84"),
    ),
)

_GEOPHYSICAL = Group(
    "geophysical",
    {"Description": "Sun, clouds, tides and delays.", "data_rate": _PER_SEGMENT},
    (
        f4("bckgrd", "hz", REFERENCE, "section 3.6.1", "Background count rate"),
        i1("bsnow_conf", "1", REFERENCE, "ATL09", "Blowing snow confidence", fill=_I1_FILL),
        f4("bsnow_h", "meters", REFERENCE, "ATL09", "Blowing snow height: top of the layer"),
        f4("bsnow_od", "1", MODEL, "ATL09", "Blowing snow optical depth"),
        i1("cloud_flg_asr", "1", REFERENCE, "ATL09", "Cloud by surface reflectance",
           fill=_I1_FILL, flags=_CLOUD_ASR),
        i1("cloud_flg_atm", "1", REFERENCE, "ATL09", "Cloud layers: how many were found",
           fill=_I1_FILL, valid=(0, 10)),
        f4("dac", "meters", REFERENCE, "ATL03, 6.3.2", "Dynamic atmosphere correction"),
        f4("e_bckgrd", "hz", REFERENCE, "section 3.6.1", "Expected background count rate"),
        i1("layer_flag", "1", REFERENCE, "ATL09", "Cloud or blowing snow", fill=_I1_FILL,
           flags=_LAYER),
        i1("msw_flag", "1", REFERENCE, "ATL09", "Multiple scattering warning", fill=_I1_FILL,
           flags=_MSW),
        f4("neutat_delay_total", "meters", REFERENCE, "ATL03a ATBD", "Delay of the atmosphere"),
        f4("r_eff", "1", REFERENCE, "section 3.1.5.4", "Effective reflectance: uncorrected"),
        f4("solar_azimuth", "degrees_east", REFERENCE, "ATL03", "Solar azimuth: from north"),
        f4("solar_elevation", "degrees", REFERENCE, "ATL03", "Solar elevation", valid=(-90, 90)),
        f4("tide_earth", "meters", REFERENCE, f"{_TIDES}.3", "Earth tide: tide-free"),
        f4("tide_earth_free2mean", "meters", REFERENCE, "ATL03", "Tide-free to mean: to add"),
        f4("tide_equilibrium", "meters", REFERENCE, f"{_TIDES}.1", "Long-period ocean tide"),
        f4("tide_load", "meters", REFERENCE, f"{_TIDES}.4", "Load tide"),
        f4("tide_ocean", "meters", REFERENCE, f"{_TIDES}.1", "Ocean tide"),
        f4("tide_pole", "meters", REFERENCE, f"{_TIDES}.5", "Pole tide of the solid earth"),
    ),
)  # fmt: skip

_BIAS = "section 3.4.3"
_BIAS_CORRECTION = Group(
    "bias_correction",
    {"Description": "First-photon bias and pulse shape.", "data_rate": _PER_SEGMENT},
    (
        f4("fpb_mean_corr", "meters", QUALITY, f"{_BIAS}.1", "First-photon bias of the mean"),
        f4("fpb_mean_corr_sigma", "meters", QUALITY, f"{_BIAS}.1", "Error of fpb_mean_corr"),
        f4("fpb_med_corr", "meters", QUALITY, f"{_BIAS}.2", "First-photon bias of the median"),
        f4("fpb_med_corr_sigma", "meters", QUALITY, f"{_BIAS}.2", "Error of fpb_med_corr"),
        f4("fpb_n_corr", "counts", QUALITY, "section 4.3.3.3", "Photon count, corrected"),
        f4("med_r_fit", "meters", QUALITY, "section 3.3.5", "Mean less median of the residuals"),
        f4("tx_mean_corr", "meters", QUALITY, "section 3.5", "Pulse shape: of the mean"),
        f4("tx_med_corr", "meters", QUALITY, "section 3.5", "Pulse shape: of the median"),
    ),
)

LAND_ICE_SEGMENTS = Rate(
    "land_ice_segments",
    "{beam}/land_ice_segments",
    ("delta_time", "latitude", "longitude"),
    (_SEGMENTS, _BIAS_CORRECTION, _DEM_GROUP, _FIT_STATISTICS, _GEOPHYSICAL, _GROUND_TRACK),
)
