"""ATL09, calibrated backscatter profiles and atmospheric layers.

Source: *ATLAS/ICESat-2 L3A Calibrated Backscatter Profiles and Atmospheric Layer Characteristics
(ATL09), Data Dictionary*, its groups as public programs read them; no granule was at hand. Second
dimensions (height bins, layers) open by the file's dimension scales.
"""

from .spec import ProductSpec, Rate

__all__ = ["ATL09"]


def _located(group: str, along: str) -> Rate:
    return Rate(
        group=group, along=along, time="delta_time", latitude="latitude", longitude="longitude"
    )


ATL09 = ProductSpec(
    product="ATL09",
    title="Calibrated backscatter profiles and atmospheric layers",
    document=(
        "ATLAS/ICESat-2 L3A Calibrated Backscatter Profiles and Atmospheric Layer "
        "Characteristics (ATL09), Data Dictionary"
    ),
    completeness="partial",
    releases=("001", "002", "003", "004", "005", "006", "007"),
    rates=(
        _located("high_rate", "high_rate_idx"),
        _located("low_rate", "low_rate_idx"),
        Rate(group="bckgrd_atlas", along="bckgrd_idx", time="delta_time"),
    ),
    main=("high_rate",),
)
