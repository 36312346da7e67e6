"""``python -m xr_icesat2.demo``: the arguments, and which stories are told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from .forest import show_forest
from .lakes import show_lakes
from .real import show_granule
from .stage import set_up
from .two_cycles import compare_cycles

_REAL = Path("../shared/granules")
REAL_GRANULES = [
    _REAL / "processed_ATL06_20191106230008_06270503_006_01.h5",
    _REAL / "ATL03_gt1l.h5",
    _REAL / "processed_ATL08_20200821122613_08730802_004_01.h5",
]
"""Subsets of Greenland's coast, the Arctic Ocean and Ontario, which are not part of the project."""
_OF_ATL03, _OF_ATL13 = 0.075, 0.05  # rows of these for a row of ATL06: seconds, all in all,
_LEAST = 100  # but so many that trees and lakes are among them


def main(arguments: Sequence[str] | None = None) -> None:
    """Write and show granules of four products; show real ones too, if there are any."""
    parser = argparse.ArgumentParser(prog="python -m xr_icesat2.demo", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for all")
    parser.add_argument(
        "--segments", type=int, default=20_000, help="rows of a beam of ATL06; others are smaller"
    )
    parser.add_argument(
        "--granules", type=Path, nargs="*", default=REAL_GRANULES, help="real granules to show"
    )
    options = parser.parse_args(arguments)
    mpl.use("agg")  # pictures go to files: no screen is needed
    with set_up(options.output, print) as stage:
        left = compare_cycles(stage, options.segments)
        left += show_forest(stage, max(_LEAST, round(_OF_ATL03 * options.segments)))
        left += show_lakes(stage, max(_LEAST, round(_OF_ATL13 * options.segments)))
        for path in options.granules:
            if path.exists():
                left += show_granule(path, stage.output, stage.tell)
        stage.tell("\n# Left behind\n")
        for path in left:
            stage.tell(f"  {'picture' if path.suffix == '.png' else 'table  '}  {path}")


if __name__ == "__main__":
    main()
