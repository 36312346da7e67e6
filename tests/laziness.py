"""Whether the values of a variable are in memory."""

import xarray as xr


def is_loaded(variable: xr.Variable | xr.DataArray) -> bool:
    """Return whether xarray prints the values: it reads none for a ``repr``."""
    return variable.chunks is None and "values with dtype" not in repr(variable)
