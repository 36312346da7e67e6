"""Command line of ``python -m examples``: run all examples."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from .elevation_change import show_elevation_change
from .forest_canopy import show_forest_canopy
from .lake_levels import show_lake_levels
from .real_granules import show_granule
from .workspace import open_workspace

_REAL = Path("../shared/granules")
REAL_GRANULES = [
    _REAL / "processed_ATL06_20191106230008_06270503_006_01.h5",
    _REAL / "ATL03_gt1l.h5",
    _REAL / "processed_ATL08_20200821122613_08730802_004_01.h5",
]
"""Subsets of Greenland's coast, the Arctic Ocean and Ontario, which are not part of the project."""
# Segments of each product for one segment of ATL06: all examples then take some seconds.
_ATL03_SHARE, _ATL13_SHARE = 0.075, 0.05
_MIN_SEGMENTS = 100  # fewer segments may contain no tree and no lake


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the examples of all products; show real granules where there are any."""
    parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), help="folder of granules and results"
    )
    parser.add_argument(
        "--segments", type=int, default=20_000, help="segments of each ATL06 beam; others get fewer"
    )
    parser.add_argument(
        "--granules", type=Path, nargs="*", default=REAL_GRANULES, help="real granules to show"
    )
    options = parser.parse_args(arguments)
    mpl.use("agg")  # pictures are written to files, without a screen
    with open_workspace(options.output, print) as workspace:
        written = show_elevation_change(workspace, options.segments)
        written += show_forest_canopy(workspace, _share(options.segments, _ATL03_SHARE))
        written += show_lake_levels(workspace, _share(options.segments, _ATL13_SHARE))
        for path in options.granules:
            if path.exists():
                written += show_granule(path, workspace.output, workspace.report)
        workspace.report("\n# Files written\n")
        for path in written:
            kind = "picture" if path.suffix == ".png" else "table"
            workspace.report(f"  {kind:7}  {path}")


def _share(segments: int, share: float) -> int:
    return max(_MIN_SEGMENTS, round(share * segments))


if __name__ == "__main__":
    main()
