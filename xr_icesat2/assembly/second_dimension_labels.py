"""Labels of second dimensions (cycles, percentiles): specified and stored ones."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from xr_icesat2.errors import MergeError
from xr_icesat2.hdf5.model import DatasetHeader
from xr_icesat2.reading.granule_reader import read_whole_datasets

if TYPE_CHECKING:
    from xr_icesat2.granule.granule import Granule
    from xr_icesat2.products import Labels, Rate

__all__ = [
    "label_positions",
    "labels_of_size",
    "merge_specified_labels",
    "merge_stored_labels",
    "read_labels",
]

MAX_LABELS = 4096
"""Labels of one dimension; cycles are some dozens."""


def read_labels(
    granule: Granule, rate: Rate, sizes: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, Labels]]:
    """Read the labels that beams store of dimensions; none if two labels are equal.

    Parameters
    ----------
    granule
        Where to read.
    rate
        Names the variables that store labels.
    sizes
        By path of the beam, the sizes of its dimensions.
    """
    paths = {
        (beam, dim): [posixpath.join(beam, group, name) for group in rate.groups]
        for beam, own in sizes.items()
        for dim, name in rate.label_variables.items()
        if dim in own
    }
    nodes = granule.index.load([path for some in paths.values() for path in some])
    chosen = {
        (beam, dim): next((p for p in some if _fits(nodes.get(p), sizes[beam][dim])), "")
        for (beam, dim), some in paths.items()
    }
    values = read_whole_datasets(granule, [path for path in chosen.values() if path])
    read: dict[str, dict[str, Labels]] = {beam: {} for beam in sizes}
    for (beam, dim), path in chosen.items():
        labels = tuple(values[path].tolist()) if path else ()
        read[beam][dim] = labels if len(set(labels)) == len(labels) else ()
    return read


def _fits(node: object, size: int) -> bool:
    return (
        isinstance(node, DatasetHeader)
        and node.shape == (size,)
        and node.dtype.kind in "iu"
        and size <= MAX_LABELS
    )


def merge_stored_labels(sets: Sequence[Labels]) -> Labels:
    """Return the union of the labels that beams store; none if a beam stores none."""
    if not all(sets):
        return ()
    different = set(sets)
    return different.pop() if len(different) == 1 else tuple(sorted(set().union(*different)))


def labels_of_size(sets: Sequence[Labels], size: int) -> Labels:
    """Return the specified labels for a size."""
    return next(labels for labels in sets if len(labels) == size)


@lru_cache(64)
def label_positions(labels: Labels, own: Labels) -> np.ndarray | None:
    """Return the positions of some labels among all; None if they are all labels."""
    if own == labels:
        return None
    at = {label: n for n, label in enumerate(labels)}
    return np.array([at[label] for label in own], np.int64)


def merge_specified_labels(dim: str, sets: Sequence[Labels], sizes: Collection[int]) -> Labels:
    """Return the union of specified labels for some sizes; none if unknown.

    Raises
    ------
    MergeError
        Sizes differ, and one of them has no specified labels.
    """
    known = {len(labels): labels for labels in sets if len(labels) in sizes}
    if len(known) < len(sizes):
        if len(sizes) == 1:
            return ()
        msg = (
            f"The dimension {dim} has {' and '.join(map(str, sorted(sizes)))} positions in these "
            f"granules. Labels are known for {', '.join(str(len(labels)) for labels in sets)}. "
            f"Open the granules separately, or exclude variables along {dim} with drop_variables."
        )
        raise MergeError(msg)
    if len(known) == 1:
        return known.popitem()[1]
    return tuple(sorted({label for labels in known.values() for label in labels}))
