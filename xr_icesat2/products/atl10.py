"""ATL10, sea ice freeboard.

Source: *ATLAS/ICESat-2 L3A Sea Ice Freeboard (ATL10), Data Dictionary*, a granule of release 006,
and the groups of releases 001 to 005 as public programs read them (no such granule was examined).
Up to release 005, the groups below ``freeboard_beam_segment`` have the height segments, and that
group itself the sections of about 10 km; from 006 on these are ``freeboard_segment`` and
``reference_surface_section``. ``freeboard_swath_segment`` is outside the beams.
"""

from .granule_naming import GranuleConvention
from .height_reference import (
    ABOVE_MEAN_SEA_SURFACE,
    ABOVE_SEA_SURFACE,
    GEOID_ABOVE_ELLIPSOID,
    MEAN_SEA_SURFACE_ABOVE_ELLIPSOID,
)
from .publication import Publication
from .quality_rule import QualityRule
from .spec import ALONG, ProductSpec, Rate

__all__ = ["ATL10"]


HEIGHTS = {
    **dict.fromkeys(
        ("height_segment_height", "beam_refsurf_height", "lead_height"), ABOVE_MEAN_SEA_SURFACE
    ),
    "beam_fb_height": ABOVE_SEA_SURFACE,
    **dict.fromkeys(("height_segment_mss", "beam_refsurf_mss"), MEAN_SEA_SURFACE_ABOVE_ELLIPSOID),
    **dict.fromkeys(("height_segment_geoid", "beam_refsurf_geoid"), GEOID_ABOVE_ELLIPSOID),
}


VALID_FREEBOARD = QualityRule(
    variable="beam_fb_quality_flag",
    comparison="in",
    value=(1, 2, 3, 4, 5),
    source="description of beam_fb_quality_flag (ATL10 ATBD, section 5): 1 to 5, -1 invalid",
)


def _located(
    group: str,
    along: str,
    *,
    siblings: tuple[str, ...] = (),
    subgroups: tuple[str, ...] = (),
    height: str | None = None,
    dims: dict[str, tuple[str, ...]] | None = None,
) -> Rate:
    return Rate(
        group=group,
        along=along,
        siblings=siblings,
        subgroups=subgroups,
        time="delta_time",
        latitude="latitude",
        longitude="longitude",
        height=height,
        x_atc="seg_dist_x" if height else None,
        dims=dims or {},
        heights=HEIGHTS,
        quality=(VALID_FREEBOARD,) if height else (),
    )


FREEBOARD_SEGMENT = _located(
    "freeboard_segment",
    "segment_idx",
    subgroups=("geophysical", "heights"),
    height="beam_fb_height",
)

REFERENCE_SURFACE_SECTION = _located(
    "reference_surface_section",
    "section_idx",
    dims={
        "beam_fb_hist_refsurf": (ALONG, "histogram_bin"),
        "ds_si_hist_bins": ("histogram_bin",),
    },
)

BEAM_FREEBOARD = _located(
    "freeboard_beam_segment/beam_freeboard",
    "segment_idx",
    siblings=("freeboard_beam_segment/geophysical", "freeboard_beam_segment/height_segments"),
    height="beam_fb_height",
)

FREEBOARD_BEAM_SEGMENT = _located("freeboard_beam_segment", "section_idx")

LEADS = _located("leads", "lead_idx")

AUTHORS_OF_003 = (
    "Kwok, R.; Cunningham, G.; Markus, T.; Hancock, D.; Morison, J. H.; Palm, S. P.; Farrell, "
    "S. L.; Ivanoff, A.; Wimert, J.; the ICESat-2 Science Team"
)
AUTHORS_OF_004 = (
    "Kwok, R.; Petty, A. A.; Cunningham, G.; Markus, T.; Hancock, D.; Ivanoff, A.; Wimert, "
    "J.; Bagnardi, M.; Kurtz, N.; the ICESat-2 Science Team"
)

ATL10 = ProductSpec(
    product="ATL10",
    title="Sea ice freeboard",
    document="ATLAS/ICESat-2 L3A Sea Ice Freeboard (ATL10), Data Dictionary",
    completeness="partial",
    granules=GranuleConvention(
        names=("ATL10-{hemisphere}_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", "hemisphere"),
        tracks="beams",
        quick_look=True,
        folders_by_date=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights=(
        "`beam_fb_height` is the freeboard, the height above the sea surface nearby; "
        "`height_segment_height` is above the tide-free mean sea surface"
    ),
    rates=(
        FREEBOARD_SEGMENT,
        REFERENCE_SURFACE_SECTION,
        BEAM_FREEBOARD,
        FREEBOARD_BEAM_SEGMENT,
        LEADS,
    ),
    main=("freeboard_segment", "freeboard_beam_segment/beam_freeboard"),
    publications=(
        Publication(release="003", year=2020, authors=AUTHORS_OF_003),
        Publication(release="004", year=2021, authors=AUTHORS_OF_004),
    ),
)
