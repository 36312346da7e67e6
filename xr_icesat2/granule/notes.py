"""What the log says of a granule's objects, each thing once."""

from __future__ import annotations

from collections.abc import Mapping

from xr_icesat2.printable import get_logger

from .model import LeftOut
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

    def left_out(self, nodes: Mapping[str, LeftOut]) -> None:
        """Note which objects are left out, and why."""
        new = {path: node for path, node in nodes.items() if path not in self._left_out}
        self._left_out |= new.keys()
        for damaged, cause in ((False, "not supported"), (True, "damaged")):
            listed = [f"{path} ({n.reason})" for path, n in new.items() if n.damaged == damaged]
            if listed:
                more = len(listed) - MOST_LISTED
                log.warning(
                    "%s: left out, because it is %s: %s%s",
                    self._url, cause, "; ".join(listed[:MOST_LISTED]),
                    f"; and {more} more" if more > 0 else "",
                )  # fmt: skip
