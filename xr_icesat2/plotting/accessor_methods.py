"""Methods of ``ds.icesat2`` that draw; they import their packages when they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from xr_icesat2.extras import require

from .plot_accessor import PlotMethods

if TYPE_CHECKING:
    from .explorer import Explorer

__all__ = ["PictureMethods"]


class PictureMethods:
    """Pictures of the rows of a Dataset, or of a node of a tree."""

    _opened: xr.Dataset | xr.DataTree

    def explore(  # noqa: PLR0913 - as the plots
        self,
        variable: str | None = None,
        region: Any = None,
        *,
        spots: Any = None,
        granules: Any = None,
        basemap: str | None = None,
        robust: bool = True,
        height: int = 500,
    ) -> Explorer:
        """Show rows on an interactive map, in a notebook or in a browser.

        deck.gl draws the points in the browser, with the graphics card. The page contains the
        points and the program, so it works without a network. The pointer shows value, beam,
        latitude and longitude of a point.

        Parameters
        ----------
        variable : str, optional
            Variable along the track, or a coordinate of beams or granules (``"spot"``,
            ``"cycle_number"``). Default: the main height of the product (``h_ph``, ``h_li``, …).
        region : optional
            Outline to draw: a box, points, GeoJSON, a shapely geometry or a GeoDataFrame, as for
            :func:`.search`.
        spots : int, str or list, optional
            Spots (1 to 6), ``"strong"``, ``"weak"``, or ground tracks (``"gt1l"``). Default: all.
        granules : int or list of int, optional
            Values of ``gran_idx``. Default: all.
        basemap : str, optional
            Address of image tiles with ``{z}``, ``{x}`` and ``{y}``, which the browser requests.
            Default: none; the projection is that of :meth:`.PlotMethods.map`.
        robust : bool
            Whether the colours span percentiles 1 to 99 of the values.
        height : int
            Height in a notebook, in pixels.

        Returns
        -------
        Explorer
            A notebook shows it; ``explorer.save("map.html")`` writes it. A page has about 15 bytes
            for each point, and 6 MB in addition.

        Raises
        ------
        MissingExtraError
            pydeck or matplotlib is not installed (extra ``map``).
        SelectionError
            A variable or a beam does not exist, the variable has several values a row, `region` is
            not a place, or `basemap` does not cover the rows, as beyond 85 degrees of latitude.

        Examples
        --------
        >>> photons.icesat2.explore("h_ph", spots="strong").save("photons.html")
        """
        for package in ("matplotlib", "pydeck"):
            require(package, "map", "explore")
        from .explorer import make_explorer  # noqa: PLC0415 - needs an extra
        from .map_rows import read_map_rows  # noqa: PLC0415 - needs an extra

        rows = read_map_rows(self._opened, variable, region, spots=spots, granules=granules)
        return make_explorer(rows, basemap=basemap, robust=robust, height=height)

    @property
    def plot(self) -> PlotMethods:
        """Pictures drawn by matplotlib; see :class:`.PlotMethods`.

        Returns
        -------
        PlotMethods
            ``plot.profile()`` draws heights along the track, ``plot.map()`` a map.
        """
        return PlotMethods(self._opened)
