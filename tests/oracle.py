"""The contents of one file, read with h5py alone: the conversions that the library promises.

Nothing here knows how the library works; the rules are written down a second time, as a
reader of the documentation would.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

STRUCTURAL = {
    "DIMENSION_LIST",
    "REFERENCE_LIST",
    "CLASS",
    "NAME",
    "_Netcdf4Dimid",
    "_Netcdf4Coordinates",
    "_nc3_strict",
    "_NCProperties",
    "DIMENSION_LABELS",
}
ONLY_A_DIMENSION = "This is a netCDF dimension but not a netCDF variable"
# Attributes that decoding moves to the encoding.
DECODED = {"_FillValue", "coordinates"}


def attribute(obj: h5py.Group | h5py.Dataset, name: str) -> Any:
    """One attribute: strings are str without their padding, numbers as h5py gives them.

    An array of one string is that string.
    """
    stored = h5py.h5a.open(obj.id, name.encode()).get_type()
    value = obj.attrs[name]
    if stored.get_class() != h5py.h5t.STRING or isinstance(value, h5py.Empty):
        return value
    items = [_text(item, stored) for item in np.ravel(np.asarray(value, dtype=object))]
    if len(items) == 1:
        return items[0]
    return np.array(items, dtype=object).reshape(np.shape(value))


def _text(item: bytes | str, stored: h5py.h5t.TypeID) -> str:
    if isinstance(item, str):
        return item
    if not stored.is_variable_str():
        if stored.get_strpad() == h5py.h5t.STR_SPACEPAD:
            item = item.rstrip(b" ")
        elif stored.get_strpad() == h5py.h5t.STR_NULLTERM:
            item = item.split(b"\0")[0]
        else:
            item = item.rstrip(b"\0")
    return item.decode("utf-8", "surrogateescape")


def attributes(obj: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """All attributes but those that only tie datasets to their dimensions.

    A fill value is a number, also where the file has an array of one: as xarray wants it. The
    numbers of an enumeration are reported as flags.
    """
    found = {name: attribute(obj, name) for name in obj.attrs if name not in STRUCTURAL}
    if "_FillValue" in found:
        found["_FillValue"] = np.ravel(found["_FillValue"])[0]
    return found | flags(obj) if isinstance(obj, h5py.Dataset) else found


def flags(dataset: h5py.Dataset) -> dict[str, Any]:
    """What the numbers of an enumeration mean, if the file does not say so in attributes."""
    members = h5py.check_enum_dtype(dataset.dtype)
    if not members or dataset.dtype == bool or {"flag_values", "flag_meanings"} & {*dataset.attrs}:
        return {}
    names = sorted(members, key=members.get)
    return {
        "flag_values": np.array(
            [members[name] for name in names], dataset.dtype.newbyteorder("=").str
        ),
        "flag_meanings": " ".join(re.sub(r"[^A-Za-z0-9_.+@-]+", "_", name) for name in names),
    }


def values(dataset: h5py.Dataset) -> np.ndarray:
    """A dataset whole; strings of variable length as str."""
    if h5py.check_string_dtype(dataset.dtype) and dataset.dtype.kind == "O":
        return dataset.asstr("utf-8", "surrogateescape")[...]
    return dataset[...]


def walk(path: Path) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Every object of a file by its path from the root, while the file is open.

    Without the datasets that netCDF makes for dimensions that have no variable.
    """
    with h5py.File(path) as file:
        found = []
        file.visit(found.append)
        yield "/", file
        for name in found:
            if ONLY_A_DIMENSION not in str(file[name].attrs.get("NAME")):
                yield f"/{name}", file[name]


def scale_names(dataset: h5py.Dataset) -> list[str | None]:
    """Names of the dimensions that the file names; None where it does not."""
    own = attribute(dataset, "CLASS") if "CLASS" in dataset.attrs else None
    if own == "DIMENSION_SCALE" and dataset.ndim == 1:
        return [dataset.name.rpartition("/")[2]]
    lists = dataset.attrs.get("DIMENSION_LIST", [()] * dataset.ndim)
    return [_scale_name(dataset, list(refs)) for refs in lists]


def _scale_name(dataset: h5py.Dataset, refs: list[h5py.Reference]) -> str | None:
    if not refs:
        return None
    try:
        return dataset.file[refs[0]].name.rpartition("/")[2]
    except (KeyError, ValueError):  # subsets keep references to scales they left out
        return None


def group_dataset(path: Path, group: str) -> xr.Dataset:
    """One group undecoded; dimensions without a scale are named after the variable."""
    with h5py.File(path) as file:
        in_file = {n: d for n, d in file[group].items() if isinstance(d, h5py.Dataset)}
        variables = {}
        for name, dataset in in_file.items():
            scales = scale_names(dataset)
            dims = [scale or f"{name}_{axis}" for axis, scale in enumerate(scales)]
            variables[name] = xr.Variable(dims, values(dataset), attributes(dataset))
        return xr.Dataset(variables, attrs=attributes(file[group]))
