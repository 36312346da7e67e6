"""One real granule: a map and profiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import xarray as xr

from .picture import draw_heights

__all__ = ["show_granule"]


def show_granule(path: Path, output: Path, tell: Callable[[str], None]) -> xr.Dataset:
    """Open a granule of ATL06 and leave a picture of it in a folder.

    Parameters
    ----------
    path
        The granule.
    output
        Folder; made if it is not there.
    tell
        What is done with what there is to say: ``print``.

    Returns
    -------
    xarray.Dataset
        What was drawn.
    """
    output.mkdir(parents=True, exist_ok=True)
    with xr.open_dataset(path, engine="icesat2") as ds:
        tell(f"\nA real granule, {path}:\n\n{ds}")
        drawn = ds[["h_li", "x_atc"]].load()
    picture = output / f"{path.stem}.png"
    draw_heights(drawn, picture, path.name)
    tell(f"\nPicture: {picture}")
    return drawn
