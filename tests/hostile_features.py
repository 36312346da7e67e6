"""Files with unusual features, made here or found in folders, whole and damaged.

``XR_ICESAT2_PEERS`` names folders (between them the separator of paths) with files of other
projects; ``../shared/peers`` and ``../shared/hostile`` are taken where they are.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from tests.external_features import ROWS, make_canaries, make_file
from tests.hostile_facts import described
from tests.hostile_mutations import Mutation, mutation_of, whole
from tests.hostile_tiny import write_tiny
from tests.observed_reader import SECRET
from tests.paths import HOSTILE, SHARED
from tests.unusual import write_unusual

SUFFIXES = {".h5", ".hdf5", ".he5", ".nc", ".nc4", ".h5netcdf"}
MADE, DAMAGED, MAX_DAMAGED = 30, 10, 100
SECRETS = {described(np.full(ROWS, SECRET, "i8")), described(np.int64(SECRET))}
"""What may be read of no file: it is in another one."""
VERSIONS = ("earliest", ("v108", "latest"), "latest")


def feature_files(directory: Path) -> Iterator[Mutation]:
    """Make files that lead out of themselves, or have links and names of all kinds; damage them."""
    make_canaries(directory)
    made = []
    for seed in range(MADE):
        made.append(directory / f"leading_out_{seed}.h5")
        make_file(made[-1], seed)
    for number, libver in enumerate(VERSIONS):
        made.append(write_linked(directory / f"linked_{number}.h5", libver))
        made.append(write_tiny(directory / f"tiny_{number}.h5", libver))
    unusual = [directory / f"unusual_{number}.h5" for number in range(len(VERSIONS))]
    for path, libver in zip(unusual, VERSIONS, strict=True):
        write_unusual(path, libver)
    for path in [*made, *unusual]:
        yield whole(path)
        damaged = MAX_DAMAGED if path in unusual else DAMAGED
        yield from (mutation_of(path, seed) for seed in range(damaged))


def found_files() -> Iterator[Mutation]:
    """Return the files of other projects, and those that were made to do harm."""
    given = os.environ.get("XR_ICESAT2_PEERS", "")
    folders = [HOSTILE, SHARED / "peers", *map(Path, filter(None, given.split(os.pathsep)))]
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.suffix in SUFFIXES and path.is_file():
                yield whole(path)


def write_linked(path: Path, libver: str | tuple[str, str]) -> Path:
    """Write a file with soft and hard links, cycles, and names that mislead."""
    with h5py.File(path, "w", libver=libver) as file:
        file["group/rows"] = np.arange(5.0)
        file["group/again"] = file["group/rows"]
        file["group/up"] = file["/"]
        file["alias"] = h5py.SoftLink("/group")
        file["rows"] = h5py.SoftLink("/group/rows")
        file["nowhere"] = h5py.SoftLink("/not/here")
        file["parent"] = h5py.SoftLink("/group/../group/rows")
        names = file.create_group("names")
        for name in ("..", ".x", "a b", "\x1b[31m", "é"):
            space = h5py.h5s.create(h5py.h5s.SCALAR)
            h5py.h5d.create(names.id, name.encode(), h5py.h5t.NATIVE_INT8, space)
    return path
