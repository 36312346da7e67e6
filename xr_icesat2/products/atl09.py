"""ATL09, calibrated backscatter profiles and atmospheric layers.

Source: *ATLAS/ICESat-2 L3A Calibrated Backscatter Profiles and Atmospheric Layer Characteristics
(ATL09), Data Dictionary*, its groups as public programs read them. No granule was examined. Second
dimensions (height bins, layers) open by the file's dimension scales.
"""

from .granule_naming import GranuleConvention
from .link_types import TimeLink
from .spec import LocatedBy, ProductSpec, Rate

__all__ = ["ATL09"]

MEASURED_DURING = {
    "ATL03": ("heights", "geolocation"),
    "ATL06": ("land_ice_segments",),
    "ATL08": ("land_segments",),
}
"""Rates of other products of which each row was measured during one of the 25 Hz profiles."""


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
    granules=GranuleConvention(
        names=("ATL09_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", 1),
        tracks="profiles",
        orbits=1,
        quick_look=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    rates=(
        _located("high_rate", "high_rate_idx"),
        _located("low_rate", "low_rate_idx"),
        Rate(
            group="bckgrd_atlas",
            along="bckgrd_idx",
            time="delta_time",
            # 400 shots, the length of a profile.
            located_by=LocatedBy(group="high_rate", seconds=0.04),
        ),
    ),
    main=("high_rate",),
    links=tuple(
        TimeLink(
            many_product=product,
            many=rate,
            one="high_rate",
            many_time=f"{rate}/delta_time",
            one_time="high_rate/delta_time",
            # 400 shots and one more, so that a profile that begins late leaves no gap.
            duration=0.0401,
        )
        for product, rates in MEASURED_DURING.items()
        for rate in rates
    ),
)
