"""A Dataset of the selected rows of an opened rate, as if it had been opened with ``region=``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.core import indexing
from xarray.indexes import PandasIndex

from xr_icesat2.links.file_row_numbers import Beam, load_values
from xr_icesat2.links.row_range_map import RangeMap
from xr_icesat2.reading.row_ranges import RowRanges

from .clipped_rows import GatheredRows
from .flat_row_coordinates import RunArray, row_labels
from .opened_rate_rows import OpenedRows
from .source_row_coordinate import SourceRowArray, source_row_attrs

__all__ = ["clip_rate", "without_granules"]

ROW_NUMBER = "number among the selected rows of the beam; source_row is the row of the file"


def clip_rate(
    rows: OpenedRows, kept: Mapping[Beam, RowRanges], granules: Sequence[int]
) -> xr.Dataset:
    """Return the selected rows.

    Parameters
    ----------
    rows
        The opened rate.
    kept
        Rows of the file that are selected, by beam; those that the Dataset lacks are ignored.
    granules
        ``gran_idx`` of the granules with a row inside.
    """
    *outer, along = rows.track.dims
    size = rows.track.shape[-1]
    positions = {
        beam: _positions(ranges, kept[beam]) for beam, ranges in rows.maps.items() if beam in kept
    }
    selected: dict[tuple[int, ...], RowRanges] = {}
    for number, at in enumerate(np.ndindex(*rows.track.shape[:-1])):
        start, stop = number * size, (number + 1) * size
        here = [one for one in positions.values() if _reaches(one, start, stop)]
        selected[at] = _joined(here, RowRanges.of_range(start, stop)).shifted(-start)
    sizes = dict(zip(rows.track.dims, rows.track.shape, strict=True))
    gathered = GatheredRows(rows.track.dims, selected, sizes)
    dataset = rows.opened.dataset
    variables: dict[Any, xr.Variable] = {
        name: gathered.gather(variable, _padding(dataset, str(name), variable))
        for name, variable in dataset.variables.items()
        if name != along
    }
    variables |= _counts(rows, positions, selected)
    if outer:
        variables["source_row"] = _source_rows(rows, kept, gathered, variables.get("source_row"))
    ours = [*dataset.coords, "n_rows", "beam_n_rows", "source_row"]
    coords = {name: variables[name] for name in ours if name in variables}
    data = {name: v for name, v in variables.items() if name not in coords and name in dataset}
    attrs = {**dataset[along].attrs, "granules": list(granules)}
    index = _row_numbers(rows, gathered.length, attrs) if outer else _labels(rows, positions, attrs)
    plain = {n: c for n, c in coords.items() if n not in dataset.xindexes}
    indexes = {n: index for n, index in dataset.xindexes.items() if n != along}
    labels = xr.Coordinates({n: dataset.variables[n] for n in indexes}, indexes)
    clipped = xr.Dataset(data, plain, dataset.attrs).assign_coords(labels).assign_coords(index)
    clipped.encoding = dataset.encoding
    return clipped


def without_granules(
    dataset: xr.Dataset, granules: Sequence[int], before: Sequence[int]
) -> xr.Dataset:
    """Keep only some granules of a Dataset of which they are a dimension.

    ``before`` are all of them, in their order.
    """
    encoding = dataset.encoding
    for dim, name in (("gran_idx",) * 2, ("granule", "gran_idx"), ("beam_idx", "beam_gran_idx")):
        labels = dataset.variables.get(name)
        if dim not in dataset.dims:
            continue
        if labels is None and dataset.sizes[dim] == len(before):
            numbers = np.array(before)
        elif labels is not None and labels.dims == (dim,):
            numbers = labels.to_numpy()
        else:
            continue
        inside = np.isin(numbers, list(granules))
        if not inside.all():
            dataset = dataset.isel({dim: inside})
    dataset.encoding = encoding
    return dataset


def _positions(ranges: RangeMap, kept: RowRanges) -> RowRanges:
    """Return the positions of the rows of a beam that are selected."""
    ends = ranges.starts + ranges.lengths
    edges = np.unique(np.concatenate([kept.starts, kept.stops, ranges.starts, ends]))
    at = ranges.find(edges[:-1])
    heads = np.flatnonzero(kept.contains(edges[:-1]) & (at >= 0))
    return RowRanges.of_ranges(at[heads], at[heads] + edges[heads + 1] - edges[heads])


def _reaches(rows: RowRanges, start: int, stop: int) -> bool:
    return bool(len(rows.starts)) and rows.starts[0] < stop and rows.stops[-1] > start


def _joined(several: Sequence[RowRanges], within: RowRanges) -> RowRanges:
    empty = np.empty(0, np.int64)
    joined = RowRanges.of_ranges(
        np.concatenate([empty, *(one.starts for one in several)]),
        np.concatenate([empty, *(one.stops for one in several)]),
    )
    return joined.intersection(within)


def _padding(dataset: xr.Dataset, name: str, variable: xr.Variable) -> Any:
    """Return the value of padding, which is that of the engine."""
    kind = variable.dtype.kind
    if kind in "fc":
        return variable.attrs.get("_FillValue", np.nan)  # it is an attribute of raw values
    if kind in "mM":
        return np.array("NaT", variable.dtype)[()]
    source = dataset.encoding.get("icesat2", {}).get(name, {})
    given = source.get("pad_value", variable.attrs.get("_FillValue"))
    if given is not None:
        return given
    if name == "source_row":
        return -1
    return np.iinfo(variable.dtype).max if kind in "iu" else variable.dtype.type()


def _counts(
    rows: OpenedRows,
    positions: Mapping[Beam, RowRanges],
    selected: Mapping[tuple[int, ...], RowRanges],
) -> dict[str, xr.Variable]:
    """Return ``n_rows``, and ``n_obs`` as described in selected Datasets."""
    dataset, name = rows.opened.dataset, rows.opened.name
    *outer, along = rows.track.dims
    n_obs = dataset["n_obs"].variable.copy(deep=False)
    if outer:
        counts = np.array([one.count for one in selected.values()], np.int64)
        dim = rows.track.dims[-2]
        n_rows = xr.Variable(
            outer,
            counts.reshape(rows.track.shape[:-1]),
            {"long_name": f"selected rows of {name or dim}"},
        )
        n_obs.attrs = {**n_obs.attrs, "long_name": f"rows of {name or dim} in the file"}
        return {"n_rows": n_rows, "n_obs": n_obs}
    attrs = {"long_name": f"selected rows of the beam: {name}"}
    counts, lengths = _by_position(positions, [one.count for one in positions.values()])
    runs = indexing.LazilyIndexedArray(RunArray(counts, lengths))
    found = {"n_rows": xr.Variable((along,), runs, attrs, dict(n_obs.encoding))}
    if "beam_n_obs" in dataset.coords:
        by = rows.opened.beam_coordinate
        beams = zip(
            dataset["beam_gran_idx"].to_numpy().tolist(),
            rows.beam_numbers(dataset[f"beam_{by}"].to_numpy()).tolist(),
            strict=True,
        )
        empty = RowRanges.of_range(0, 0)
        numbers = [positions.get(beam, empty).count for beam in beams]
        found["beam_n_rows"] = xr.Variable(("beam_idx",), np.array(numbers, np.int64), attrs)
    return found


def _by_position(
    positions: Mapping[Beam, RowRanges], values: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a value for each range of rows, and its length, in the order of the rows."""
    empty = np.empty(0, np.int64)
    starts = np.concatenate([empty, *(one.starts for one in positions.values())])
    lengths = np.concatenate([empty, *(one.lengths for one in positions.values())])
    repeats = [len(one.starts) for one in positions.values()]
    of_range = np.repeat(np.array(values, np.int64), repeats)
    order = np.argsort(starts, kind="stable")
    return of_range[order], lengths[order]


def _source_rows(
    rows: OpenedRows,
    kept: Mapping[Beam, RowRanges],
    gathered: GatheredRows,
    moved: xr.Variable | None,
) -> xr.Variable:
    """Return the rows of the file of all selected rows of beams that are padded."""
    if moved is not None and not rows.in_order:
        return moved
    if not rows.in_order:
        sizes = dict(zip(rows.track.dims, rows.track.shape, strict=True))
        return gathered.gather(rows.track.locators["row"].set_dims(sizes), -1)
    size = max(1, rows.track.shape[-1])
    by_place = {}
    for beam, ranges in rows.maps.items():
        if beam in kept:
            at = np.unravel_index(int(ranges.positions[0]) // size, rows.track.shape[:-1])
            chosen = kept[beam].intersection(rows.beam_rows(beam))
            by_place[int(at[0]), int(at[1])] = chosen
    shape = (*rows.track.shape[:-1], gathered.length)
    data = indexing.LazilyIndexedArray(SourceRowArray(shape, by_place))
    return xr.Variable(rows.track.dims, data, source_row_attrs())


def _row_numbers(rows: OpenedRows, length: int, attrs: dict[Any, Any]) -> xr.Coordinates:
    along = rows.track.dims[-1]
    index = PandasIndex(pd.RangeIndex(length, name=along), along)
    coords = xr.Coordinates.from_xindex(index)
    coords[along].attrs.update({**attrs, "long_name": ROW_NUMBER})
    return coords


def _labels(
    rows: OpenedRows, positions: Mapping[Beam, RowRanges], attrs: dict[Any, Any]
) -> xr.Coordinates:
    along = rows.track.dims[-1]
    numbers, lengths = _by_position(positions, [beam[0] for beam in positions])
    heads = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
    granules = numbers[heads]
    if len(np.unique(granules)) < len(granules):
        # Rows of granules alternate: they keep their labels.
        labels = rows.opened.dataset[along].variable
        kept = _joined(list(positions.values()), RowRanges.of_range(0, rows.track.shape[-1]))
        values = load_values(labels[kept.rows()])
        return xr.Coordinates({along: xr.Variable((along,), values, attrs)})
    counts = np.add.reduceat(lengths, heads) if len(heads) else lengths
    listed = np.array(attrs["granules"], np.int64)
    if not len(granules):
        granules, counts = listed, np.zeros(len(listed), np.int64)
    return row_labels(along, granules, counts, attrs)
