"""The paths of objects of which a file tells the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .model import GroupHeader, Node, address_of
from .paths import ancestors, join

__all__ = ["LinkTargets"]


class LinkTargets:
    """Finds objects by their addresses, each group looked through once."""

    def __init__(self) -> None:
        self._names: dict[str, dict[int, str]] = {}
        self._everywhere: dict[int, str] | None = None

    def path(
        self,
        address: int,
        near: str,
        group: Callable[[str], GroupHeader],
        below: Callable[[Iterable[str]], Mapping[str, Node]],
    ) -> str | None:
        """Return the path of an object; None if nothing leads to it.

        Parameters
        ----------
        address
            Of its header.
        near
            The path of an object. The groups around that come first, then any other.
        group
            Reads a group by its path.
        below
            Reads everything below some groups.
        """
        for around in ancestors(near):
            if around not in self._names:
                self._names[around] = _names(group(around))
            if address in self._names[around]:
                return join(around, self._names[around][address])
        if self._everywhere is None:
            self._everywhere = _paths(below(["/"]))
        return self._everywhere.get(address)


def _paths(nodes: Mapping[str, Node]) -> dict[int, str]:
    """Return the first path of each object that a group links to."""
    paths: dict[int, str] = {}
    for group, node in nodes.items():
        if isinstance(node, GroupHeader):
            for address, name in _names(node).items():
                paths.setdefault(address, join(group, name))
    return paths


def _names(group: GroupHeader) -> dict[int, str]:
    """Return the first name of each object that a group links to."""
    names: dict[int, str] = {}
    for name, link in group.links.items():
        address = address_of(link)
        if address is not None:
            names.setdefault(address, name)
    return names
