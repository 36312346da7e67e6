"""Link the rows of one rate to those of another: photons, segments, classes.

The specifications of the products declare the links. Following a link checks indices against
counts, and granules of two products against each other.
"""

from .api import attach, match_rows, row_ranges
from .photon_classes import UNCLASSIFIED, along_track_distance, photon_classes

__all__ = [
    "UNCLASSIFIED",
    "along_track_distance",
    "attach",
    "match_rows",
    "photon_classes",
    "row_ranges",
]
