"""Written granules: odder than the real ones that are small enough to have at hand."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

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
