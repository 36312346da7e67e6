"""Two cycles of a granule: written, served, opened as one, compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

from xr_icesat2.testing import elevation_change as change_of_a_cycle
from xr_icesat2.testing import write_granule

from .change import NEEDED, elevation_change
from .picture import draw_change
from .server import BUCKET, serve
from .table import write_table

__all__ = ["compare_cycles"]

Tell = Callable[[str], None]
CYCLES = (12, 16)
"""Four cycles of 91 days: a year."""


def compare_cycles(output: Path, segments: int, tell: Tell) -> xr.Dataset:
    """Write two cycles, open them from S3, and leave a picture and a table in a folder.

    Parameters
    ----------
    output
        Folder; made if it is not there.
    segments
        Rows of each beam.
    tell
        What is done with what there is to say: ``print``.

    Returns
    -------
    xarray.Dataset
        The elevation change, see :func:`.elevation_change`.
    """
    paths = _write(output / BUCKET, segments, tell)
    with serve(output) as storage_options:
        urls = [f"s3://{BUCKET}/{path.name}" for path in paths]
        tell(f"\nServing them at {storage_options['endpoint_url']}")
        _show_tree(urls[0], storage_options, tell)
        both = _read(urls, storage_options, tell)
    change = elevation_change(both)
    expected = (CYCLES[1] - CYCLES[0]) * xr.apply_ufunc(
        change_of_a_cycle, change["latitude"], change["longitude"]
    )
    table = write_table(change, output / "elevation_change.parquet")
    tell(f"\nElevation change, cycle {CYCLES[0]} to {CYCLES[1]}, in metres:\n\n{table}")
    summary = table.groupby("beam")["dh"].describe()[["count", "mean", "std", "min", "max"]]
    tell(f"\ndh by beam, in metres:\n\n{summary.round(3)}")
    error = change["dh"] - expected
    tell(f"\ndh less what the surface was made to change by: median {error.median():.3f} m")
    picture = output / "elevation_change.png"
    draw_change(change, expected, picture, f"ATL06 (synthetic), track {both['rgt'].values[0]}")
    tell(f"\nTable:   {output / 'elevation_change.parquet'}\nPicture: {picture}")
    return change


def _write(folder: Path, segments: int, tell: Tell) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    paths = [write_granule(folder, cycle=cycle, n_segments=segments) for cycle in CYCLES]
    tell(f"Wrote {len(paths)} granules of synthetic data, {_took(began)}:")
    for path in paths:
        tell(f"  {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return paths


def _show_tree(url: str, storage_options: dict[str, Any], tell: Tell) -> None:
    began = time.perf_counter()
    left_out = ["METADATA", "quality_assessment"]
    tree = xr.open_datatree(
        url, engine="icesat2", storage_options=storage_options, drop_variables=left_out
    )
    compact = {f"display_expand_{what}": False for what in ("attrs", "coords", "data_vars")}
    with xr.set_options(**compact):
        tell(f"\n{url} as a DataTree (without {', '.join(left_out)}), {_took(began)}:\n\n{tree}")
    tree.close()


def _read(urls: list[str], storage_options: dict[str, Any], tell: Tell) -> xr.Dataset:
    began = time.perf_counter()
    with xr.open_dataset(
        urls,  # type: ignore[arg-type] # xarray declares one path; engines may take more
        engine="icesat2",
        storage_options=storage_options,
    ) as ds:
        tell(f"\nBoth granules as one Dataset, {_took(began)}, no value read:\n\n{ds}")
        began = time.perf_counter()
        both = ds[NEEDED].load()
        tell(f"\nRead {len(NEEDED)} of its {len(ds.data_vars)} variables, {_took(began)}.")
    return both


def _took(began: float) -> str:
    return f"{time.perf_counter() - began:.1f} s"
