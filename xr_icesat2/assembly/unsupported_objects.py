"""Unsupported and damaged objects: what is left out, noted in the encoding.

Keyed by the URL of a granule, then by path in the file; attributes are keyed ``/path@name``. A
granule that is left out as a whole has the path ``/``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import xarray as xr

from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.model import GroupHeader, LeftOut, Node, left_out_attributes
from xr_icesat2.hdf5.paths import join
from xr_icesat2.products import Rate

from .rate_headers import GranuleRate
from .request import Request

__all__ = [
    "Reasons",
    "leave_out_everywhere",
    "left_out_of_group",
    "left_out_of_rate",
    "note_left_out",
    "read_left_out",
]

Reasons: TypeAlias = Mapping[str, Mapping[str, LeftOut]]
"""Left out objects by URL and path."""
KEY = "icesat2_left_out"


def note_left_out(dataset: xr.Dataset, reasons: Reasons) -> None:
    """Add to the encoding of a Dataset what is left out of it."""
    known: dict[str, dict[str, LeftOut]] = dict(dataset.encoding.get(KEY, {}))
    for url, paths in reasons.items():
        if paths:
            known[url] = {**known.get(url, {}), **paths}
    if known:
        dataset.encoding[KEY] = known


def read_left_out(encodings: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, LeftOut]]:
    """Return what is left out of Datasets, from their encodings."""
    found: dict[str, dict[str, LeftOut]] = {}
    for encoding in encodings:
        for url, paths in encoding.get(KEY, {}).items():
            found[url] = {**found.get(url, {}), **paths}
    return {url: dict(sorted(paths.items())) for url, paths in found.items()}


def left_out_of_group(
    nodes: Mapping[str, Node], group: str, request: Request
) -> dict[str, LeftOut]:
    """Return what is left out of one group of a file, of everything requested."""
    header = nodes.get(group)
    if not isinstance(header, GroupHeader):
        return {}
    left_out = left_out_attributes(group, header)
    for path in (join(group, name) for name in header.links):
        node = nodes.get(path)
        if node is None or isinstance(node, GroupHeader) or not request.keeps(path):
            continue
        if isinstance(node, LeftOut):
            left_out[path] = node
        elif node.left_out_attrs:
            left_out |= left_out_attributes(path, node)
    return left_out


def left_out_of_rate(
    granule: Granule, beams: Iterable[str], rate: Rate, request: Request
) -> dict[str, LeftOut]:
    """Return what is left out of a rate, of everything requested, by path."""
    groups = {posixpath.dirname(member) for member in rate.members or ()} | {*rate.groups}
    prefixes = tuple(f"/{beam}/" for beam in beams)
    return {
        path: node
        for path, node in granule.index.left_out.items()
        if path.startswith(prefixes)
        and not node.damaged
        and posixpath.dirname(_below(path)) in groups
        and (request.keeps(_below(path)) or posixpath.basename(path) in rate.coordinates)
    }


def leave_out_everywhere(
    granules: Sequence[GranuleRate], rate: Rate, request: Request
) -> tuple[list[GranuleRate], Reasons]:
    """Leave out a variable everywhere if it is left out of any beam or granule.

    Otherwise that beam would look as if it had no observations.
    """
    reasons = {
        one.granule.url: left_out_of_rate(one.granule, one.selection.groups.values(), rate, request)
        for one in granules
    }
    attributes = {one.granule.url: _attributes(one, rate, request) for one in granules}
    first = {
        _below(path): (url, path)
        for url, paths in reversed(reasons.items())
        for path in reversed(paths)
    }
    if not first:
        return list(granules), attributes
    kept: list[GranuleRate] = []
    for one in granules:
        own = reasons[one.granule.url]
        beams = {}
        for number, beam in one.beams.items():
            gone = {k: f.path for k, f in beam.variables.items() if _below(f.path) in first}
            for path in gone.values():
                url, cause = first[_below(path)]
                where = cause if url == one.granule.url else f"{cause} of {url}"
                own[path] = LeftOut(f"{where} is left out")
            rest = {key: f for key, f in beam.variables.items() if key not in gone}
            beams[number] = replace(beam, variables=rest)
        kept.append(replace(one, beams=beams))
    return kept, {url: {**paths, **attributes[url]} for url, paths in reasons.items()}


def _attributes(one: GranuleRate, rate: Rate, request: Request) -> dict[str, LeftOut]:
    """Return the attributes that are left out of a rate, keyed ``/path@name``."""
    groups = {posixpath.dirname(member) for member in rate.members or ()} | {*rate.groups}
    prefixes = tuple(f"/{beam}/" for beam in one.selection.groups.values())
    found: dict[str, LeftOut] = {}
    for key, reason in one.granule.index.left_out_attributes.items():
        path = _below(key.partition("@")[0])
        is_variable = posixpath.dirname(path) in groups and request.keeps(path)
        if key.startswith(prefixes) and (path in groups or is_variable):
            found[key] = reason
    return found


def _below(path: str) -> str:
    """Return a path below the beam."""
    return path.split("/", 2)[-1]
