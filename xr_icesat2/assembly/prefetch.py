"""What will be read of a granule once it is known what it is, as its name lets guess."""

from __future__ import annotations

import glob
import posixpath
from contextlib import suppress
from dataclasses import replace

from xr_icesat2.errors import ICESat2Error
from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.name import parse_name
from xr_icesat2.products import PRODUCTS, Rate

from .granule_rate import read_rate_headers
from .read_identity import identify_granule
from .request import Options

__all__ = ["paths_ahead", "read_ahead"]

MOST_NAMED = 10
"""Variables: of more, where chunks lie would take more requests than go at once. The load will know
whether the granule rather comes whole."""


def paths_ahead(granule: Granule, options: Options) -> list[str]:
    """Guess paths that will be asked for: what lies in a group of the beams, or the beams.

    Variables that are asked for by name will be read.
    """
    group, rate = options.group, _rate(granule, options)
    if group is None and rate is not None:
        group = rate.group
    if group is None:
        return [f"/{beam}" for beam in BEAMS]
    group = group.strip("/")
    names = [name for name in options.variables or () if not glob.has_magic(name)]
    if len(names) > MOST_NAMED:
        names = []
    below = ["*", *(name.removeprefix(f"{group}/") for name in names)]
    return [f"/{beam}/{posixpath.join(group, name)}" for beam in BEAMS for name in below]


def read_ahead(granule: Granule, options: Options) -> None:
    """Parse what opening will ask for, and free the bytes that it was parsed from.

    So the bytes of many granules are held a few granules at a time. What is wrong with a
    granule will be met again, and said then.
    """
    granule.index.spare()
    with suppress(ICESat2Error):
        # Where chunks lie is left to the load, which asks more granules at a time.
        identify_granule(granule, paths_ahead(granule, replace(options, variables=None)))
        rate = _rate(granule, options)
        if rate is not None and options.layout != "file":
            read_rate_headers(granule, [f"/{beam}" for beam in BEAMS], rate, options)
    granule.index.release()


def _rate(granule: Granule, options: Options) -> Rate | None:
    name = parse_name(granule.url)
    spec = PRODUCTS.get(name.product) if name else None
    if spec is None:
        return None
    if options.group is None:
        return next((rate for rate in spec.rates if rate.group in spec.main), None)
    wanted = options.group.strip("/")
    return next((rate for rate in spec.rates if rate.name == wanted), None)
