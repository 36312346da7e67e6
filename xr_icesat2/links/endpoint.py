"""One end of a link: a rate of a product, as it was opened."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.products import PRODUCTS, Rate

from .declared_links import list_links
from .track_rows import Track

__all__ = ["Side", "comparable", "whole_numbers"]

_BEAMS = ("spot", "profile", "pair_track")
"""Coordinates that tell beams apart; ``gt`` where the first is absent or not all known."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A Dataset that was opened with this engine: what its rows are, and where."""

    dataset: xr.Dataset
    product: str
    release: str | None
    rate: Rate
    track: Track

    @classmethod
    def of(cls, given: xr.Dataset | xr.DataTree) -> Side:
        """Take a Dataset, or a node of a tree, of either layout, with any selection of rows.

        Raises
        ------
        LinkError
            It is none of this engine, or lacks coordinates that it was opened with.
        """
        dataset = given.to_dataset() if isinstance(given, xr.DataTree) else given
        if not isinstance(dataset, xr.Dataset):
            raise LinkError(
                f"what is linked is a Dataset or a node of a tree, not a {type(given).__name__}: "
                "give the Dataset that holds the variable (ds, not ds.h_ph)"
            )
        rated = [str(d) for d in dataset.dims if d in dataset.coords and "rate" in dataset[d].attrs]
        if len(rated) != 1:
            raise LinkError(
                "what is linked must be opened with engine='icesat2' and have rows of one rate "
                f"along a track; this has the dimensions {dict(dataset.sizes)}"
            )
        along = rated[0]
        attrs = dataset[along].attrs
        spec = PRODUCTS.get(attrs.get("product", ""))
        rates = spec.rates if spec else ()
        rate = next((rate for rate in rates if rate.name == attrs["rate"]), None)
        if rate is None:
            raise LinkError(
                f"no link is known of {attrs['rate']} of {attrs.get('product', 'this product')}; "
                f"there are: {list_links()}"
            )
        row = "source_row" if "source_row" in dataset.coords else along
        by = _told_by(dataset)
        names = {"gran_idx": "gran_idx", "spot": by, "n_obs": "n_obs", "row": row}
        if lacking := {name for name in names.values() if name not in dataset.coords}:
            raise LinkError(
                f"{attrs['rate']} lacks the coordinates {', '.join(sorted(lacking))}, which tell "
                "where rows lay in their file; keep those that the engine gave"
            )
        told = {key: dataset[name].variable for key, name in names.items()}
        dims = (*(str(dim) for dim in told["n_obs"].dims if dim != along), along)
        shape = tuple(dataset.sizes[dim] for dim in dims)
        track = Track(f"{attrs['product']} {rate.name}", dims, shape, told, by)
        return cls(dataset, attrs["product"], attrs.get("release"), rate, track)

    @property
    def name(self) -> str:
        """What to call it in errors."""
        return self.track.name

    def variable(self, path: str) -> xr.Variable:
        """Give the variable that has a path below the beam.

        Raises
        ------
        LinkError
            The Dataset lacks it.
        """
        name = posixpath.basename(path)
        if name not in self.dataset.variables or path.rpartition("/")[0] not in self.rate.groups:
            raise LinkError(f"{self.name} lacks {name}, which links it; open it with this variable")
        return self.dataset[name].variable


def _told_by(dataset: xr.Dataset) -> str:
    """Return the coordinate that tells the beams of a Dataset apart."""
    by = next((name for name in _BEAMS if name in dataset.coords), "spot")
    if by == "spot" and "gt" in dataset.coords:
        known = by in dataset.coords and dataset[by].dtype.kind in "iu"
        return by if known else "gt"
    return by


def comparable(*sides: Side) -> tuple[Side, ...]:
    """Return sides whose beams are told by the same: spots, ground tracks, or profiles.

    Raises
    ------
    LinkError
        A side lacks the coordinate ``gt``.
    """
    kinds = {side.track.by for side in sides}
    if "profile" in kinds and len(kinds) > 1:
        by_track = (
            side if side.track.by == "profile" else _by_ground_track(side) for side in sides
        )
        return tuple(replace(s, track=replace(s.track, by_orbit=True)) for s in by_track)
    if "gt" in kinds:
        return tuple(_by_ground_track(side) for side in sides)
    return sides


def _by_ground_track(side: Side) -> Side:
    if "gt" not in side.dataset.coords:
        msg = f"{side.name} lacks the coordinate gt, which tells its beams; keep it"
        raise LinkError(msg)
    told = {**side.track.told, "spot": side.dataset["gt"].variable}
    return replace(side, track=replace(side.track, told=told, by="gt"))


def whole_numbers(name: str, values: np.ndarray, held: xr.Variable) -> np.ndarray:
    """Give integers as they stand in the file (int64), from what decoding made of them.

    Raises
    ------
    LinkError
        Some are missing, and nothing tells what stood there.
    """
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False)
    missing = np.isnan(values)
    if missing.any():
        fill = held.encoding.get("_FillValue", held.attrs.get("_FillValue"))
        if fill is None or not np.isfinite(fill):
            raise LinkError(
                f"{name} has missing values, and nothing tells what the file holds there; use it "
                "as it was opened, or open it with mask_and_scale=False"
            )
        values = np.where(missing, fill, values)
    return values.astype(np.int64)
