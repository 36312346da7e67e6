"""ATL13: lake levels over two years."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import xarray as xr

from xr_icesat2.testing import lake_level

from .lake_levels_plot import draw_levels
from .workspace import Workspace, elapsed

__all__ = ["lake_levels", "show_lake_levels"]

RGT = 533
CYCLES = range(4, 12)
"""Two years."""
VARIABLES = ["inland_water_body_id", "ht_ortho"]


def show_lake_levels(workspace: Workspace, segments: int) -> list[Path]:
    """Write cycles of ATL13, open them from S3 as one Dataset, and compute lake levels.

    Write a table of levels and a picture. Each beam has ``segments`` rows.
    """
    workspace.report("\n# ATL13: levels of lakes\n")
    urls = [workspace.write("ATL13", rgt=RGT, cycle_number=c, n_segments=segments) for c in CYCLES]
    began = time.perf_counter()
    with xr.open_dataset(
        urls,  # type: ignore[arg-type] # xarray declares one path; engines may take more
        engine="icesat2",
        layout="flat",
        storage_options=workspace.storage_options,
        variables=VARIABLES,
    ) as ds:
        workspace.report(f"\nAll granules as one Dataset, one row for each observation:\n\n{ds}")
        rows = ds.icesat2.to_dataframe()
    workspace.report(f"\nOpened and read, {elapsed(began)}.")
    rows = rows.assign(
        cycle=rows["cycle_number"].astype(int),
        lake=rows["inland_water_body_id"].astype(int),
    )
    levels = lake_levels(rows)
    for cycle in CYCLES:
        some = levels[levels["cycle"] == cycle]
        true = lake_level(some["latitude"], some["longitude"], cycle)
        levels.loc[some.index, "expected"] = true
    workspace.report(f"\nLevels above the geoid, in metres:\n\n{levels}")
    error = levels["level"] - levels["expected"]
    workspace.report(f"\nLevels minus the true levels: at most {error.abs().max():.3f} m")
    table, picture = (workspace.output / f"lake_levels.{kind}" for kind in ("parquet", "png"))
    levels.to_parquet(table, index=False)
    draw_levels(rows, levels, picture, f"ATL13 (synthetic), tracks {RGT} to {RGT + 3}")
    return [table, picture]


def lake_levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Compute the level of each lake in each cycle.

    Parameters
    ----------
    rows
        One row for each short segment: ``cycle``, ``lake``, ``ht_ortho``, time and position.

    Returns
    -------
    pandas.DataFrame
        One row for each cycle and lake, in this order: ``level``, the median of ``ht_ortho``
        (metres above the geoid), number of ``segments``, ``time`` and position of the first.
    """
    lakes = rows.groupby(["cycle", "lake"])
    return lakes.agg(
        level=("ht_ortho", "median"),
        segments=("ht_ortho", "count"),
        time=("delta_time", "first"),
        latitude=("segment_lat", "first"),
        longitude=("segment_lon", "first"),
    ).reset_index()
