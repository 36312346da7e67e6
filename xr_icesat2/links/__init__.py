"""From the rows of one rate to those of another: photons, segments, classes.

The links are declared by the products' specifications. Each is checked as it is followed: indices
against counts, and granules of two products against each other.
"""

from .api import attach
from .api import linked_rows as rows
from .api import row_runs as runs
from .photons import UNCLASSIFIED, along_track_distance, photon_classes

__all__ = ["UNCLASSIFIED", "along_track_distance", "attach", "photon_classes", "rows", "runs"]
