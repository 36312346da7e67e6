"""ICESat-2 granules as lazy xarray objects: ``xr.open_dataset(url, engine="icesat2")``."""

from importlib.metadata import version as _version

from . import accessor as _accessor  # noqa: F401 - registers ds.icesat2
from . import indexes, links
from .earthdata.download import download
from .earthdata.search import search
from .products import PRODUCTS as products  # noqa: N811 - a table to a user, a constant to us

__all__ = ["__version__", "download", "indexes", "links", "products", "search"]

__version__ = _version("xr-icesat2")
