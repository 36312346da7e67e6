"""Exact comparisons, random selections, and rows of one beam."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr


def assert_array(got: Any, expected: np.ndarray, what: str) -> None:
    """Same dtype, shape and values; NaN equals NaN."""
    got = np.asarray(got)
    assert got.dtype == expected.dtype, f"{what}: dtype {got.dtype}, not {expected.dtype}"
    np.testing.assert_array_equal(got, expected, err_msg=what, strict=True)


def assert_attributes(got: Mapping[str, Any], expected: Mapping[str, Any], what: str) -> None:
    """Same names; strings are str, numbers keep dtype and shape, arrays of one included."""
    assert set(got) == set(expected), (
        f"{what}: missing {set(expected) - set(got)}, too many {set(got) - set(expected)}"
    )
    for name, value in expected.items():
        where = f"{what}@{name}"
        if isinstance(value, str):
            assert isinstance(got[name], str), f"{where}: {type(got[name])}"
            assert got[name] == value, where
        elif isinstance(value, np.ndarray) and value.dtype.kind == "O":
            assert np.shape(got[name]) == value.shape, where
            texts = np.ravel(np.asarray(got[name], dtype=object)).tolist()
            assert all(isinstance(text, str) for text in texts), where
            assert texts == value.ravel().tolist(), where
        else:
            assert_array(got[name], np.asarray(value), where)


def random_indexers(rng: np.random.Generator, sizes: Mapping[str, int]) -> dict[str, Any]:
    """A slice with a step, unsorted integers with repeats, or one position for each dimension."""
    return {dim: _random_indexer(rng, size) for dim, size in sizes.items()}


def _random_indexer(rng: np.random.Generator, size: int) -> Any:
    kind = rng.choice(["all", "slice", "backwards", "integers", "scalar"])
    if size == 0 or kind == "all":
        return slice(None)
    if kind == "scalar":
        return int(rng.integers(-size, size))
    if kind == "integers":
        return rng.integers(-size, size, size=rng.integers(1, min(2 * size, 40) + 1))
    start, stop = sorted(int(edge) for edge in rng.integers(0, size + 1, size=2))
    step = int(rng.integers(1, 6))
    if kind == "slice":
        return slice(start, stop, step)
    return slice(stop - 1 if stop else None, start - 1 if start > 0 else None, -step)


def taken(array: np.ndarray, dims: tuple[str, ...], indexers: Mapping[str, Any]) -> np.ndarray:
    """Orthogonal indexing by plain numpy, one dimension after another."""
    for axis in reversed(range(array.ndim)):
        array = array[(slice(None),) * axis + (indexers.get(dims[axis], slice(None)),)]
    return array


def arrays_of_one_as_scalars(ds: xr.Dataset) -> xr.Dataset:
    """The same with 1-element attribute arrays as scalars.

    The netCDF format cannot tell the two apart.
    """
    ds = ds.copy()
    ds.attrs = _scalars(ds.attrs)
    for variable in ds.variables.values():
        variable.attrs = _scalars(variable.attrs)
    return ds


def _scalars(attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
        for name, value in attrs.items()
    }


def words_of_file(ds: xr.Dataset) -> xr.Dataset:
    """Restore the attributes that the file has of decoded times, from source_encoding."""
    restored = ds.copy()
    for name, stored in ds.icesat2.source_encoding.items():
        words = {word: stored[word] for word in ("long_name", "description") if word in stored}
        restored[name].attrs.update(words)
    return restored


def with_pandas_indexes(ds: xr.Dataset) -> xr.Dataset:
    """Replace lazy indexes, which xarray takes for different from its own, by its own."""
    names = list(ds.xindexes)
    loaded = ds.load().drop_indexes(names)
    for name in names:
        loaded = loaded.set_xindex(name)
    return loaded


def of_beam(array: xr.DataArray, beam: str, cycle: int = 0) -> np.ndarray:
    """Values of the rows of a beam, in the order of the file, without padding."""
    if "spot" in array.dims:
        here = array.isel(gran_idx=cycle)
        here = here.isel(spot=int(np.flatnonzero(here["gt"].values == beam)[0]))
        return here.values[: int(here["n_obs"])]
    number = np.unique(array["gran_idx"].values)[cycle]
    return array.values[(array["gt"].values == beam) & (array["gran_idx"].values == number)]
