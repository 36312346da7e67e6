"""Where the real granules lie, if they are here at all."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
GRANULES = SHARED / "granules"
STRUCTURE = SHARED / "structure"
CMR = SHARED / "cmr"
HOSTILE = SHARED / "hostile"

ALL_GRANULES = (
    sorted(path for path in GRANULES.iterdir() if path.suffix in {".h5", ".nc"})
    if GRANULES.is_dir()
    else []
)
ATL06_GRANULES = [path for path in ALL_GRANULES if "ATL06" in path.name]

needs_granules = pytest.mark.skipif(
    not ALL_GRANULES, reason="the real granules are not here (../shared/granules)"
)


def granule(name: str) -> Path:
    """Path of one real granule; skips the test where it is absent."""
    return _existing(GRANULES / name)


def recorded_answer(name: str) -> Path:
    """Path of one recorded answer of CMR; skips the test where it is absent."""
    return _existing(CMR / name)


def hostile_file(name: str) -> Path:
    """Path of one small file made to do harm; skips the test where it is absent."""
    return _existing(HOSTILE / name)


def structure_file(name: str) -> Path:
    """Path of one file with the tree of a real granule; skips the test where it is absent."""
    return _existing(STRUCTURE / name)


def _existing(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.name} is not here (../shared/{path.parent.name})")
    return path
