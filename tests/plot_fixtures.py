"""What tests of pictures share."""

from functools import cache

import pytest
import xarray as xr


@pytest.fixture
def figures_are_closed():
    """Close the figures of a test, which may not change matplotlib's settings."""
    import matplotlib as mpl  # noqa: PLC0415 - other tests need no pictures
    import matplotlib.pyplot as plt  # noqa: PLC0415

    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


@cache
def opened(path, **keywords):
    """Open once: no test changes a Dataset."""
    return xr.open_dataset(path, engine="icesat2", **keywords)
