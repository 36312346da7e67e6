"""Two cycles of a granule: written, served, opened as one, compared."""

from __future__ import annotations

import time
from pathlib import Path

import xarray as xr

from xr_icesat2.testing import write_granule

from .change import NEEDED, elevation_change
from .picture import draw_change
from .server import BUCKET, serve
from .table import write_table

__all__ = ["compare_cycles"]

CYCLES = (12, 16)
"""Four cycles of 91 days: a year."""


def compare_cycles(output: Path, segments: int) -> xr.Dataset:
    """Write two cycles, open them from S3, and leave a picture and a table in a folder.

    Parameters
    ----------
    output
        Folder; made if it is not there.
    segments
        Rows of each beam.

    Returns
    -------
    xarray.Dataset
        The elevation change, see :func:`.elevation_change`.
    """
    bucket = output / BUCKET
    bucket.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    paths = [write_granule(bucket, cycle=cycle, n_segments=segments) for cycle in CYCLES]
    print(f"Wrote {len(paths)} granules of synthetic data, {_took(began)}:")
    for path in paths:
        print(f"  {path} ({path.stat().st_size / 1e6:.1f} MB)")
    with serve(output) as storage_options:
        urls = [f"s3://{BUCKET}/{path.name}" for path in paths]
        print(f"\nServing them at {storage_options['endpoint_url']}: {', '.join(urls)}")
        began = time.perf_counter()
        ds = xr.open_dataset(urls, engine="icesat2", storage_options=storage_options)
        print(f"\nBoth as one Dataset, lazily, {_took(began)}:\n\n{ds}")
        _show_tree(urls[0], storage_options)
        began = time.perf_counter()
        loaded = ds[NEEDED].load()
        print(f"\nRead {len(NEEDED)} of its {len(ds.data_vars)} variables, {_took(began)}.")
        ds.close()
    change = elevation_change(loaded)
    table = write_table(change, output / "elevation_change.parquet")
    print(f"\nElevation change, cycle {CYCLES[0]} to {CYCLES[1]}:\n\n{table}")
    by_beam = table.groupby("beam")["dh"].describe()[["count", "mean", "std", "min", "max"]]
    print(f"\ndh by beam, metres:\n\n{by_beam.round(3)}")
    title = f"ATL06 (synthetic), track {loaded['rgt'].to_numpy()[0]}, six beams"
    draw_change(change, output / "elevation_change.png", source=title)
    print(f"\nTable:   {output / 'elevation_change.parquet'}")
    print(f"Picture: {output / 'elevation_change.png'}")
    return change


def _show_tree(url: str, storage_options: dict[str, object]) -> None:
    began = time.perf_counter()
    tree = xr.open_datatree(
        url, engine="icesat2", storage_options=storage_options, drop_variables="METADATA"
    )
    with xr.set_options(
        display_expand_coords=False, display_expand_data_vars=False, display_expand_attrs=False
    ):
        print(f"\nOne of them as a DataTree (but its METADATA), {_took(began)}:\n\n{tree}")
    tree.close()


def _took(began: float) -> str:
    return f"{time.perf_counter() - began:.1f} s"
