"""Comparison of every answer with the values that h5py reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np
import xarray as xr

from benchmarks.region import rows_of_path
from benchmarks.task import Opened, Task, Values

__all__ = ["WrongAnswerError", "check_opened", "check_values", "names_below"]


class WrongAnswerError(ValueError):
    """An answer differs from the values that h5py reads."""


def names_below(file: h5py.File, group: str) -> list[str]:
    """Return the paths of all datasets below a group, relative to it."""
    found: list[str] = []
    file[group].visititems(
        lambda name, node: found.append(name) if isinstance(node, h5py.Dataset) else None
    )
    return found


def check_values(task: Task, values: Values) -> int:
    """Raise :class:`WrongAnswerError` unless all values equal those of h5py.

    Values may be as stored or as xarray decodes them.

    Returns
    -------
    int
        Uncompressed bytes of all requested values, in the stored dtype.
    """
    nbytes = 0
    for number, name in enumerate(task.files):
        with h5py.File(name) as file:
            for path in task.paths():
                stored = file[path][rows_of_path(file, task, path)]
                nbytes += stored.nbytes
                if (number, path) not in values:
                    raise WrongAnswerError(f"{path} of {name} is missing")
                _check(path, np.asarray(values[number, path]), stored, file[path].attrs)
    return nbytes


def _check(path: str, value: np.ndarray, stored: np.ndarray, attrs: Mapping[str, Any]) -> None:
    if value.shape != stored.shape:
        raise WrongAnswerError(f"{path} has shape {value.shape}, not {stored.shape}")
    for expected in _forms(stored, attrs):
        same_kind = value.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
        if same_kind and np.array_equal(value, expected, equal_nan=expected.dtype.kind in "fmM"):
            return
    raise WrongAnswerError(f"{path} ({value.dtype}) differs from what h5py reads ({stored.dtype})")


def _forms(stored: np.ndarray, attrs: Mapping[str, Any]) -> Iterator[np.ndarray]:
    yield stored
    kept = ("_FillValue", "units", "scale_factor", "add_offset")
    plain = {k: _plain(attrs[k]) for k in kept if k in attrs}
    variable = xr.Variable([f"d{n}" for n in range(stored.ndim)], stored, plain)
    if stored.dtype.kind in "iu":
        # In a padded array, integers are floats.
        yield stored.astype(np.float32 if stored.dtype.itemsize <= 2 else np.float64)
    for times in (True, False):
        yield xr.conventions.decode_cf_variable(
            "v", variable, decode_times=times, decode_timedelta=False
        ).to_numpy()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.decode() if isinstance(value, bytes) else value


def check_opened(task: Task, opened: Opened) -> int:
    """Raise :class:`WrongAnswerError` unless every variable was found.

    Returns
    -------
    int
        Characters printed.
    """
    with h5py.File(task.files[0]) as file:
        if task.does == "tree":
            expected = {path.rpartition("/")[2] for path in names_below(file, "/")}
        else:
            groups = [file[f"{beam}/{task.group}"] for beam in task.beams]
            expected = {n for g in groups for n, v in g.items() if isinstance(v, h5py.Dataset)}
    lost = expected - opened.names
    if lost:
        raise WrongAnswerError(f"{len(lost)} variables are missing: {', '.join(sorted(lost)[:5])}")
    if not opened.text:
        raise WrongAnswerError("nothing was printed")
    return len(opened.text)
