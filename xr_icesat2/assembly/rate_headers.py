"""Read the headers of one rate of one granule: variables, dimensions and rows."""

from __future__ import annotations

import itertools
import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xr_icesat2.errors import MergeError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import Identity
from xr_icesat2.hdf5.model import DatasetHeader, GroupHeader
from xr_icesat2.messages import OPEN_AS_FILE
from xr_icesat2.products import ALONG, Labels, Rate
from xr_icesat2.reading.row_ranges import RowRanges

from .beam_selection import BeamSelection
from .dimension_scales import STANDARD_NAMES, scale_paths
from .request import Request
from .second_dimension_labels import read_labels

__all__ = ["BeamRate", "BeamVariable", "GranuleRate", "read_beam_rates", "read_rate_headers"]


@dataclass(frozen=True, slots=True)
class BeamVariable:
    """One dataset of one beam, as a variable of a rate."""

    path: str
    header: DatasetHeader
    dims: tuple[str, ...]
    """Names of its dimensions; the along-track one is :data:`.ALONG`."""


@dataclass(frozen=True, slots=True)
class BeamRate:
    """One rate of one beam."""

    n_obs: int
    variables: Mapping[str, BeamVariable]
    """By path below the beam, such as ``land_ice_segments/h_li``. Coordinates have their path in
    the rate's first group, even if this beam stores them in another group."""
    attrs: Mapping[str, Mapping[str, object]]
    """Attributes of the rate's groups, by path below the beam."""
    coordinates: frozenset[str]
    """Paths of the :attr:`variables` that are the time or the position of a row."""
    labels: Mapping[str, Labels]
    """Stored labels of second dimensions; a dimension with two equal labels has none."""
    kept: RowRanges | None = None
    """Rows that were selected by place or time; None: all."""

    @property
    def n_rows(self) -> int:
        """Number of rows that were selected."""
        return self.n_obs if self.kept is None else self.kept.count

    @property
    def present(self) -> RowRanges:
        """Rows of the file that can be read."""
        return RowRanges.of_range(0, self.n_obs)

    def kept_along(self, found: BeamVariable) -> dict[int, RowRanges]:
        """Return the selected rows by axis of a dataset; nothing if all are."""
        if self.kept is None or ALONG not in found.dims:
            return {}
        return {found.dims.index(ALONG): self.kept}


@dataclass(frozen=True, slots=True)
class GranuleRate:
    """One rate of one granule."""

    granule: Granule
    identity: Identity
    selection: BeamSelection
    beams: Mapping[int, BeamRate]
    """By number of the beam; a beam without the rate is absent."""


def read_beam_rates(
    granule: Granule, selection: BeamSelection, rate: Rate, request: Request
) -> dict[int, BeamRate]:
    """Read the headers of one rate of all selected beams, concurrently."""
    beams = {number: f"/{group}" for number, group in selection.groups.items()}
    read = read_rate_headers(granule, list(beams.values()), rate, request)
    rates: dict[int, BeamRate] = {}
    for number, beam in beams.items():
        groups, headers = read[beam]
        # A rate is present in a beam if its group has members, even if none is a variable.
        if headers or (rate.group and any(node.links for node in groups.values())):
            rates[number] = _beam_rate(granule, beam, rate, headers, groups, request)
    return _labelled(granule, beams, rate, rates) if rate.label_variables else rates


def _labelled(
    granule: Granule, beams: Mapping[int, str], rate: Rate, rates: Mapping[int, BeamRate]
) -> dict[int, BeamRate]:
    sizes = {
        beams[number]: {
            dim: size
            for found in beam.variables.values()
            for dim, size in zip(found.dims, found.header.shape, strict=True)
        }
        for number, beam in rates.items()
    }
    labels = read_labels(granule, rate, sizes)
    return {number: replace(one, labels=labels[beams[number]]) for number, one in rates.items()}


def read_rate_headers(
    granule: Granule, beams: Sequence[str], rate: Rate, request: Request
) -> dict[str, tuple[dict[str, GroupHeader], dict[str, DatasetHeader]]]:
    """Read the groups and datasets of a rate, by beam and path below the beam."""
    index = granule.index
    kept = [group for group in _groups(rate) if not request.drops(group)]
    nodes = index.load([f"{beam}/{group}".rstrip("/") for beam in beams for group in kept])
    groups = {
        beam: {
            path[len(beam) + 1 :]: node
            for path, node in nodes.items()
            if isinstance(node, GroupHeader) and f"{path}/".startswith(f"{beam}/")
        }
        for beam in beams
    }
    asked = {beam: _asked(found, rate, request) for beam, found in groups.items()}
    found = index.load([f"{beam}/{path}" for beam, paths in asked.items() for path in paths])
    headers = {
        beam: {
            path: node
            for path in paths
            if isinstance(node := found.get(f"{beam}/{path}"), DatasetHeader)
            and not node.dimension_only
        }
        for beam, paths in asked.items()
    }
    return {beam: (groups[beam], headers[beam]) for beam in beams}


def _groups(rate: Rate) -> Sequence[str]:
    """Return the groups with variables of a rate, by path below the beam."""
    if rate.members is None:
        return rate.groups
    return sorted({posixpath.dirname(member) for member in rate.members} | {rate.group})


def _asked(groups: Mapping[str, GroupHeader], rate: Rate, request: Request) -> list[str]:
    """Return the paths below a beam of the headers to read; some may be groups."""
    coordinates = _specified(groups, rate)
    searched = len(coordinates) < len(rate.coordinates)
    asked: list[str] = []
    own = frozenset(rate.groups)
    for group, node in groups.items():
        for name in node.links:
            path = f"{group}/{name}" if group else name
            if path in own or not (rate.members is None or path in rate.members):
                continue
            if path in coordinates or (searched and rate.has_group(group)):
                wanted = not request.drops(path)
            else:
                wanted = request.keeps(path)
            if wanted:
                asked.append(path)
    return asked


def _specified(groups: Mapping[str, GroupHeader], rate: Rate) -> list[str]:
    """Return paths of the specified coordinates, each in the first group with it."""
    found = (
        next(
            (
                posixpath.join(group, name)
                for group in (rate.group, *rate.siblings)
                if group in groups and name in groups[group].links
            ),
            None,
        )
        for name in rate.coordinates
    )
    return [path for path in found if path is not None]


def _coordinates(
    groups: Mapping[str, GroupHeader], rate: Rate, headers: Mapping[str, DatasetHeader]
) -> frozenset[str]:
    """Return the coordinates of a rate: specified ones, else by standard name."""
    found = [path for path in _specified(groups, rate) if path in headers]
    names = {posixpath.basename(path) for path in found}
    for name, standard in zip(
        (rate.time, rate.latitude, rate.longitude), STANDARD_NAMES, strict=True
    ):
        if name is None or name in names:
            continue
        named = (
            path
            for path, header in headers.items()
            if header.attrs.get("standard_name") == standard
            and rate.has_group(posixpath.dirname(path))
        )
        found += itertools.islice(named, 1)
    return frozenset(found)


def _beam_rate(
    granule: Granule,
    beam: str,
    rate: Rate,
    headers: Mapping[str, DatasetHeader],
    groups: Mapping[str, GroupHeader],
    request: Request,
) -> BeamRate:
    coordinates = _coordinates(groups, rate, headers)
    headers = {p: h for p, h in headers.items() if p in coordinates or request.keeps(p)}
    scales = {
        path: scale_paths(granule.index, f"{beam}/{path}", header)
        for path, header in headers.items()
    }
    along = _along_scales(beam, rate, headers)
    n_obs = _n_obs(rate, headers, scales, along)
    found: dict[str, BeamVariable] = {}
    for path, header in headers.items():
        name = posixpath.basename(path)
        dims = rate.dims.get(name, ())
        if len(dims) != len(header.shape) or not dims:
            dims = _dims_by_scale(name, header.shape, scales[path], along, n_obs)
        if ALONG in dims and header.shape[dims.index(ALONG)] != n_obs:
            msg = (
                f"{granule.url}: {beam}/{path} has {header.shape[0]} rows, but its rate "
                f"({', '.join(g or beam for g in rate.groups)}) has {n_obs}. {OPEN_AS_FILE}."
            )
            raise MergeError(msg)
        # If a beam lacks the first group of a rate, a sibling group has the same coordinates.
        key = posixpath.join(rate.group, name) if path in coordinates else path
        found[key] = BeamVariable(f"{beam}/{path}", header, dims)
    attrs = {path: node.attrs for path, node in groups.items()}
    keys = (posixpath.join(rate.group, posixpath.basename(path)) for path in coordinates)
    return BeamRate(n_obs, found, attrs, frozenset(keys), {})


def _along_scales(beam: str, rate: Rate, headers: Mapping[str, DatasetHeader]) -> frozenset[str]:
    """Return possible paths of the along-track scale; none if the rate has none."""
    name = rate.scale or rate.time
    if name is None:
        return frozenset()
    paths = [posixpath.normpath(posixpath.join(group, name)) for group in rate.groups]
    if not (rate.scale or any(path in headers and headers[path].is_scale for path in paths)):
        return frozenset()
    return frozenset(f"{beam}/{path}" for path in paths)


def _n_obs(
    rate: Rate,
    headers: Mapping[str, DatasetHeader],
    scales: Mapping[str, tuple[str | None, ...]],
    along: frozenset[str],
) -> int:
    """Return the rows of a beam: the most frequent length along the track."""
    lengths = [
        header.shape[0]
        for path, header in headers.items()
        if header.shape
        and posixpath.basename(path) not in rate.dims
        and (not along or scales[path][0] is None or scales[path][0] in along)
    ]
    return Counter(lengths).most_common(1)[0][0] if lengths else 0


def _dims_by_scale(
    name: str,
    shape: tuple[int, ...],
    scales: tuple[str | None, ...],
    along: frozenset[str],
    n_obs: int,
) -> tuple[str, ...]:
    """Name dimensions after scales; without them, the first may be along track."""
    dims: list[str] = []
    for axis, (size, scale) in enumerate(zip(shape, scales, strict=True)):
        by_size = scale is None or not along
        if axis == 0 and (size == n_obs if by_size else scale in along):
            dims.append(ALONG)
        else:
            dims.append(f"{name}_dim_{axis}" if scale is None else posixpath.basename(scale))
    return tuple(dims)
