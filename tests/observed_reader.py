"""Read files in a process that is observed: which names does it ask the system for?

``python -m tests.observed_reader engine FILE...`` reads each file by the engine;
``python -m tests.observed_reader h5py FILE...`` reads them by h5py, which follows all that leads
out of a file. One line of JSON is printed for each file. The first file should load every module
that is loaded at all; requests for later files follow a marker that names the file.
"""

import contextlib
import json
import os
import sys
from typing import Any

import h5py
import numpy as np

SECRET = 0x5EC12E75EC12E7
MARKER = "/marker/of/"
MAX_BYTES = 1 << 20
"""Of a variable; larger ones are not read."""


def read_by_engine(path: str) -> dict[str, Any]:
    """The tree with all values, the default way of opening, and each object by its name."""
    # Which reads its configuration when it is imported; h5py's turn does without both.
    import dask  # noqa: F401, PLC0415
    import xarray as xr  # noqa: PLC0415

    from xr_icesat2.errors import ICESat2Error  # noqa: PLC0415

    with contextlib.suppress(ICESat2Error):
        xr.open_dataset(path, engine="icesat2").load()
    reported: dict[str, Any] = {"left_out": {}, "values": {}, "refused": {}}
    try:
        tree = xr.open_datatree(path, engine="icesat2", layout="file", decode_cf=False)
    except ICESat2Error as error:
        return {**reported, "error": str(error)}
    reported["left_out"] = dict(tree.icesat2.left_out)
    for node in tree.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            where = f"{node.path.rstrip('/')}/{name}"
            if variable.nbytes > MAX_BYTES:
                continue
            try:
                reported["values"][where] = SECRET in np.ravel(variable.values).tolist()
            except ICESat2Error as error:
                reported["refused"][where] = str(error)
    for wanted in (path for path in reported["left_out"] if "@" not in path):
        try:
            xr.open_datatree(path, engine="icesat2", layout="file", group=wanted)
        except ICESat2Error as error:
            reported["refused"][wanted] = f"{type(error).__name__} {error}"
    tree.close()
    return reported


def read_by_h5py(path: str) -> dict[str, Any]:
    """Everything, as one who suspects nothing."""
    reported: dict[str, Any] = {"values": {}}
    with contextlib.suppress(OSError), h5py.File(path) as file:
        _follow(file, reported["values"])
    return reported


def _follow(group: h5py.Group, values: dict[str, bool], depth: int = 0) -> None:
    for name in group:
        with contextlib.suppress(OSError, KeyError, TypeError, RuntimeError):
            found = group[name]
            if isinstance(found, h5py.Group) and depth < 3:
                _follow(found, values, depth + 1)
            elif isinstance(found, h5py.Dataset):
                values[f"{group.name.rstrip('/')}/{name}"] = SECRET in np.ravel(found[()]).tolist()


if __name__ == "__main__":
    reader = {"engine": read_by_engine, "h5py": read_by_h5py}[sys.argv[1]]
    for number, path in enumerate(sys.argv[2:]):
        if number:
            os.path.exists(MARKER + path)  # noqa: PTH110 - exactly one system call
        result = reader(path)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
    os.path.exists(MARKER)  # noqa: PTH110
