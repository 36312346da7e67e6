"""Prefetch the metadata of a granule that its file name and the request predict."""

from __future__ import annotations

import glob
import posixpath
from contextlib import suppress
from dataclasses import replace

from xr_icesat2.errors import ICESat2Error, SelectionError
from xr_icesat2.granule.beams import BEAMS, TRACK_GROUPS
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.granule.name import parse_name
from xr_icesat2.products import PRODUCTS, ProductSpec, Rate

from .attach_keyword import needed_variables, resolve_attach
from .granule_track import track_paths
from .identity_reader import identify_granule
from .rate_headers import read_rate_headers
from .request import Request
from .selection_coordinates import locating_rates, locating_variables

__all__ = ["predict_paths", "prefetch_granule"]

MAX_NAMED_VARIABLES = 10
"""Variables up to which the chunk tables are prefetched. More would take more requests than are
sent at once, and loading may read the whole granule instead."""


def predict_paths(granule: Granule, request: Request) -> list[str]:
    """Predict which paths will be read: the beams, or everything in a group of each.

    A variable that ``variables`` names will be read too.
    """
    tracks = _tracks(granule)
    group, rate = request.group, _rate(granule, request)
    if group is None and rate is not None:
        group = rate.group
    if group is None:
        return [f"/{track}" for track in tracks]
    group = group.strip("/")
    names = [name for name in request.variables or () if not glob.has_magic(name)]
    if len(names) > MAX_NAMED_VARIABLES:
        names = []
    below = ["*", *(name.removeprefix(f"{group}/") for name in names)]
    paths = [posixpath.join(group, name) for name in below] + _attached_groups(granule, request)
    spec = _spec(granule)
    for decider in _deciding(granule, request):
        paths += [*decider.groups, *locating_variables(spec, decider)]
    return [f"/{track}/{path}" for track in tracks for path in dict.fromkeys(paths)]


def _attached_groups(granule: Granule, request: Request) -> list[str]:
    """Return patterns of what is in the groups from which columns are attached, and the columns."""
    name, rate = parse_name(granule.url), _rate(granule, request)
    if not request.attach or name is None or rate is None:
        return []
    with suppress(SelectionError):  # which is raised when the columns are made
        columns = resolve_attach(name.product, rate, request.attach)
        needed = needed_variables((name.product, rate.group), columns)
        own = [path for end, paths in needed.items() if end[0] == name.product for path in paths]
        named = own if len(own) <= MAX_NAMED_VARIABLES else []
        return [*(f"{group}/*" for group in dict.fromkeys(map(posixpath.dirname, own))), *named]
    return []


def prefetch_granule(granule: Granule, request: Request) -> Identity | None:
    """Parse the metadata that opening needs, and release its bytes.

    Returns
    -------
    Identity or None
        None if the granule cannot be identified. Identifying it again raises the error.
    """
    granule.index.keep_no_pages()
    identity = None
    with suppress(ICESat2Error):
        # Loading reads chunk tables of more granules at once than are opened at once.
        paths = predict_paths(granule, replace(request, variables=None))
        identity = identify_granule(granule, paths, track_paths(request))
        rate, tracks = _rate(granule, request), [f"/{track}" for track in _tracks(granule)]
        if rate is not None and request.rules.merges_beams:
            read_rate_headers(granule, tracks, rate, request)
            for decider in _deciding(granule, request):
                asked = tuple(locating_variables(_spec(granule), decider))
                own = replace(request, variables=asked, drop_variables=())
                read_rate_headers(granule, tracks, decider, own)
    granule.index.release()
    return identity


def _tracks(granule: Granule) -> tuple[str, ...]:
    """Predict the groups of tracks; gridded products have none."""
    name = parse_name(granule.url)
    convention = PRODUCTS.convention(name.product) if name else None
    if convention is None:
        return BEAMS
    return () if convention.tracks is None else TRACK_GROUPS[convention.tracks]


def _deciding(granule: Granule, request: Request) -> list[Rate]:
    """Predict the rates whose rows decide which rows are selected."""
    rate = _rate(granule, request)
    if rate is None or not request.selects_rows:
        return []
    return list(locating_rates(_spec(granule), [rate], exact=request.region_exact).values())


def _spec(granule: Granule) -> ProductSpec | None:
    name = parse_name(granule.url)
    return PRODUCTS.get(name.product) if name else None


def _rate(granule: Granule, request: Request) -> Rate | None:
    spec = _spec(granule)
    if spec is None:
        return None
    if request.group is None:
        return next((rate for rate in spec.rates if rate.group in spec.main), None)
    wanted = request.group.strip("/")
    return next((rate for rate in spec.rates if rate.name == wanted), None)
