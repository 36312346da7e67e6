"""The fsspec filesystem and path of a file, from a URL or from an open file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from xr_icesat2.errors import ICESat2Error, SelectionError, TransferError

from . import request_limits as limits
from .redaction import safe_text, safe_url

__all__ = ["S3_OPTIONS", "FileLocation", "FilesystemLocation", "URLLocation"]

S3_OPTIONS = ("anon", "endpoint_url", "key", "profile", "secret", "token")
"""Storage options that S3 takes and others do not."""
_S3 = {"s3", "s3a"}
# Filesystems whose constructors ask nobody anything.
_QUIET = _S3 | {
    *("http", "https", "gs", "gcs", "abfs", "az", "icesat2", "memory", "file", "local"),
    *("simplecache", "filecache", "blockcache"),
}


class FileLocation(Protocol):
    """The filesystem and path of a granule; can be pickled."""

    @property
    def name(self) -> str:
        """URL without secrets."""
        ...

    @property
    def asks_no_network(self) -> bool:
        """Whether :meth:`resolve` certainly makes no request."""
        ...

    def resolve(self) -> tuple[Any, str]:
        """Return a synchronous filesystem of this process, and the path in it."""
        ...


@dataclass(frozen=True)
class URLLocation:
    """A granule at a URL.

    Attributes
    ----------
    url : str
        For fsspec; may be chained.
    options : mapping
        Storage options, handed to fsspec.
    """

    url: str = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """URL without secrets."""
        return safe_url(self.url)

    @property
    def asks_no_network(self) -> bool:
        """Whether resolving certainly makes no request."""
        return all(link.partition("://")[0] in _QUIET for link in self.url.split("::"))

    def resolve(self) -> tuple[Any, str]:
        """Return the filesystem that fsspec makes of URL and options, and the path in it.

        Raises
        ------
        SelectionError
            fsspec does not know the protocol, or the filesystem not the options.
        TransferError
            The package for this protocol is not installed.
        """
        from fsspec.core import url_to_fs  # noqa: PLC0415 - local files do without

        options = _synchronous(self.options)
        ours = self.url.partition("://")[0] in _S3
        try:
            filesystem, path = url_to_fs(self.url, **(_tuned(options) if ours else options))
        except ICESat2Error:
            raise
        except ImportError as error:
            raise TransferError(
                f"Cannot read {self.name}: a package is missing ({error}). Install it with pip."
            ) from error
        except (TypeError, ValueError) as error:
            raise SelectionError(
                f"fsspec cannot open {self.name}: {safe_text(str(error))}. Check the protocol "
                "(s3://, https://, …) and storage_options."
            ) from error
        if ours:
            filesystem.retries = 1
        return filesystem, path


def _synchronous(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in {"asynchronous", "loop"}}


def _tuned(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options for s3fs without its retries, and with as many connections as we use.

    By default botocore tries 5 times, s3fs again 25 times, and 10 connections
    are open at most.
    """
    config = {
        "max_pool_connections": limits.MAX_CONCURRENT_REQUESTS,
        "retries": {"total_max_attempts": 1},
        **options.get("config_kwargs", {}),
    }
    return {**options, "config_kwargs": config}


@dataclass(frozen=True)
class FilesystemLocation:
    """A granule in a filesystem that the user opened.

    Attributes
    ----------
    filesystem : fsspec.AbstractFileSystem
        Pickles as its class and options.
    path : str
        In that filesystem.
    """

    filesystem: Any = field(repr=False)
    path: str = field(repr=False)

    @property
    def name(self) -> str:
        """URL without secrets."""
        return safe_url(str(self.filesystem.unstrip_protocol(self.path)))

    asks_no_network = True

    def resolve(self) -> tuple[Any, str]:
        """Return the filesystem itself, or an equal one if it cannot be used from here."""
        filesystem = self.filesystem
        elsewhere = getattr(filesystem, "_pid", os.getpid()) != os.getpid()
        if elsewhere or getattr(filesystem, "asynchronous", False):
            options = _synchronous(filesystem.storage_options)
            filesystem = type(filesystem)(*filesystem.storage_args, **options)
        return filesystem, self.path
