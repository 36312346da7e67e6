"""``python -m xr_icesat2.demo``: the arguments, and which stories are told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from .one_granule import show_granule
from .two_cycles import compare_cycles

REAL_GRANULE = Path("../shared/granules/processed_ATL06_20191106230008_06270503_006_01.h5")
"""An NSIDC subset of Greenland's coast, which is not part of the project."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare two written cycles; show a real granule too, if there is one."""
    parser = argparse.ArgumentParser(prog="python -m xr_icesat2.demo", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for all")
    parser.add_argument("--segments", type=int, default=20_000, help="rows of a beam to write")
    parser.add_argument("--granule", type=Path, default=REAL_GRANULE, help="a real ATL06 granule")
    options = parser.parse_args(arguments)
    mpl.use("agg")  # pictures go to files: no screen is needed
    compare_cycles(options.output, options.segments, print)
    if options.granule.exists():
        show_granule(options.granule, options.output, print)


if __name__ == "__main__":
    main()
