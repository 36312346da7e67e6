"""ATL17, monthly gridded atmosphere.

Source: the product's user guide at NSIDC. No granule was examined.
A granule is a month of the whole globe; its name has the track at the beginning.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL17"]

ATL17 = ProductSpec(
    product="ATL17",
    title="Monthly gridded atmosphere",
    document="ATLAS/ICESat-2 L3B Monthly Gridded Atmosphere (ATL17)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL17_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=None,
        tracks=None,
    ),
)
