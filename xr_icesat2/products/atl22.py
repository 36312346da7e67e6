"""ATL22, mean inland surface water.

Source: *ATLAS/ICESat-2 L3B Mean Inland Surface Water Data (ATL22), Data Dictionary*, its variables
as public programs read them; no granule was at hand. Transects lie directly in the beam's group.
"""

from .spec import ProductSpec, Rate

__all__ = ["ATL22"]

ATL22 = ProductSpec(
    product="ATL22",
    title="Mean inland surface water",
    document="ATLAS/ICESat-2 L3B Mean Inland Surface Water Data (ATL22), Data Dictionary",
    completeness="partial",
    releases=("001", "002", "003", "004", "005", "006", "007"),
    rates=(
        Rate(
            group="",
            alias="transects",
            along="transect_idx",
            time="delta_time",
            latitude="transect_lat",
            longitude="transect_lon",
        ),
    ),
    main=("",),
)
