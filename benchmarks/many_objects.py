"""``python -m benchmarks.many_objects groups 35000``: time and memory of opening many objects."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
import xarray as xr

import xr_icesat2.backend  # noqa: F401 - the import is not measured


def write_groups(path: Path, count: int) -> None:
    """Write groups of one dataset of two values each, 100 in each group of the root."""
    with h5py.File(path, "w") as file:
        for number in range(count):
            file[f"g{number // 100:04d}/h{number % 100:02d}/x"] = [1.0, 2.0]


def write_links(path: Path, count: int) -> None:
    """Write one dataset and soft links to it."""
    with h5py.File(path, "w") as file:
        file["x"] = [1.0, 2.0]
        for number in range(count):
            file[f"s{number:06d}"] = h5py.SoftLink("/x")


WRITERS = {"groups": write_groups, "links": write_links}
ENGINES: dict[str, dict[str, Any]] = {
    "icesat2": {"layout": "file"},
    "h5netcdf": {"phony_dims": "access"},
}


def peak_megabytes() -> float:
    """Return the largest resident size of this process so far, in MB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    """Write a file in a temporary folder, open it as a tree, and print what that took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_objects", description=__doc__)
    parser.add_argument("kind", choices=WRITERS)
    parser.add_argument("count", type=int)
    parser.add_argument("--engine", choices=ENGINES, default="icesat2")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.h5"
        WRITERS[given.kind](path, given.count)
        peak, wall, cpu = peak_megabytes(), time.perf_counter(), time.process_time()
        tree = xr.open_datatree(path, engine=given.engine, **ENGINES[given.engine])
        print(
            f"{given.engine}: {given.count} {given.kind}, {path.stat().st_size / 1e6:.1f} MB: "
            f"{time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s of CPU, "
            f"{peak_megabytes() - peak:.0f} MB more memory at most"
        )
        tree.close()


if __name__ == "__main__":
    main()
