"""Coordinates along ``spot``, ``gt``, ``pair_track`` or ``profile``."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xr_icesat2.granule.beams import BEAMS, beam_strength

from .beam_selection import BY_GROUND_TRACK, BeamSelection
from .granule_coordinates import granule_coords
from .merge_granules import MergedRate
from .reference_frames import SPATIAL_REF, spatial_ref

__all__ = ["beam_coords"]

GT_ATTRS = {"long_name": "ground track"}


def beam_coords(merged: MergedRate) -> dict[str, xr.Variable]:
    """Return the coordinates along ``gran_idx`` and the dimension of beams."""
    dim = merged.dim
    identities = [one.identity for one in merged.granules]
    coords = granule_coords(identities)
    coords[SPATIAL_REF] = spatial_ref(identities)
    coords[dim] = _numbers(merged)
    coords["n_obs"] = xr.Variable(
        ("gran_idx", dim),
        merged.n_obs,
        {"long_name": f"rows of {merged.rate.name or dim}; rows after these are padding"},
    )
    if merged.is_cut:
        coords["n_rows"] = xr.Variable(
            ("gran_idx", dim),
            merged.n_rows,
            {"long_name": f"selected rows of {merged.rate.name or dim}"},
        )
        coords["n_obs"].attrs["long_name"] = f"rows of {merged.rate.name or dim} in the file"
    if dim == BY_GROUND_TRACK:
        return coords | _known_spots(merged)
    if dim == "spot":
        groups = [[_group(one.selection, n) for n in merged.numbers] for one in merged.granules]
        coords["gt"] = xr.Variable(("gran_idx", dim), np.array(groups, "<U4"), GT_ATTRS)
        strength = np.array([beam_strength(n) for n in merged.numbers], "<U6")
        coords["beam_strength"] = xr.Variable(
            (dim,), strength, {"long_name": "strength of the beam"}
        )
    return coords


def _numbers(merged: MergedRate) -> xr.Variable:
    """Return the labels along the dimension of beams."""
    if merged.dim == BY_GROUND_TRACK:
        beams = np.array([BEAMS[number - 1] for number in merged.numbers], "<U4")
        return xr.Variable((merged.dim,), beams, GT_ATTRS)
    numbers = np.array(merged.numbers, np.int64)
    return xr.Variable((merged.dim,), numbers, {"long_name": f"number of the {merged.dim}"})


def _known_spots(merged: MergedRate) -> dict[str, xr.Variable]:
    """Return the spots where they are known; nothing if they are in no granule.

    NaN is neither odd nor even, so that nobody takes an unknown beam for a weak one.
    """
    known = [one.selection.spots for one in merged.granules]
    if not any(known):
        return {}
    beams = [BEAMS[number - 1] for number in merged.numbers]
    spots = np.array([[spots.get(beam, np.nan) for beam in beams] for spots in known])
    attrs = {"long_name": "number of the spot, NaN where unknown"}
    return {"spot": xr.Variable(("gran_idx", merged.dim), spots, attrs)}


def _group(selection: BeamSelection, number: int) -> str:
    return next((group for group, n in selection.numbers.items() if n == number), "")
