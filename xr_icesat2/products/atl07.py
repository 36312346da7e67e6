"""ATL07, sea ice height.

Source: *ATLAS/ICESat-2 L3A Sea Ice Height (ATL07), Data Dictionary* and *ATBD for Sea Ice Products
(ATL07/ATL10)*, as far as granules of releases 001 and 003 show it. ``sea_ice_segments_10m`` and
``dda_surface_segments`` of newer releases open by the file's dimension scales.
"""

from .granule_naming import GranuleConvention
from .height_reference import (
    ABOVE_MEAN_SEA_SURFACE,
    GEOID_ABOVE_ELLIPSOID,
    MEAN_SEA_SURFACE_ABOVE_ELLIPSOID,
)
from .publication import Publication
from .quality_rule import QualityRule
from .spec import ALONG, ProductSpec, Rate

__all__ = ["ATL07"]

SEA_ICE_SEGMENTS = Rate(
    group="sea_ice_segments",
    along="segment_idx",
    subgroups=("geolocation", "geophysical", "heights", "stats"),
    time="delta_time",
    latitude="latitude",
    longitude="longitude",
    height="height_segment_height",
    x_atc="seg_dist_x",
    dims={
        "hist_photon_heights": (ALONG, "histogram_bin"),
        "ds_si_hist_bins": ("histogram_bin",),
    },
    heights={
        "height_segment_height": ABOVE_MEAN_SEA_SURFACE,
        "height_segment_mss": MEAN_SEA_SURFACE_ABOVE_ELLIPSOID,
        "height_segment_geoid": GEOID_ABOVE_ELLIPSOID,
    },
    quality=(
        QualityRule(
            variable="height_segment_quality",
            comparison="==",
            value=1,
            source="description of height_segment_quality (ATL07 ATBD, section 4.2.4): 1 good",
        ),
    ),
)

AUTHORS = (
    "Kwok, R.; Petty, A. A.; Cunningham, G.; Markus, T.; Hancock, D.; Ivanoff, A.; Wimert, "
    "J.; Bagnardi, M.; Kurtz, N.; the ICESat-2 Science Team"
)

ATL07 = ProductSpec(
    product="ATL07",
    title="Sea ice height",
    document="ATLAS/ICESat-2 L3A Sea Ice Height (ATL07), Data Dictionary",
    completeness="partial",
    granules=GranuleConvention(
        names=("ATL07-{hemisphere}_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", "hemisphere"),
        tracks="beams",
        quick_look=True,
        folders_by_date=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights="`height_segment_height` is the height above the tide-free mean sea surface",
    rates=(SEA_ICE_SEGMENTS,),
    main=("sea_ice_segments",),
    publications=(
        Publication(release="004", year=2021, authors=AUTHORS),
        Publication(release="006", year=2023, authors=AUTHORS),
        Publication(release="007", year=2025, authors=AUTHORS),
    ),
)
