"""Elevation change between two cycles: the same beam, the same segment."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xr_icesat2.granule.beams import BEAMS

__all__ = ["NEEDED", "elevation_change", "on_segments"]

NEEDED = ["segment_id", "h_li", "atl06_quality_summary", "x_atc", "y_atc", "dh_fit_dy"]
"""Variables that :func:`elevation_change` needs."""


def on_segments(ds: xr.Dataset) -> xr.Dataset:
    """Place rows by where they are on the ground, rather than by their number.

    Parameters
    ----------
    ds
        Rows of ATL06's ``land_ice_segments``, with ``segment_id``: dimensions
        (gran_idx, spot, segment_idx).

    Returns
    -------
    xarray.Dataset
        The same on (gran_idx, beam, segment_id), NaN where a granule has no
        such row. Beams, not spots: when the spacecraft turns round, another
        spot measures along the same ground track.
    """
    segment = ds["segment_id"].to_numpy()
    real = np.isfinite(segment)
    granule, spot, _ = np.nonzero(real)
    ids = segment[real].astype(np.int64)
    beam = np.searchsorted(BEAMS, ds["gt"].to_numpy())[granule, spot]
    first, last = int(ids.min()), int(ids.max())

    def placed(values: xr.DataArray) -> xr.Variable:
        rows = values.to_numpy()
        nothing = np.datetime64("NaT", "ns") if rows.dtype.kind == "M" else np.nan
        result = np.full((ds.sizes["gran_idx"], len(BEAMS), last + 1 - first), nothing, rows.dtype)
        result[granule, beam, ids - first] = rows[real]
        return xr.Variable(("gran_idx", "beam", "segment_id"), result, values.attrs)

    along = {name: v for name, v in ds.variables.items() if v.dims == ds["segment_id"].dims}
    return xr.Dataset(
        {name: placed(ds[name]) for name in along if name != "segment_id"},
        coords={
            "cycle_number": ds["cycle_number"],
            "beam": list(BEAMS),
            "segment_id": np.arange(first, last + 1),
        },
    )


def elevation_change(ds: xr.Dataset) -> xr.Dataset:
    """Give the change of ``h_li`` from the first granule to the second, where both are good.

    Repeat tracks lie some metres apart; what the surface's slope across the
    track (``dh_fit_dy``) makes of that is taken off.

    Parameters
    ----------
    ds
        Two cycles of one reference ground track, with :data:`NEEDED`.

    Returns
    -------
    xarray.Dataset
        On (beam, segment_id), metres: ``dh`` and the heights ``h_li_first``
        and ``h_li_second`` that it is the difference of; ``latitude``,
        ``longitude`` and ``x_atc`` of the first granule.
    """
    good = ds["h_li"].where(ds["atl06_quality_summary"] == 0)
    placed = on_segments(ds.assign(h_li=good))
    first, second = (placed.isel(gran_idx=g, drop=True) for g in (0, 1))
    slope = (first["dh_fit_dy"] + second["dh_fit_dy"]) / 2
    dh = second["h_li"] - first["h_li"] - slope * (second["y_atc"] - first["y_atc"])
    cycles = " to ".join(str(cycle) for cycle in ds["cycle_number"].to_numpy())
    change = first[["latitude", "longitude", "x_atc"]].assign(
        h_li_first=first["h_li"],
        h_li_second=second["h_li"],
        dh=dh.assign_attrs(long_name=f"elevation change, cycle {cycles}", units="meters"),
    )
    return change.isel(segment_id=np.flatnonzero(dh.notnull().any("beam")))
