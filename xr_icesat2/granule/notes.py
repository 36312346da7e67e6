"""What the log says of a granule's objects, each thing once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xr_icesat2.printable import get_logger

from .model import LeftOut, Node
from .paths import ancestors

__all__ = ["Notes"]

log = get_logger(__name__)

MOST_LISTED = 20
"""Objects that are left out, of which one line of the log says why."""


class Notes:
    """The log of one granule.

    Parameters
    ----------
    url
        Of the granule.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._slow: set[str] = set()
        self._left_out: set[str] = set()

    def slow(self, path: str, reason: str) -> None:
        """Note that an object, and all below it, is read through the HDF5 library."""
        if not self._slow.isdisjoint([path, *ancestors(path)]):
            return
        self._slow.add(path)
        log.warning(
            "%s: %s is read through the HDF5 library, which is slower: %s", self._url, path, reason
        )

    def left_out(self, nodes: Mapping[str, Node], paths: Iterable[str]) -> None:
        """Note which objects are left out, and why."""
        listed = []
        for path in paths:
            node = nodes.get(path)
            if isinstance(node, LeftOut) and path not in self._left_out:
                self._left_out.add(path)
                listed.append(f"{path} ({node.reason})")
        if listed:
            more = f"; and {len(listed) - MOST_LISTED} more" if len(listed) > MOST_LISTED else ""
            log.warning(
                "%s: left out, because it is not supported: %s%s",
                self._url, "; ".join(listed[:MOST_LISTED]), more,
            )  # fmt: skip
