"""ATL19, monthly gridded dynamic ocean topography.

Source: the product's user guide at NSIDC. No granule was examined.
A granule has groups for the middle latitudes, the north and the south.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL19"]

ATL19 = ProductSpec(
    product="ATL19",
    title="Monthly gridded dynamic ocean topography",
    document="ATLAS/ICESat-2 L3B Monthly Gridded Dynamic Ocean Topography (ATL19)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL19_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=None,
        tracks=None,
    ),
)
