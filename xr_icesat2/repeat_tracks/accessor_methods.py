"""The method of ``ds.icesat2`` that aligns cycles; it imports its package when it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import xarray as xr

__all__ = ["RepeatTrackMethods"]


class RepeatTrackMethods:
    """Cycles of one reference ground track on one axis."""

    _opened: Any
    """A Dataset."""

    def along_track(
        self,
        spacing: float | None = None,
        *,
        reduce: Literal["median", "mean"] | Callable[[np.ndarray], Any] | None = None,
        variables: str | Iterable[str] | None = None,
    ) -> xr.Dataset:
        """Put beams and cycles of one reference ground track on one axis along the track.

        Then ``track.sel(cycle_number=12)`` and ``track.sel(cycle_number=16)`` have the same
        places, and their difference is a subtraction. Beams are identified by ground track, not by
        spot: another spot measures along a ground track when the spacecraft has turned.

        Parameters
        ----------
        spacing : float, optional
            Length of bins in metres. Default: each row is at the number of its 20 m segment, which
            is the same in each cycle (ATL06, and ``geolocation`` of ATL03). Rows of other products
            begin anywhere, and need bins: of the distance along the track where the rows have it
            (ATL03 with ``attach=["x_atc"]``, ATL06), else of the numbers of 20 m segments (ATL08,
            ATL13), a multiple of 20.
        reduce : {"median", "mean"} or callable, optional
            The value of a bin, from those of its rows that are not missing. Default: the median. A
            function is called with a float64 array; time and position are means then.
        variables : str or list of str, optional
            Data variables to keep. Default: all numbers and times along the track; in bins, flags
            are left out.

        Returns
        -------
        Dataset
            On (cycle_number, gt, segment_id), or (cycle_number, gt, x_atc) for bins of the
            distance: the variables, lazy, missing (NaN or NaT) where a cycle has no row, integers
            as floats. The axis has the numbers or bins that occur in any beam and cycle; labels of
            bins are their middles. Bins have ``row_count``, the number of rows. Coordinates are
            ``rgt``, ``spot`` of each cycle and ground track, and time and position of the rows.

        Raises
        ------
        SelectionError
            The rows have no place along the track, or need ``spacing``, ``attach`` or a variable;
            or the cycles are on a dimension already (ATL11).
        MergeError
            The rows are of several reference ground tracks, or two rows are at one place.

        Notes
        -----
        Repeat cycles are up to some tens of metres apart; in cycles 1 and 2, and at middle
        latitudes, where the spacecraft points beside the track on purpose, up to kilometres.
        ``y_atc``, the distance across the track, shows it.

        Examples
        --------
        >>> track = ds.icesat2.along_track()
        >>> dh = track.h_li.sel(cycle_number=16) - track.h_li.sel(cycle_number=12)
        """
        from . import along_track  # noqa: PLC0415 - only when it is used

        return along_track(self._opened, spacing, reduce=reduce, variables=variables)
