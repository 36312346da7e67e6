"""Blocks of dask arrays (``preferred_chunks``): one grid for all variables of a Dataset."""

from __future__ import annotations

import math

import xarray as xr

__all__ = ["BLOCK_BYTES", "prefer_granules", "share_blocks"]

BLOCK_BYTES = 32 << 20
"""Bytes of the widest variable in one dask block: large enough that few tasks do the work."""


def prefer_granules(dataset: xr.Dataset) -> None:
    """Let a block hold one granule, unless all granules together are smaller than a block."""
    sizes = [v.dtype.itemsize * math.prod(v.shape) for v in dataset.variables.values()]
    if max(sizes, default=0) > BLOCK_BYTES:
        for variable in dataset.variables.values():
            if "gran_idx" in variable.dims:
                variable.encoding["preferred_chunks"] = {"gran_idx": 1}


def share_blocks(dataset: xr.Dataset) -> None:
    """Divide what has no blocks of its own, such as ``rgt`` and ``n_obs``, like the others.

    ``Dataset.chunks`` raises where two variables are divided differently. Nothing is read.
    """
    blocks: dict[object, int] = {}
    for variable in dataset.variables.values():
        blocks = variable.encoding.get("preferred_chunks", {}) | blocks
    for name, variable in dataset.variables.items():
        shared = {dim: blocks[dim] for dim in variable.dims if dim in blocks}
        if shared and name not in dataset.xindexes:
            variable.encoding.setdefault("preferred_chunks", shared)
