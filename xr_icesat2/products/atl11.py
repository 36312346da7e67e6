"""ATL11, land ice height along the reference pair tracks, through all cycles.

Source: *ATLAS/ICESat-2 L3B Slope-Corrected Land Ice Height Time Series (ATL11), Data Dictionary*
and *ATBD*, as far as a granule made before the first release and public programs show it. Heights
are in the pair's group; before the first release they were in ``corrected_h``.
"""

from .atl06 import BEST_QUALITY
from .granule_naming import GranuleConvention
from .height_reference import ABOVE_ELLIPSOID
from .quality_rule import QualityRule
from .spec import ALONG, ProductSpec, Rate

__all__ = ["ATL11"]

BY_CYCLE = (
    "delta_time", "h_corr", "h_corr_sigma", "h_corr_sigma_systematic", "quality_summary",
    # cycle_stats
    "atl06_summary_zero_count", "bsnow_conf", "bsnow_h", "cloud_flg_asr", "cloud_flg_atm", "dac",
    "h_mean", "h_rms_misfit", "min_signal_selection_source", "min_snr_significance", "r_eff",
    "seg_count", "sigma_geo_at", "sigma_geo_h", "sigma_geo_xt", "strong_spot", "tide_ocean",
    "x_atc", "y_atc",
)  # fmt: skip
"""Variables with a value for each point and cycle. In ``ref_surf``, ``x_atc``, ``y_atc`` and
``quality_summary`` have one value for each point; their rank differs."""

HEIGHTS = dict.fromkeys(("h_corr", "h_mean", "dem_h"), ABOVE_ELLIPSOID)

POINTS = Rate(
    group="",
    alias="ref_pt",
    along="ref_pt_idx",
    siblings=("corrected_h", "cycle_stats", "ref_surf"),
    scale="ref_pt",
    time="delta_time",
    latitude="latitude",
    longitude="longitude",
    height="h_corr",
    x_atc="ref_surf_x_atc",
    dims={
        **dict.fromkeys(BY_CYCLE, (ALONG, "cycle")),
        "cycle_number": ("cycle",),
        "poly_coeffs": (ALONG, "poly_term"),
        "poly_coeffs_sigma": (ALONG, "poly_term"),
        "poly_exponent_x": ("poly_term",),
        "poly_exponent_y": ("poly_term",),
    },
    label_variables={"cycle": "cycle_number"},
    heights=HEIGHTS,
    quality=(
        QualityRule(
            variable="quality_summary",
            comparison="==",
            value=0,
            source="description of quality_summary: 0 indicates high-quality cycles",
        ),
    ),
)

CROSSINGS = Rate(
    group="crossing_track_data",
    along="crossing_idx",
    scale="ref_pt",
    time="delta_time",
    latitude="latitude",
    longitude="longitude",
    heights=HEIGHTS,
    quality=(BEST_QUALITY,),
)

ATL11 = ProductSpec(
    product="ATL11",
    title="Slope-corrected land ice height time series",
    document="ATLAS/ICESat-2 L3B Slope-Corrected Land Ice Height Time Series (ATL11)",
    completeness="partial",
    granules=GranuleConvention(
        names=(
            "ATL11_{rgt}{granule_region}_{first_cycle}{last_cycle}_{release}_{version}.h5",
            "ATL11_{rgt}{granule_region}_{first_cycle}{last_cycle}_{short_release}_v0{version}.h5",
        ),
        gran_idx=("rgt", 0, "granule_region"),
        tracks="pairs",
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights=("`h_corr` is the height above the WGS 84 ellipsoid, corrected to the reference point"),
    rates=(POINTS, CROSSINGS),
    main=("",),
)
