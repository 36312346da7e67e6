"""``ds.icesat2``: how a Dataset is stored, what is left out, and its contents.

xarray registers accessors when a program runs, so type checkers see ``ds.icesat2`` as ``Any``.
:func:`icesat2` returns the same accessor with its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import xarray as xr

from .assembly.unsupported_objects import read_left_out
from .dataset_contents import contents_of_opened
from .errors import SelectionError
from .hdf5.model import LeftOut
from .messages import did_you_mean, some_of
from .plotting.accessor_methods import PictureMethods
from .products.contents_table import Contents
from .quality_and_citation_methods import QualityAndCitationMethods
from .reading.load import compute_variables, load_variables
from .repeat_tracks.accessor_methods import RepeatTrackMethods
from .tables.accessor_methods import TableMethods
from .time_window import TimeBound

if TYPE_CHECKING:
    pass

__all__ = ["DatasetAccessor", "TreeAccessor", "icesat2"]

T = TypeVar("T", bound=xr.Dataset | xr.DataTree)


class Accessor(QualityAndCitationMethods, TableMethods, PictureMethods, Generic[T]):
    """The common part of the accessors of Datasets and of trees."""

    _opened: T

    def __init__(self, opened: T) -> None:
        self._opened = opened
        self._encoding = opened.encoding

    @property
    def source_encoding(self) -> Mapping[str, Mapping[str, Any]]:
        """How the file stores each variable.

        Returns
        -------
        mapping of str to mapping
            By variable: ``path``, ``dtype``, ``layout`` (chunked, contiguous,
            compact, h5py), ``chunks`` and ``filters``, and the attributes
            that decoding removes or changes (``_FillValue``, ``units``,
            ``coordinates``, the ``long_name`` of times); ``pad_value`` if raw
            integers are padded; ``product`` and ``release`` of variables that ``attach=`` took
            from granules of another product. If a variable has several parts, this describes
            the first. Empty for a Dataset that was not opened with this engine.
        """
        return MappingProxyType(self._encoding.get("icesat2", {}))

    @property
    def left_out(self) -> Mapping[str, Any]:
        """Objects of the file that are left out, because they are unsupported or damaged.

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
        """List the variables with their attributes; no value is read.

        Returns
        -------
        Contents
            One section for a Dataset; for a tree one a node, this one and those below, of which
            only the number is printed for groups that are in no rate. It prints, and
            :meth:`.Contents.find` searches it, as ``xr_icesat2.products[...]`` does.
        """
        return contents_of_opened(self._nodes(), self._encoding.get("source", ""))

    def load(self, *names: str | Iterable[str], progress: bool | None = None) -> T:
        """Load variables in place, with all requests sent together.

        ``Dataset.load`` reads one variable after another, so the round trips of
        all variables add up. Chunked (dask) variables are computed as
        ``Dataset.load`` does.

        Parameters
        ----------
        *names : str or list of str
            Variables to load, in every node of a tree that has them. Default:
            all, including coordinates.
        progress : bool, optional
            Whether a progress bar is shown for long loads. Default: if standard
            error is a terminal or a notebook.

        Returns
        -------
        Dataset or DataTree
            The same object.

        Raises
        ------
        SelectionError
            A variable does not exist.
        NotSupportedError
            A variable is left out.
        CorruptGranuleError
            A variable is left out because it is damaged.
        """
        chosen = _listed(names)
        nodes = self._nodes().values()
        data = [str(name) for node in nodes for name in node.data_vars]
        known = dict.fromkeys([*data, *(str(name) for node in nodes for name in node.coords)])
        for name in chosen:
            if name not in known:
                self._check_supported(name)
                msg = (
                    f"There is no variable {name!r}.{did_you_mean(name, known)} The variables are: "
                    f"{some_of(known)}"
                )
                raise SelectionError(msg)
        # An empty list loads nothing; without arguments, everything is loaded.
        variables = [
            variable
            for node in nodes
            for name, variable in node.variables.items()
            if not names or name in chosen
        ]
        load_variables(variables, progress=progress)
        compute_variables(variables)
        for variable in variables:
            variable.load()
        return self._opened

    def clip(
        self,
        region: Any = None,
        *,
        exact: bool = False,
        time: Sequence[TimeBound] | None = None,
    ) -> T:
        """Select the rows inside a region, in a window of time, or both.

        The result equals that of opening with ``region=`` and ``time=``, which reads less. It is as
        lazy as the original, which is not changed.

        Parameters
        ----------
        region : optional
            An area, as for the keyword ``region`` of the engine.
        exact : bool
            What the engine calls ``region_exact``: select photons of ATL03 by their own place and
            time, instead of by those of their 20 m segment. A tree has the segments. For a Dataset
            of photons they are read from the granule, as long as one of its variables is lazy and
            not made of dask arrays.
        time : (start, end), optional
            A window of time, as for the keyword ``time`` of the engine.

        Returns
        -------
        Dataset or DataTree
            With the coordinates ``n_rows``, the number of selected rows, and ``source_row``.

        Raises
        ------
        RateError
            The Dataset is of no rate.
        SelectionError
            Neither a region nor a window is given, or rows cannot be located.
        """
        from .assembly.clip import clip_nodes  # noqa: PLC0415 - assembles Datasets
        from .assembly.row_filter import make_row_filter  # noqa: PLC0415

        return self._of_nodes(clip_nodes(self._whole_nodes(), make_row_filter(region, exact, time)))

    def _whole_nodes(self) -> Mapping[str, xr.Dataset]:
        """Return the Datasets by their paths, with inherited coordinates."""
        raise NotImplementedError

    def _of_nodes(self, nodes: Mapping[str, xr.Dataset]) -> T:
        """Return the object with other Datasets."""
        raise NotImplementedError

    def _check_supported(self, name: str) -> None:
        """Raise if a variable is left out."""
        for url, paths in self._left_out().items():
            for path, node in paths.items():
                if path.endswith(f"/{name}"):
                    raise node.error(url, path)

    def _left_out(self) -> Mapping[str, Mapping[str, LeftOut]]:
        """Return what is left out, by URL of the granule and path in the file."""
        return read_left_out(node.encoding for node in self._nodes().values())

    def _nodes(self) -> Mapping[str, xr.Dataset]:
        """Return the Datasets by their paths, without inherited coordinates."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<icesat2 accessor: source_encoding of {len(self.source_encoding)} variables>"


def _listed(given: tuple[str | Iterable[str], ...]) -> list[str]:
    """Return names that were passed one by one or as lists."""
    listed: list[Any] = []
    for one in given:
        listed += one if isinstance(one, Iterable) and not isinstance(one, str) else [one]
    for name in listed:
        if not isinstance(name, str):
            raise SelectionError(
                f"{name!r:.80} is not a name. Pass names of variables, as strings."
            )
    return listed


@xr.register_dataset_accessor("icesat2")
class DatasetAccessor(RepeatTrackMethods, Accessor[xr.Dataset]):
    """Accessor of Datasets opened with ``engine="icesat2"``."""

    def _nodes(self) -> Mapping[str, xr.Dataset]:
        return {"": self._opened}

    def _whole_nodes(self) -> Mapping[str, xr.Dataset]:
        return self._nodes()

    def _of_nodes(self, nodes: Mapping[str, xr.Dataset]) -> xr.Dataset:
        return nodes[""]


@xr.register_datatree_accessor("icesat2")
class TreeAccessor(Accessor[xr.DataTree]):
    """Accessor of a node of a tree, and of the nodes below it."""

    def _nodes(self) -> Mapping[str, xr.Dataset]:
        nodes = {}
        for path, [node] in xr.group_subtrees(self._opened):
            nodes[path.strip("./")] = node.to_dataset(inherit=False)
            nodes[path.strip("./")].encoding = node.encoding
        return nodes

    def _whole_nodes(self) -> Mapping[str, xr.Dataset]:
        nodes = {}
        for path, [node] in xr.group_subtrees(self._opened):
            nodes[path.strip("./")] = node.to_dataset()
            nodes[path.strip("./")].encoding = node.encoding
        return nodes

    def _of_nodes(self, nodes: Mapping[str, xr.Dataset]) -> xr.DataTree:
        tree = xr.DataTree.from_dict({f"/{path}": dataset for path, dataset in nodes.items()})
        for path, [node] in xr.group_subtrees(tree):
            node.encoding = nodes[path.strip("./")].encoding
        return tree


@overload
def icesat2(opened: xr.Dataset) -> DatasetAccessor: ...
@overload
def icesat2(opened: xr.DataTree) -> TreeAccessor: ...
def icesat2(opened: xr.Dataset | xr.DataTree) -> DatasetAccessor | TreeAccessor:
    """Return the accessor ``opened.icesat2`` with its type.

    Editors complete its methods, and type checkers check them.

    Parameters
    ----------
    opened : Dataset or DataTree
        Opened with ``engine="icesat2"``.

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
