"""Where a granule lies, as far as its name and path say. No server is asked.

Source: the addresses in NSIDC's Earthdata cloud, release 001 to 007.
"""

from dataclasses import dataclass
from pathlib import Path

from xr_icesat2.bytesource import archive_urls as archive
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
    "place_of_path",
    "plain_path",
]

PROTOCOL = "icesat2"


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses of one granule."""

    s3_url: str | None
    """None where it is not in the cloud."""
    https_url: str | None
    """None where it is not on the web."""


def is_granule(path: str) -> bool:
    """Whether the last part of ``path`` is the file name of a granule."""
    last = path.rpartition("/")[2]
    return "." in last and parse_name(last) is not None


def archive_hint(path: str) -> str:
    """Say how the archive's granule is asked for that a local path names; nothing if none is."""
    name, named = file_name(path), parse_name(path)
    if "://" in path or named is None or format_name(named) != name:
        return ""
    return f". The granule of this name in NASA's archive is {PROTOCOL}://{name}"


def granule_url(text: str) -> str:
    """Return the archive's URL for a bare granule name that is no local file, else the text."""
    bare = "/" not in text and not is_url(text) and parse_name(text) is not None
    return f"{PROTOCOL}://{text}" if bare and not Path(text).exists() else text


def has_folders_by_date(collection: str) -> bool:
    """Whether the folders of a collection are release, year, month and day; not of quick looks."""
    convention = PRODUCTS.convention(collection)
    return convention is not None and convention.folders_by_date


def plain_path(url: str) -> str:
    """Path of an ``icesat2://`` URL: of a bare name with its folders, where they follow from it.

    ``product/release/yyyy/mm/dd/name``, or another one that the archive has
    below its folder ``ATLAS``.
    """
    path = url.removeprefix(f"{PROTOCOL}://").strip("/")
    if "/" in path or not is_granule(path):
        return path
    name = parse_name(path)
    if name is None or name.start is None or not has_folders_by_date(name.collection):
        return path
    return f"{name.product}/{name.release}/{name.start:%Y/%m/%d}/{path}"


def place_of_path(path: str) -> Place | None:
    """Place of a plain path; None where it has no folders: CMR has to be asked."""
    return Place(archive.S3 + path, archive.HTTPS + path) if "/" in path else None
