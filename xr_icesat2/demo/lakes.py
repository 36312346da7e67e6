"""ATL13: levels of lakes, from cycle to cycle."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import xarray as xr

from xr_icesat2.testing import lake_level

from .lake_picture import draw_levels
from .stage import Stage, took

__all__ = ["lake_levels", "show_lakes"]

RGT = 533
CYCLES = range(4, 12)
"""Two years."""
NEEDED = ["inland_water_body_id", "ht_ortho"]


def show_lakes(stage: Stage, segments: int) -> list[Path]:
    """Write some cycles of ATL13, open them from S3 as one, and follow the lakes' levels.

    Parameters
    ----------
    stage
        Where.
    segments
        Rows of each beam.

    Returns
    -------
    list of Path
        A table of levels, and a picture.
    """
    stage.tell("\n# ATL13: levels of lakes\n")
    urls = [stage.write("ATL13", rgt=RGT, cycle=c, n_segments=segments) for c in CYCLES]
    began = time.perf_counter()
    with xr.open_dataset(
        urls,  # type: ignore[arg-type] # xarray declares one path; engines may take more
        engine="icesat2",
        layout="flat",
        storage_options=stage.storage_options,
        variables=NEEDED,
    ) as ds:
        stage.tell(f"\nAll of them as one Dataset, a row an observation:\n\n{ds}")
        rows = ds.to_dataframe()
    stage.tell(f"\nOpened and read, {took(began)}.")
    rows = rows.assign(
        cycle=rows["gran_idx"] // 100 % 100,
        lake=rows["inland_water_body_id"].astype(int),
    )
    levels = lake_levels(rows)
    for cycle in CYCLES:
        some = levels[levels["cycle"] == cycle]
        made = lake_level(some["latitude"], some["longitude"], cycle)
        levels.loc[some.index, "expected"] = made
    stage.tell(f"\nLevels above the geoid, in metres:\n\n{levels}")
    error = levels["level"] - levels["expected"]
    stage.tell(f"\nLevels less those of the lakes as made: at most {error.abs().max():.3f} m")
    table, picture = (stage.output / f"lake_levels.{kind}" for kind in ("parquet", "png"))
    levels.to_parquet(table, index=False)
    draw_levels(rows, levels, picture, f"ATL13 (synthetic), tracks {RGT} to {RGT + 3}")
    return [table, picture]


def lake_levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the level of each lake in each cycle.

    Parameters
    ----------
    rows
        A row a short segment: ``cycle``, ``lake``, ``ht_ortho``, and when and where it is.

    Returns
    -------
    pandas.DataFrame
        A row a cycle and lake, in this order: ``level``, the median of ``ht_ortho`` (metres above
        the geoid), number of ``segments``, and ``time`` and place of the first of them.
    """
    lakes = rows.groupby(["cycle", "lake"])
    return lakes.agg(
        level=("ht_ortho", "median"),
        segments=("ht_ortho", "count"),
        time=("delta_time", "first"),
        latitude=("segment_lat", "first"),
        longitude=("segment_lon", "first"),
    ).reset_index()
