"""ATL08, land and vegetation height.

Source: *ATLAS/ICESat-2 L3A Land and Vegetation Height (ATL08), Data Dictionary* (releases 001 to
007) and *ATBD for Land - Vegetation Along-Track Products (ATL08)*, sections 2.1 to 2.5 and 4.12.
Canopy heights have 9 percentiles up to release 003 and 18 from 004 on. The file's scale
``ds_metrics`` only counts them; the descriptions name them. From release 005 or 006 on,
``canopy_flag`` is ``segment_cover`` and some heights are given every 20 m.
"""

from .atl03 import SURFACE_TYPES
from .attach_names import AttachName
from .granule_naming import GranuleConvention
from .height_reference import ABOVE_ELLIPSOID, ABOVE_TERRAIN
from .link_types import KeyLink, RangeLink
from .publication import Publication
from .quality_rule import QualityRule
from .spec import ALONG, LocatedBy, ProductSpec, Rate

__all__ = ["ATL08"]

PERCENTILES = (
    (25, 50, 60, 70, 75, 80, 85, 90, 95),
    (10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95),
)
"""Percentiles of relative canopy heights, up to release 003 and from 004 on."""

EVERY_20_M = (
    "subset_can_flag",
    "subset_te_flag",
    "latitude_20m",
    "longitude_20m",
    "h_canopy_20m",
    "h_te_best_fit_20m",
)

TERRAIN_HEIGHTS = (
    "h_te_best_fit", "h_te_best_fit_20m", "h_te_interp", "h_te_max", "h_te_mean", "h_te_median",
    "h_te_min", "h_te_mode", "h_te_rh25",
)  # fmt: skip
CANOPY_ELEVATIONS = (
    "h_canopy_abs", "h_max_canopy_abs", "h_mean_canopy_abs", "h_median_canopy_abs",
    "h_min_canopy_abs", "canopy_h_metrics_abs", "centroid_height",
)  # fmt: skip
CANOPY_HEIGHTS = (
    "h_canopy", "h_canopy_20m", "h_canopy_quad", "h_max_canopy", "h_mean_canopy",
    "h_median_canopy", "h_min_canopy", "canopy_h_metrics",
)  # fmt: skip

QUALITY_TESTS = {
    "ph_removal_flag": "more than 50 % of the photons failed quality tests",
    "dem_removal_flag": "more than 20 % failed quality tests with an elevation model",
    "terrain_flg": "the terrain deviates from the reference elevation model",
}
"""Flags of failed quality tests. The documents recommend no set of flags; these are the tests of
the product itself, not those of clouds, of snow or of the time of day."""

LAND_SEGMENTS = Rate(
    group="land_segments",
    along="segment_idx",
    subgroups=("canopy", "terrain"),
    time="delta_time",
    latitude="latitude",
    longitude="longitude",
    track_segment="segment_id_beg",
    height="h_te_best_fit",
    row_length=100.0,
    segment_span=("segment_id_beg", "segment_id_end"),
    dims={
        "surf_type": (ALONG, "surface_type"),
        "canopy_h_metrics": (ALONG, "percentile"),
        "canopy_h_metrics_abs": (ALONG, "percentile"),
        **dict.fromkeys(EVERY_20_M, (ALONG, "geosegment")),
    },
    labels={
        "surface_type": (SURFACE_TYPES,),
        "percentile": PERCENTILES,
        # The first, second … 20 m geosegment of the 100 m segment.
        "geosegment": ((1, 2, 3, 4, 5),),
    },
    heights={
        **dict.fromkeys(TERRAIN_HEIGHTS, ABOVE_ELLIPSOID),
        **dict.fromkeys(CANOPY_ELEVATIONS, ABOVE_ELLIPSOID),
        "dem_h": ABOVE_ELLIPSOID,
        **dict.fromkeys(CANOPY_HEIGHTS, ABOVE_TERRAIN),
    },
    quality=tuple(
        QualityRule(
            variable=flag, comparison="==", value=0, source=f"description of {flag}: {meaning}"
        )
        for flag, meaning in QUALITY_TESTS.items()
    ),
)

SIGNAL_PHOTONS = Rate(
    group="signal_photons",
    along="photon_idx",
    time="delta_time",
    # ATL03 locates a photon by the reference photon of its 20 m segment, which is up to 60 m from
    # the centre of the land segment. With more rows than necessary, photons of ATL03 that are
    # selected by the same region have the same classes as without a region.
    located_by=LocatedBy(group="land_segments", seconds=0.05, metres=200.0),
    heights={"ph_h": ABOVE_TERRAIN},
)

AUTHORS_TO_004 = (
    "Neuenschwander, A. L.; Pitts, K. L.; Jelley, B. P.; Robbins, J.; Klotz, B.; Popescu, S. "
    "C.; Nelson, R. F.; Harding, D.; Pederson, D.; Sheridan, R."
)
AUTHORS_FROM_006 = (
    "Neuenschwander, A. L.; Pitts, K. L.; Jelley, B. P.; Robbins, J.; Markel, J.; Popescu, S. "
    "C.; Nelson, R. F.; Harding, D.; Pederson, D.; Klotz, B.; Sheridan, R."
)

ATL08 = ProductSpec(
    product="ATL08",
    title="Land and vegetation height",
    document="ATLAS/ICESat-2 L3A Land and Vegetation Height (ATL08), Data Dictionary",
    completeness="complete",
    granules=GranuleConvention(
        names=("ATL08_{start}_{rgt}{cycle_number}{granule_region}_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", "granule_region"),
        tracks="beams",
        quick_look=True,
        folders_by_date=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights=(
        "`h_te_*` and names that end in `_abs` are heights above the WGS 84 ellipsoid; "
        "`h_canopy` and the other canopy heights are above the terrain"
    ),
    rates=(LAND_SEGMENTS, SIGNAL_PHOTONS),
    main=("land_segments",),
    links=(
        RangeLink(
            many="signal_photons",
            one="land_segments",
            first="land_segments/ph_ndx_beg",
            count="land_segments/n_seg_ph",
            # Some signal photons are in no land segment.
            tiling=False,
        ),
        KeyLink(
            many="signal_photons",
            product="ATL03",
            to="heights",
            key="signal_photons/ph_segment_id",
            position="signal_photons/classed_pc_indx",
            through="geolocation",
            through_key="geolocation/segment_id",
            many_time="signal_photons/delta_time",
            to_time="heights/delta_time",
            classes="signal_photons/classed_pc_flag",
        ),
    ),
    attach_names=(
        AttachName(
            name="atl08_class",
            product="ATL03",
            rate="heights",
            variable="signal_photons/classed_pc_flag",
            classes=True,
        ),
        AttachName(
            name="h_above_ground",
            product="ATL03",
            rate="heights",
            variable="signal_photons/ph_h",
        ),
        AttachName(
            name="landcover",
            product="ATL03",
            rate="heights",
            variable="land_segments/segment_landcover",
        ),
        AttachName(
            name="snowcover",
            product="ATL03",
            rate="heights",
            variable="land_segments/segment_snowcover",
        ),
    ),
    publications=(
        Publication(release="003", year=2020, authors=AUTHORS_TO_004),
        Publication(release="004", year=2021, authors=AUTHORS_TO_004),
        Publication(release="006", year=2023, authors=AUTHORS_FROM_006),
        Publication(release="007", year=2025, authors=AUTHORS_FROM_006),
    ),
)
