"""ATL04, normalized relative backscatter.

Source: the product's user guide at NSIDC. No granule was examined.
A granule contains one orbit, is named with region 1, and has the profiles of ATL09.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL04"]

ATL04 = ProductSpec(
    product="ATL04",
    title="Normalized relative backscatter profiles",
    document="ATLAS/ICESat-2 L2A Normalized Relative Backscatter Profiles (ATL04)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL04_{start}_{rgt}{cycle_number}{granule_region}_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", "granule_region"),
        tracks="profiles",
        quick_look=True,
    ),
)
