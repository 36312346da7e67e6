"""ATL15, gridded land ice height change.

Source: the product's user guide at NSIDC, and the mission's template of the file.
A granule contains the height changes of one area, named such as ``GL_0318_01km``: area, first and
last cycle, posting.
"""

from .granule_naming import GranuleConvention
from .publication import Publication
from .spec import ProductSpec

__all__ = ["ATL15"]

AUTHORS = (
    "Smith, B.; Sutterley, T.; Dickinson, S.; Jelley, B. P.; Felikson, D.; Neumann, T. A.; "
    "Fricker, H. A.; Gardner, A. S.; Padman, L.; Markus, T.; Kurtz, N.; Bhardwaj, S.; "
    "Hancock, D.; Lee, J."
)

ATL15 = ProductSpec(
    product="ATL15",
    title="Gridded Antarctic and Arctic land ice height change",
    document="ATLAS/ICESat-2 L3B Gridded Antarctic and Arctic Land Ice Height Change (ATL15)",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL15_{label}_{release}_{version}.nc",),
        gran_idx=None,
        tracks=None,
    ),
    publications=(Publication(release="003", year=2023, authors=AUTHORS),),
)
