"""Traverse all objects below some groups, and find objects by address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .limit_counters import LimitUsage
from .model import GroupHeader, LeftOut, Node, address_of
from .object_tree import ObjectTree
from .paths import ancestors, join

__all__ = ["Traversal"]


class Traversal:
    """Traverses the tree of a file, one level of groups after another.

    A group is entered by the first hard link to it, or by the first soft link if there is no hard
    link. Other links to it are left out, with a reason that names the group. So cycles end, and no
    more paths are visited than there are links.

    Parameters
    ----------
    tree
        The known objects of the file.
    load
        Reads objects by their paths.
    usage
        The limits.
    leave_out
        Whether a path, and everything below it, is not visited.
    """

    def __init__(
        self,
        tree: ObjectTree,
        load: Callable[[Iterable[str]], Mapping[str, Node]],
        usage: LimitUsage,
        leave_out: Callable[[str], bool],
    ) -> None:
        self._tree = tree
        self._load = load
        self._usage = usage
        self._leave_out = leave_out
        self._entered: dict[int, str] = {}
        self._found: dict[str, Node] = {}
        self._attributes = 0
        self.left_out: dict[str, LeftOut] = {}
        """Objects that are left out only because of their place."""

    def load_below(self, paths: Iterable[str]) -> dict[str, Node]:
        """Find everything at any depth below some groups, keyed by path.

        Raises
        ------
        TooLargeError
            There are more objects, or more attributes, than the limits allow.
        """
        start = {p: n for p, n in self._load(paths).items() if isinstance(n, GroupHeader)}
        level = dict(self._fresh(start))
        behind_soft_links: dict[str, GroupHeader] = {}
        while level or behind_soft_links:
            if not level:
                level, behind_soft_links = dict(self._fresh(behind_soft_links)), {}
            groups: dict[str, GroupHeader] = {}
            for path, node in self._children(level).items():
                self._found[path] = node
                if not isinstance(node, GroupHeader) or self._is_too_deep(path):
                    continue
                soft = isinstance(self._tree.link(path), str)
                (behind_soft_links if soft else groups)[path] = node
            level = dict(self._fresh(groups))
        return self._found | self.left_out

    def _children(self, groups: Mapping[str, GroupHeader]) -> Mapping[str, Node]:
        """Read the members of some groups, except groups that were entered elsewhere."""
        limits = self._usage.limits
        count = len(self._found) + sum(len(node.links) for node in groups.values())
        if count > limits.objects:
            raise self._usage.too_large("objects", f"its tree has {count:,} objects or more")
        children = self._load(self._unseen(groups))
        self._attributes += sum(
            len(node.attrs) for node in children.values() if not isinstance(node, LeftOut)
        )
        if self._attributes > limits.attributes:
            what = f"its objects have {self._attributes:,} attributes or more"
            raise self._usage.too_large("attributes", what)
        return children

    def _unseen(self, groups: Mapping[str, GroupHeader]) -> Iterator[str]:
        for path, node in groups.items():
            for name, link in node.links.items():
                child = join(path, name)
                if not self._leave_out(child) and not self._is_entered(child, link):
                    yield child

    def _fresh(self, groups: Mapping[str, GroupHeader]) -> Iterator[tuple[str, GroupHeader]]:
        """Yield the groups that were not entered yet, and mark them as entered."""
        for path, node in groups.items():
            target = self._tree.target(path)
            if self._is_entered(path, target):
                continue
            if (address := address_of(target)) is not None:
                self._entered[address] = path
            yield path, node

    def _is_entered(self, path: str, link: object) -> bool:
        address = address_of(link)
        before = None if address is None else self._entered.get(address)
        if before is None:
            return False
        reason = f"it is the same group as {before}, which is shown there"
        if before in ancestors(path):
            reason = f"it is a link back to {before}, which contains it"
        self.left_out[path] = LeftOut(reason)
        return True

    def _is_too_deep(self, path: str) -> bool:
        depth, limits = path.count("/"), self._usage.limits
        if depth <= limits.depth:
            return False
        what = f"it is {depth} levels deep"
        self.left_out[path] = LeftOut(limits.exceeded("depth", what))
        return True


class LinkTargets:
    """Finds paths of objects by their addresses, and searches each group once."""

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
            The path of an object whose enclosing groups are searched first, then all others.
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
