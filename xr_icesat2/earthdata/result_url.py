"""The URL of a granule that a search found, by this library or by earthaccess."""

from collections.abc import Mapping
from typing import Any

from xr_icesat2.bytesource.fsspec_location import S3_OPTIONS
from xr_icesat2.bytesource.redaction import safe_url
from xr_icesat2.errors import GranuleNotFoundError

from .archive_paths import PROTOCOL, path_of_url

__all__ = ["result_url"]


def result_url(obj: Any, storage_options: Mapping[str, Any] | None = None) -> Any:
    """Return the URL of a search result; any other object unchanged.

    Parameters
    ----------
    obj : object
        A granule that ``xr_icesat2.search`` found, one that earthaccess found,
        or anything that :func:`~xr_icesat2.bytesource.open_source` takes.
    storage_options : mapping, optional
        For fsspec; they decide between S3 and HTTPS.

    Raises
    ------
    GranuleNotFoundError
        An earthaccess DataGranule has no link to data.
    """
    found = getattr(obj, "icesat2_url", None)
    if isinstance(found, str):
        return found
    options = storage_options if isinstance(storage_options, Mapping) else {}
    return _data_link(obj, options) if hasattr(obj, "data_links") else obj


def _data_link(granule: Any, options: Mapping[str, Any]) -> str:
    """Return the link to the data of an earthaccess DataGranule.

    A granule of NSIDC's archive is read through ``icesat2://``, which logs in by itself, unless
    storage options say how. Of other links, HTTPS works anywhere. S3 works only inside AWS
    us-west-2, so it is used if there are storage options of S3.
    """
    access = "direct" if options.keys() & S3_OPTIONS else "external"
    links = granule.data_links(access=access) or granule.data_links()
    files = [str(link) for link in links if link.endswith(".h5")]
    if not files:
        raise GranuleNotFoundError(
            f"This earthaccess {type(granule).__name__} has no link to an HDF5 file (links: "
            f"{', '.join(map(safe_url, links)) or 'none'}). Search for granules of an ICESat-2 "
            "product."
        )
    path = path_of_url(files[0])
    in_archive = path is not None and set(options) <= {"access"}
    return f"{PROTOCOL}://{path}" if in_archive else files[0]
