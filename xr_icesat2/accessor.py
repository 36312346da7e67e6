"""``ds.icesat2``: what this library knows of a Dataset beyond what xarray shows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import xarray as xr

__all__ = ["DatasetAccessor", "TreeAccessor"]


@xr.register_dataset_accessor("icesat2")
class DatasetAccessor:
    """Accessor of Datasets opened with ``engine="icesat2"``."""

    def __init__(self, dataset: xr.Dataset) -> None:
        self._encoding = dataset.encoding

    @property
    def source_encoding(self) -> Mapping[str, Mapping[str, Any]]:
        """How the file holds each variable.

        Returns
        -------
        mapping of str to mapping
            By variable: ``path``, ``dtype``, ``layout`` (chunked, contiguous,
            compact, foreign), ``chunks`` and ``filters``, and of the attributes
            those that decoding takes away (``_FillValue``, ``units``,
            ``coordinates``); ``pad_value`` where raw integers are padded. Of
            several parts, that of the first. Empty for a Dataset that was not
            opened with this engine.
        """
        return MappingProxyType(self._encoding.get("icesat2", {}))

    def __repr__(self) -> str:
        return f"<icesat2 accessor: source_encoding of {len(self.source_encoding)} variables>"


@xr.register_datatree_accessor("icesat2")
class TreeAccessor(DatasetAccessor):
    """The same for one node of a tree."""

    def __init__(self, tree: xr.DataTree) -> None:
        super().__init__(tree.to_dataset(inherit=False))
        self._encoding = tree.encoding
