"""What the merged layouts of ATL06 must give, put together from h5py and numpy alone.

Arrays are read whole with h5py and placed by plain numpy; decoded values are those of
``xarray.conventions.decode_cf_variable``, beam by beam, before any merging.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from tests.oracle import attribute, attributes

SPOTS = (1, 2, 3, 4, 5, 6)
GROUND_TRACKS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")

Placed = tuple[tuple[str, ...], np.ndarray]


@dataclass(frozen=True)
class Rate:
    """One rate of ATL06: a group of each beam whose rows go together."""

    group: str
    dim: str
    located_by: tuple[str, str]
    second: Mapping[str, str] = field(default_factory=dict)
    per_beam: Mapping[str, str] = field(default_factory=dict)
    voided: frozenset[str] = frozenset()

    def dims(self, name: str) -> tuple[str, ...]:
        """Dimensions of a variable within one beam."""
        if name in self.per_beam:
            return (self.per_beam[name],)
        return (self.dim, self.second[name]) if name in self.second else (self.dim,)

    @property
    def coordinates(self) -> tuple[str, ...]:
        return ("delta_time", *self.located_by)


RATES = (
    Rate(
        "land_ice_segments",
        "segment_idx",
        ("latitude", "longitude"),
        # The file says _FillValue = 0 of a number that may be 0.
        voided=frozenset({"segment_id"}),
    ),
    Rate("segment_quality", "quality_idx", ("reference_pt_lat", "reference_pt_lon")),
    Rate(
        "residual_histogram",
        "histogram_idx",
        ("lat_mean", "lon_mean"),
        second={"count": "bin", "segment_id_list": "segment_in_histogram"},
        per_beam={"bin_top_h": "bin", "dh": "bin", "ds_segment_id": "segment_in_histogram"},
    ),
)
MAIN = RATES[0]


@dataclass(frozen=True)
class Part:
    """One beam of one granule at one rate, as the file holds it."""

    granule: int
    spot: int
    gt: str
    n_obs: int
    variables: Mapping[str, xr.Variable]


def granule_numbers(path: Path) -> tuple[int, int, int]:
    """rgt, cycle and region by the name of the file."""
    found = re.search(r"ATL06_\d{14}_(\d{4})(\d\d)(\d\d)_", path.name)
    if found is None:
        raise ValueError(f"not the name of an ATL06 granule: {path.name}")
    rgt, cycle, region = found.groups()
    return int(rgt), int(cycle), int(region)


def spot_of(file: h5py.File, gt: str) -> int:
    """Spot of a beam: what its group says, else the table of the two orientations."""
    if "atlas_spot_number" in file[gt].attrs:
        return int(attribute(file[gt], "atlas_spot_number"))
    position = GROUND_TRACKS.index(gt)
    return 6 - position if int(file["orbit_info/sc_orient"][0]) == 1 else 1 + position


def parts(path: Path, rate: Rate, granule: int = 0) -> list[Part]:
    """The beams of a file that hold a rate, by spot."""
    return [replace(part, granule=granule) for part in _beams(path, rate.group)]


@cache
def _beams(path: Path, group: str) -> list[Part]:
    rate = next(rate for rate in RATES if rate.group == group)
    found = []
    with h5py.File(path) as file:
        for gt in GROUND_TRACKS:
            if f"{gt}/{group}" in file:
                variables = _rate_variables(file[f"{gt}/{group}"], rate)
                rows = variables["delta_time"].shape[0]
                found.append(Part(0, spot_of(file, gt), gt, rows, variables))
    return sorted(found, key=lambda part: part.spot)


def _rate_variables(group: h5py.Group, rate: Rate) -> dict[str, xr.Variable]:
    held: dict[str, xr.Variable] = {}

    def visit(path: str, obj: h5py.Group | h5py.Dataset) -> None:
        if isinstance(obj, h5py.Dataset):
            parent, _, name = path.rpartition("/")
            if name in held:
                name = f"{parent.replace('/', '_')}_{name}"
            attrs = attributes(obj)
            if name in rate.voided:
                attrs.pop("_FillValue", None)
            held[name] = xr.Variable(rate.dims(name), obj[...], attrs)

    shallow = [n for n, o in group.items() if isinstance(o, h5py.Dataset)]
    for name in shallow:
        visit(name, group[name])
    for name, obj in group.items():
        if name not in shallow:
            obj.visititems(lambda below, o, name=name: visit(f"{name}/{below}", o))
    return held


def decoded(name: str, raw: xr.Variable, *, masked: bool, times: Any) -> np.ndarray:
    """Values of one beam as xarray decodes them; only times since 2018 are times."""
    is_time = str(raw.attrs.get("units", "")).lower().startswith("seconds since 2018-01-01")
    return xr.conventions.decode_cf_variable(
        name,
        raw,
        mask_and_scale=masked,
        decode_times=times if is_time else False,
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
        return np.datetime64("NaT")
    if masked and dtype.kind == "f":
        return np.nan
    if "_FillValue" in raw.attrs:
        return np.ravel(raw.attrs["_FillValue"])[0]
    if dtype.kind == "f":
        return np.nan
    limits = np.iinfo(dtype)
    taken = np.ravel(raw.attrs.get("flag_values", []))
    return limits.min if limits.max in taken else limits.max


def all_parts(paths: Sequence[Path], rate: Rate) -> list[Part]:
    """Beams of all granules, granule by granule, by spot."""
    return [part for i, path in enumerate(paths) for part in parts(path, rate, i)]


def variable_names(found: Sequence[Part]) -> list[str]:
    """Every variable that any beam holds."""
    return list(dict.fromkeys(name for part in found for name in part.variables))


def second_sizes(found: Sequence[Part], rate: Rate) -> dict[str, int]:
    """Sizes of the dimensions that are not along the track: the largest of all variables."""
    sizes: dict[str, int] = {}
    for part in found:
        for name, raw in part.variables.items():
            for dim, size in zip(rate.dims(name), raw.shape, strict=True):
                if dim != rate.dim:
                    sizes[dim] = max(size, sizes.get(dim, 0))
    return sizes


def _arrays(
    found: Sequence[Part], name: str, *, masked: bool, times: Any, merged: bool
) -> tuple[list[np.ndarray | None], np.dtype, Any]:
    """One variable of each beam, their common type and their padding."""
    raws = [part.variables.get(name) for part in found]
    arrays = [
        None if raw is None else decoded(name, raw, masked=masked, times=times) for raw in raws
    ]
    # Where a beam of a list has no such variable, only a float can say so.
    if masked and (merged or any(raw is None for raw in raws)):
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
    spots: Sequence[int] = SPOTS,
    pad_to: int | None = None,
) -> dict[str, Placed]:
    """Every variable of a rate with the beams side by side, padded to the longest."""
    found = [part for part in all_parts(paths, rate) if part.spot in spots]
    rows = max((part.n_obs for part in found), default=0) if pad_to is None else pad_to
    sizes = {rate.dim: rows, **second_sizes(found, rate)}
    result = {}
    for name in variable_names(found):
        arrays, dtype, fill = _arrays(found, name, masked=masked, times=times, merged=True)
        shape = (len(paths), len(spots), *(sizes[dim] for dim in rate.dims(name)))
        out = np.full(shape, fill, dtype)
        for part, array in zip(found, arrays, strict=True):
            if array is not None:
                where = tuple(slice(size) for size in array.shape)
                out[(part.granule, list(spots).index(part.spot), *where)] = array
        result[name] = (("gran_idx", "spot", *rate.dims(name)), out)
    return result


def flat_layout(
    paths: Sequence[Path], rate: Rate, *, masked: bool = True, times: Any = True
) -> dict[str, Placed]:
    """Every variable of a rate, one row an observation: by granule, spot, row."""
    found = all_parts(paths, rate)
    sizes = second_sizes(found, rate)
    result = {}
    for name in variable_names(found):
        arrays, dtype, fill = _arrays(found, name, masked=masked, times=times, merged=False)
        dims = rate.dims(name)
        if name in rate.per_beam:
            dims = ("beam_idx", *dims)
            arrays = [None if array is None else array[np.newaxis] for array in arrays]
        blocks = []
        for part, array in zip(found, arrays, strict=True):
            rows = 1 if name in rate.per_beam else part.n_obs
            block = np.full((rows, *(sizes[dim] for dim in dims[1:])), fill, dtype)
            if array is not None:
                block[tuple(slice(size) for size in array.shape)] = array
            blocks.append(block)
        result[name] = (dims, np.concatenate(blocks))
    return result


def n_obs(paths: Sequence[Path], rate: Rate) -> np.ndarray:
    """Rows of each spot of each granule."""
    out = np.zeros((len(paths), len(SPOTS)), "int64")
    for part in all_parts(paths, rate):
        out[part.granule, part.spot - 1] = part.n_obs
    return out
