"""ATL02, converted telemetry.

Source: the product's user guide at NSIDC. No granule was examined.
The photon counting electronics have the groups ``atlas/pce1`` to ``pce3`` instead of beams.
"""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

__all__ = ["ATL02"]

ATL02 = ProductSpec(
    product="ATL02",
    title="Converted telemetry",
    document="ATLAS/ICESat-2 L1B Converted Telemetry Data (ATL02)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL02_{start}_{rgt}{cycle_number}{granule_region}_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", "granule_region"),
        tracks=None,
    ),
)
