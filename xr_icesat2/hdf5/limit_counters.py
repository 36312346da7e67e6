"""Count what a file uses of its limits while it is parsed."""

from __future__ import annotations

import math

import numpy as np

from xr_icesat2.errors import TooLargeError
from xr_icesat2.limits import Limits

from .model import Chunked, GroupHeader, Object, OverlongLink
from .parser_driver import OverLimitError

__all__ = ["TEXT_BYTES", "LimitUsage"]

TEXT_BYTES = 64
"""Bytes of a text in memory in addition to its characters."""
SHOWN_BYTES = 64
"""Bytes shown of a name that is too long."""
FEW_BYTES = 1 << 10
"""Bytes of one element of a dataset; longer fill values count like attributes."""
TIMES_PARSED = 4
"""How often the links of one group may be parsed: by prefetch, and for further paths."""


class LimitUsage:
    """Counts what the objects of a file use of its limits.

    Parameters
    ----------
    limits
        The limits.
    url
        Name of the file in messages.
    """

    def __init__(self, limits: Limits, url: str) -> None:
        self.limits = limits
        self.url = url
        self._links = 0
        self._attribute_bytes = 0

    def use_links(self, count: int) -> None:
        """Count the links of one group, before they are read.

        Raises
        ------
        OverLimitError
            The group has too many.
        TooLargeError
            All groups together have too many.
        """
        if count > self.limits.links:
            raise OverLimitError(self.limits.exceeded("links", f"it has {count:,} members"))
        self._links += count
        if self._links > TIMES_PARSED * self.limits.objects:
            raise self.too_large("objects", "the file has more than that many links")

    def use_attribute_bytes(self, count: int, before: int = 0) -> int:
        """Count bytes of attributes, before they are read; return those of the whole object.

        Parameters
        ----------
        count
            Bytes that are to be read or decoded now.
        before
            Bytes of the same object that were counted before.

        Raises
        ------
        OverLimitError
            The object has too many.
        TooLargeError
            All objects together have too many.
        """
        total = before + count
        if total > self.limits.attribute_bytes:
            what = f"it has {total:,} bytes of attributes"
            raise OverLimitError(self.limits.exceeded("attribute_bytes", what))
        self._attribute_bytes += count
        if self._attribute_bytes > self.limits.file_attribute_bytes:
            what = f"its objects have more than {self._attribute_bytes:,} bytes of attributes"
            raise self.too_large("file_attribute_bytes", what)
        return total

    def overlong(self, name: bytes) -> OverlongLink | None:
        """Return a placeholder for a link whose name is too long; None for other links."""
        max_bytes = self.limits.name_bytes
        if len(name) <= max_bytes:
            return None
        text = name[:SHOWN_BYTES].decode("utf-8", "ignore").replace("/", "%2F")
        reason = self.limits.exceeded("name_bytes", f"its name has {len(name):,} bytes")
        return OverlongLink(f"{text}…", reason)

    def use_element(self, length: int) -> None:
        """Count the fill value of a dataset, before it is made, if its elements are long.

        Raises
        ------
        OverLimitError
            Each element, such as a string, has too many bytes.
        """
        if length > self.limits.string_bytes:
            what = f"each of its elements has {length:,} bytes"
            raise OverLimitError(self.limits.exceeded("string_bytes", what))
        if length > FEW_BYTES:
            self.use_attribute_bytes(length)

    def check_chunks(
        self, shape: tuple[int, ...], chunk_shape: tuple[int, ...], item_size: int
    ) -> None:
        """Raise :class:`OverLimitError` if a dataset has too many chunks, or too large ones."""
        count = math.prod(-(-n // c) for n, c in zip(shape, chunk_shape, strict=True))
        nbytes = math.prod(chunk_shape) * item_size
        if count > self.limits.chunks:
            raise OverLimitError(self.limits.exceeded("chunks", f"it has {count:,} chunks"))
        if nbytes > self.limits.chunk_bytes:
            what = f"its chunks have {nbytes:,} bytes"
            raise OverLimitError(self.limits.exceeded("chunk_bytes", what))

    def may_exceed(self, node: Object) -> bool:
        """Whether an object from an index, perhaps read with other limits, may exceed a limit."""
        limits = self.limits
        if sum(map(_stored_bytes, node.attrs.values())) > limits.attribute_bytes:
            return True
        if isinstance(node, GroupHeader):
            lengths = map(len, node.links)
            return len(node.links) > limits.links or max(lengths, default=0) > limits.name_bytes
        try:
            if isinstance(node.layout, Chunked):
                self.check_chunks(node.shape, node.layout.chunk_shape, node.dtype.itemsize)
        except OverLimitError:
            return True
        return node.dtype.itemsize > limits.string_bytes

    def too_large(self, name: str, what: str) -> TooLargeError:
        """Return the error that the file as a whole exceeds a limit."""
        return TooLargeError(f"{self.url}: {self.limits.exceeded(name, what)}")


def _stored_bytes(value: object) -> int:
    """Return the bytes of an attribute in the file, or more."""
    return len(value) if isinstance(value, str | bytes) else np.asarray(value).nbytes
