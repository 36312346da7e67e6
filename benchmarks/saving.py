"""Time to save a whole tree: ``python -m benchmarks.saving [granule]``.

Without an argument, a synthetic granule of ATL08 is written first. Wall time depends on other
programs on the machine, so processor time is printed too.
"""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import xarray as xr
import zarr

from xr_icesat2.testing import write_granule


def main() -> None:
    """Save one granule in each way, and print how long each takes."""
    warnings.simplefilter("ignore")  # zarr warns about strings in its format 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = [Path(argument) for argument in sys.argv[1:]]
        path = given[0] if given else write_granule(folder, "ATL08")
        with xr.open_datatree(path, engine="icesat2") as tree:
            tree.icesat2.load()
            rates = _rates(tree)
            print(f"{path.name}: {_count(tree)} arrays, {_count(rates)} in the rates")
            _time("to_zarr, whole tree", lambda: _zarr(tree, folder / "3.zarr", 3))
            _time("to_zarr, zarr_format=2", lambda: _zarr(tree, folder / "2.zarr", 2))
            _time(
                "to_zarr, consolidated=False",
                lambda: _zarr(tree, folder / "plain.zarr", 2, consolidated=False),
            )
            _time(
                "the same, consolidated once",
                lambda: _once(tree, folder / "one.zarr"),
            )
            _time("to_zarr, rates only", lambda: _zarr(rates, folder / "rates.zarr", 2))
            _time(
                "the same, consolidated once",
                lambda: _once(rates, folder / "few.zarr"),
            )
            _time("to_netcdf, whole tree", lambda: tree.to_netcdf(folder / "tree.nc"))
            _time("to_netcdf, rates only", lambda: rates.to_netcdf(folder / "rates.nc"))
            _time("zarr alone, as many arrays", lambda: _zarr_alone(folder / "alone", _count(tree)))


def _rates(tree: xr.DataTree) -> xr.DataTree:
    """Return the nodes along the track, which have the coordinate n_obs."""
    return tree.filter(lambda node: "n_obs" in node.coords)


def _count(tree: xr.DataTree) -> int:
    return sum(len(node.to_dataset(inherit=False).variables) for node in tree.subtree)


def _zarr(tree: xr.DataTree, path: Path, zarr_format: int, *, consolidated: bool = True) -> None:
    tree.to_zarr(path, zarr_format=zarr_format, consolidated=consolidated)


def _once(tree: xr.DataTree, path: Path) -> None:
    """Save, and consolidate the metadata after all arrays are written."""
    _zarr(tree, path, 2, consolidated=False)
    zarr.consolidate_metadata(path, zarr_format=2)


def _zarr_alone(path: Path, count: int) -> None:
    """Create arrays of one value with zarr alone."""
    group = zarr.open_group(path, mode="w", zarr_format=2)
    for number in range(count):
        group.create_array(f"v{number}", shape=(1,), dtype="f4")[...] = 0


def _time(what: str, save: Callable[[], object]) -> None:
    wall, processor = time.perf_counter(), time.process_time()
    save()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{what:30} {wall:6.1f} s, of which the processor {processor:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
