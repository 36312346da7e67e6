"""The elevation change as a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

__all__ = ["to_table", "write_table"]


def to_table(change: xr.Dataset) -> pd.DataFrame:
    """Give one row a beam and segment that has a change, in that order."""
    frame = change.to_dataframe(dim_order=["beam", "segment_id"])
    return frame.dropna(subset=["dh"]).reset_index()


def write_table(change: xr.Dataset, path: Path) -> pd.DataFrame:
    """Write the table as Parquet, and give it."""
    table = to_table(change)
    table.to_parquet(path, index=False)
    return table
