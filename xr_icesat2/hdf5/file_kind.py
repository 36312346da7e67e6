"""Recognise files that are not HDF5 by their first bytes."""

from __future__ import annotations

import re

from xr_icesat2.printable import printable

__all__ = ["HEAD_BYTES", "describe_head"]

HEAD_BYTES = 512
"""Bytes of the beginning of a file that identify its kind."""
MAX_QUOTED_CHARACTERS = 100

_UNPACK = "unpack it first"
_AGAIN = "download the granule again"
_BY_SIGNATURE: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive", f"{_UNPACK}, or open zip://<name in it>::<its path>"),
    (b"PK\x05\x06", "an empty ZIP archive", "download it again"),
    (b"\x1f\x8b", "a gzip file", f"{_UNPACK} (gunzip)"),
    (b"BZh", "a bzip2 file", f"{_UNPACK} (bunzip2)"),
    (b"\xfd7zXZ\x00", "an xz file", f"{_UNPACK} (unxz)"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", f"{_UNPACK} (unzstd)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (
        b"\x00\x05\x16\x07",
        "an AppleDouble file, in which macOS stores metadata of another file",
        "open the file of the same name without ._ at its beginning",
    ),
    (b"CDF\x01", "a netCDF-3 file", 'xarray opens it with engine="scipy" or engine="netcdf4"'),
    (b"CDF\x02", "a netCDF-3 file", 'xarray opens it with engine="scipy" or engine="netcdf4"'),
    (b"CDF\x05", "a netCDF-3 file", 'xarray opens it with engine="netcdf4"'),
    (b"\x0e\x03\x13\x01", "an HDF4 file", "ICESat-2 granules are HDF5: download it again"),
    (
        b"version https://git-lfs",
        "a pointer of git-lfs in the place of the file",
        "get the file itself by `git lfs pull`",
    ),
    (b"/annex/objects", "a pointer of git-annex", "get the file itself by `git annex get`"),
    (b"\x89PNG", "a picture (PNG)", "open the granule itself"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "open the granule itself"),
    (b"%PDF", "a PDF document", "open a granule (.h5)"),
)
_TEXTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"(<\?xml[^>]*>\s*)?<(!doctype html|html)", re.IGNORECASE),
        "a web page, such as a login page",
        "log in (earthaccess.login()) and download it again, or open icesat2://<its name>",
    ),
    (re.compile(r"<[?!]?[A-Za-z]"), "an XML document, such as a server's error", _AGAIN),
    (re.compile(r"[{\[]"), "a JSON document, such as a server's error", _AGAIN),
    (re.compile(""), "a text file", _AGAIN),
)
_TAR = slice(257, 262)


def describe_head(head: bytes) -> str | None:
    """Return the kind of a file that is not HDF5, and what to do; None if unknown.

    Parameters
    ----------
    head
        The first :data:`HEAD_BYTES` bytes of the file, or all of a shorter one.
    """
    for signature, kind, way_out in _BY_SIGNATURE:
        if head.startswith(signature):
            return f"{kind}: {way_out}"
    if head[_TAR] == b"ustar":
        return f"a tar archive: {_UNPACK}"
    if not any(head):
        return "filled with zeros, like an unfinished download: download it again"
    return _describe_text(head)


def _describe_text(head: bytes) -> str | None:
    # A character may be cut at the end of what was read.
    text = head.decode("utf-8", "ignore" if len(head) == HEAD_BYTES else "replace")
    if "\ufffd" in text or re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return None
    text = text.removeprefix("\ufeff").strip()
    for pattern, kind, way_out in _TEXTS:
        if pattern.match(text):
            return f"{kind}: {way_out}. It begins: {printable(text[:MAX_QUOTED_CHARACTERS])!r}"
    return None
