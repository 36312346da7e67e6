"""Log what is left out of a file, or read through the HDF5 library, once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xr_icesat2.printable import get_logger

from .model import LeftOut
from .paths import ancestors

__all__ = ["FileLog"]

log = get_logger(__name__)

MAX_LISTED = 20
"""Objects or attributes that one line of the log lists with their reasons."""


class FileLog:
    """Log messages about one file, each once.

    Parameters
    ----------
    url
        Of the file.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._slow: set[str] = set()
        self._has_texts = False
        self._left_out: set[str] = set()
        self._attributes: set[str] = set()

    def reading_by_h5py(self, path: str, reason: str) -> None:
        """Log that an object, and everything below it, is read through the HDF5 library."""
        if not self._slow.isdisjoint([path, *ancestors(path)]):
            return
        self._slow.add(path)
        log.warning(
            "%s: %s is read through the HDF5 library, which is slower: %s", self._url, path, reason
        )

    def texts_by_h5py(self, path: str, reason: str) -> None:
        """Log the first of the small text datasets that are read through the HDF5 library."""
        if self._has_texts:
            return
        self._has_texts = True
        log.info(
            "%s: texts such as %s are read through the HDF5 library: %s", self._url, path, reason
        )

    def left_out(self, nodes: Mapping[str, LeftOut]) -> None:
        """Log which objects are left out, and why, each once."""
        new = {path: node for path, node in nodes.items() if path not in self._left_out}
        self._left_out |= new.keys()
        for damaged, cause in ((False, "not supported"), (True, "damaged")):
            listed = [f"{path} ({n.reason})" for path, n in new.items() if n.damaged == damaged]
            if listed:
                log.warning("%s: left out, because it is %s: %s", self._url, cause, _listed(listed))

    def attributes(self, left_out: Mapping[str, LeftOut]) -> None:
        """Log the attributes that are left out, keyed ``/path@name``, each once."""
        new = {path: node for path, node in left_out.items() if path not in self._attributes}
        self._attributes |= new.keys()
        if new:
            listed = [f"{path} ({node.reason})" for path, node in new.items()]
            log.warning("%s: attributes left out: %s", self._url, _listed(listed))


def _listed(objects: Sequence[str]) -> str:
    more = len(objects) - MAX_LISTED
    rest = [f"and {more} more"] if more > 0 else []
    return "; ".join([*objects[:MAX_LISTED], *rest])
