"""Written granules with unusual features that the small real ones do not have."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from xr_icesat2.testing import write_granule

# Names by what is odd about them; one release, so that all go into one list.
_WRITTEN: Mapping[str, dict[str, Any]] = {
    "all beams": {"n_segments": 120, "rgt": 658, "cycle_number": 5},
    "backward": {"n_segments": 75, "rgt": 658, "cycle_number": 6, "sc_orient": 0},
    "missing beams": {
        "n_segments": {"gt1l": 200, "gt2l": 151, "gt2r": 0},
        "rgt": 659,
        "cycle_number": 5,
        "beams": ("gt1l", "gt2l", "gt2r"),
    },
    "empty beams": {
        "n_segments": 33,
        "rgt": 660,
        "cycle_number": 5,
        "empty_beams": ("gt1r", "gt3l"),
    },
}
GRANULE_NAMES = tuple(_WRITTEN)


def written_granules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All of them by what is odd about them, written once; to be left as they are."""
    return _write_all(tmp_path_factory.getbasetemp() / "written")


@cache
def _write_all(directory: Path) -> dict[str, Path]:
    directory.mkdir()
    return {name: written_granule(name, directory) for name in GRANULE_NAMES}


def written_granule(name: str, directory: Path, **changes: Any) -> Path:
    """Write one of the granules above, or one that differs from it."""
    return write_granule(
        directory, product="ATL06", **{"chunk_rows": 64, **_WRITTEN[name], **changes}
    )


def written_passes(
    tmp_path_factory: pytest.TempPathFactory, cycles: Collection[int], **how: Any
) -> dict[str, list[Path]]:
    """Write ATL03 and ATL08 of some cycles, by product.

    Products are reprocessed apart: versions of a pair differ.
    """
    folder = tmp_path_factory.mktemp("pass")
    return {
        product: [
            write_granule(
                folder, product, cycle_number=cycle, chunk_rows=2000, version=version, **how
            )
            for cycle in cycles
        ]
        for product, version in (("ATL03", "02"), ("ATL08", "01"))
    }


def numbered_copies(path: Path, name: str, count: int) -> Iterator[Path]:
    """Copy a granule of reference track 658 that often, each with a track of its own.

    This takes a hundredth of the time in which a granule is written.
    """
    for rgt in range(1, count + 1):
        copy = path.with_name(name.replace("_0658", f"_{rgt:04d}"))
        shutil.copyfile(path, copy)
        _number_granule(copy, rgt)
        yield copy


def _number_granule(path: Path, rgt: int) -> None:
    """Change the reference track of a granule, wherever the file says it."""
    with h5py.File(path, "r+") as file:
        file["orbit_info/rgt"][...] = rgt
        for name in ("start_rgt", "end_rgt"):
            if name in file["ancillary_data"]:
                file[f"ancillary_data/{name}"][...] = rgt
        file["METADATA/DatasetIdentification"].attrs["fileName"] = np.bytes_(path.name)
