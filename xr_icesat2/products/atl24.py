"""ATL24, near-shore bathymetry.

Source: *ATLAS/ICESat-2 L3A Along Track Coastal and Nearshore Bathymetry (ATL24), ATBD*, and an
extract of release 001. The user guide of version 1, section 2.3.1.5, names the geoid: EGM2008.
Photons are directly in the beam's group, without dimension scales.
"""

from .granule_naming import GranuleConvention
from .height_reference import ABOVE_EGM2008, ABOVE_ELLIPSOID
from .spec import ProductSpec, Rate

__all__ = ["ATL24"]

ATL24 = ProductSpec(
    product="ATL24",
    title="Coastal and nearshore bathymetry",
    document="ATLAS/ICESat-2 L3A Along Track Coastal and Nearshore Bathymetry (ATL24), ATBD",
    completeness="partial",
    granules=GranuleConvention(
        names=(
            "ATL24_{start}_{rgt}{cycle_number}{granule_region}_{source_release}_{source_version}_{release}_{version}.h5",
        ),
        gran_idx=("rgt", "cycle_number", "granule_region"),
        tracks="beams",
        quick_look=True,
    ),
    releases=("001", "002"),
    heights=(
        "`ellipse_h` is the height above the WGS 84 ellipsoid, `ortho_h` above the geoid EGM2008"
    ),
    rates=(
        Rate(
            group="",
            alias="photons",
            along="photon_idx",
            time="delta_time",
            latitude="lat_ph",
            longitude="lon_ph",
            height="ortho_h",
            x_atc="x_atc",
            classes=("class_ph",),
            heights={"ellipse_h": ABOVE_ELLIPSOID, "ortho_h": ABOVE_EGM2008},
        ),
    ),
    main=("",),
)
