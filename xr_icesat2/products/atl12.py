"""ATL12, ocean surface height.

Source: *ATLAS/ICESat-2 L3A Ocean Surface Height (ATL12), Data Dictionary*, its groups as public
programs read them; no granule was at hand. Second dimensions open by the file's dimension scales.
"""

from .granule_naming import GranuleConvention
from .height_reference import ABOVE_ELLIPSOID
from .publication import Publication
from .spec import ProductSpec, Rate

__all__ = ["ATL12"]

AUTHORS = (
    "Morison, J. H.; Hancock, D.; Dickinson, S.; Robbins, J.; Roberts, L.; Kwok, R.; Palm, S. "
    "P.; Smith, B.; Jasinski, M. F.; the ICESat-2 Science Team"
)

ATL12 = ProductSpec(
    product="ATL12",
    title="Ocean surface height",
    document="ATLAS/ICESat-2 L3A Ocean Surface Height (ATL12), Data Dictionary",
    completeness="partial",
    granules=GranuleConvention(
        names=("ATL12_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=("rgt", "cycle_number", 1),
        tracks="beams",
        orbits=4,
        quick_look=True,
    ),
    releases=("001", "002", "003", "004", "005", "006", "007"),
    heights="`h` is the height of the sea surface above the WGS 84 ellipsoid",
    rates=(
        Rate(
            group="ssh_segments",
            along="segment_idx",
            subgroups=("heights", "stats"),
            time="delta_time",
            latitude="latitude",
            longitude="longitude",
            height="h",
            heights={"h": ABOVE_ELLIPSOID},
        ),
    ),
    main=("ssh_segments",),
    publications=(Publication(release="006", year=2023, authors=AUTHORS),),
)
