"""Synthetic granules, for tests and demonstrations without a download."""

from xr_icesat2.testing.identity import granule_name
from xr_icesat2.testing.lakes import lake_id, lake_level
from xr_icesat2.testing.surface import canopy_height, elevation_change, surface_height
from xr_icesat2.testing.truth import photon_classes
from xr_icesat2.testing.writer import write_granule

__all__ = [
    "canopy_height",
    "elevation_change",
    "granule_name",
    "lake_id",
    "lake_level",
    "photon_classes",
    "surface_height",
    "write_granule",
]
