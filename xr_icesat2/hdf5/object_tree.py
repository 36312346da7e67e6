"""The known groups and datasets of a granule, and the links between them."""

from __future__ import annotations

from collections.abc import Mapping

from xr_icesat2.messages import some_of

from .model import ExternalLink, GroupHeader, LeftOut, LinkTarget, MisnamedLink, Node, OverlongLink
from .paths import ancestors, join, parent, split_path, way

__all__ = ["ObjectTree"]

MAX_PATH_NAMES = 256
"""Names in the path of a soft link; one of more leads nowhere."""
NAMES_LISTED = 100


class ObjectTree:
    """Known objects by path. It reads nothing.

    Parameters
    ----------
    nodes
        Objects that are known already.
    root
        The link to the root group, once it is known.
    soft_links
        How many soft links may lead to one another before they count as a cycle.

    Attributes
    ----------
    nodes : dict of str to Node
    root : int or None
    left_out_of_trees : dict of str to LeftOut
        Objects that trees leave out because of their place, or because they are damaged. Requested
        by path, such an object is read or raises an error.
    """

    def __init__(self, nodes: Mapping[str, Node], root: int | None, soft_links: int) -> None:
        self.nodes = dict(nodes)
        self.root = root
        self.left_out_of_trees: dict[str, LeftOut] = {}
        self._soft_links = soft_links

    def step(self, path: str, depth: int) -> str | None:
        """Return the first ``depth`` names of a path, if the object and its groups exist."""
        steps = way(path)
        if depth >= len(steps):
            return None
        step = steps[depth]
        return step if step in self.nodes or self.link(step) is not None else None

    def link(self, path: str) -> LinkTarget | LeftOut | None:
        """Return the link to an object, if its group was read.

        Everything below an object that is left out is left out.
        """
        if path == "/":
            return self.root
        around, name = split_path(path)
        group = self.nodes.get(around)
        if isinstance(group, LeftOut):
            return self._below_left_out(path)
        return group.links.get(name) if isinstance(group, GroupHeader) else None

    def _below_left_out(self, path: str) -> LeftOut:
        found = ((outer, self.nodes.get(outer)) for outer in reversed(ancestors(path)))
        outer, node = next((o, node) for o, node in found if isinstance(node, LeftOut))
        return LeftOut(f"it is inside {outer}, which is left out: {node.reason}")

    def target(self, path: str) -> int | LeftOut | None:
        """Return the link to an object; None if it, or an enclosing group, is not known."""
        for _ in range(self._soft_links):
            link = self.link(path)
            if isinstance(link, ExternalLink | MisnamedLink | OverlongLink):
                return LeftOut(link.reason, isinstance(link, OverlongLink))
            if not isinstance(link, str):
                return link
            goal = self.goal(path)
            if goal is None:
                return None
            path = goal
        return None

    def goal(self, path: str) -> str | None:
        """Return the path that a soft link leads to; None if it is none, or leads nowhere."""
        link = self.link(path)
        if not isinstance(link, str) or link.count("/") > MAX_PATH_NAMES:
            return None
        # To the HDF5 library `..` is an ordinary name, and no object here has it.
        return None if ".." in link.split("/") else join(parent(path), link)

    def left_out(self) -> dict[str, LeftOut]:
        """Return each object that was found and is not read, keyed by path.

        Objects below such an object are not listed, because they are not read.
        """
        nodes = list((self.nodes | self.left_out_of_trees).items())
        found = {path: node for path, node in nodes if isinstance(node, LeftOut)}
        return {
            path: found[path] for path in sorted(found) if found.keys().isdisjoint(ancestors(path))
        }

    def describe_lack(self, path: str) -> str:
        """Name a path that does not exist, and the members of the innermost group that does."""
        for group in ancestors(path):
            node = self.nodes.get(group)
            if isinstance(node, GroupHeader):
                return f"{path}; {group} contains: {some_of(sorted(node.links), NAMES_LISTED)}"
        return path
