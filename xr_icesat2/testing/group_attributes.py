"""Attributes of a product's groups: names as in real granules, the texts our own."""

from collections.abc import Mapping

from xr_icesat2.products.variable_table import TableGroup

from .texts import lengthen
from .tree import Attributes

__all__ = ["group_attributes"]

_OF_BEAMS: Mapping[str, str] = {
    "atlas_pce": "{pce}",
    "atlas_beam_type": "{strength}",
    "groundtrack_id": "{beam}",
    "atmosphere_profile": "{profile}",
    "atlas_spot_number": "{spot}",
    "sc_orientation": "{orientation}",
}
"""Those of a beam's group; what depends on the spot is left out where it is unknown."""

_SMALL_SINCE = "007"  # release in which Description became description


def group_attributes(group: TableGroup, release: str) -> Attributes:
    """Make the attributes of a group outside of METADATA."""
    rate = "One row for each of the dimension." if group.coordinates else "Constant in a granule."
    texts = {"Description": f"{group.description}.", "data_rate": rate, **_OF_BEAMS}
    return {
        _spelt(name, release): lengthen(texts[name], length) for name, length in group.attributes
    }


def _spelt(name: str, release: str) -> str:
    return name.lower() if name == "Description" and release >= _SMALL_SINCE else name
