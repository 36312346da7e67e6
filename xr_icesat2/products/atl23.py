"""ATL23, three-month gridded dynamic ocean topography.

Source: the product's user guide at NSIDC. No granule was examined.
A granule is the mean of three months, one granule a month.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL23"]

ATL23 = ProductSpec(
    product="ATL23",
    title="Monthly 3-month gridded dynamic ocean topography",
    document="ATLAS/ICESat-2 L3B Monthly 3-Month Gridded Dynamic Ocean Topography (ATL23)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL23_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=None,
        tracks=None,
    ),
)
