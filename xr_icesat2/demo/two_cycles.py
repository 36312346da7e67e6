"""ATL06: two cycles of a granule, opened as one and compared."""

from __future__ import annotations

import time
from pathlib import Path

import xarray as xr

from xr_icesat2.testing import elevation_change as change_of_a_cycle

from .change import NEEDED, elevation_change
from .change_picture import draw_change
from .stage import Stage, took
from .table import write_table

__all__ = ["compare_cycles"]

CYCLES = (12, 16)
"""Four cycles of 91 days: a year."""


def compare_cycles(stage: Stage, segments: int) -> list[Path]:
    """Write two cycles, open them from S3, and leave a picture and a table of the change.

    Parameters
    ----------
    stage
        Where.
    segments
        Rows of each beam.

    Returns
    -------
    list of Path
        What is left.
    """
    stage.tell("\n# ATL06: how the height of land ice changed\n")
    urls = [stage.write("ATL06", cycle=cycle, n_segments=segments) for cycle in CYCLES]
    _show_tree(urls[0], stage)
    both = _read(urls, stage)
    change = elevation_change(both)
    expected = (CYCLES[1] - CYCLES[0]) * xr.apply_ufunc(
        change_of_a_cycle, change["latitude"], change["longitude"]
    )
    table, picture = (stage.output / f"elevation_change.{kind}" for kind in ("parquet", "png"))
    frame = write_table(change, table)
    stage.tell(f"\nElevation change, cycle {CYCLES[0]} to {CYCLES[1]}, in metres:\n\n{frame}")
    summary = frame.groupby("beam")["dh"].describe()[["count", "mean", "std", "min", "max"]]
    stage.tell(f"\ndh by beam, in metres:\n\n{summary.round(3)}")
    error = change["dh"] - expected
    stage.tell(f"\ndh less what the surface was made to change by: median {error.median():.3f} m")
    draw_change(change, expected, picture, f"ATL06 (synthetic), track {both['rgt'].values[0]}")
    return [table, picture]


def _show_tree(url: str, stage: Stage) -> None:
    began = time.perf_counter()
    left_out = ["METADATA", "quality_assessment"]
    tree = xr.open_datatree(
        url, engine="icesat2", storage_options=stage.storage_options, drop_variables=left_out
    )
    compact = {f"display_expand_{what}": False for what in ("attrs", "coords", "data_vars")}
    with xr.set_options(**compact):
        without = ", ".join(left_out)
        stage.tell(f"\n{url} as a DataTree (without {without}), {took(began)}:\n\n{tree}")
    tree.close()


def _read(urls: list[str], stage: Stage) -> xr.Dataset:
    began = time.perf_counter()
    with xr.open_dataset(
        urls,  # type: ignore[arg-type] # xarray declares one path; engines may take more
        engine="icesat2",
        storage_options=stage.storage_options,
    ) as ds:
        stage.tell(f"\nBoth granules as one Dataset, {took(began)}, no value read:\n\n{ds}")
        began = time.perf_counter()
        both = ds[NEEDED].load()
        stage.tell(f"\nRead {len(NEEDED)} of its {len(ds.data_vars)} variables, {took(began)}.")
    return both
