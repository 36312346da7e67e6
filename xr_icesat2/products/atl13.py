"""ATL13, inland surface water.

Source: *ATLAS/ICESat-2 L3A Along Track Inland Surface Water Data (ATL13), Data Dictionary*
(releases 001 to 007) and *ATBD for Inland Water Data Products (ATL13)*, section 5. The short
segments are directly in the beam's group. Releases newer than 002 rename ``cycle`` to
``cycle_number``, add variables to the segments and have ``anom_ssegs`` with its own rows.
"""

from .granule_naming import GranuleConvention
from .height_reference import ABOVE_EGM2008, ABOVE_ELLIPSOID, GEOID_ABOVE_ELLIPSOID
from .publication import Publication
from .spec import ALONG, ProductSpec, Rate

__all__ = ["ATL13"]

HEIGHTS = {
    "ht_water_surf": ABOVE_ELLIPSOID,
    "ht_ortho": ABOVE_EGM2008,
    "segment_geoid": GEOID_ABOVE_ELLIPSOID,
}

SEGMENTS = Rate(
    group="",
    alias="segments",
    along="segment_idx",
    time="delta_time",
    latitude="segment_lat",
    longitude="segment_lon",
    height="ht_ortho",
    segment_span=("segment_id_beg", "segment_id_end"),
    row_rgt="segment_rgt",
    # Counts of the segment's photons by quality.
    dims={"segment_quality": (ALONG, "photon_quality")},
    labels={
        "photon_quality": (
            ("nominal", "possible_afterpulse", "possible_impulse_response", "possible_TEP"),
        )
    },
    # 0 is declared as fill value, although no water body has that number.
    ignore_fill=frozenset({"atl13refid"}),
    heights=HEIGHTS,
)

ANOMALOUS_SEGMENTS = Rate(
    group="anom_ssegs",
    along="anom_sseg_idx",
    time="delta_time",
    latitude="segment_lat",
    longitude="segment_lon",
)

AUTHORS_OF_003 = (
    "Jasinski, M. F.; Stoll, J. D.; Hancock, D.; Robbins, J.; Nattala, J.; Morison, J.; "
    "Jones, B. M.; Ondrusek, M. E.; Pavelsky, T. M.; Parrish, C.; the ICESat-2 Science Team"
)
AUTHORS_OF_007 = (
    "Jasinski, M.; Stoll, J.; Hancock, D.; Robbins, J.; Nattala, J.; Pavelsky, T.; Morrison, "
    "J.; Jones, B.; Ondrusek, M.; Parrish, C.; the ICESat-2 Science Team"
)

ATL13 = ProductSpec(
    product="ATL13",
    title="Along-track inland surface water",
    document="ATLAS/ICESat-2 L3A Along Track Inland Surface Water Data (ATL13), Data Dictionary",
    completeness="complete",
    granules=GranuleConvention(
        names=("ATL13_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", 1),
        tracks="beams",
        orbits=4,
        quick_look=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights=(
        "`ht_water_surf` is the height above the WGS 84 ellipsoid, `ht_ortho` above the geoid "
        "EGM2008"
    ),
    rates=(SEGMENTS, ANOMALOUS_SEGMENTS),
    main=("",),
    publications=(
        Publication(
            release="003",
            year=2020,
            authors=AUTHORS_OF_003,
            title="ATLAS/ICESat-2 L3A Inland Water Surface Height",
        ),
        Publication(release="007", year=2025, authors=AUTHORS_OF_007),
    ),
)
