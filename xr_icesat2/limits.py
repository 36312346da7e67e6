"""Limits that keep a hostile or damaged file from taking all time and memory."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .errors import SelectionError

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on the time and memory that one file may take, checked before the work is done.

    An object that exceeds a limit on objects is left out, with its path and the reason in the
    log and in ``ds.icesat2.left_out``. A file that exceeds a limit on files raises
    :class:`~xr_icesat2.errors.TooLargeError`. Real granules stay far below every default: the
    largest has 2,000 objects, 10 levels of groups and 20,000 chunks in a dataset.

    Parameters
    ----------
    objects : int
        Groups and datasets of one tree (a limit on files). Each takes about 5 kB in
        memory as a lazy variable. Default: 100,000.
    links : int
        Members of one group (a limit on groups). Default: 100,000.
    depth : int
        Levels of groups that a tree shows; deeper groups are left out of it and are opened by
        their path (``group=``). xarray's trees recurse once for each level, so Python's recursion
        limit ends them at some hundred levels, and their cost grows with the square of the
        depth. Default: 64.
    soft_links : int
        Soft links that may lead to one another. Default: 16, as in the HDF5 library.
    name_bytes : int
        Bytes of the name of one member of a group; a member with a longer one is left out, under
        the beginning of its name. Default: 4,096.
    attributes : int
        Attributes of all objects of one tree (a limit on files). Each takes about 100 bytes
        in addition to its value. Default: 1,000,000.
    attribute_bytes : int
        Bytes of the attributes of one object when decoded; a text counts 64 bytes more than it
        has. Default: 64 MiB.
    file_attribute_bytes : int
        The same of all objects of one file (a limit on files). Default: 128 MiB.
    chunks : int
        Chunks of one dataset. The table of its chunks takes 16 bytes for each, and reading the
        whole dataset some microseconds. Default: 1,000,000.
    chunk_bytes : int
        Bytes of one chunk when decompressed; chunks are decompressed whole, one on each
        processor at a time. Default: 256 MiB.
    string_bytes : int
        Bytes of one element of a dataset, such as a string. Default: 16 MiB.

    Examples
    --------
    >>> from xr_icesat2 import Limits
    >>> Limits(chunks=5_000_000).chunks
    5000000
    """

    objects: int = 100_000
    links: int = 100_000
    depth: int = 64
    soft_links: int = 16
    name_bytes: int = 4096
    attributes: int = 1_000_000
    attribute_bytes: int = 1 << 26
    file_attribute_bytes: int = 1 << 27
    chunks: int = 1_000_000
    chunk_bytes: int = 1 << 28
    string_bytes: int = 1 << 24

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if type(given) is not int or given < 1:
                msg = f"Limits({field.name}={given!r}): expected a whole number above 0"
                raise SelectionError(msg)

    def exceeded(self, name: str, what: str) -> str:
        """Return the message that something exceeds a limit, and how to raise it."""
        limit = getattr(self, name)
        return f"{what}, more than the limit of {limit:,}; raise it with limits=Limits({name}=…)"


DEFAULT_LIMITS = Limits()
"""Limits that apply by default."""
