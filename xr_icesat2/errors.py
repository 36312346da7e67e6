"""Exceptions of this library, each named after its cause.

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
    "ExistingFileError",
    "GranuleNotFoundError",
    "GroupNotFoundError",
    "ICESat2Error",
    "IdentityError",
    "LinkError",
    "MergeError",
    "MissingExtraError",
    "NotAGranuleError",
    "NotSupportedError",
    "ProductNotFoundError",
    "RateError",
    "SelectionError",
    "TooLargeError",
    "TransferError",
    "TransferTimeoutError",
]


class ICESat2Error(Exception):
    """Base of every error that this library raises."""

    def __str__(self) -> str:
        # Messages contain names and texts of files and servers.
        return printable(super().__str__())


class GranuleNotFoundError(ICESat2Error, FileNotFoundError):
    """There is no file at the path or URL."""


class AccessDeniedError(ICESat2Error, PermissionError):
    """The server or the operating system denies access."""


class TransferError(ICESat2Error, OSError):
    """The server answered with an error, too few bytes, or the wrong ones."""


class TransferTimeoutError(TransferError, TimeoutError):
    """No answer within the time limit."""


class ChangedGranuleError(ICESat2Error, OSError):
    """The granule was replaced after it was opened."""


class NotAGranuleError(ICESat2Error, ValueError):
    """The file is not HDF5, or is HDF5 but not an ICESat-2 granule."""


class CorruptGranuleError(ICESat2Error, OSError):
    """The HDF5 file is damaged or truncated."""


class NotSupportedError(ICESat2Error, NotImplementedError):
    """The requested object exists, but cannot be read; the message says why."""


class CorruptIndexError(ICESat2Error, OSError):
    """An index file is damaged, or is not an index file."""


class IdentityError(ICESat2Error, ValueError):
    """The sources of a granule's identity contradict each other, or a required one is missing."""


class _NoSuchKeyError(ICESat2Error, KeyError):
    def __str__(self) -> str:
        # KeyError shows the repr of its argument; a message should read as text.
        return printable(self.args[0]) if self.args else ""


class GroupNotFoundError(_NoSuchKeyError):
    """The granule has no such group, rate or variable."""


class ProductNotFoundError(_NoSuchKeyError):
    """No product has this name."""


class SelectionError(ICESat2Error, ValueError):
    """A keyword asks for something that does not exist or contradicts another."""


class TooLargeError(MemoryError, ICESat2Error):
    """The requested values do not fit into memory, or a file exceeds a limit."""

    # MemoryError is first, because dask's workers recreate the error by MemoryError.__new__.


class RateError(ICESat2Error, ValueError):
    """The Dataset is not one rate opened with this engine, or lacks coordinates of its rows."""


class MergeError(ICESat2Error, ValueError):
    """These granules cannot be merged into one object."""


class LinkError(ICESat2Error, ValueError):
    """Two rates cannot be linked: they are not a pair, or a file is inconsistent."""


class ExistingFileError(ICESat2Error, FileExistsError):
    """There is a file already where one would be written."""


class MissingExtraError(ICESat2Error, ImportError):
    """A package that this method needs is not installed; the message says how to install it."""
