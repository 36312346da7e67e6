"""What type checkers know of the public names: ``make check`` checks this file, a test runs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

import xr_icesat2
from xr_icesat2.accessor import DatasetAccessor, TreeAccessor
from xr_icesat2.backend import ICESat2BackendEntrypoint
from xr_icesat2.plotting import PlotMethods
from xr_icesat2.products import ProductSpec
from xr_icesat2.products.contents_table import Contents
from xr_icesat2.region import Region, make_region


def use_accessors(path: Path) -> None:
    """Use the accessors as in a typed program."""
    with xr.open_dataset(path, engine="icesat2") as ds:
        accessor = assert_type(xr_icesat2.icesat2(ds), DatasetAccessor)
        assert_type(accessor.load("h_li"), xr.Dataset)
        assert_type(accessor.contents().find("h_li"), Contents)
        assert_type(accessor.to_dataframe(["h_li"]), pd.DataFrame)
        accessor.to_geoparquet(path.with_suffix(".parquet"), z="h_li", overwrite=True)
        assert_type(accessor.cite("bibtex", accessed="2026-01-31"), str)
        assert_type(accessor.along_track(100, reduce="mean", variables="h_li"), xr.Dataset)
        assert_type(accessor.quality(atl06_quality_summary=[0, 1]), xr.DataArray)
        if TYPE_CHECKING:
            accessor.contens()  # type: ignore[attr-defined]
    with xr.open_datatree(path, engine="icesat2") as tree:
        tree_accessor = assert_type(xr_icesat2.icesat2(tree), TreeAccessor)
        assert_type(tree_accessor.cite(), str)
        assert_type(tree_accessor.load(["h_li"], progress=False), xr.DataTree)


def use_pictures(path: Path) -> None:
    """Draw, as a typed program does."""
    with xr.open_dataset(path, engine="icesat2") as ds:
        accessor = xr_icesat2.icesat2(ds)
        assert_type(accessor.plot, PlotMethods)
        if TYPE_CHECKING:
            assert_type(accessor.explore("h_li", basemap=None, height=300).to_html(), str)
            accessor.plot.profile(huee="h_li")  # type: ignore[call-arg]


def use_engine(path: Path) -> None:
    """Call the engine itself."""
    engine = ICESat2BackendEntrypoint()
    assert_type(engine.open_dataset(path, layout="flat", variables="h_li"), xr.Dataset)
    assert_type(engine.open_datatree(path, spots="strong"), xr.DataTree)
    assert_type(engine.open_groups_as_dict(path, beams=["gt1l"]), dict[str, xr.Dataset])
    if TYPE_CHECKING:
        engine.open_dataset(path, layout="flt")  # type: ignore[arg-type]


def use_products() -> None:
    """Look a product up."""
    spec = assert_type(xr_icesat2.products["atl06"], ProductSpec)
    assert_type(spec.find("height"), Contents)


def use_regions() -> None:
    """Make a region and test points."""
    region = assert_type(make_region((-50.5, 68.9, -48.0, 69.4)), Region)
    assert_type(region.contains([-49.0, 0.0], [69.0, 0.0]), NDArray[np.bool_])
    assert_type(region.contains_within(-49.0, 69.0, 500), NDArray[np.bool_])
    assert_type(region.bounds, tuple[float, float, float, float])
    assert_type(region.cmr_parameters(), Sequence[tuple[str, str]])
