"""One real granule: a map and profiles."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from .picture import draw_heights

__all__ = ["show_granule"]


def show_granule(path: Path, output: Path) -> xr.Dataset:
    """Open a granule of ATL06 and leave a picture of it in a folder.

    Parameters
    ----------
    path
        The granule.
    output
        Folder; made if it is not there.

    Returns
    -------
    xarray.Dataset
        What was drawn.
    """
    output.mkdir(parents=True, exist_ok=True)
    with xr.open_dataset(path, engine="icesat2") as ds:
        print(f"\nA real granule, {path}:\n\n{ds}")
        drawn = ds[["h_li", "x_atc"]].load()
    picture = output / f"{path.stem}.png"
    draw_heights(drawn, picture, source=path.name)
    print(f"\nPicture: {picture}")
    return drawn
