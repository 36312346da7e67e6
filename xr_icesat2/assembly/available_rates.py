"""The rates of a product without a specification, from the file's own dimension scales."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from xr_icesat2.hdf5.model import DatasetHeader
from xr_icesat2.products import Rate
from xr_icesat2.reading.decode_options import is_cf_time

from .dimension_scales import scale_paths

if TYPE_CHECKING:
    from xr_icesat2.granule.granule import Granule

    from .beam_selection import BeamSelection
    from .request import Options

__all__ = ["infer_rates"]

Headers = Mapping[str, DatasetHeader]


def infer_rates(
    granule: Granule, selection: BeamSelection, options: Options, claimed: Sequence[str] = ()
) -> list[Rate]:
    """Gather the variables of all beams that lie along the same scale; the largest rate first.

    What lies directly in the ``claimed`` groups below a beam is left aside.
    """
    members: dict[str, dict[str, DatasetHeader]] = defaultdict(dict)
    for group in selection.groups.values():
        aside = {f"/{group}/{name}".rstrip("/") for name in claimed}
        headers = {
            path: node
            for path, node in granule.index.below([f"/{group}"], options.drops).items()
            if isinstance(node, DatasetHeader)
            and node.shape
            and not node.bare
            and posixpath.dirname(path) not in aside
        }
        for scale, paths in _by_scale(granule, group, headers).items():
            for path in paths:
                members[scale].setdefault(path, headers[f"/{group}/{path}"])
    largest = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    return _named([_rate(scale, headers, claimed) for scale, headers in largest], claimed)


def _by_scale(granule: Granule, group: str, headers: Headers) -> dict[str, list[str]]:
    """Give, for each scale (its path below the beam), what lies along it first."""
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
        # A scale along which something lies is a rate; one that only labels belongs to a rate.
        if label in along:
            along[label].append(label)
        else:
            loose.append(label)
    for path in loose:
        along[_home(along, path)].append(path)
    return along


def _home(along: Mapping[str, list[str]], path: str) -> str:
    """Give the scale that a variable without one goes with: one in its group or around it."""
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
        # The rest of a rate that has a specification, in a group that this does not know.
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
    """Keep group names apart: a second rate in a group is called after its scale."""
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
