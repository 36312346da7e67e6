"""Choose the byte source for a path, a URL or an open file, without any I/O."""

import io
import os
import re
from collections.abc import Iterable, Mapping
from typing import IO, Any

from xr_icesat2.errors import SelectionError

from .file_object import FileObjectSource
from .fsspec_location import FilesystemLocation, URLLocation
from .local import LocalSource
from .protocol import ByteSource
from .redaction import is_url, safe_url, source_name

__all__ = ["open_source"]

_LOCAL_PROTOCOLS = ("file", "local")
_COLLAPSED_URL = re.compile(r"^(?P<protocol>[a-z][a-z0-9+]+):/(?=[^/])")


def open_source(
    obj: str | os.PathLike[str] | IO[bytes] | Any,
    storage_options: Mapping[str, Any] | None = None,
) -> ByteSource:
    """Return the byte source for a path, URL or open file; the first read does the I/O.

    Parameters
    ----------
    obj : str, PathLike, open binary file or byte source
        A local path (``~`` is the home directory), any fsspec URL, also
        chained (``simplecache::s3://…``), a file opened with fsspec or
        :func:`open`, also through a wrapper, ``BytesIO``, or a byte source of
        one's own.
    storage_options : mapping, optional
        For fsspec, where ``obj`` is a URL; a local path needs none, and an
        open file has its own.

    Returns
    -------
    ByteSource
        An open file of fsspec, or one opened by its name, is read by its
        place rather than through its cache and position: several ranges at
        once, and in other processes too.

    Raises
    ------
    SelectionError
        ``obj`` is none of these.
    """
    options = _checked_options(storage_options)
    if isinstance(obj, str):
        return _from_text(obj, options)
    place = _fsspec_place(obj)
    if place is not None:
        return _from_filesystem(*place)
    if isinstance(obj, os.PathLike):
        return _from_path(os.fsdecode(obj))
    return obj if isinstance(obj, ByteSource) else _from_file(obj)


def _checked_options(given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise SelectionError(
            f"storage_options has the type {type(given).__name__}, expected a mapping of options "
            "for fsspec"
        )
    return given


def _from_text(text: str, options: Mapping[str, Any]) -> ByteSource:
    if not is_url(text):
        return LocalSource(_absolute(text))
    if "::" not in text and text.partition("://")[0] in _LOCAL_PROTOCOLS:
        from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415 - as below

        path: str = LocalFileSystem._strip_protocol(text)  # noqa: SLF001
        return LocalSource(path)
    # Local files need no fsspec: they open faster without importing it.
    from .remote import RemoteSource  # noqa: PLC0415

    return RemoteSource(URLLocation(text, dict(options)))


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - also bad names


def _from_path(path: str) -> ByteSource:
    collapsed = _COLLAPSED_URL.match(path)
    if collapsed:
        protocol = collapsed["protocol"]
        raise SelectionError(
            f"{safe_url(path)} is a URL in a pathlib.Path, which turns {protocol}:// into "
            f"{protocol}:/. Pass the URL as a string."
        )
    return LocalSource(_absolute(path))


def _fsspec_place(obj: Any) -> tuple[Any, str] | None:
    """Return filesystem and path of a file that fsspec opened, also through a wrapper."""
    filesystem, path = getattr(obj, "fs", None), getattr(obj, "path", None)
    if getattr(obj, "compression", None) or not hasattr(filesystem, "cat_file"):
        return None
    return (filesystem, path) if isinstance(path, str) else None


def _from_filesystem(filesystem: Any, path: str) -> ByteSource:
    if any(base.__name__ == "LocalFileSystem" for base in type(filesystem).__mro__):
        return LocalSource(_absolute(path))
    from .remote import RemoteSource  # noqa: PLC0415 - as above

    return RemoteSource(FilesystemLocation(filesystem, path))


def _from_file(obj: Any) -> ByteSource:
    if isinstance(obj, io.TextIOBase):
        raise SelectionError(f"{source_name(obj)} was opened as text. Open it with mode 'rb'.")
    if isinstance(obj, io.BufferedReader | io.FileIO) and isinstance(obj.name, str):
        return LocalSource(_absolute(obj.name))
    if all(hasattr(obj, method) for method in ("read", "seek", "tell")):
        return FileObjectSource(obj)
    several = isinstance(obj, Iterable) and not isinstance(obj, bytes | bytearray | memoryview)
    raise SelectionError(
        f"A granule has the type {type(obj).__name__}, expected a path, a URL or an open binary "
        f"file (io.BytesIO for bytes)."
        f"{' Pass several granules as a list: list(…)' if several else ''}"
    )
