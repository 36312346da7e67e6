"""ATL06, land ice height.

Source: *ATLAS/ICESat-2 L3A Land Ice Height, Data Dictionary* (releases 001 to
007) and *ATBD for Land Ice Along-Track Height Product (ATL06)*, sections 4 and
5. ``residual_histogram`` had 1 000 even bins (``dh``) up
to release 002 and has 748 uneven ones (``bin_top_h``) since.
"""

from .granule_naming import GranuleConvention
from .height_reference import ABOVE_ELLIPSOID, GEOID_ABOVE_ELLIPSOID
from .link_types import SpanLink
from .publication import Publication
from .quality_rule import QualityRule
from .spec import ALONG, ProductSpec, Rate

__all__ = ["ATL06", "BEST_QUALITY"]

BEST_QUALITY = QualityRule(
    variable="atl06_quality_summary",
    comparison="==",
    value=0,
    source="description of atl06_quality_summary (ATL06 ATBD, section 4.3): 0 best quality",
)

LAND_ICE_SEGMENTS = Rate(
    group="land_ice_segments",
    along="segment_idx",
    subgroups=("bias_correction", "dem", "fit_statistics", "geophysical", "ground_track"),
    time="delta_time",
    latitude="latitude",
    longitude="longitude",
    track_segment="segment_id",
    height="h_li",
    x_atc="x_atc",
    row_length=40.0,
    # 0 is declared as fill value, but never marks a missing segment.
    ignore_fill=frozenset({"segment_id"}),
    heights={
        "h_li": ABOVE_ELLIPSOID,
        "h_mean": ABOVE_ELLIPSOID,
        "dem_h": ABOVE_ELLIPSOID,
        "geoid_h": GEOID_ABOVE_ELLIPSOID,
    },
    quality=(BEST_QUALITY,),
)

SEGMENT_QUALITY = Rate(
    group="segment_quality",
    along="quality_idx",
    subgroups=("signal_selection_status",),
    time="delta_time",
    latitude="reference_pt_lat",
    longitude="reference_pt_lon",
    track_segment="segment_id",
)

RESIDUAL_HISTOGRAM = Rate(
    group="residual_histogram",
    along="histogram_idx",
    time="delta_time",
    latitude="lat_mean",
    longitude="lon_mean",
    dims={
        "count": (ALONG, "bin"),
        "bin_top_h": ("bin",),
        "dh": ("bin",),
        "segment_id_list": (ALONG, "segment_in_histogram"),
        "ds_segment_id": ("segment_in_histogram",),
    },
)

AUTHORS = (
    "Smith, B.; Adusumilli, S.; Csathó, B. M.; Felikson, D.; Fricker, H. A.; Gardner, A. S.; "
    "Holschuh, N.; Lee, J.; Nilsson, J.; Paolo, F.; Siegfried, M. R.; Sutterley, T.; the "
    "ICESat-2 Science Team"
)

ATL06 = ProductSpec(
    product="ATL06",
    title="Land ice height",
    document="ATLAS/ICESat-2 L3A Land Ice Height (ATL06), Data Dictionary",
    completeness="complete",
    granules=GranuleConvention(
        names=("ATL06_{start}_{rgt}{cycle_number}{granule_region}_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", "granule_region"),
        tracks="beams",
        quick_look=True,
        folders_by_date=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights="`h_li` is the tide-free height above the WGS 84 ellipsoid",
    rates=(LAND_ICE_SEGMENTS, SEGMENT_QUALITY, RESIDUAL_HISTOGRAM),
    main=("land_ice_segments",),
    links=(
        # Description of segment_id: "Equal to the segment_id for the second of the two 20m ATL03
        # segments included in the 40m ATL06 segment"; segments follow one another every 20 m.
        SpanLink(
            one="land_ice_segments",
            key="land_ice_segments/segment_id",
            rows=2,
            product="ATL03",
            through="geolocation",
            through_key="geolocation/segment_id",
            through_length="geolocation/segment_length",
            many="heights",
            many_past="heights/dist_ph_along",
            one_time="land_ice_segments/delta_time",
            through_time="geolocation/delta_time",
            # Times of the middle, and of a photon up to 20 m (0.003 s) further.
            apart=0.01,
        ),
    ),
    publications=(
        Publication(release="006", year=2023, authors=AUTHORS),
        Publication(release="007", year=2025, authors=AUTHORS),
    ),
)
