"""ATL24, near-shore bathymetry.

Source: *ATLAS/ICESat-2 L3A Along Track Coastal and Nearshore Bathymetry (ATL24), ATBD*, and an
extract of release 001. Photons lie directly in the beam's group, without dimension scales.
"""

from .spec import ProductSpec, Rate

__all__ = ["ATL24"]

ATL24 = ProductSpec(
    product="ATL24",
    title="Coastal and nearshore bathymetry",
    document="ATLAS/ICESat-2 L3A Along Track Coastal and Nearshore Bathymetry (ATL24), ATBD",
    completeness="partial",
    releases=("001", "002"),
    rates=(
        Rate(
            group="",
            alias="photons",
            along="photon_idx",
            time="delta_time",
            latitude="lat_ph",
            longitude="lon_ph",
        ),
    ),
    main=("",),
)
