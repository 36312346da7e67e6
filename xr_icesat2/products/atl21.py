"""ATL21, gridded polar sea surface height anomaly.

Source: the product's user guide at NSIDC. No granule was examined.
A granule is a month of one hemisphere, with groups for its days; names have the hemisphere.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL21"]

ATL21 = ProductSpec(
    product="ATL21",
    title="Daily and monthly gridded polar sea surface height anomaly",
    document=(
        "ATLAS/ICESat-2 L3B Daily and Monthly Gridded Polar Sea Surface Height Anomaly (ATL21)"
    ),
    completeness="none",
    granules=GranuleConvention(
        names=("ATL21-{hemisphere}_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=None,
        tracks=None,
    ),
)
