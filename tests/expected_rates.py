"""What a reader of the data dictionaries would write down of each product's rates.

Nothing here is taken from the library's own specifications: these are compared with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Rate:
    """One rate of a product: groups of each beam whose rows go together."""

    group: str
    """How it is asked for, and where most of it is stored."""
    dim: str
    located_by: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    """Other groups of the same rows."""
    shallow: bool = False
    """Whether groups below belong to other rates."""
    second: Mapping[str, str] = field(default_factory=dict)
    """Second dimension of variables that have one."""
    per_beam: Mapping[str, str] = field(default_factory=dict)
    """The dimension of variables that have no rows."""
    voided: frozenset[str] = frozenset()
    """Variables of which the file says wrongly that 0 is missing."""
    labels: Mapping[str, Sequence[Sequence[Any]]] = field(default_factory=dict)
    """Labels of second dimensions, a set for each length."""

    def dims(self, name: str, ndim: int) -> tuple[str, ...]:
        """Dimensions of a variable within one beam."""
        if name in self.per_beam:
            return (self.per_beam[name],)
        return (self.dim, self.second[name]) if ndim == 2 else (self.dim,)

    @property
    def coordinates(self) -> tuple[str, ...]:
        return ("delta_time", *self.located_by)


SURFACES = {"surface_type": [["land", "ocean", "seaice", "landice", "inland_water"]]}
TO_003 = [25, 50, 60, 70, 75, 80, 85, 90, 95]
FROM_004 = list(range(10, 100, 5))

ATL03 = (
    Rate(
        "heights",
        "photon_idx",
        ("lat_ph", "lon_ph"),
        second={"signal_conf_ph": "surface_type"},
        labels=SURFACES,
    ),
    Rate(
        "geolocation",
        "segment_idx",
        ("reference_photon_lat", "reference_photon_lon"),
        beside=("geophys_corr",),
        second={"surf_type": "surface_type", "velocity_sc": "direction"},
        labels={**SURFACES, "direction": [["east", "north", "up"]]},
        voided=frozenset(
            {"ph_index_beg", "segment_ph_cnt", "reference_photon_index", "podppd_flag"}
        ),
    ),
    Rate("bckgrd_atlas", "bckgrd_idx"),
    *(
        Rate(f"signal_find_output/{surface}", f"signal_find_{surface}_idx")
        for surface in ("land", "ocean", "sea_ice", "land_ice", "inlandwater")
    ),
)
ATL06 = (
    Rate(
        "land_ice_segments",
        "segment_idx",
        ("latitude", "longitude"),
        # The file says _FillValue = 0 of a number that may be 0.
        voided=frozenset({"segment_id"}),
    ),
    Rate("segment_quality", "quality_idx", ("reference_pt_lat", "reference_pt_lon")),
    Rate(
        "residual_histogram",
        "histogram_idx",
        ("lat_mean", "lon_mean"),
        second={"count": "bin", "segment_id_list": "segment_in_histogram"},
        per_beam={"bin_top_h": "bin", "dh": "bin", "ds_segment_id": "segment_in_histogram"},
    ),
)
ATL07 = (
    Rate(
        "sea_ice_segments",
        "segment_idx",
        ("latitude", "longitude"),
        second={"hist_photon_heights": "histogram_bin"},
        per_beam={"ds_si_hist_bins": "histogram_bin"},
    ),
)
ATL08 = (
    Rate(
        "land_segments",
        "segment_idx",
        ("latitude", "longitude"),
        second={
            "surf_type": "surface_type",
            "canopy_h_metrics": "percentile",
            "canopy_h_metrics_abs": "percentile",
            "subset_can_flag": "geosegment",
            "subset_te_flag": "geosegment",
            "latitude_20m": "geosegment",
            "longitude_20m": "geosegment",
            "h_canopy_20m": "geosegment",
            "h_te_best_fit_20m": "geosegment",
        },
        labels={**SURFACES, "percentile": [TO_003, FROM_004], "geosegment": [[1, 2, 3, 4, 5]]},
    ),
    Rate("signal_photons", "photon_idx"),
)
LOCATED = ("latitude", "longitude")
ATL10 = (
    Rate("freeboard_segment", "segment_idx", LOCATED),
    Rate(
        "reference_surface_section",
        "section_idx",
        LOCATED,
        second={"beam_fb_hist_refsurf": "histogram_bin"},
        per_beam={"ds_si_hist_bins": "histogram_bin"},
    ),
    Rate("leads", "lead_idx", LOCATED),
)
BY_CYCLE = (
    "delta_time", "h_corr", "h_corr_sigma", "h_corr_sigma_systematic", "quality_summary",
    "atl06_summary_zero_count", "bsnow_conf", "bsnow_h", "cloud_flg_asr", "cloud_flg_atm",
    "h_mean", "h_rms_misfit", "min_signal_selection_source", "min_snr_significance", "r_eff",
    "seg_count", "sigma_geo_at", "sigma_geo_h", "sigma_geo_xt", "tide_ocean", "x_atc", "y_atc",
)  # fmt: skip
ATL11 = (
    Rate(
        "corrected_h",
        "ref_pt_idx",
        ("latitude", "longitude"),
        beside=("cycle_stats", "ref_surf"),
        second={
            **dict.fromkeys(("poly_coeffs", "poly_coeffs_sigma"), "poly_term"),
            **dict.fromkeys(BY_CYCLE, "cycle"),
        },
        per_beam={
            **dict.fromkeys(("poly_exponent_x", "poly_exponent_y"), "poly_term"),
            "cycle_number": "cycle",
        },
        labels={"cycle": [[3, 4]]},
    ),
    Rate("crossing_track_data", "crossing_idx", ("latitude", "longitude")),
)
QUALITIES = ["nominal", "possible_afterpulse", "possible_impulse_response", "possible_TEP"]
ATL13 = (
    Rate(
        "",
        "segment_idx",
        ("segment_lat", "segment_lon"),
        shallow=True,
        second={"segment_quality": "photon_quality"},
        labels={"photon_quality": [QUALITIES]},
        voided=frozenset({"atl13refid"}),
    ),
)

RATES: Mapping[str, tuple[Rate, ...]] = {
    "ATL03": ATL03,
    "ATL06": ATL06,
    "ATL07": ATL07,
    "ATL08": ATL08,
    "ATL10": ATL10,
    "ATL11": ATL11,
    "ATL13": ATL13,
}
