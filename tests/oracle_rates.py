"""What the merged layouts of a rate must give, put together from h5py and numpy alone.

What belongs to a rate, and its dimensions, is written down in :mod:`tests.expected_rates`. Arrays
are read whole with h5py and placed by plain numpy; decoded values are those of
``xarray.conventions.decode_cf_variable``, beam by beam, before any merging.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from tests.expected_rates import Rate
from tests.lost_attributes import specified
from tests.oracle import attribute, attributes

SPOTS = (1, 2, 3, 4, 5, 6)
GROUND_TRACKS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
PAIRS = ("pt1", "pt2", "pt3")
# Names that coordinates of a granule have: a variable of a row is called after its dimension.
NOT_OF_ROWS = {"rgt", "cycle", "cycle_number", "granule_region"}

Placed = tuple[tuple[str, ...], np.ndarray]
Kept = Mapping[tuple[int, str], np.ndarray]
"""Rows of the file to keep, by number of the granule and beam."""


@dataclass(frozen=True)
class Part:
    """One beam of one granule at one rate, as in the file."""

    granule: int
    spot: int
    """Or number of the pair."""
    gt: str
    n_obs: int
    variables: Mapping[str, xr.Variable]
    paths: Mapping[str, str]
    """Path below the beam of each of the variables."""


def granule_numbers(path: Path) -> tuple[int, int, int]:
    """rgt, cycle and region by the name of the file."""
    found = re.search(r"ATL\d\d_\d{14}_(\d{4})(\d\d)(\d\d)_", path.name)
    if found is None:
        raise ValueError(f"not the name of a granule: {path.name}")
    rgt, cycle, region = found.groups()
    return int(rgt), int(cycle), int(region)


def spot_of(file: h5py.File, gt: str) -> int:
    """Spot of a beam: what its group says, else the table of the two orientations.

    Where nothing says it, the place among the ground tracks, which orders flat rows.
    """
    if gt in PAIRS:
        return 1 + PAIRS.index(gt)
    if "atlas_spot_number" in file[gt].attrs:
        return int(attribute(file[gt], "atlas_spot_number"))
    position = GROUND_TRACKS.index(gt)
    forward = "orbit_info/sc_orient" in file and int(file["orbit_info/sc_orient"][0]) == 1
    return 6 - position if forward else 1 + position


_READ: dict[tuple[Path, str, str], list[Part]] = {}


def parts(path: Path, rate: Rate, granule: int = 0) -> list[Part]:
    """The beams of a file that hold a rate, by spot."""
    key = (path, rate.group, rate.dim)
    if key not in _READ:
        _READ[key] = _beams(path, rate)
    return [replace(part, granule=granule) for part in _READ[key]]


def _beams(path: Path, rate: Rate) -> list[Part]:
    found = []
    with h5py.File(path) as file:
        for gt in (*GROUND_TRACKS, *PAIRS):
            if gt not in file:
                continue
            in_file = _rate_datasets(file[gt], rate)
            if in_file:
                variables = {name: _variable(dataset, rate) for name, dataset in in_file.items()}
                below = {n: d.name.removeprefix(f"/{gt}/") for n, d in in_file.items()}
                # A beam may hold the scale of a second dimension and no rows.
                along = (v.sizes[rate.dim] for v in variables.values() if rate.dim in v.dims)
                rows = next(along, 0)
                found.append(Part(0, spot_of(file, gt), gt, rows, variables, below))
    return sorted(found, key=lambda part: part.spot)


def _rate_datasets(beam: h5py.Group, rate: Rate) -> dict[str, h5py.Dataset]:
    """All datasets of a rate by the names that they have side by side."""
    in_file: dict[str, h5py.Dataset] = {}

    def add(name: str, dataset: h5py.Dataset, parent: str) -> None:
        if name in NOT_OF_ROWS:
            name = f"{rate.dim.removesuffix('_idx')}_{name}"
        in_file[f"{parent.replace('/', '_')}_{name}" if name in in_file else name] = dataset

    for top in (rate.group, *rate.beside):
        group = beam[top] if top and top in beam else beam
        if group is beam and top:
            continue
        for name, item in group.items():
            if isinstance(item, h5py.Dataset):
                add(name, item, top)
        for name in () if rate.shallow else group:
            if isinstance(group[name], h5py.Group):
                for below in _datasets_below(group[name]):
                    path = f"{name}/{below}"
                    parent, _, last = path.rpartition("/")
                    add(last, group[path], parent)
    return in_file


def _datasets_below(group: h5py.Group) -> list[str]:
    found: list[str] = []
    group.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return found


def _variable(dataset: h5py.Dataset, rate: Rate) -> xr.Variable:
    name, attrs = dataset.name.rpartition("/")[2], attributes(dataset) or specified(dataset)
    if name in rate.voided:
        attrs.pop("_FillValue", None)
    return xr.Variable(rate.dims(name, dataset.ndim), dataset[...], attrs)


def decoded(name: str, raw: xr.Variable, *, masked: bool, times: Any) -> np.ndarray:
    """Values of one beam as xarray decodes them; only times since 2018 are times."""
    is_time = str(raw.attrs.get("units", "")).lower().startswith("seconds since 2018-01-01")
    times = times if is_time else False
    if raw.dtype.kind == "f" and "_FillValue" not in raw.attrs and (masked or times):
        # The greatest float is missing in all products, also where the file does not say so.
        raw = raw.copy(data=np.where(raw.values == np.finfo(raw.dtype).max, np.nan, raw.values))
    return xr.conventions.decode_cf_variable(
        name,
        raw,
        # The fill value of a time, some 10^308 seconds, is no time.
        mask_and_scale=masked or (bool(times) and "_FillValue" in raw.attrs),
        decode_times=times,
        decode_timedelta=False,
    ).values


def floating(array: np.ndarray) -> np.ndarray:
    """Integers as the floats that hold them with NaN."""
    if array.dtype.kind not in "iu":
        return array
    return array.astype("float32" if array.dtype.itemsize <= 2 else "float64")


def padding(raw: xr.Variable, dtype: np.dtype, *, masked: bool) -> Any:
    """The value of rows that no beam has."""
    if dtype.kind == "M":
        return np.datetime64("NaT", "ns")
    if masked and dtype.kind == "f":
        return np.nan
    if "_FillValue" in raw.attrs:
        return np.ravel(raw.attrs["_FillValue"])[0]
    if dtype.kind == "f":
        return np.nan
    limits = np.iinfo(dtype)
    taken = np.ravel(raw.attrs.get("flag_values", []))
    return limits.min if limits.max in taken else limits.max


def all_parts(paths: Sequence[Path], rate: Rate, kept: Kept | None = None) -> list[Part]:
    """Beams of all granules, granule by granule, by spot; all rows, or those that are kept."""
    whole = [part for i, path in enumerate(paths) for part in parts(path, rate, i)]
    if kept is None:
        return whole
    return [
        replace(
            part,
            n_obs=len(rows),
            variables={
                name: raw.isel({rate.dim: rows}) if rate.dim in raw.dims else raw
                for name, raw in part.variables.items()
            },
        )
        for part in whole
        for rows in [kept[part.granule, part.gt]]
    ]


def lengths(found: Sequence[Part], rate: Rate) -> dict[str, set[int]]:
    """Sizes that each dimension which is not along the track has in any beam."""
    sizes: dict[str, set[int]] = {}
    for part in found:
        for raw in part.variables.values():
            for dim, size in raw.sizes.items():
                if dim != rate.dim:
                    sizes.setdefault(str(dim), set()).add(size)
    return sizes


def second_labels(found: Sequence[Part], rate: Rate) -> dict[str, list[Any]]:
    """Labels of the second dimensions that have any: those of all lengths that occur."""
    joined = {}
    for dim, sizes in lengths(found, rate).items():
        sets = [own for own in rate.labels.get(dim, ()) if len(own) in sizes]
        if sets:
            joined[dim] = list(sets[0]) if len(sets) == 1 else sorted(set().union(*sets))
    return joined


def second_sizes(found: Sequence[Part], rate: Rate) -> dict[str, int]:
    """Sizes of the dimensions that are not along the track: all labels, or the largest."""
    labels = second_labels(found, rate)
    return {
        dim: len(labels[dim]) if dim in labels else max(sizes)
        for dim, sizes in lengths(found, rate).items()
    }


def places(
    array: np.ndarray, dims: Sequence[str], rate: Rate, labels: Mapping[str, list[Any]]
) -> tuple[Any, ...]:
    """Where the values of a beam go along each of its dimensions."""
    if not labels.keys() & set(dims):
        return tuple(slice(size) for size in array.shape)
    where = []
    for dim, size in zip(dims, array.shape, strict=True):
        if dim in labels:
            own = next(own for own in rate.labels[dim] if len(own) == size)
            where.append(np.array([labels[dim].index(label) for label in own]))
        else:
            where.append(np.arange(size))
    return np.ix_(*where)


def _arrays(
    found: Sequence[Part], name: str, *, masked: bool, times: Any, padded: bool
) -> tuple[list[np.ndarray | None], np.dtype, Any]:
    """One variable of each beam, their common type and their padding."""
    raws = [part.variables.get(name) for part in found]
    arrays = [
        None if raw is None else decoded(name, raw, masked=masked, times=times) for raw in raws
    ]
    if masked and padded:
        arrays = [None if array is None else floating(array) for array in arrays]
    dtype = np.result_type(*[array for array in arrays if array is not None])
    first = next(raw for raw in raws if raw is not None)
    return arrays, dtype, padding(first, dtype, masked=masked)


def spot_layout(
    paths: Sequence[Path],
    rate: Rate,
    *,
    masked: bool = True,
    times: Any = True,
    spots: Sequence[int] | None = None,
    pad_to: int | None = None,
    kept: Kept | None = None,
) -> dict[str, Placed]:
    """Every variable of a rate with the beams side by side, padded to the longest."""
    found = all_parts(paths, rate, kept)
    side = shared_dimension(found)
    spots = spots or SIDES[side]
    found = [part for part in found if part.spot in spots]
    rows = max((part.n_obs for part in found), default=0) if pad_to is None else pad_to
    sizes = {rate.dim: rows, **second_sizes(found, rate)}
    labels = second_labels(found, rate)
    result = {}
    for name, dims in dimensions(found).items():
        arrays, dtype, fill = _arrays(found, name, masked=masked, times=times, padded=True)
        shape = (len(paths), len(spots), *(sizes[dim] for dim in dims))
        out = np.full(shape, fill, dtype)
        for part, array in zip(found, arrays, strict=True):
            if array is not None:
                beam = out[part.granule, list(spots).index(part.spot)]
                beam[places(array, dims, rate, labels)] = array
        result[name] = (("gran_idx", side, *dims), out)
    return result


def flat_layout(
    paths: Sequence[Path],
    rate: Rate,
    *,
    masked: bool = True,
    times: Any = True,
    kept: Kept | None = None,
) -> dict[str, Placed]:
    """Every variable of a rate, one row an observation: by granule, spot, row."""
    found = all_parts(paths, rate, kept)
    sizes = second_sizes(found, rate)
    labels = second_labels(found, rate)
    result = {}
    for name, dims in dimensions(found).items():
        along = rate.dim in dims
        # What a beam lacks, or a narrower one, is padding: only a float can say so.
        count = sum(part.variables[name].size for part in found if name in part.variables)
        rows = sum(part.n_obs for part in found) if along else len(found)
        whole = rows * int(np.prod([sizes[dim] for dim in dims if dim != rate.dim], dtype=int))
        arrays, dtype, fill = _arrays(found, name, masked=masked, times=times, padded=count < whole)
        blocks = []
        for part, array in zip(found, arrays, strict=True):
            shape = [part.n_obs if dim == rate.dim else sizes[dim] for dim in dims]
            block = np.full(shape, fill, dtype)
            if array is not None:
                block[places(array, dims, rate, labels)] = array
            blocks.append(block if along else block[np.newaxis])
        result[name] = (dims if along else ("beam_idx", *dims), np.concatenate(blocks))
    return result


SIDES = {"spot": SPOTS, "pair_track": (1, 2, 3)}


def shared_dimension(found: Sequence[Part]) -> str:
    """Name of the dimension on which beams or pairs lie."""
    return "pair_track" if found[0].gt in PAIRS else "spot"


def dimensions(found: Sequence[Part]) -> dict[str, tuple[str, ...]]:
    """Dimensions within a beam of every variable of any beam."""
    return {str(name): raw.dims for part in reversed(found) for name, raw in part.variables.items()}


def n_obs(paths: Sequence[Path], rate: Rate) -> np.ndarray:
    """Rows of each spot of each granule."""
    found = all_parts(paths, rate)
    out = np.zeros((len(paths), len(SIDES[shared_dimension(found)])), "int64")
    for part in found:
        out[part.granule, part.spot - 1] = part.n_obs
    return out
