"""One end of a link: an opened rate of a product."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from xr_icesat2.errors import LinkError, RateError
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.products import Rate

from .declared_links import list_links
from .file_row_numbers import AlongTrackRows

__all__ = ["Endpoint", "track_of", "with_common_beams", "with_ground_tracks"]


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
        try:
            opened = OpenedRate.of(given)
        except RateError as error:
            raise LinkError(f"cannot be linked: {error}") from error
        if opened.product is None or not opened.is_specified:
            product = opened.product or "this product"
            raise LinkError(
                f"no link is declared for {opened.name} of {product}. Use one of the declared "
                f"links: {list_links()}"
            )
        track = track_of(opened)
        return cls(opened.dataset, opened.product, opened.release, opened.rate, track)

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
                f"{self.name} lacks {name}, which the link needs. Open it with this variable."
            )
        return self.dataset[name].variable


def track_of(opened: OpenedRate) -> AlongTrackRows:
    """Return the rows of an opened rate, with the coordinates that locate them in their file.

    Raises
    ------
    LinkError
        It lacks coordinates of the engine.
    """
    dataset, along = opened.dataset, opened.along
    attrs = dataset[along].attrs
    # Rows that were selected by place or time are numbered by this coordinate alone.
    is_cut = "granules" in attrs
    row = "source_row" if is_cut or "source_row" in dataset.coords else along
    by = opened.beam_coordinate
    names = {"gran_idx": "gran_idx", "spot": by, "n_obs": "n_obs", "row": row}
    if lacking := {name for name in names.values() if name not in dataset.coords}:
        raise LinkError(
            f"{opened.name} lacks the coordinates {', '.join(sorted(lacking))}, which "
            "locate its rows in their file. Keep the coordinates of the engine."
        )
    locators = {key: dataset[name].variable for key, name in names.items()}
    dims = (*(str(dim) for dim in locators["n_obs"].dims if dim != along), along)
    shape = tuple(dataset.sizes[dim] for dim in dims)
    selected = frozenset(np.ravel(attrs.get("granules", ())).astype(np.int64).tolist())
    return AlongTrackRows(opened.title, dims, shape, locators, by, selected)


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
            endpoint if endpoint.track.by == "profile" else with_ground_tracks(endpoint)
            for endpoint in endpoints
        )
        return tuple(replace(s, track=replace(s.track, by_orbit=True)) for s in by_track)
    if "gt" in kinds:
        return tuple(with_ground_tracks(endpoint) for endpoint in endpoints)
    return endpoints


def with_ground_tracks(endpoint: Endpoint) -> Endpoint:
    """Identify the beams of an endpoint by ground track.

    Raises
    ------
    LinkError
        It lacks the coordinate ``gt``.
    """
    if "gt" not in endpoint.dataset.coords:
        msg = f"{endpoint.name} lacks the coordinate gt, which identifies its beams. Keep it."
        raise LinkError(msg)
    locators = {**endpoint.track.locators, "spot": endpoint.dataset["gt"].variable}
    return replace(endpoint, track=replace(endpoint.track, locators=locators, by="gt"))
