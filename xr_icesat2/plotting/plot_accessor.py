"""``ds.icesat2.plot``: pictures with matplotlib."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import xarray as xr

from xr_icesat2.extras import require

__all__ = ["PlotMethods"]

Opened: TypeAlias = xr.Dataset | xr.DataTree


class PlotMethods:
    """Pictures drawn by matplotlib.

    Of a Dataset opened with ``engine="icesat2"``, or of a node of a tree that has one rate.
    """

    def __init__(self, opened: xr.Dataset | xr.DataTree) -> None:
        self._opened = opened

    def profile(  # noqa: PLR0913 - as xarray's plots
        self,
        variable: str | None = None,
        *,
        hue: str | bool | None = None,
        over: Opened | Iterable[Opened] | None = None,
        over_variables: str | Iterable[str] | None = None,
        spots: Any = None,
        granules: Any = None,
        robust: bool = False,
        ax: Any = None,
    ) -> Any:
        """Draw heights along the track, one panel for each beam of each granule.

        Only what is drawn is read, in one burst: the variable, latitude and longitude, the distance
        along the track and the variable that colours. Every row with a value is drawn.

        Parameters
        ----------
        variable : str, optional
            Variable along the track. Default: the main height of the product (``h_ph``, ``h_li``,
            …). Each position of a second dimension, such as a cycle of ATL11, has its own colour.
        hue : str or False, optional
            Variable that colours points. Flags get a legend of their meanings, other numbers a
            colour bar. Default: the class or the confidence of photons, if the Dataset has one;
            of confidences by surface type, the highest. False: one colour.
        over : Dataset, node of a tree, or list of them, optional
            Segments of the same passes, such as ATL06 or ATL08, drawn as lines over the points.
        over_variables : str or list of str, optional
            Variables of ``over``, up to four in all. Default: the main height of each.
        spots : int, str or list, optional
            Spots (1 to 6), ``"strong"``, ``"weak"``, or ground tracks (``"gt1l"``). Default: all.
        granules : int or list of int, optional
            Values of ``gran_idx``. Default: all.
        robust : bool
            Whether panels show only heights near the signal; the number of points outside is
            written in the panel. Default: all heights.
        ax : matplotlib.axes.Axes or sequence of them, optional
            Axes to draw in, as many as beams. Default: a new figure.

        Returns
        -------
        matplotlib.axes.Axes or numpy.ndarray
            The panel; of several, a one-dimensional array of them.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed (extra ``map``).
        SelectionError
            A variable or a beam does not exist, ``over`` has none of these passes, or there would
            be more than 24 panels.

        Notes
        -----
        Distances are the file's own (``x_atc``, ``segment_dist_x``) if the Dataset has them, and
        else the length of the way over the ellipsoid from the first row.

        Examples
        --------
        >>> photons.icesat2.plot.profile(spots=2, over=land_segments, robust=True)
        """
        require("matplotlib", "map", "plot.profile")
        from .profile import draw_profile  # noqa: PLC0415 - matplotlib is an extra

        return draw_profile(
            self._opened,
            variable,
            hue=hue,
            over=over,
            over_variables=over_variables,
            spots=spots,
            granules=granules,
            robust=robust,
            ax=ax,
        )

    def map(
        self,
        variable: str | None = None,
        region: Any = None,
        *,
        spots: Any = None,
        granules: Any = None,
        robust: bool = True,
        ax: Any = None,
    ) -> Any:
        """Draw rows on a map, coloured by a variable.

        The map is of equal area about the middle of the rows, with north up. Beyond 60 degrees of
        latitude it is polar stereographic (EPSG:3413 or EPSG:3031) if rows span more than 5 degrees
        of latitude or 20 of longitude, or lie beyond 84 degrees. It is in degrees if rows are
        farther from their middle than 60 degrees, or if pyproj is not installed (extra ``geo``).
        Rows without a value are grey.

        Parameters
        ----------
        variable : str, optional
            Variable along the track, or a coordinate of beams or granules (``"spot"``,
            ``"cycle_number"``). Flags and whole numbers get a legend, others a colour bar. Default:
            the main height of the product (``h_ph``, ``h_li``, …).
        region : optional
            Outline to draw: a box, points, GeoJSON, a shapely geometry or a GeoDataFrame, as for
            :func:`.search`.
        spots : int, str or list, optional
            Spots (1 to 6), ``"strong"``, ``"weak"``, or ground tracks (``"gt1l"``). Default: all.
        granules : int or list of int, optional
            Values of ``gran_idx``. Default: all.
        robust : bool
            Whether the colours span percentiles 1 to 99 of the values, so that a few outliers do
            not leave one colour for all others; the colour bar shows that there are values beyond.
        ax : matplotlib.axes.Axes, optional
            Axes to draw in. Default: a new figure.

        Returns
        -------
        matplotlib.axes.Axes
            In metres of the projection, or in degrees.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed (extra ``map``).
        SelectionError
            A variable or a beam does not exist, the variable has several values a row, or `region`
            is not a place.

        Examples
        --------
        >>> ds.icesat2.plot.map("h_li", region=(-50.5, 68.9, -48.0, 69.4))
        """
        require("matplotlib", "map", "plot.map")
        from .map import draw_map  # noqa: PLC0415 - matplotlib is an extra
        from .map_rows import read_map_rows  # noqa: PLC0415 - matplotlib is an extra

        rows = read_map_rows(self._opened, variable, region, spots=spots, granules=granules)
        return draw_map(rows, robust=robust, ax=ax)
