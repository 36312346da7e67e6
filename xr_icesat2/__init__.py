"""ICESat-2 granules as lazy xarray objects: ``xr.open_dataset(url, engine="icesat2")``.

``help("xr_icesat2.backend.ICESat2BackendEntrypoint")`` documents the keywords of the engine:
``group``, ``layout``, ``spots``, ``beams``, ``variables`` and others. ``print(products)`` lists the
products, and ``products["ATL06"]`` what one of them holds.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import indexes, links
from .accessor import icesat2
from .earthdata.download import download
from .earthdata.search import search
from .limits import Limits
from .products import PRODUCTS as products  # noqa: N811 - a table to a user, a constant to us

if _TYPE_CHECKING:
    from . import testing as testing

__all__ = ["Limits", "__version__", "download", "icesat2", "indexes", "links", "products", "search"]

__version__ = _version("xr-icesat2")


def __getattr__(name: str) -> _Any:
    """Import ``testing`` when it is first used: most programs do without it."""
    if name == "testing":
        return _import_module("xr_icesat2.testing")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "testing"})
