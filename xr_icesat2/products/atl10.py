"""ATL10, sea ice freeboard.

Source: *ATLAS/ICESat-2 L3A Sea Ice Freeboard (ATL10), Data Dictionary*. Its groups were renamed
between releases, and no granule was at hand: it opens by the file's dimension scales.
"""

from .spec import ProductSpec

__all__ = ["ATL10"]

ATL10 = ProductSpec(
    product="ATL10",
    title="Sea ice freeboard",
    document="ATLAS/ICESat-2 L3A Sea Ice Freeboard (ATL10), Data Dictionary",
    completeness="from the file's scales",
    releases=("001", "002", "003", "004", "005", "006", "007"),
)
