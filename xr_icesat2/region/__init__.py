"""A place on Earth: everything that ``region=`` may be, as one :class:`Region`.

:func:`make_region` parses what a user gives. :meth:`Region.contains` tests coordinates, and
:meth:`Region.cmr_parameters` describes the place to NASA's catalog.

Regions are boxes (:mod:`.box`), polygons (:mod:`.polygons`) or masks (:mod:`.raster_mask`).
Polygons come from points (:mod:`.points`), GeoJSON (:mod:`.geojson`) and files (:mod:`.files`), and
are checked in :mod:`.geometry_checks`; masks from :mod:`.rasters`. The module :mod:`.projection`
transforms coordinates to the CRS of a region, :mod:`.boundary` samples its edges, and
:mod:`.catalog_outline` draws the outline for the catalog.
"""

from .make_region import make_region
from .region import Region

__all__ = ["Region", "make_region"]
