"""Read the few datasets and attributes of a file that identify the granule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xr_icesat2.errors import NotAGranuleError
from xr_icesat2.granule.beams import TRACKS
from xr_icesat2.granule.identity import Evidence, Identity, confirmed, identify
from xr_icesat2.granule.non_granule_files import describe_non_granule
from xr_icesat2.hdf5.model import GroupHeader
from xr_icesat2.messages import OPEN_AS_FILE, some_of
from xr_icesat2.reading.granule_reader import read_whole_datasets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xr_icesat2.granule.granule import Granule

__all__ = ["identify_granule"]

RECORD = "/METADATA/DatasetIdentification"
ORBIT_INFO = ("rgt", "cycle_number", "sc_orient")
ANCILLARY = (
    "release", "version", "data_start_utc", "data_end_utc",
    "start_rgt", "end_rgt", "start_cycle", "end_cycle", "start_region", "end_region",
)  # fmt: skip


def identify_granule(
    granule: Granule, ahead: Sequence[str] = (), also: Sequence[str] = ()
) -> Identity:
    """Read the evidence in a file, and identify the granule.

    Parameters
    ----------
    granule
        The file.
    ahead
        Paths that will be read next.
    also
        Paths of small datasets that are read in the same burst, and kept in the index.

    Raises
    ------
    IdentityError
        The evidence is contradictory.
    NotAGranuleError
        Nothing in the file shows that it is an ICESat-2 granule.
    """
    paths = [f"/orbit_info/{name}" for name in ORBIT_INFO]
    paths += [f"/ancillary_data/{name}" for name in ANCILLARY]
    paths += also
    nodes = granule.index.load(["/", *paths], ahead)
    values = read_whole_datasets(granule, [path for path in paths if path in nodes])
    root = granule.index.group("/")
    kind = describe_non_granule(granule.url, root.attrs, root.links)
    if kind is not None and not TRACKS & root.links.keys():
        raise NotAGranuleError(f"{granule.url} is HDF5, but {kind}. {OPEN_AS_FILE}.")
    evidence = Evidence(
        url=granule.url,
        root_attrs=root.attrs,
        dataset_identification={},
        groups=frozenset(root.links),
        orbit_info=_named(values, "/orbit_info/", ORBIT_INFO),
        ancillary=_named(values, "/ancillary_data/", ANCILLARY),
    )
    if not confirmed(evidence):
        record = granule.index.load([RECORD]).get(RECORD)
        if isinstance(record, GroupHeader):
            evidence = replace(evidence, dataset_identification=record.attrs)
    identity = identify(evidence)
    if identity.product is None and not TRACKS & root.links.keys():
        msg = (
            f"{granule.url} is an HDF5 file, but nothing identifies it as an ICESat-2 granule. "
            "Expected one of: the attribute short_name, METADATA/DatasetIdentification, a name "
            "such as ATL06_yyyymmddhhmmss_ttttccnn_rrr_vv.h5, groups gt1l … gt3r. "
            f"The file contains: {some_of(sorted(root.links))}. {OPEN_AS_FILE}."
        )
        raise NotAGranuleError(msg)
    return identity


def _named(values: Mapping[str, object], prefix: str, wanted: tuple[str, ...]) -> dict[str, object]:
    return {name: values[prefix + name] for name in wanted if prefix + name in values}
