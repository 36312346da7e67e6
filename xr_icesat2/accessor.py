"""``ds.icesat2``: what this library knows of a Dataset or a tree beyond what xarray shows.

xarray registers accessors when a program runs, so type checkers see ``ds.icesat2`` as ``Any``.
:func:`icesat2` returns the same accessor with its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

import xarray as xr

from .assembly.unsupported_objects import left_out_of
from .errors import SelectionError
from .hdf5.model import LeftOut
from .messages import did_you_mean, some_of
from .opened_contents import contents_of_opened
from .products.contents import Contents
from .reading.load import compute_variables, load_variables

__all__ = ["DatasetAccessor", "TreeAccessor", "icesat2"]

T = TypeVar("T", bound=xr.Dataset | xr.DataTree)


class Accessor(Generic[T]):
    """What the accessors of Datasets and of trees have in common."""

    def __init__(self, opened: T) -> None:
        self._opened = opened
        self._encoding = opened.encoding

    @property
    def source_encoding(self) -> Mapping[str, Mapping[str, Any]]:
        """How the file holds each variable.

        Returns
        -------
        mapping of str to mapping
            By variable: ``path``, ``dtype``, ``layout`` (chunked, contiguous,
            compact, foreign), ``chunks`` and ``filters``, and of the attributes
            those that decoding takes away or rewords (``_FillValue``, ``units``,
            ``coordinates``, the ``long_name`` of times); ``pad_value`` where raw
            integers are padded. Of
            several parts, that of the first. Empty for a Dataset that was not
            opened with this engine.
        """
        return MappingProxyType(self._encoding.get("icesat2", {}))

    @property
    def left_out(self) -> Mapping[str, Any]:
        """What of the file is no part of this, because it is not supported, or damaged.

        Returns
        -------
        mapping of str to str
            By path in the file, the reason: links to other files, values stored in other files,
            filters that are not built in, types that numpy has not and, with ``layout="file"``,
            objects that are damaged. Attributes that are left out are keyed ``/path@name``. Of a
            tree, this node and those below. Of a list of granules a mapping of such mappings, by
            the url of each granule of which anything is left out.
            Empty where nothing is, and for what was not opened with this engine.
        """
        reasons = {
            url: {path: node.reason for path, node in paths.items()}
            for url, paths in self._left_out().items()
        }
        if isinstance(self._encoding.get("source"), list):
            return MappingProxyType(reasons)
        return MappingProxyType({p: why for paths in reasons.values() for p, why in paths.items()})

    def contents(self) -> Contents:
        """List the variables with what the file says of them; no value is read.

        Returns
        -------
        Contents
            One section for a Dataset; for a tree one a node, this one and those below, of which
            only the number is printed where it lies outside of the rates. It prints, and
            :meth:`.Contents.find` searches it, as ``xr_icesat2.products[...]`` does.
        """
        return contents_of_opened(self._nodes(), self._encoding.get("source", ""))

    def load(self, *names: str | Iterable[str], progress: bool | None = None) -> T:
        """Load variables in place, all that lie in granules in one plan.

        ``Dataset.load`` reads one variable after another, each of which waits
        for the server anew; this asks for everything at once. Chunked (dask)
        variables are computed as ``Dataset.load`` does it.

        Parameters
        ----------
        *names : str or list of str
            Variables to load; of a tree in every node that has them. Default:
            all, coordinates too.
        progress : bool, optional
            Whether a bar shows when it takes long. Default: where standard
            error is a terminal or a notebook.

        Returns
        -------
        Dataset or DataTree
            The same that was loaded.

        Raises
        ------
        SelectionError
            There is no such variable.
        NotSupportedError
            It is left out.
        CorruptGranuleError
            It is left out because it is damaged.
        """
        chosen = _listed(names)
        nodes = self._nodes().values()
        data = [str(name) for node in nodes for name in node.data_vars]
        known = dict.fromkeys([*data, *(str(name) for node in nodes for name in node.coords)])
        for name in chosen:
            if name not in known:
                self._check_supported(name)
                msg = f"no variable {name!r}.{did_you_mean(name, known)} There are {some_of(known)}"
                raise SelectionError(msg)
        # An empty list asks for nothing; no name at all for everything.
        held = [
            variable
            for node in nodes
            for name, variable in node.variables.items()
            if not names or name in chosen
        ]
        load_variables(held, progress=progress)
        compute_variables(held)
        for variable in held:
            variable.load()
        return self._opened

    def _check_supported(self, name: str) -> None:
        """Raise if a variable is left out."""
        for url, paths in self._left_out().items():
            for path, node in paths.items():
                if path.endswith(f"/{name}"):
                    raise node.error(url, path)

    def _left_out(self) -> Mapping[str, Mapping[str, LeftOut]]:
        """Return what is left out, by the url of its granule and its path in the file."""
        return left_out_of(node.encoding for node in self._nodes().values())

    def _nodes(self) -> Mapping[str, xr.Dataset]:
        """Return the Datasets by their paths, without those that a node inherits."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<icesat2 accessor: source_encoding of {len(self.source_encoding)} variables>"


def _listed(given: tuple[str | Iterable[str], ...]) -> list[str]:
    """Give names that were given one by one or as lists."""
    listed: list[Any] = []
    for one in given:
        listed += one if isinstance(one, Iterable) and not isinstance(one, str) else [one]
    for name in listed:
        if not isinstance(name, str):
            raise SelectionError(f"{name!r:.80} is no name of a variable; expected names")
    return listed


@xr.register_dataset_accessor("icesat2")
class DatasetAccessor(Accessor[xr.Dataset]):
    """Accessor of Datasets opened with ``engine="icesat2"``."""

    def _nodes(self) -> Mapping[str, xr.Dataset]:
        return {"": self._opened}


@xr.register_datatree_accessor("icesat2")
class TreeAccessor(Accessor[xr.DataTree]):
    """The same for one node of a tree, and those below it."""

    def _nodes(self) -> Mapping[str, xr.Dataset]:
        nodes = {}
        for path, [node] in xr.group_subtrees(self._opened):
            nodes[path.strip("./")] = node.to_dataset(inherit=False)
            nodes[path.strip("./")].encoding = node.encoding
        return nodes


@overload
def icesat2(opened: xr.Dataset) -> DatasetAccessor: ...
@overload
def icesat2(opened: xr.DataTree) -> TreeAccessor: ...
def icesat2(opened: xr.Dataset | xr.DataTree) -> DatasetAccessor | TreeAccessor:
    """Return the accessor ``opened.icesat2``, in a form whose type is known.

    Editors complete its methods, and type checkers check them.

    Parameters
    ----------
    opened : Dataset or DataTree
        What was opened with ``engine="icesat2"``.

    Returns
    -------
    DatasetAccessor or TreeAccessor

    Raises
    ------
    TypeError
        It is neither a Dataset nor a DataTree.

    Examples
    --------
    >>> xr_icesat2.icesat2(ds).load("h_li")  # the same as ds.icesat2.load("h_li")
    """
    if isinstance(opened, xr.DataTree):
        return TreeAccessor(opened)
    if isinstance(opened, xr.Dataset):
        return DatasetAccessor(opened)
    msg = f"icesat2() takes a Dataset or a DataTree, not {type(opened).__name__}"
    raise TypeError(msg)
