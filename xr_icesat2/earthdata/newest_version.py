"""Select the newest version of each granule."""

from collections.abc import Hashable, Sequence

from xr_icesat2.errors import IdentityError
from xr_icesat2.granule.name import GranuleName, parse_name

from .cmr import CatalogGranule

__all__ = ["parsed_name", "pass_key", "split_newest"]


def parsed_name(granule: CatalogGranule) -> GranuleName:
    """Return the parsed name of a granule.

    Raises
    ------
    IdentityError
        It does not have the name of a granule.
    """
    name = parse_name(granule.name)
    if name is None:
        raise IdentityError(
            f"{granule.name!r} is not the name of an ICESat-2 granule, expected one such as "
            "ATL06_20191106230008_06270503_007_01.h5"
        )
    return name


def pass_key(name: GranuleName) -> Hashable:
    """Return a key that all versions of a granule in one release share."""
    number = name.gran_idx
    if number is not None:
        return (name.collection, name.release, number)
    return (name.collection, name.release, name.start, name.hemisphere, name.label)


def split_newest(
    granules: Sequence[CatalogGranule],
) -> tuple[list[CatalogGranule], list[CatalogGranule]]:
    """Split granules into the newest version of each pass and older ones, in order.

    An ATL11 granule with more cycles is newer than one with fewer. Two files
    of one version are both newest: they are not the same data.
    """
    ranks = [_rank(parsed_name(granule)) for granule in granules]
    passes = [pass_key(parsed_name(granule)) for granule in granules]
    best: dict[Hashable, tuple[int, int]] = {}
    for one, rank in zip(passes, ranks, strict=True):
        best[one] = max(rank, best.get(one, rank))
    kept: list[CatalogGranule] = []
    older: list[CatalogGranule] = []
    for granule, one, rank in zip(granules, passes, ranks, strict=True):
        (kept if rank == best[one] else older).append(granule)
    return kept, older


def _rank(name: GranuleName) -> tuple[int, int]:
    return (name.last_cycle or 0, int(name.version))
