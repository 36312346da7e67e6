"""``ds.icesat2.plot``: pictures with matplotlib."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import xarray as xr

from xr_icesat2.extras import require

__all__ = ["PlotMethods"]


class PlotMethods:
    """Pictures of a Dataset opened with ``engine="icesat2"``, drawn by matplotlib."""

    def __init__(self, opened: xr.Dataset) -> None:
        self._opened = opened

    def profile(  # noqa: PLR0913 - as xarray's plots
        self,
        variable: str | None = None,
        *,
        hue: str | bool | None = None,
        over: xr.Dataset | Iterable[xr.Dataset] | None = None,
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
        over : Dataset or list of Dataset, optional
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
