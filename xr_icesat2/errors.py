"""What can go wrong, by the name of what went wrong.

Every error is an :class:`ICESat2Error` and also the builtin that a caller who
does not know this library would catch (``FileNotFoundError``, ``ValueError``,
``KeyError`` …). A message says what was given, what was expected and what to
do.
"""

from .printable import printable

__all__ = [
    "AccessDeniedError",
    "ChangedGranuleError",
    "CorruptGranuleError",
    "CorruptIndexError",
    "GranuleNotFoundError",
    "GroupNotFoundError",
    "ICESat2Error",
    "IdentityError",
    "LinkError",
    "MergeError",
    "NotAGranuleError",
    "NotSupportedError",
    "ProductNotFoundError",
    "SelectionError",
    "TooLargeError",
    "TransferError",
    "TransferTimeoutError",
]


class ICESat2Error(Exception):
    """Base of every error that this library raises."""

    def __str__(self) -> str:
        # Messages hold names and texts of files and servers.
        return printable(super().__str__())


class GranuleNotFoundError(ICESat2Error, FileNotFoundError):
    """Nothing lies at the path or URL."""


class AccessDeniedError(ICESat2Error, PermissionError):
    """The server, or the operating system, refuses to let us read."""


class TransferError(ICESat2Error, OSError):
    """The server answered with an error, too few bytes, or the wrong ones."""


class TransferTimeoutError(TransferError, TimeoutError):
    """No answer within the time limit."""


class ChangedGranuleError(ICESat2Error, OSError):
    """The granule was replaced after it was opened."""


class NotAGranuleError(ICESat2Error, ValueError):
    """What lies there is not HDF5, or is HDF5 but not ICESat-2."""


class CorruptGranuleError(ICESat2Error, OSError):
    """The HDF5 file is damaged or truncated."""


class NotSupportedError(ICESat2Error, NotImplementedError):
    """What was asked for is there, but it is of a kind that is not read; the message says why."""


class CorruptIndexError(ICESat2Error, OSError):
    """A file of indexes is damaged, or is none."""


class IdentityError(ICESat2Error, ValueError):
    """The evidence of which granule this is contradicts itself, or is missing where needed."""


class _NoSuchKeyError(ICESat2Error, KeyError):
    def __str__(self) -> str:
        # KeyError shows the repr of its argument; a message should read as text.
        return printable(self.args[0]) if self.args else ""


class GroupNotFoundError(_NoSuchKeyError):
    """The granule has no such group, rate or variable."""


class ProductNotFoundError(_NoSuchKeyError):
    """No product of this name is known here."""


class SelectionError(ICESat2Error, ValueError):
    """A keyword asks for something that does not exist or contradicts another."""


class TooLargeError(MemoryError, ICESat2Error):
    """What is to be read does not fit into the memory."""

    # In this order, because workers of dask make it anew by MemoryError.__new__.


class MergeError(ICESat2Error, ValueError):
    """These granules cannot be merged into one object."""


class LinkError(ICESat2Error, ValueError):
    """Rows of one rate do not lead to those of another: no pair, or a file contradicts itself."""
