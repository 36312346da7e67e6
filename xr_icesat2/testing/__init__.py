"""Synthetic granules, for tests and demonstrations without a download."""

from .api import true_photon_classes, write_granule
from .identity import granule_name
from .lakes import lake_id, lake_level
from .surface import canopy_height, elevation_change, surface_height

__all__ = [
    "canopy_height",
    "elevation_change",
    "granule_name",
    "lake_id",
    "lake_level",
    "surface_height",
    "true_photon_classes",
    "write_granule",
]
