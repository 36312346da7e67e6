"""ATL18, gridded land and canopy height.

Source: the product's user guide at NSIDC. No granule was examined.
Names with a date and names with a label are both read.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL18"]

ATL18 = ProductSpec(
    product="ATL18",
    title="Gridded land and canopy height",
    document="ATLAS/ICESat-2 L3B Gridded Terrain and Canopy Height (ATL18)",
    completeness="none",
    granules=GranuleConvention(
        names=(
            "ATL18_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",
            "ATL18_{label}_{release}_{version}.h5",
        ),
        gran_idx=None,
        tracks=None,
    ),
)
