"""Small files with the whole tree of a real granule, its values drawn at random.

They hold what no small real granule at hand has: every group of six beams, with the dimension
scales, types and fill values of the product.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from tests.trees import Dataset, ncdump

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
NAME = re.compile(r"(ATL\d\d)_(\d{14})_(\d{4})(\d\d)(\d\d)_(\d{3})_(\d\d)\.h5")
MOST = 20
"""Elements along a dimension that is no row."""


@dataclass(frozen=True)
class Skeleton:
    """What a file differs in from the tree that it is made of."""

    name: str
    tree: Path
    forward: bool = True
    without: tuple[str, ...] = ()
    """Paths that are left out, ``gt1l`` or ``gt1l/geolocation``."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Sizes of dimensions, by path."""
    seed: int = 0

    def write(self, folder: Path) -> Path:
        rng = np.random.default_rng([self.seed, len(self.name)])
        tree = ncdump(self.tree)
        left_out = [f"/{path}" for path in self.without]
        datasets = {
            path: dataset
            for path, dataset in tree.datasets.items()
            if not any(f"{path}/".startswith(f"{out}/") for out in left_out)
        }
        sizes = {path: self._size(path, size, rng) for path, size in tree.sizes.items()}
        for beam in BEAMS:
            if f"/{beam}/geophys_corr/delta_time" in sizes:
                rows = sizes[f"/{beam}/geolocation/delta_time"]
                sizes[f"/{beam}/geophys_corr/delta_time"] = rows
        file_path = folder / self.name
        with h5py.File(file_path, "w") as file:
            for path, dataset in datasets.items():
                shape = tuple(sizes[dim] for dim in dataset.dims)
                written = file.create_dataset(path, data=self._values(path, dataset, shape, rng))
                for name, value in dataset.attrs.items():
                    written.attrs[name] = np.bytes_(value) if isinstance(value, str) else value
            _attach(file, datasets)
            self._identify(file)
        return file_path

    def _size(self, path: str, size: int | None, rng: np.random.Generator) -> int:
        if path in self.sizes:
            return self.sizes[path]
        if path.startswith(("/orbit_info", "/ancillary_data")):
            return 1
        return int(rng.integers(1, 30)) if size is None else min(size, MOST)

    def _values(
        self, path: str, dataset: Dataset, shape: tuple[int, ...], rng: np.random.Generator
    ) -> np.ndarray:
        dtype = dataset.dtype
        if dtype.kind == "S":
            return np.full(shape, b"text", dtype)
        if dtype.kind in "iu":
            values = rng.integers(0, 100, shape).astype(dtype)
        else:
            values = (rng.random(shape) * 1e8).astype(dtype)
        if path.startswith("/gt") and "_FillValue" in dataset.attrs:
            values[rng.random(shape) < 0.2] = dataset.attrs["_FillValue"]
        return values

    def _identify(self, file: h5py.File) -> None:
        found = NAME.fullmatch(self.name)
        assert found, self.name
        product, _, rgt, cycle, region, release, version = found.groups()
        file.attrs["short_name"] = np.bytes_(product)
        numbers = {"rgt": rgt, "cycle": cycle, "region": region}
        for name, value in numbers.items():
            for path in (
                f"orbit_info/{name}",
                f"ancillary_data/start_{name}",
                f"ancillary_data/end_{name}",
            ):
                if path in file:
                    file[path][...] = int(value)
        file["orbit_info/cycle_number"][...] = int(cycle)
        file["orbit_info/sc_orient"][...] = int(self.forward)
        for name, value in {"release": release, "version": version}.items():
            file[f"ancillary_data/{name}"][...] = value.encode()
        for name in ("data_start_utc", "data_end_utc"):
            file[f"ancillary_data/{name}"][...] = b"2020-01-01T00:00:00.000000Z"
        for number, beam in enumerate(BEAMS):
            if beam in file:
                spot = 6 - number if self.forward else 1 + number
                file[beam].attrs["atlas_spot_number"] = np.bytes_(str(spot))


def _attach(file: h5py.File, datasets: Mapping[str, Dataset]) -> None:
    scales = {dim for dataset in datasets.values() for dim in dataset.dims if dim in datasets}
    for scale in scales:
        file[scale].make_scale(scale.rpartition("/")[2])
    for path, dataset in datasets.items():
        for axis, dim in enumerate(dataset.dims):
            if dim in scales and dim != path:
                file[path].dims[axis].attach_scale(file[dim])
