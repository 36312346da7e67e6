"""ATL06: elevation change of land ice between two cycles of one ground track."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from xr_icesat2 import icesat2
from xr_icesat2.testing import elevation_change as true_change_of_a_cycle

from .elevation_change_plot import draw_change
from .workspace import Workspace, elapsed

__all__ = [
    "CYCLES",
    "VARIABLES",
    "change_table",
    "elevation_change",
    "show_elevation_change",
]

CYCLES = (12, 16)
"""Cycles to compare: four times 91 days, a year."""
VARIABLES = ["segment_id", "h_li", "atl06_quality_summary", "x_atc", "y_atc", "dh_fit_dy"]
"""Variables that :func:`elevation_change` needs."""
TABLE_WITHOUT = {"delta_time", "product", "rgt", "spatial_ref", "spot"}
"""Coordinates that the table does not show."""


def show_elevation_change(workspace: Workspace, segments: int) -> list[Path]:
    """Write two cycles, open them from S3, and write a table and a picture of the change.

    Each beam has ``segments`` rows.
    """
    workspace.report("\n# ATL06: elevation change of land ice\n")
    urls = [workspace.write("ATL06", cycle_number=cycle, n_segments=segments) for cycle in CYCLES]
    _show_tree(urls[0], workspace)
    cycles = _read(urls, workspace)
    change = elevation_change(cycles)
    expected = (CYCLES[1] - CYCLES[0]) * xr.apply_ufunc(
        true_change_of_a_cycle, change["latitude"], change["longitude"]
    )
    table, picture = (workspace.output / f"elevation_change.{kind}" for kind in ("parquet", "png"))
    frame = change_table(change)
    frame.to_parquet(table, index=False)
    workspace.report(f"\nElevation change, cycle {CYCLES[0]} to {CYCLES[1]}, in metres:\n\n{frame}")
    summary = frame.groupby("gt")["dh"].describe()[["count", "mean", "std", "min", "max"]]
    workspace.report(f"\ndh by beam, in metres:\n\n{summary.round(3)}")
    error = change["dh"] - expected
    workspace.report(f"\ndh minus the true change: median {error.median():.3f} m")
    draw_change(change, expected, picture, f"ATL06 (synthetic), track {cycles['rgt'][0].item()}")
    return [table, picture]


def elevation_change(ds: xr.Dataset) -> xr.Dataset:
    """Compute the change of ``h_li`` from the first granule to the second, where both are good.

    Repeat tracks are some metres apart; the height difference that the slope across the
    track (``dh_fit_dy``) makes of this distance is subtracted.

    Parameters
    ----------
    ds
        Two cycles of one reference ground track, with :data:`VARIABLES`.

    Returns
    -------
    xarray.Dataset
        On (gt, segment_id), in metres: ``dh``, the heights ``h_li_first`` and
        ``h_li_second``; ``latitude``, ``longitude`` and ``x_atc`` of the first granule.
    """
    good = ds["h_li"].where(ds["atl06_quality_summary"] == 0)
    track = icesat2(ds.assign(h_li=good)).along_track()
    track = track.drop_vars([*TABLE_WITHOUT & track.coords.keys()]).load()
    first, second = (track.isel(cycle_number=n, drop=True) for n in (0, 1))
    slope = (first["dh_fit_dy"] + second["dh_fit_dy"]) / 2
    dh = second["h_li"] - first["h_li"] - slope * (second["y_atc"] - first["y_atc"])
    cycles = " to ".join(str(cycle) for cycle in ds["cycle_number"].to_numpy())
    change = first[["x_atc"]].assign(
        h_li_first=first["h_li"],
        h_li_second=second["h_li"],
        dh=dh.assign_attrs(long_name=f"elevation change, cycle {cycles}", units="meters"),
    )
    return change.isel(segment_id=np.flatnonzero(dh.count("gt")))


def change_table(change: xr.Dataset) -> pd.DataFrame:
    """Return one row for each beam and segment that has a change, in that order."""
    frame = change.to_dataframe(dim_order=["gt", "segment_id"])
    return frame.dropna(subset=["dh"]).reset_index()


def _show_tree(url: str, workspace: Workspace) -> None:
    began = time.perf_counter()
    dropped = ["METADATA", "quality_assessment"]
    tree = xr.open_datatree(
        url, engine="icesat2", storage_options=workspace.storage_options, drop_variables=dropped
    )
    compact = {f"display_expand_{part}": False for part in ("attrs", "coords", "data_vars")}
    with xr.set_options(**compact):
        without = ", ".join(dropped)
        workspace.report(f"\n{url} as a DataTree (without {without}), {elapsed(began)}:\n\n{tree}")
    tree.close()


def _read(urls: list[str], workspace: Workspace) -> xr.Dataset:
    began = time.perf_counter()
    with xr.open_dataset(
        urls,  # type: ignore[arg-type] # xarray declares one path; engines may take more
        engine="icesat2",
        storage_options=workspace.storage_options,
    ) as ds:
        workspace.report(
            f"\nBoth granules as one Dataset, no values read, {elapsed(began)}:\n\n{ds}"
        )
        began = time.perf_counter()
        cycles = ds[VARIABLES].load()
        read, total = len(VARIABLES), len(ds.data_vars)
        workspace.report(f"\nRead {read} of {total} variables, {elapsed(began)}.")
    return cycles
