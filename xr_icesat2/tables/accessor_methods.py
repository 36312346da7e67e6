"""Methods of ``ds.icesat2`` that make tables; they import their packages when they are called."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import xarray as xr

from xr_icesat2.extras import require

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["TableMethods"]


class TableMethods:
    """Tables of the rows of a Dataset, or of a node of a tree."""

    _opened: xr.Dataset | xr.DataTree

    def to_dataframe(
        self,
        columns: str | Iterable[str] | None = None,
        *,
        second_dims: Literal["columns", "lists"] = "columns",
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """Return a table with one row for each observation.

        Rows are ordered by granule, then by beam, then as in the file; flat rows keep their order.
        Padding is left out. Both layouts give the same table.

        Parameters
        ----------
        columns : str or list of str, optional
            Variables of the table, such as ``["h_li", "segment_id"]``. Default: all data variables
            along the track. Time, latitude and longitude, and the columns that identify a row,
            are always included.
        second_dims : {"columns", "lists"}
            What becomes of other dimensions of a variable: one column for each label
            (``signal_conf_ph_land``, …), or a list in each row.
        progress : bool, optional
            Whether a progress bar is shown for long reads. Default: if standard error is a terminal
            or a notebook.

        Returns
        -------
        pandas.DataFrame
            First time, latitude and longitude, then the variables, last the columns that identify
            a row: ``gran_idx``, ``rgt``, ``cycle_number``, ``spot``, ``gt`` (categorical, with
            ordered numbers) and ``source_row``, the number of the row in its beam of the file.
            Integers have the dtype of the file; those that may be missing are nullable
            (``Int8``, …). Times are ``datetime64[ns]`` in UTC.

        Raises
        ------
        RateError
            This is not an opened rate, or it lacks coordinates of the engine.
        SelectionError
            A column does not exist or has no value for each row, or two columns would have one
            name.
        NotSupportedError
            A table cannot hold the type of a variable.
        """
        from .dataframe import to_dataframe  # noqa: PLC0415 - imported when it is used

        return to_dataframe(self._opened, columns, second_dims, progress=progress)

    def to_geodataframe(
        self,
        columns: str | Iterable[str] | None = None,
        *,
        z: str | None = None,
        crs: Any = "EPSG:4326",
        second_dims: Literal["columns", "lists"] = "columns",
        progress: bool | None = None,
    ) -> gpd.GeoDataFrame:
        """Return a table with a point for each observation.

        Needs the extra ``geo``.

        Parameters
        ----------
        columns, second_dims, progress
            As for :meth:`to_dataframe`.
        z : str, optional
            Column with the third coordinate of the points, such as ``"h_li"``. Where it is missing,
            a point has two coordinates, as all have by default.
        crs : optional
            CRS of the points: anything that pyproj accepts, geographic or projected. Coordinates
            are transformed from WGS 84; heights never are.

        Returns
        -------
        geopandas.GeoDataFrame
            As :meth:`to_dataframe` returns it, with the points as ``geometry``: x, then y. A row
            without latitude or longitude has no geometry (None). If coordinates were transformed,
            ``attrs["transformation"]`` describes the operation of PROJ.

        Raises
        ------
        MissingExtraError
            geopandas is not installed.
        SelectionError
            As for :meth:`to_dataframe`; ``z`` is no column; ``crs`` is unknown, vertical or
            compound, or does not reach a row.
        RateError
            As for :meth:`to_dataframe`, or rows have no latitude and longitude.
        """
        require("geopandas", "geo", "to_geodataframe")
        from .geodataframe import to_geodataframe  # noqa: PLC0415 - imported when it is used

        return to_geodataframe(self._opened, columns, second_dims, z, crs, progress=progress)

    def to_geoparquet(  # noqa: PLR0913 - each is a choice of its own
        self,
        path: str | os.PathLike[str],
        columns: str | Iterable[str] | None = None,
        *,
        z: str | None = None,
        crs: Any = "EPSG:4326",
        second_dims: Literal["columns", "lists"] = "columns",
        per_granule: bool = False,
        resume: bool = False,
        overwrite: bool = False,
        row_group_size: int = 250_000,
        compression: str = "zstd",
        storage_options: Mapping[str, Any] | None = None,
        progress: bool | None = None,
    ) -> None:
        """Write a table with a point for each observation as GeoParquet 1.1.

        Needs the extra ``geo``. Rows are read and written block by block, so that a table may be
        larger than the memory. Files appear under their names when they are complete: after an
        error or an interrupt, nothing is left of an unfinished one.

        Parameters
        ----------
        path : str or path-like
            File to write, or directory with ``per_granule``: a local path, or a URL of any
            filesystem that fsspec can write to.
        columns, z, crs, second_dims
            As for :meth:`to_geodataframe`.
        per_granule : bool
            Whether ``path`` is a directory, with one file for each granule
            (``ATL06_06270503.parquet``). All files together are one dataset.
        resume : bool
            With ``per_granule``, whether files that exist are kept. They are compared with what
            would be written: columns, points and number of rows.
        overwrite : bool
            Whether existing files are replaced.
        row_group_size : int
            Rows in each row group, at most 1,000,000. Readers skip row groups outside a bounding
            box.
        compression : {"zstd", "snappy", "gzip", "brotli", "lz4", "none"}
            Codec.
        storage_options : mapping, optional
            Passed to fsspec for a URL, for example credentials.
        progress : bool, optional
            Whether a progress bar is shown if it takes long. Default: if standard error is a
            terminal or a notebook.

        Raises
        ------
        ExistingFileError
            There is a file at ``path``, or there are Parquet files in the directory; or, with
            ``resume``, an existing file was written from another selection.
        AccessDeniedError
            Nothing may be written there.
        MissingExtraError
            pyarrow or pyproj is not installed.
        RateError, SelectionError
            As for :meth:`to_geodataframe`; or keywords contradict each other.

        Notes
        -----
        Points are written as well-known binary in ``geometry``, and the bounding box of each in
        ``bbox``, which ``geopandas.read_parquet(path, bbox=…)`` uses. Rows without latitude or
        longitude have neither. Missing integers, NaN and NaT are null. Times are
        ``timestamp[ns]`` without time zone, in UTC. Attributes of variables (``units``,
        ``long_name``, ``flag_meanings``, …) are metadata of the fields.
        """
        for module in ("pyarrow", "pyproj"):
            require(module, "geo", "to_geoparquet")
        from .geoparquet import ParquetRequest, to_geoparquet  # noqa: PLC0415

        request = ParquetRequest(
            columns=columns,
            second_dims=second_dims,
            z=z,
            crs=crs,
            per_granule=per_granule,
            resume=resume,
            overwrite=overwrite,
            row_group_size=row_group_size,
            compression=compression,
            storage_options=storage_options,
        )
        to_geoparquet(self._opened, path, request, progress=progress)
