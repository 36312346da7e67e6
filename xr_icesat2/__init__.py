"""ICESat-2 granules as lazy xarray objects: ``xr.open_dataset(url, engine="icesat2")``."""

__all__: list[str] = []
