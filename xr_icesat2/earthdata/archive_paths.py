"""Addresses of granules in NASA's archive that follow from their names.

Source: the addresses in NSIDC's Earthdata cloud, release 001 to 007.
"""

from dataclasses import dataclass
from pathlib import Path

from xr_icesat2.bytesource.redaction import is_url
from xr_icesat2.granule.name import file_name, format_name, parse_name
from xr_icesat2.products import PRODUCTS

__all__ = [
    "PROTOCOL",
    "Place",
    "archive_hint",
    "granule_url",
    "has_folders_by_date",
    "is_granule",
    "path_of_url",
    "place_of_path",
    "plain_path",
]

PROTOCOL = "icesat2"

_BUCKET = "nsidc-cumulus-prod-protected"
_S3 = f"s3://{_BUCKET}/ATLAS/"
_HTTPS = f"https://data.nsidc.earthdatacloud.nasa.gov/{_BUCKET}/ATLAS/"


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses of one granule."""

    s3_url: str | None
    """None where it is not on S3."""
    https_url: str | None
    """None where it is not on the web."""


def is_granule(path: str) -> bool:
    """Return whether the last part of ``path`` is the file name of a granule."""
    last = path.rpartition("/")[2]
    return "." in last and parse_name(last) is not None


def archive_hint(path: str) -> str:
    """Return a hint to the granule in the archive that a local path names, or nothing."""
    name, named = file_name(path), parse_name(path)
    if "://" in path or named is None or format_name(named) != name:
        return ""
    return f". The granule of this name in NASA's archive is {PROTOCOL}://{name}"


def granule_url(text: str) -> str:
    """Return the archive's URL for a bare granule name that is no local file, else the text."""
    bare = "/" not in text and not is_url(text) and parse_name(text) is not None
    return f"{PROTOCOL}://{text}" if bare and not Path(text).exists() else text


def has_folders_by_date(collection: str) -> bool:
    """Return whether a collection has folders by date; quick looks have not."""
    convention = PRODUCTS.convention(collection)
    return convention is not None and convention.folders_by_date


def plain_path(url: str) -> str:
    """Return the path of an ``icesat2://`` URL, with folders where the name decides them.

    The path is ``product/release/yyyy/mm/dd/name``, or any other below the archive's folder
    ``ATLAS``.
    """
    path = url.removeprefix(f"{PROTOCOL}://").strip("/")
    if "/" in path or not is_granule(path):
        return path
    name = parse_name(path)
    if name is None or name.start is None or not has_folders_by_date(name.collection):
        return path
    return f"{name.product}/{name.release}/{name.start:%Y/%m/%d}/{path}"


def place_of_path(path: str) -> Place | None:
    """Return the addresses of a path; None where it has no folders, which CMR knows."""
    return Place(_S3 + path, _HTTPS + path) if "/" in path else None


def path_of_url(url: str | None) -> str | None:
    """Return the path of an S3 or HTTPS URL in the archive; None for other URLs."""
    for base in (_S3, _HTTPS):
        if url is not None and url.startswith(base):
            return url.removeprefix(base)
    return None
