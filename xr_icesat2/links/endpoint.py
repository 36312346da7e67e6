"""One end of a link: a rate of a product, as it was opened."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.products import PRODUCTS, Rate

from .declared_links import list_links
from .track_rows import AlongTrackRows

__all__ = ["Endpoint", "whole_numbers", "with_common_beams"]

_BEAM_COORDINATES = ("spot", "profile", "pair_track")
"""Coordinates that tell beams apart; ``gt`` where the first is absent or not all known."""


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A Dataset that was opened with this engine: what its rows are, and where."""

    dataset: xr.Dataset
    product: str
    release: str | None
    rate: Rate
    track: AlongTrackRows

    @classmethod
    def of(cls, given: xr.Dataset | xr.DataTree) -> Endpoint:
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
        by = _beam_coordinate(dataset)
        names = {"gran_idx": "gran_idx", "spot": by, "n_obs": "n_obs", "row": row}
        if lacking := {name for name in names.values() if name not in dataset.coords}:
            raise LinkError(
                f"{attrs['rate']} lacks the coordinates {', '.join(sorted(lacking))}, which tell "
                "where rows lay in their file; keep those that the engine gave"
            )
        locators = {key: dataset[name].variable for key, name in names.items()}
        dims = (*(str(dim) for dim in locators["n_obs"].dims if dim != along), along)
        shape = tuple(dataset.sizes[dim] for dim in dims)
        track = AlongTrackRows(f"{attrs['product']} {rate.name}", dims, shape, locators, by)
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


def _beam_coordinate(dataset: xr.Dataset) -> str:
    """Return the coordinate that tells the beams of a Dataset apart."""
    by = next((name for name in _BEAM_COORDINATES if name in dataset.coords), "spot")
    if by == "spot" and "gt" in dataset.coords:
        known = by in dataset.coords and dataset[by].dtype.kind in "iu"
        return by if known else "gt"
    return by


def with_common_beams(*endpoints: Endpoint) -> tuple[Endpoint, ...]:
    """Return sides whose beams are told by the same: spots, ground tracks, or profiles.

    Raises
    ------
    LinkError
        A side lacks the coordinate ``gt``.
    """
    kinds = {endpoint.track.by for endpoint in endpoints}
    if "profile" in kinds and len(kinds) > 1:
        by_track = (
            endpoint if endpoint.track.by == "profile" else _by_ground_track(endpoint)
            for endpoint in endpoints
        )
        return tuple(replace(s, track=replace(s.track, by_orbit=True)) for s in by_track)
    if "gt" in kinds:
        return tuple(_by_ground_track(endpoint) for endpoint in endpoints)
    return endpoints


def _by_ground_track(endpoint: Endpoint) -> Endpoint:
    if "gt" not in endpoint.dataset.coords:
        msg = f"{endpoint.name} lacks the coordinate gt, which tells its beams; keep it"
        raise LinkError(msg)
    locators = {**endpoint.track.locators, "spot": endpoint.dataset["gt"].variable}
    return replace(endpoint, track=replace(endpoint.track, locators=locators, by="gt"))


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
