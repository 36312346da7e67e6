"""Chunk sizes of dask arrays (``preferred_chunks``), equal for all variables."""

from __future__ import annotations

import math
from collections.abc import Iterable

import xarray as xr

from xr_icesat2.environment import environment_number
from xr_icesat2.products import ALONG

from .rate_headers import BeamVariable

__all__ = ["granule_per_chunk", "rows_per_chunk", "share_chunks"]


def chunk_bytes() -> int:
    """Return the bytes of the widest variable in one dask chunk.

    ``XR_ICESAT2_CHUNK_BYTES``, else 32 MiB: large enough that few tasks do the work.
    """
    return int(environment_number("XR_ICESAT2_CHUNK_BYTES", 32 << 20, "bytes"))


def rows_per_chunk(variables: Iterable[BeamVariable], beams: int) -> int:
    """Return the rows of a dask chunk, the same for all variables of a rate.

    It is a multiple of the rows of the largest chunk in the file, so that none is read twice.

    Parameters
    ----------
    variables
        All of the rate.
    beams
        Beams that are in one dask chunk.
    """
    stored, widest = 1, 1
    for variable in variables:
        if ALONG not in variable.dims:
            continue
        chunk = getattr(variable.header.layout, "chunk_shape", None)
        stored = max(stored, chunk[0] if chunk else 1)
        columns = math.prod(variable.header.shape[1:])
        widest = max(widest, columns * max(8, variable.header.dtype.itemsize))
    rows = chunk_bytes() // (widest * max(1, beams))
    return max(1, rows // stored) * stored


def granule_per_chunk(dataset: xr.Dataset) -> None:
    """Prefer one granule a chunk, unless all granules together fit into a chunk."""
    sizes = [v.dtype.itemsize * math.prod(v.shape) for v in dataset.variables.values()]
    if max(sizes, default=0) > chunk_bytes():
        for variable in dataset.variables.values():
            if "gran_idx" in variable.dims:
                variable.encoding["preferred_chunks"] = {"gran_idx": 1}


def share_chunks(dataset: xr.Dataset) -> None:
    """Chunk variables without preferred chunks, such as ``n_obs``, like the others.

    ``Dataset.chunks`` raises where two variables are chunked differently. Nothing is read.
    """
    chunks: dict[object, int] = {}
    for variable in dataset.variables.values():
        chunks = variable.encoding.get("preferred_chunks", {}) | chunks
    for name, variable in dataset.variables.items():
        shared = {dim: chunks[dim] for dim in variable.dims if dim in chunks}
        if shared and name not in dataset.xindexes:
            variable.encoding.setdefault("preferred_chunks", shared)
