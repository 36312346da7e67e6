"""What one granule holds: its identity, its beams, and the variables of one rate. No values."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from xr_icesat2.errors import IdentityError, MergeError
from xr_icesat2.granule.beams import BEAMS, PAIRS, PROFILES, assign_spots, select_spots
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.granule.model import DatasetHeader, GroupHeader, Node
from xr_icesat2.products import ALONG, Rate

from .dims import scale_paths
from .options import Options

__all__ = ["BeamRate", "Found", "Survey", "Tracks", "find_tracks", "survey_rate"]


@dataclass(frozen=True, slots=True)
class Tracks:
    """What a granule lays side by side: its beams on spots, or pairs, or profiles."""

    dim: str
    """``spot``, ``pair_track`` or ``profile``."""
    numbers: Mapping[str, int]
    """Group at the root to its number on ``dim``; groups that are missing may be known too."""
    present: tuple[str, ...]
    wanted: tuple[int, ...]
    """Numbers that were asked for, ascending."""

    @property
    def groups(self) -> dict[int, str]:
        """Number to group, of those that are asked for and there."""
        return {self.numbers[g]: g for g in self.present if self.numbers[g] in self.wanted}


@dataclass(frozen=True, slots=True)
class Found:
    """One dataset of one beam."""

    path: str
    header: DatasetHeader
    dims: tuple[str, ...]
    """Names of its dimensions; the along-track one is :data:`.ALONG`."""


@dataclass(frozen=True, slots=True)
class BeamRate:
    """One rate of one beam."""

    n_obs: int
    variables: Mapping[str, Found]
    """By path below the beam, such as ``land_ice_segments/h_li``."""
    attrs: Mapping[str, Mapping[str, object]]
    """Attributes of the rate's groups, by path below the beam."""


@dataclass(frozen=True, slots=True)
class Survey:
    """One granule, as far as one rate is concerned."""

    granule: Granule
    identity: Identity
    tracks: Tracks
    beams: Mapping[int, BeamRate]
    """By number on the tracks' dimension; a beam without the rate is absent."""


def find_tracks(granule: Granule, identity: Identity, options: Options) -> Tracks | None:
    """Find what a granule lays side by side, or None if it has no such thing."""
    links = granule.index.group("/").links
    for dim, groups in (("spot", BEAMS), ("pair_track", PAIRS), ("profile", PROFILES)):
        present = tuple(group for group in groups if group in links)
        if present and dim == "spot":
            return _spots(granule, identity, present, options)
        if present:
            numbers = {group: number for number, group in enumerate(groups, 1)}
            return Tracks(dim, numbers, present, tuple(numbers.values()))
    return None


def _spots(
    granule: Granule, identity: Identity, present: tuple[str, ...], options: Options
) -> Tracks:
    nodes = granule.index.load(present)
    attrs = {group: nodes[f"/{group}"].attrs for group in present}
    words = {str(a["sc_orientation"]) for a in attrs.values() if "sc_orientation" in a}
    said = {group: _number(a.get("atlas_spot_number")) for group, a in attrs.items()}
    word = words.pop() if len(words) == 1 else None
    try:
        numbers = assign_spots(present, said, identity.sc_orient, word)
    except IdentityError as error:
        raise IdentityError(f"{granule.url}: {error}") from error
    wanted = select_spots(options.spots, options.beams, numbers)
    return Tracks("spot", numbers, present, wanted)


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def survey_rate(
    granule: Granule, tracks: Tracks, rate: Rate, options: Options
) -> dict[int, BeamRate]:
    """Read the headers of one rate of all beams that are asked for, side by side."""
    index = granule.index
    beams = {number: f"/{group}" for number, group in tracks.groups.items()}
    groups = index.load([path for beam in beams.values() for path in _group_paths(beam, rate)])
    wanted = [
        path
        for group, node in groups.items()
        if isinstance(node, GroupHeader)
        for name in node.links
        if _asked(path := f"{group}/{name}", rate, options)
    ]
    found = index.load(wanted)
    rates: dict[int, BeamRate] = {}
    for number, beam in beams.items():
        if f"{beam}/{rate.group}".rstrip("/") in groups:
            inside = {p[len(beam) + 1 :]: n for p, n in found.items() if p.startswith(f"{beam}/")}
            attrs = {
                p[len(beam) + 1 :]: n.attrs
                for p, n in groups.items()
                if f"{p}/".startswith(f"{beam}/")
            }
            rates[number] = _beam_rate(granule, beam, rate, inside, attrs)
    return rates


def _group_paths(beam: str, rate: Rate) -> list[str]:
    """Give the groups of a beam that hold variables of a rate."""
    if rate.members is not None:
        groups = {posixpath.dirname(member) for member in rate.members} | {rate.group}
        return [f"{beam}/{group}".rstrip("/") for group in sorted(groups)]
    root = f"{beam}/{rate.group}".rstrip("/")
    return [root, *(f"{root}/{name}" for name in rate.subgroups)]


def _asked(path: str, rate: Rate, options: Options) -> bool:
    """Whether the header of an object of a beam is to be read; it may yet prove to be a group."""
    below = path.strip("/").split("/", 1)[1]
    if rate.members is not None and below not in rate.members:
        return False
    if rate.members is None and posixpath.relpath(below, rate.group or ".") in rate.subgroups:
        return False
    if posixpath.relpath(below, rate.group or ".") in rate.coordinates:
        return not options.drops(below)
    return options.keeps(below)


def _beam_rate(
    granule: Granule,
    beam: str,
    rate: Rate,
    nodes: Mapping[str, Node],
    attrs: Mapping[str, Mapping[str, object]],
) -> BeamRate:
    headers = {path: n for path, n in nodes.items() if isinstance(n, DatasetHeader)}
    scales = {
        path: scale_paths(granule.index, f"{beam}/{path}", header)
        for path, header in headers.items()
    }
    along = _along_scale(beam, rate, headers)
    n_obs = _n_obs(rate, headers, scales, along)
    found: dict[str, Found] = {}
    for path, header in headers.items():
        name = posixpath.basename(path)
        dims = rate.dims.get(name, ())
        if len(dims) != len(header.shape) or not dims:
            dims = _dims_by_scale(name, header.shape, scales[path], along, n_obs)
        if ALONG in dims and header.shape[dims.index(ALONG)] != n_obs:
            msg = (
                f"{granule.url}: {beam}/{path} has {header.shape[0]} rows where its rate has "
                f'{n_obs}. layout="file" opens it as it is.'
            )
            raise MergeError(msg)
        found[path] = Found(f"{beam}/{path}", header, dims)
    return BeamRate(n_obs, found, attrs)


def _along_scale(beam: str, rate: Rate, headers: Mapping[str, DatasetHeader]) -> str | None:
    """Give the path of the variable that is the along-track dimension's scale, if one is."""
    path = f"{rate.group}/{rate.scale or rate.time}".lstrip("/")
    is_one = rate.scale is not None or (path in headers and headers[path].is_scale)
    return f"{beam}/{path}" if is_one else None


def _n_obs(
    rate: Rate,
    headers: Mapping[str, DatasetHeader],
    scales: Mapping[str, tuple[str | None, ...]],
    along: str | None,
) -> int:
    """Give the rows of a beam: those of what lies on the along-track scale, or most often there."""
    lengths = [
        header.shape[0]
        for path, header in headers.items()
        if header.shape
        and posixpath.basename(path) not in rate.dims
        and (along is None or scales[path][0] in (along, None))
    ]
    return Counter(lengths).most_common(1)[0][0] if lengths else 0


def _dims_by_scale(
    name: str,
    shape: tuple[int, ...],
    scales: tuple[str | None, ...],
    along: str | None,
    n_obs: int,
) -> tuple[str, ...]:
    """Name dimensions after their scales; without any, the first is along track if it fits."""
    dims: list[str] = []
    for axis, (size, scale) in enumerate(zip(shape, scales, strict=True)):
        if axis == 0 and (size == n_obs if None in {scale, along} else scale == along):
            dims.append(ALONG)
        else:
            dims.append(f"{name}_dim_{axis}" if scale is None else posixpath.basename(scale))
    return tuple(dims)
