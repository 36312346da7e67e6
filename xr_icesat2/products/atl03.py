"""ATL03, geolocated photons.

Source: *ATLAS/ICESat-2 L2A Global Geolocated Photon Data (ATL03), Data Dictionary* (releases 001
to 007) and *ATBD for Global Geolocated Photons (ATL03)*. ``knn``, ``pitch``, ``roll``, ``yaw`` and
``weight_ph`` are new in release 006, ``signal_class_ph`` in 007. ``weight_ph`` of 007 is uint16 and
cannot be compared with 006. All releases have the same rates and dimensions.
"""

from .attach_names import AttachName
from .granule_naming import GranuleConvention
from .height_reference import ABOVE_ELLIPSOID, GEOID_ABOVE_ELLIPSOID
from .link_types import RangeLink, TimeLink
from .publication import Publication
from .quality_rule import QualityRule
from .spec import ALONG, LocatedBy, ProductSpec, Rate

__all__ = ["ATL03", "SURFACE_TYPES"]

SURFACE_TYPES = ("land", "ocean", "seaice", "landice", "inland_water")
"""Spelt as in ``flag_meanings`` of the scale ``ds_surf_type``."""

BY_SEGMENT = LocatedBy(group="geolocation", seconds=0.01)
"""Photons are in the 20 m segment that SlideRule tests too. Those of a segment are measured within
0.003 s of its reference photon."""

X_ATC = ("geolocation/segment_dist_x", "heights/dist_ph_along")
"""ATBD, section 3: the distance of the segment, and of the photon within it."""

HEIGHTS = Rate(
    group="heights",
    along="photon_idx",
    time="delta_time",
    latitude="lat_ph",
    longitude="lon_ph",
    height="h_ph",
    x_atc="x_atc",
    classes=("atl08_class", "signal_conf_ph"),
    located_by=LocatedBy(group="geolocation"),
    dims={"signal_conf_ph": (ALONG, "surface_type")},
    labels={"surface_type": (SURFACE_TYPES,)},
    heights={"h_ph": ABOVE_ELLIPSOID},
    quality=(
        QualityRule(
            variable="signal_conf_ph",
            comparison=">=",
            # 0 is noise, and 1 is background near the signal.
            value=2,
            keyword="confidence",
            over="surface_type",
            source="description of signal_conf_ph (ATL03 ATBD, section 5): 2 low, 3 medium, 4 high",
        ),
        QualityRule(
            variable="quality_ph",
            comparison="==",
            value=0,
            source="description of quality_ph (ATL03 ATBD): 0 nominal; use it with signal_conf_ph",
        ),
    ),
)

GEOLOCATION = Rate(
    group="geolocation",
    along="segment_idx",
    # Both groups have the same rows and times; subsets may lack either.
    siblings=("geophys_corr",),
    time="delta_time",
    latitude="reference_photon_lat",
    longitude="reference_photon_lon",
    track_segment="segment_id",
    x_atc="segment_dist_x",
    dims={"surf_type": (ALONG, "surface_type"), "velocity_sc": (ALONG, "direction")},
    # The scale ds_xyz says x, y, z; velocity_sc is described as east, north, up.
    labels={"surface_type": (SURFACE_TYPES,), "direction": (("east", "north", "up"),)},
    # 0 is declared as fill value, but is a valid count or the nominal value of the flag.
    ignore_fill=frozenset(
        {"ph_index_beg", "segment_ph_cnt", "reference_photon_index", "podppd_flag"}
    ),
    heights={
        "altitude_sc": ABOVE_ELLIPSOID,
        "dem_h": ABOVE_ELLIPSOID,
        "geoid": GEOID_ABOVE_ELLIPSOID,
    },
)

BACKGROUND = Rate(
    group="bckgrd_atlas",
    along="bckgrd_idx",
    time="delta_time",
    heights=dict.fromkeys(("bckgrd_hist_top", "tlm_top_band1", "tlm_top_band2"), ABOVE_ELLIPSOID),
    located_by=BY_SEGMENT,
)

SIGNAL_FINDING = tuple(
    Rate(
        group=f"signal_find_output/{surface}",
        along=f"signal_find_{surface}_idx",
        time="delta_time",
        located_by=BY_SEGMENT,
    )
    for surface in ("land", "ocean", "sea_ice", "land_ice", "inlandwater")
)

AUTHORS_OF_006 = (
    "Neumann, T. A.; Brenner, A.; Hancock, D.; Robbins, J.; Gibbons, A.; Lee, J.; Harbeck, "
    "K.; Saba, J.; Luthcke, S. B.; Rebold, T."
)
AUTHORS_OF_007 = (
    "Neumann, T. A.; Hancock, D.; Robbins, J.; Gibbons, A.; Lee, J.; Brenner, A.; Felikson, "
    "D.; Harbeck, K.; Saba, J.; Luthcke, S. B.; Rebold, T.; Reese, A.; Sutterley, T."
)

ATL03 = ProductSpec(
    product="ATL03",
    title="Global geolocated photons",
    document="ATLAS/ICESat-2 L2A Global Geolocated Photon Data (ATL03), Data Dictionary",
    completeness="complete",
    granules=GranuleConvention(
        names=("ATL03_{start}_{rgt}{cycle_number}{granule_region}_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", "granule_region"),
        tracks="beams",
        quick_look=True,
        folders_by_date=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights="`h_ph` is the tide-free height above the WGS 84 ellipsoid",
    rates=(HEIGHTS, GEOLOCATION, BACKGROUND, *SIGNAL_FINDING),
    main=("heights",),
    links=(
        RangeLink(
            many="heights",
            one="geolocation",
            first="geolocation/ph_index_beg",
            count="geolocation/segment_ph_cnt",
            tiling=True,
            x_atc=X_ATC,
        ),
        TimeLink(
            many="heights",
            one="bckgrd_atlas",
            many_time="heights/delta_time",
            one_time="bckgrd_atlas/delta_time",
            # 50 shots. Numbers of frame and pulse agree for about 90 % of the photons only.
            duration=0.005,
        ),
        TimeLink(
            many="geolocation",
            one="bckgrd_atlas",
            many_time="geolocation/delta_time",
            one_time="bckgrd_atlas/delta_time",
            duration=0.005,
        ),
    ),
    attach_names=(
        AttachName(
            name="x_atc",
            product="ATL03",
            rate="heights",
            variable=X_ATC[0],
            plus=X_ATC[1],
            long_name="distance along the track",
        ),
        AttachName(
            name="y_atc",
            product="ATL03",
            rate="heights",
            variable="heights/dist_ph_across",
            long_name="distance across the track",
        ),
        AttachName(
            name="background_rate",
            product="ATL03",
            rate="heights",
            variable="bckgrd_atlas/bckgrd_rate",
        ),
        AttachName(
            name="spacecraft_velocity",
            product="ATL03",
            rate="heights",
            variable="geolocation/velocity_sc",
            norm=True,
            long_name="speed of the spacecraft",
        ),
    ),
    publications=(
        Publication(release="006", year=2023, authors=AUTHORS_OF_006),
        Publication(release="007", year=2025, authors=AUTHORS_OF_007),
    ),
)
