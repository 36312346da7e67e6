"""ATL20, gridded sea ice freeboard.

Source: the product's user guide at NSIDC. No granule was examined.
A granule is a month of one hemisphere, with groups for its days; names have the hemisphere.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL20"]

ATL20 = ProductSpec(
    product="ATL20",
    title="Daily and monthly gridded sea ice freeboard",
    document="ATLAS/ICESat-2 L3B Daily and Monthly Gridded Sea Ice Freeboard (ATL20)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL20-{hemisphere}_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=None,
        tracks=None,
    ),
)
