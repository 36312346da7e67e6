"""Written granules that real ones are too well-behaved to be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xr_icesat2.testing import write_granule

REGION = 3
RELEASE = "006"

# Names by what is odd about them; one release, so that all go into one list.
_WRITTEN: Mapping[str, dict[str, Any]] = {
    "all beams": {"n_segments": 120, "rgt": 627, "cycle": 5, "sc_orient": 1},
    "backward": {"n_segments": 75, "rgt": 627, "cycle": 6, "sc_orient": 0},
    "missing beams": {
        "n_segments": 200,
        "rgt": 628,
        "cycle": 5,
        "sc_orient": 1,
        "beams": ("gt1l", "gt2l", "gt2r"),
    },
    "empty beams": {
        "n_segments": 33,
        "rgt": 629,
        "cycle": 5,
        "sc_orient": 1,
        "empty_beams": ("gt1r", "gt3l"),
    },
    "no sc_orient": {"n_segments": 40, "rgt": 630, "cycle": 5, "sc_orient": 2},
}
GRANULE_NAMES = tuple(_WRITTEN)


def file_name(rgt: int, cycle: int, release: str = RELEASE) -> str:
    """The name that a granule of a reference track and cycle would have."""
    return f"ATL06_20191106{rgt:04d}{cycle:02d}_{rgt:04d}{cycle:02d}{REGION:02d}_{release}_01.h5"


def written_granule(name: str, directory: Path, **changes: Any) -> Path:
    """Write one of the granules above, or one that differs from it."""
    arguments = {**_WRITTEN[name], "release": RELEASE, **changes}
    path = directory / file_name(arguments["rgt"], arguments["cycle"], arguments["release"])
    write_granule(path, product="ATL06", **arguments)
    return path
