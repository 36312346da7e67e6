"""Synthetic granules of the workloads, written once and kept in a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xr_icesat2.errors import ICESat2Error
from xr_icesat2.testing import granule_name, write_granule

__all__ = ["FILES", "MANY", "WARM_UP", "Granules", "Made", "NotMadeError", "cache_folder", "make"]

MANY = 200
"""Granules of the largest list; a smaller list contains a quarter of them."""
_CYCLES = 50
_RGT = 658


class NotMadeError(Exception):
    """Granules cannot be written; the message contains the reason."""


@dataclass(frozen=True)
class Granules:
    """One granule, or a list of similar ones."""

    title: str
    group: str
    """Main group, below a beam."""
    variables: tuple[str, ...]
    """The five variables to read: paths below the main group."""
    written: Mapping[str, Any]
    """Arguments of :func:`~xr_icesat2.testing.write_granule`."""
    each: Sequence[Mapping[str, Any]] = ({},)
    """Additional arguments for each granule."""
    folder: str = ""
    """Folder of the files, if another workload has them too."""


@dataclass(frozen=True)
class Made:
    """Paths of written granules."""

    files: Sequence[Path]
    warm_up: Path
    """A small granule of the same product."""

    @property
    def all(self) -> list[Path]:
        """Return every file."""
        return [*self.files, self.warm_up]


_ATL06 = (
    "land_ice_segments",
    ("h_li", "h_li_sigma", "latitude", "longitude", "atl06_quality_summary"),
)
_ATL08 = (
    "land_segments",
    ("latitude", "longitude", "delta_time", "canopy/h_canopy", "terrain/h_te_best_fit"),
)
_ATL03 = ("heights", ("h_ph", "lat_ph", "lon_ph", "delta_time", "signal_conf_ph"))

_ATL08_WHOLE: Mapping[str, Any] = {
    "product": "ATL08", "release": "003", "rgt": 328, "cycle_number": 8, "granule_region": 6,
    "sc_orient": 0,
    "n_segments": {
        "gt1l": 134_000, "gt1r": 105_000, "gt2l": 107_000,
        "gt2r": 90_000, "gt3l": 128_000, "gt3r": 100_000,
    },
}  # fmt: skip
"""Number, size and order of chunks are about those of the original granule in
docs/design/synthetic-files.md."""


def _campaign(count: int) -> Sequence[Mapping[str, Any]]:
    """Return arguments for consecutive cycles of one track after another."""
    numbered = (divmod(number, _CYCLES) for number in range(count))
    return [{"rgt": _RGT + track, "cycle_number": cycle + 1} for track, cycle in numbered]


FILES: Mapping[str, Granules] = {
    "atl06-50": Granules(
        "ATL06 of 50 MB, one dataset after another",
        *_ATL06,
        {"n_segments": 67_000, "interleave": False},
    ),
    "atl06-200": Granules(
        "ATL06 of 200 MB, chunks interleaved in time", *_ATL06, {"n_segments": 275_000}
    ),
    "atl08": Granules("ATL08 of full size", *_ATL08, _ATL08_WHOLE),
    "atl03-006": Granules(
        "ATL03 of 1 GB, release 006", *_ATL03,
        {"product": "ATL03", "release": "006", "n_segments": 75_000},
    ),
    "atl03-007": Granules(
        "ATL03 of 1 GB, release 007", *_ATL03,
        {"product": "ATL03", "release": "007", "n_segments": 75_000},
    ),
    "many": Granules(
        f"{MANY // 4} ATL06 granules of 5 MB", *_ATL06, {"n_segments": 4000}, _campaign(MANY // 4)
    ),
    "many-200": Granules(
        f"{MANY} ATL06 granules of 5 MB", *_ATL06, {"n_segments": 4000}, _campaign(MANY), "many"
    ),
}  # fmt: skip

WARM_UP: Mapping[str, Any] = {"n_segments": 60, "cycle_number": 99}
"""A granule that a process reads before the measurement."""


def cache_folder() -> Path:
    """Return the folder of granules: ``XR_ICESAT2_BENCHMARKS``, or in ``build``."""
    folder = Path(os.environ.get("XR_ICESAT2_BENCHMARKS", "build/benchmarks")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def make(name: str, granules: Granules, folder: Path) -> Made:
    """Write granules, and a small one to warm up with, unless they exist.

    Raises
    ------
    NotMadeError
        They cannot be written.
    """
    name = granules.folder or name
    place = folder / name
    place.mkdir(exist_ok=True)
    paths = [_written(place, {**granules.written, **own}) for own in granules.each]
    return Made(paths, _written(place, {**granules.written, **WARM_UP}))


def _written(folder: Path, arguments: Mapping[str, Any]) -> Path:
    """Write a granule under its own name, from which readers may identify it."""
    arguments = {"rgt": _RGT, "cycle_number": 1, **arguments}
    named = ("product", "rgt", "cycle_number", "granule_region", "release")
    path = folder / granule_name(**{key: arguments[key] for key in named if key in arguments})
    if not path.exists():
        try:
            write_granule(path, **arguments)
        except ICESat2Error as error:
            raise NotMadeError(str(error)) from error
    return path
