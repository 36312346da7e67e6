"""ATL16, weekly gridded atmosphere.

Source: the product's user guide at NSIDC. No granule was examined.
A granule is a week of the whole globe; its name has the track at the beginning.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL16"]

ATL16 = ProductSpec(
    product="ATL16",
    title="Weekly gridded atmosphere",
    document="ATLAS/ICESat-2 L3B Weekly Gridded Atmosphere (ATL16)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL16_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=None,
        tracks=None,
    ),
)
