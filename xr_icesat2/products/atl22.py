"""ATL22, mean inland surface water.

Source: *ATLAS/ICESat-2 L3B Mean Inland Surface Water Data (ATL22), Data Dictionary*. No granule was
at hand: it opens by the file's dimension scales.
"""

from .spec import ProductSpec

__all__ = ["ATL22"]

ATL22 = ProductSpec(
    product="ATL22",
    title="Mean inland surface water",
    document="ATLAS/ICESat-2 L3B Mean Inland Surface Water Data (ATL22), Data Dictionary",
    completeness="from the file's scales",
    releases=("001", "002", "003", "004", "005", "006", "007"),
)
