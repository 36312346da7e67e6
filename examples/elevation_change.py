"""ATL06: elevation change of land ice between two cycles of one ground track."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from xr_icesat2.testing import elevation_change as true_change_of_a_cycle

from .elevation_change_plot import draw_change
from .workspace import Workspace, elapsed

__all__ = [
    "BEAMS",
    "CYCLES",
    "VARIABLES",
    "align_on_segments",
    "change_table",
    "elevation_change",
    "show_elevation_change",
]

BEAMS = ("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")
CYCLES = (12, 16)
"""Cycles to compare: four times 91 days, a year."""
VARIABLES = ["segment_id", "h_li", "atl06_quality_summary", "x_atc", "y_atc", "dh_fit_dy"]
"""Variables that :func:`elevation_change` needs."""


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
    summary = frame.groupby("beam")["dh"].describe()[["count", "mean", "std", "min", "max"]]
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
        On (beam, segment_id), in metres: ``dh``, the heights ``h_li_first`` and
        ``h_li_second``; ``latitude``, ``longitude`` and ``x_atc`` of the first granule.
    """
    good = ds["h_li"].where(ds["atl06_quality_summary"] == 0)
    aligned = align_on_segments(ds.assign(h_li=good))
    first, second = (aligned.isel(gran_idx=g, drop=True) for g in (0, 1))
    slope = (first["dh_fit_dy"] + second["dh_fit_dy"]) / 2
    dh = second["h_li"] - first["h_li"] - slope * (second["y_atc"] - first["y_atc"])
    cycles = " to ".join(str(cycle) for cycle in ds["cycle_number"].to_numpy())
    change = first[["latitude", "longitude", "x_atc"]].assign(
        h_li_first=first["h_li"],
        h_li_second=second["h_li"],
        dh=dh.assign_attrs(long_name=f"elevation change, cycle {cycles}", units="meters"),
    )
    return change.isel(segment_id=np.flatnonzero(dh.count("beam")))


def align_on_segments(ds: xr.Dataset) -> xr.Dataset:
    """Align rows by their place on the ground instead of their row number.

    Parameters
    ----------
    ds
        Rows of ATL06's ``land_ice_segments``, with ``segment_id``: dimensions
        (gran_idx, spot, segment_idx).

    Returns
    -------
    xarray.Dataset
        The same variables on (gran_idx, beam, segment_id), NaN where a granule has no
        such row. The dimension is the beam, not the spot: when the spacecraft has turned,
        another spot measures along the same ground track.
    """
    segment = ds["segment_id"].to_numpy()
    valid = np.isfinite(segment)
    granule, spot, _ = np.nonzero(valid)
    ids = segment[valid].astype(np.int64)
    beam = np.searchsorted(BEAMS, ds["gt"].to_numpy())[granule, spot]
    first, last = int(ids.min()), int(ids.max())

    def aligned(values: xr.DataArray) -> xr.Variable:
        rows = values.to_numpy()
        missing = np.datetime64("NaT", "ns") if rows.dtype.kind == "M" else np.nan
        result = np.full((ds.sizes["gran_idx"], len(BEAMS), last + 1 - first), missing, rows.dtype)
        result[granule, beam, ids - first] = rows[valid]
        return xr.Variable(("gran_idx", "beam", "segment_id"), result, values.attrs)

    along = {name: v for name, v in ds.variables.items() if v.dims == ds["segment_id"].dims}
    return xr.Dataset(
        {name: aligned(ds[name]) for name in along if name != "segment_id"},
        coords={
            "cycle_number": ds["cycle_number"],
            "beam": list(BEAMS),
            "segment_id": np.arange(first, last + 1),
        },
    )


def change_table(change: xr.Dataset) -> pd.DataFrame:
    """Return one row for each beam and segment that has a change, in that order."""
    frame = change.to_dataframe(dim_order=["beam", "segment_id"])
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
