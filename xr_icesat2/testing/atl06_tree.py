"""ATL06: the tree of a granule.

Source: a release 006 granule (SDP edition 4.3, template ANC25-06 050). The texts are our own.
"""

from xr_icesat2.testing.ancillary_tree import ANCILLARY_DATA, BEAM, ORBIT_INFO, quality_assessment
from xr_icesat2.testing.atl06_segments_tree import LAND_ICE_SEGMENTS, SIGNAL_SELECTION_SOURCE
from xr_icesat2.testing.metadata_tree import ROOT, metadata
from xr_icesat2.testing.tree import (
    AUXILIARY,
    I4_FILL,
    PHYSICAL,
    QUALITY,
    REFERENCE,
    Group,
    Product,
    Rate,
    f4,
    f8,
    i1,
    i4,
    latitude,
    longitude,
    time,
)

__all__ = ["ATL06", "HISTOGRAM_BINS", "SEGMENTS_IN_HISTOGRAM"]

HISTOGRAM_BINS = 748
SEGMENTS_IN_HISTOGRAM = 10

_STATUS = {"succeeded": 0, "failed_20": 1, "failed_10": 2, "failed_both": 3}
_BACKUP = {
    "succeeded": 0,
    "failed_widen": 1,
    "failed_20": 2,
    "failed_10": 3,
    "failed_both": 4,
}
_ELAPSED = "Elapsed GPS seconds: since the epoch of the products"
_HIST = "Section 4.11"
_BINS = ("delta_time", "bin_top_h")
_IDS = ("delta_time", "ds_segment_id")

_RESIDUAL_HISTOGRAM = Rate(
    "residual_histogram",
    "{beam}/residual_histogram",
    ("delta_time", "lat_mean", "lon_mean"),
    (
        Group(
            "",
            {
                "Description": "Histograms of the photons' residuals from the segments.",
                "data_rate": "One row for every 200 m along the track.",
            },
            (
                time("delta_time", "section 4.4", _ELAPSED),
                latitude("lat_mean", PHYSICAL, _HIST, "Mean latitude: of the segments"),
                longitude("lon_mean", PHYSICAL, _HIST, "Mean longitude: of the segments"),
                f8("x_atc_mean", "1", PHYSICAL, _HIST, "Mean along-track distance"),
                f4("bin_top_h", "meters", PHYSICAL, _HIST, "Top of the bin", dims=("bin_top_h",),
                   fill=None),
                i4("count", "counts", PHYSICAL, _HIST, "Photons in the bin", dims=_BINS,
                   fill=I4_FILL),
                f4("pulse_count", "counts", PHYSICAL, _HIST, "Pulses in the histogram", fill=None),
                f4("bckgrd_per_m", "1", PHYSICAL, _HIST, "Background photons in a metre",
                   fill=None),
                i1("ds_segment_id", "1", AUXILIARY, _HIST, "Number within the histogram",
                   dims=("ds_segment_id",), valid=(1, 10), coordinates=""),
                i4("segment_id_list", "1", REFERENCE, _HIST, "Segments in the histogram",
                   dims=_IDS, fill=I4_FILL),
            ),
        ),
    ),
    {"bin_top_h": HISTOGRAM_BINS, "ds_segment_id": SEGMENTS_IN_HISTOGRAM},
)  # fmt: skip

_SEGMENT_QUALITY = Rate(
    "segment_quality",
    "{beam}/segment_quality",
    ("delta_time", "reference_pt_lat", "reference_pt_lon"),
    (
        Group(
            "",
            {
                "Description": "Success or failure of surface finding for every possible segment.",
                "data_rate": "Dense: one row for every 20 m between the first and the last.",
            },
            (
                time("delta_time", "ATL03", _ELAPSED),
                latitude("reference_pt_lat", REFERENCE, "section 3.1.9", "Latitude: of the point"),
                longitude(
                    "reference_pt_lon", REFERENCE, "section 3.1.9", "Longitude: of the point"
                ),
                i4("record_number", "1", REFERENCE, "section 4.2", "Row of the segment: from 1"),
                i4("segment_id", "1", REFERENCE, "section 3.1.2.1", "Reference point, m"),
                i1("signal_selection_source", "1", QUALITY, "section 3.3.3", "Signal selection "
                   "source: the last algorithm that was tried", flags=SIGNAL_SELECTION_SOURCE),
            ),
        ),
        Group(
            "signal_selection_status",
            {
                "Description": "Success or failure of each way to find the surface.",
                "data_rate": "One row for each of the group above.",
            },
            tuple(
                i1(f"signal_selection_status_{way}", "1", QUALITY, "section 3.3.3", text,
                   flags=flags)
                for way, flags, text in (
                    ("all", _STATUS, "Status with all flagged photons"),
                    ("backup", _BACKUP, "Status of the backup finder"),
                    ("confident", _STATUS, "Status with confident photons"),
                )
            ),
        ),
    ),
)  # fmt: skip

_QUALITY_ASSESSMENT = Rate(
    "quality_assessment",
    "quality_assessment/{beam}",
    ("delta_time", "lat_mean", "lon_mean"),
    (
        Group(
            "",
            {"Description": "How surface finding fared along the track."},
            (
                time("delta_time", "ATL03", "Elapsed GPS seconds: mean of the 10 km"),
                latitude("lat_mean", PHYSICAL, _HIST, "Mean latitude: of the 10 km"),
                longitude("lon_mean", PHYSICAL, _HIST, "Mean longitude: of the 10 km"),
                *(
                    f4(f"signal_selection_source_fraction_{source}", "1", QUALITY, "section 7.2",
                       f"Fraction of source {source}: among the 20 m segments", valid=(0, 1),
                       fill=None)
                    for source in range(4)
                ),
            ),
        ),
    ),
)  # fmt: skip

_ONCE = "Operations"
_LAND_ICE = Group(
    "ancillary_data/land_ice",
    {"Description": "Constants of the land-ice processing."},
    (
        *(
            i4(name, units, AUXILIARY, _ONCE, text, dims=(1,))
            for name, units, text in (
                ("fit_maxiter", "1", "Iterations of the fit: at most"),
                ("fpb_maxiter", "1", "Iterations of the first-photon bias: at most"),
                ("max_res_ids", "1", "Segments in a residual histogram: at most"),
                ("min_n_pe", "1", "Photons for a fit: at least"),
                ("min_n_sel", "1", "Selected photons: at least"),
                ("n_hist", "1", "Bins of a histogram"),
                ("nhist_bins", "1", "Bins of a residual histogram"),
                ("proc_interval", "seconds", "Geolocation segments processed at once"),
                ("qs_lim_bsc", "1", "Limit of quality: blowing snow confidence"),
                ("qs_lim_msw", "1", "Limit of quality: multiple scattering"),
                ("qs_lim_sss", "1", "Limit of quality: signal selection source"),
                ("txp_maxiter", "counts", "Iterations of the pulse shape: at most"),
            )
        ),
        i4("min_signal_conf", "1", AUXILIARY, _ONCE, "Confidence of a valid photon: at least",
           dims=(1,), valid=(0, 4)),
        f8("dt_hist", "seconds", AUXILIARY, _ONCE, "Bin of a histogram", dims=(1,)),
        *(
            f4(name, units, AUXILIARY, _ONCE, text, dims=(1,), fill=None)
            for name, units, text in (
                ("min_dist", "meters", "First to last photon: at least"),
                ("min_gain_th", "1", "Gain: at least"),
                ("n_sigmas", "1", "Window in expected sigmas"),
                ("qs_lim_hrs", "meters", "Limit of quality: robust spread"),
                ("qs_lim_hsigma", "1", "Limit of quality: error of the height"),
                ("qs_lim_snr", "1", "Limit of quality: significance of the ratio"),
                ("rbin_width", "meters", "Finest bin of the residual histogram"),
                ("sigma_beam", "meters", "Sigma of the footprint"),
            )
        ),
        f4("sigma_tx", "seconds", AUXILIARY, _ONCE, "Pulse width: by spot", dims=(6,), fill=None),
        f4("t_dead", "seconds", AUXILIARY, _ONCE, "Dead time: by spot", dims=(6,), fill=None),
    ),
)  # fmt: skip

_TITLE = "ATLAS/ICESat-2 L3A Land Ice Height"

ATL06 = Product(
    "ATL06",
    _TITLE,
    ROOT,
    (
        ORBIT_INFO,
        ANCILLARY_DATA,
        _LAND_ICE,
        quality_assessment("INSUFFICIENT_OUTPUT"),
        *metadata(
            "ATL06", _TITLE, ancillary=("ANC06-01", "ANC06-02", "ANC06-03", "ANC17", "ANC28")
        ),
    ),
    BEAM,
    (LAND_ICE_SEGMENTS, _RESIDUAL_HISTOGRAM, _SEGMENT_QUALITY, _QUALITY_ASSESSMENT),
)
