"""What type checkers know of the public names: ``make check`` checks this file, a test runs it."""

from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import xarray as xr

import xr_icesat2
from xr_icesat2.accessor import DatasetAccessor, TreeAccessor
from xr_icesat2.backend import ICESat2BackendEntrypoint
from xr_icesat2.products import ProductSpec
from xr_icesat2.products.contents_table import Contents


def use_accessors(path: Path) -> None:
    """Use the accessors as in a typed program."""
    with xr.open_dataset(path, engine="icesat2") as ds:
        accessor = assert_type(xr_icesat2.icesat2(ds), DatasetAccessor)
        assert_type(accessor.load("h_li"), xr.Dataset)
        assert_type(accessor.contents().find("h_li"), Contents)
        if TYPE_CHECKING:
            accessor.contens()  # type: ignore[attr-defined]
    with xr.open_datatree(path, engine="icesat2") as tree:
        tree_accessor = assert_type(xr_icesat2.icesat2(tree), TreeAccessor)
        assert_type(tree_accessor.load(["h_li"], progress=False), xr.DataTree)


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
