"""ATL22, mean inland surface water.

Source: *ATLAS/ICESat-2 L3B Mean Inland Surface Water Data (ATL22), Data Dictionary*, its variables
as public programs read them. No granule was examined. Transects are directly in the beam's group.
"""

from .granule_naming import GranuleConvention
from .publication import Publication
from .reference_frame import ITRF2014
from .spec import ProductSpec, Rate

__all__ = ["ATL22"]

AUTHORS = "Jasinski, M. F.; Stoll, J. D.; Hancock, D.; Robbins, J.; Nattala, J."

ATL22 = ProductSpec(
    product="ATL22",
    title="Mean inland surface water",
    document="ATLAS/ICESat-2 L3B Mean Inland Surface Water Data (ATL22), Data Dictionary",
    completeness="partial",
    granules=GranuleConvention(
        names=("ATL22_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", 1),
        tracks="beams",
        orbits=4,
        quick_look=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    # Release 003 was published on 2023-09-12, when 006 was the newest of ATL13, its source.
    frames=(("001", "003", ITRF2014),),
    rates=(
        Rate(
            group="",
            alias="transects",
            along="transect_idx",
            time="delta_time",
            latitude="transect_lat",
            longitude="transect_lon",
        ),
    ),
    main=("",),
    publications=(Publication(release="003", year=2023, authors=AUTHORS),),
)
