"""ICESat-2 granules as lazy xarray objects: ``xr.open_dataset(url, engine="icesat2")``.

``help("xr_icesat2.backend.ICESat2BackendEntrypoint")`` documents the keywords of the engine:
``group``, ``layout``, ``spots``, ``beams``, ``variables`` and others. ``print(products)`` lists the
products, and ``print(products["ATL06"])`` the variables of one of them.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from . import errors, links
from .accessor import icesat2
from .earthdata.download import download
from .earthdata.search import search
from .index_saving import save_indexes
from .limits import Limits
from .products import PRODUCTS as products  # noqa: N811 - a table to a user, a constant to us

if TYPE_CHECKING:
    from . import testing as testing

__all__ = [
    "Limits",
    "__version__",
    "download",
    "errors",
    "icesat2",
    "links",
    "products",
    "save_indexes",
    "search",
    "testing",
]

__version__ = version("xr-icesat2")


def __getattr__(name: str) -> Any:
    """Import ``testing`` when it is first used: most programs do without it."""
    if name == "testing":
        return importlib.import_module("xr_icesat2.testing")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
