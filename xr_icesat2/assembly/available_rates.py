"""Which rates a granule has: specified ones, and ones that its scales imply."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from xr_icesat2.hdf5.model import DatasetHeader
from xr_icesat2.hdf5.paths import normalise_path
from xr_icesat2.products import PRODUCTS, Rate
from xr_icesat2.reading.decode_options import is_cf_time

from .dimension_scales import scale_paths

if TYPE_CHECKING:
    from xr_icesat2.granule.granule import Granule

    from .beam_selection import BeamSelection
    from .request import Request

__all__ = ["available_rates", "present_rates"]

Headers = Mapping[str, DatasetHeader]


def available_rates(
    granule: Granule, product: str | None, selection: BeamSelection, request: Request
) -> list[Rate]:
    """Return the rates of a granule: specified ones that it has, then inferred ones."""
    spec = PRODUCTS.get(product or "")
    specified = spec.rates if spec else ()
    present = present_rates(granule, selection, specified)
    claimed = tuple(group for rate in specified for group in rate.groups)
    return present + infer_rates(granule, selection, request, claimed)


def present_rates(granule: Granule, selection: BeamSelection, rates: Sequence[Rate]) -> list[Rate]:
    """Return those of some rates of which a beam has a group."""
    beams = selection.groups.values()
    groups = {
        rate.name: [normalise_path(f"{b}/{g}") for b in beams for g in (rate.group, *rate.siblings)]
        for rate in rates
    }
    nodes = granule.index.load([path for paths in groups.values() for path in paths])
    return [rate for rate in rates if any(path in nodes for path in groups[rate.name])]


def infer_rates(
    granule: Granule, selection: BeamSelection, request: Request, claimed: Sequence[str] = ()
) -> list[Rate]:
    """Infer a rate from each dimension scale; the largest rate is the first.

    Variables directly in the ``claimed`` groups below a beam belong to other rates.
    """
    members: dict[str, dict[str, DatasetHeader]] = defaultdict(dict)
    for group in selection.groups.values():
        aside = {f"/{group}/{name}".rstrip("/") for name in claimed}
        headers = {
            path: node
            for path, node in granule.index.load_below([f"/{group}"], request.drops).items()
            if isinstance(node, DatasetHeader)
            and node.shape
            and not node.dimension_only
            and posixpath.dirname(path) not in aside
        }
        for scale, paths in _by_scale(granule, group, headers).items():
            for path in paths:
                members[scale].setdefault(path, headers[f"/{group}/{path}"])
    largest = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    return _named([_rate(scale, headers, claimed) for scale, headers in largest], claimed)


def _by_scale(granule: Granule, group: str, headers: Headers) -> dict[str, list[str]]:
    """Return variables by the scale of their first dimension (paths below the beam)."""
    along: dict[str, list[str]] = defaultdict(list)
    labels: list[str] = []
    loose: list[str] = []
    for path, header in headers.items():
        below = path[len(group) + 2 :]
        scale = scale_paths(granule.index, path, header)[0]
        if scale is None or not scale.startswith(f"/{group}/"):
            loose.append(below)
        elif scale == path and not is_cf_time(header.attrs):
            labels.append(below)
        else:
            along[scale[len(group) + 2 :]].append(below)
    for label in labels:
        # A scale without other variables is a variable of a rate, not a rate.
        if label in along:
            along[label].append(label)
        else:
            loose.append(label)
    for path in loose:
        along[_home(along, path)].append(path)
    return along


def _home(along: Mapping[str, list[str]], path: str) -> str:
    """Return the scale in the nearest group, for a variable without a scale."""
    folder = posixpath.dirname(path)
    while True:
        near = [scale for scale in along if posixpath.dirname(scale) == folder]
        if near:
            return max(near, key=lambda scale: len(along[scale]))
        if not folder:
            return path
        folder = posixpath.dirname(folder)


def _rate(scale: str, headers: Headers, claimed: Sequence[str]) -> Rate:
    group, name = posixpath.dirname(scale), posixpath.basename(scale)
    if group in claimed:
        # Variables of a specified rate, in a group below it that the specification lacks.
        group = posixpath.commonpath([posixpath.dirname(path) or "." for path in headers])
        name = posixpath.relpath(scale, group)
    stem = posixpath.basename(group) or name
    here = {p: h for p, h in headers.items() if posixpath.dirname(p) == group and len(h.shape) == 1}
    return Rate(
        group=group,
        along=f"{stem}_idx",
        members=tuple(sorted(headers)),
        scale=name,
        time=_first(here, is_cf_time, prefer=name),
        latitude=_first(here, lambda attrs: attrs.get("standard_name") == "latitude"),
        longitude=_first(here, lambda attrs: attrs.get("standard_name") == "longitude"),
    )


def _first(
    headers: Headers, fits: Callable[[Mapping[str, object]], bool], prefer: str = ""
) -> str | None:
    names = sorted(posixpath.basename(path) for path, h in headers.items() if fits(h.attrs))
    if prefer in names:
        return prefer
    return names[0] if names else None


def _named(rates: list[Rate], claimed: Sequence[str]) -> list[Rate]:
    """Make names unique: a second rate in a group is named after its scale."""
    seen: set[str] = set(claimed)
    named: list[Rate] = []
    for rate in rates:
        if rate.group in seen or not rate.group:
            scale = posixpath.basename(rate.scale or "rows")
            name = f"{rate.group}/{scale}".lstrip("/")
            named.append(replace(rate, alias=name, along=f"{scale}_idx"))
        else:
            named.append(rate)
        seen.add(rate.group)
    return named
