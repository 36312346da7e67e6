"""ATL14, gridded land ice height.

Source: the product's user guide at NSIDC. No granule was examined.
A granule is an elevation model of one area, named such as ``GL_0318_100m``: area, first and last
cycle, posting.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL14"]

ATL14 = ProductSpec(
    product="ATL14",
    title="Gridded Antarctic and Arctic land ice height",
    document="ATLAS/ICESat-2 L3B Gridded Antarctic and Arctic Land Ice Height (ATL14)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL14_{label}_{release}_{version}.nc",),
        gran_idx=None,
        tracks=None,
    ),
)
