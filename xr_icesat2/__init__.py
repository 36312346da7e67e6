"""ICESat-2 granules as lazy xarray objects: ``xr.open_dataset(url, engine="icesat2")``.

``help("xr_icesat2.backend.ICESat2BackendEntrypoint")`` documents the keywords of the engine:
``group``, ``layout``, ``spots``, ``beams``, ``variables`` and others. ``print(products)`` lists the
products, and ``products["ATL06"]`` what one of them holds.
"""

from importlib.metadata import version as _version

from . import indexes, links
from .accessor import icesat2
from .earthdata.download import download
from .earthdata.search import search
from .limits import Limits
from .products import PRODUCTS as products  # noqa: N811 - a table to a user, a constant to us

__all__ = ["Limits", "__version__", "download", "icesat2", "indexes", "links", "products", "search"]

__version__ = _version("xr-icesat2")
