"""How xarray's indexers reach an array that can be indexed dimension by dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xarray.core import indexing

__all__ = ["index_outer"]


def index_outer(
    key: indexing.ExplicitIndexer,
    shape: tuple[int, ...],
    read: Callable[[tuple[Any, ...]], np.ndarray],
) -> np.ndarray:
    """Read through ``read``, which takes an int, slice or 1-D array for each dimension.

    Basic and outer indexers are passed as they are, slices of any step included;
    only pointwise ones are taken apart by xarray.
    """
    if isinstance(key, indexing.BasicIndexer | indexing.OuterIndexer):
        return read(key.tuple)
    result: np.ndarray = indexing.explicit_indexing_adapter(
        key, shape, indexing.IndexingSupport.OUTER, read
    )
    return result
