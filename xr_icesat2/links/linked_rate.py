"""One end of a link: an opened rate of a product."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

import xarray as xr

from xr_icesat2.errors import LinkError
from xr_icesat2.products import PRODUCTS, Rate

from .declared_links import list_links
from .track_rows import AlongTrackRows

__all__ = ["Endpoint", "with_common_beams"]

_BEAM_COORDINATES = ("spot", "profile", "pair_track")
"""Coordinates that identify beams; ``gt`` where spots are absent or unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A Dataset opened with this engine, with its rate and its rows."""

    dataset: xr.Dataset
    product: str
    release: str | None
    rate: Rate
    track: AlongTrackRows

    @classmethod
    def of(cls, given: xr.Dataset | xr.DataTree) -> Endpoint:
        """Create an endpoint from a Dataset or a node of a tree, with any rows.

        Raises
        ------
        LinkError
            It was not opened with this engine, or lacks coordinates of the engine.
        """
        dataset = given.to_dataset() if isinstance(given, xr.DataTree) else given
        if not isinstance(dataset, xr.Dataset):
            raise LinkError(
                f"a {type(given).__name__} cannot be linked, expected a Dataset or a node of a "
                "tree: pass the Dataset that contains the variable (ds, not ds.h_ph)"
            )
        rated = [str(d) for d in dataset.dims if d in dataset.coords and "rate" in dataset[d].attrs]
        if len(rated) != 1:
            raise LinkError(
                "links need a Dataset that was opened with engine='icesat2' and has rows of one "
                f"rate along a track; this one has the dimensions {dict(dataset.sizes)}"
            )
        along = rated[0]
        attrs = dataset[along].attrs
        spec = PRODUCTS.get(attrs.get("product", ""))
        rates = spec.rates if spec else ()
        rate = next((rate for rate in rates if rate.name == attrs["rate"]), None)
        if rate is None:
            raise LinkError(
                f"no link is declared for {attrs['rate']} of "
                f"{attrs.get('product', 'this product')}; declared are: {list_links()}"
            )
        row = "source_row" if "source_row" in dataset.coords else along
        by = _beam_coordinate(dataset)
        names = {"gran_idx": "gran_idx", "spot": by, "n_obs": "n_obs", "row": row}
        if lacking := {name for name in names.values() if name not in dataset.coords}:
            raise LinkError(
                f"{attrs['rate']} lacks the coordinates {', '.join(sorted(lacking))}, which "
                "locate its rows in their file; keep the coordinates of the engine"
            )
        locators = {key: dataset[name].variable for key, name in names.items()}
        dims = (*(str(dim) for dim in locators["n_obs"].dims if dim != along), along)
        shape = tuple(dataset.sizes[dim] for dim in dims)
        track = AlongTrackRows(f"{attrs['product']} {rate.name}", dims, shape, locators, by)
        return cls(dataset, attrs["product"], attrs.get("release"), rate, track)

    @property
    def name(self) -> str:
        """Name in error messages."""
        return self.track.name

    def variable(self, path: str) -> xr.Variable:
        """Return the variable of a path below the beam.

        Raises
        ------
        LinkError
            The Dataset does not contain it.
        """
        name = posixpath.basename(path)
        if name not in self.dataset.variables or path.rpartition("/")[0] not in self.rate.groups:
            raise LinkError(
                f"{self.name} lacks {name}, which the link needs; open it with this variable"
            )
        return self.dataset[name].variable


def _beam_coordinate(dataset: xr.Dataset) -> str:
    """Return the coordinate that identifies the beams of a Dataset."""
    by = next((name for name in _BEAM_COORDINATES if name in dataset.coords), "spot")
    if by == "spot" and "gt" in dataset.coords:
        known = by in dataset.coords and dataset[by].dtype.kind in "iu"
        return by if known else "gt"
    return by


def with_common_beams(*endpoints: Endpoint) -> tuple[Endpoint, ...]:
    """Identify the beams of all endpoints alike: by spot, ground track or profile.

    Raises
    ------
    LinkError
        An endpoint lacks the coordinate ``gt``.
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
        msg = f"{endpoint.name} lacks the coordinate gt, which identifies its beams; keep it"
        raise LinkError(msg)
    locators = {**endpoint.track.locators, "spot": endpoint.dataset["gt"].variable}
    return replace(endpoint, track=replace(endpoint.track, locators=locators, by="gt"))
