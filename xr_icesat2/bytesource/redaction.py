"""Names of granules in messages and keys, without secrets.

A presigned URL gives access like a password, and so do ``user:password@host``
and ``?token=…``. Messages end up in logs and bug reports.
"""

import os
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

__all__ = ["HIDDEN", "is_url", "safe_text", "safe_url", "source_name"]

HIDDEN = "..."

_SECRET_NAME = re.compile(
    r"amz|token|sig|key|secret|pass|pwd|auth|cred|policy|expires|session|^s[a-z]$|^code$|^state$",
    re.IGNORECASE,
)
# An opaque value this long is more likely a credential than an identifier.
_LONG_VALUE = 32
_QUERY_IN_TEXT = re.compile(r"(?<=\?)[^\s'\"<>)]+")
_USER_IN_TEXT = re.compile(r"(?<=://)[^/\s'\"@]+@")


def is_url(text: str) -> bool:
    """Return whether fsspec would take ``text`` for a URL rather than a local path."""
    return "://" in text or "::" in text


def safe_url(url: str) -> str:
    """Return ``url`` without user, password and secret query values; chained URLs link by link."""
    return "::".join(_safe_link(link) for link in url.split("::"))


def _safe_link(link: str) -> str:
    if "://" not in link:
        return link
    parts = urlsplit(link)
    host = parts.netloc.rpartition("@")[2]
    query = urlencode(
        [
            (name, HIDDEN if _is_secret(name, value) else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
    )
    # urlunsplit would turn memory://x and s3://x into forms that fsspec does not know.
    tail = urlunsplit(("", "", parts.path, query, ""))
    return f"{parts.scheme}://{host}{tail}"


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.search(name)) or len(value) >= _LONG_VALUE


def safe_text(text: str) -> str:
    """Return another library's error message without possible secrets in its URLs."""
    return _USER_IN_TEXT.sub("", _QUERY_IN_TEXT.sub(HIDDEN, text))


def source_name(obj: Any) -> str:
    """Return the name, for messages, of what a user gave.

    Parameters
    ----------
    obj : str, PathLike or open file
        Anything that :func:`~xr_icesat2.bytesource.open_source` takes.

    Returns
    -------
    str
        Path, URL without secrets, or the kind of object (``"<BytesIO>"``).
    """
    if isinstance(obj, str):
        return safe_url(obj) if is_url(obj) else obj
    if isinstance(obj, os.PathLike) and not hasattr(obj, "fs"):
        return os.fsdecode(obj)
    for attribute in ("full_name", "path", "name"):
        name = getattr(obj, attribute, None)
        if isinstance(name, str):
            return safe_url(name)
    return f"<{type(obj).__name__}>"
