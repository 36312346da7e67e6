"""Time and memory to write photons as GeoParquet: ``python -m benchmarks.tables [rows] [granule]``.

Without a granule, a synthetic one of ATL03 is written first, with about so many photons (default:
one million). Each way runs in a process of its own, whose peak memory is printed.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import xarray as xr

import xr_icesat2
from xr_icesat2.testing import write_granule

PHOTONS_PER_SEGMENT = 700
"""Of all six beams of a synthetic granule."""
COLUMNS = ["h_ph", "quality_ph", "signal_conf_ph"]
WAYS = ("to_geoparquet", "to_geoparquet, layout spot", "geopandas.to_parquet")


def main() -> None:
    """Write one granule in each way, each in its own process."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(sys.argv) > 2:
            granule = Path(sys.argv[2])
        else:
            granule = write_granule(folder, "ATL03", n_segments=max(1, rows // PHOTONS_PER_SEGMENT))
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.tables", way, str(granule), str(folder)]
            subprocess.run(command, check=True)  # noqa: S603 - our own interpreter


def write(way: str, granule: Path, folder: Path) -> None:
    """Write the photons of a granule in one way, and print what it took."""
    layout = "spot" if way.endswith("spot") else "flat"
    target = folder / f"{way}.parquet"
    options = {"variables": COLUMNS, "layout": layout}
    with xr.open_dataset(granule, engine="icesat2", **options) as ds:  # type: ignore[arg-type]
        opened = xr_icesat2.icesat2(ds)
        frame = opened.to_geodataframe(z="h_ph") if way.startswith("geopandas") else None
        before, began = _peak(), time.perf_counter()
        if frame is None:
            opened.to_geoparquet(target, z="h_ph")
            before = 0.0
        else:
            frame.to_parquet(target, write_covering_bbox=True, compression="zstd")
        seconds = time.perf_counter() - began
    rows = _rows(target)
    print(
        f"{way:28} {rows:>10,} rows  {seconds:7.1f} s  {rows / seconds:>10,.0f} rows/s  "
        f"{target.stat().st_size / 1e6:7.0f} MB  peak {_peak():.2f} GB"
        + (f", of which {before:.2f} GB for the frame" if before else ", reading included"),
        flush=True,
    )


def _rows(path: Path) -> int:
    from pyarrow.parquet import read_metadata  # noqa: PLC0415 - after memory was measured

    return int(read_metadata(path).num_rows)


def _peak() -> float:
    """Return the greatest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in WAYS:
        write(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
