"""``icesat2 search``: find granules in NASA's catalog."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any

from xr_icesat2.earthdata.cmr import CatalogGranule
from xr_icesat2.earthdata.footprint import footprint_lines
from xr_icesat2.earthdata.search import search

from .output import print_json, print_lines, print_note

__all__ = ["add_parser", "with_bbox_split"]

_NUMBERS = re.compile(r"[-+.,\s\d]+")


def add_parser(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser("search", help="find granules in NASA's catalog")
    parser.add_argument("product", help="such as ATL06")
    parser.add_argument(
        "--bbox",
        type=float,
        nargs=4,
        metavar=("WEST", "SOUTH", "EAST", "NORTH"),
        help="degrees, also as one word with commas: --bbox -108,38,-107,39",
    )
    parser.add_argument("--region", metavar="FILE", help="file of polygons or a mask")
    parser.add_argument(
        "--temporal", nargs="+", metavar="TIME", help="a day, month or year; or start and end"
    )
    parser.add_argument("--rgt", type=int, nargs="+", help="reference ground tracks, 1 to 1387")
    parser.add_argument("--cycle-number", type=int, nargs="+", help="repeat cycles, from 1")
    parser.add_argument("--granule-region", type=int, nargs="+", help="1 to 14")
    parser.add_argument("--hemisphere", choices=("north", "south"))
    parser.add_argument("--release", default="latest", help="such as 007 (default: the latest)")
    parser.add_argument("--count", type=int, help="maximum number of granules")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="everything, for programs")
    shown.add_argument("--urls", action="store_true", help="icesat2:// URLs, one in each line")
    parser.set_defaults(run=_run)


def with_bbox_split(arguments: Iterable[str]) -> list[str]:
    """Split ``--bbox -108,38,-107,39``, which argparse takes for an option."""
    split: list[str] = []
    is_in_bbox = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name == "--bbox" and equals:
            split += [name, *value.replace(",", " ").split()]
        elif is_in_bbox and _NUMBERS.fullmatch(argument):
            split += argument.replace(",", " ").split()
            continue
        else:
            split.append(argument)
        is_in_bbox = name == "--bbox"
    return split


def _run(options: argparse.Namespace) -> None:
    """Search, and print the granules."""
    temporal = options.temporal
    found = search(
        options.product,
        bbox=options.bbox,
        region=options.region,
        temporal=temporal[0] if temporal and len(temporal) == 1 else temporal,
        rgt=options.rgt,
        cycle_number=options.cycle_number,
        granule_region=options.granule_region,
        hemisphere=options.hemisphere,
        release=options.release,
        count=options.count,
    )
    if options.json:
        older = [granule.name for granule in found.older]
        granules = [_as_json(granule) for granule in found]
        print_json({"query": found.query, "granules": granules, "older": older})
    elif options.urls:
        print_lines(found.urls)
        print_note(f"granules: {len(found)}; older versions left out: {len(found.older)}")
    else:
        print_lines(str(found).splitlines())


def _as_json(granule: CatalogGranule) -> dict[str, Any]:
    checksum = granule.checksum
    return {
        "name": granule.name,
        "start": granule.start.isoformat(),
        "end": granule.end.isoformat(),
        "size": granule.size,
        "checksum": checksum and {"algorithm": checksum.algorithm, "value": checksum.value},
        "icesat2_url": granule.icesat2_url,
        "s3_url": granule.s3_url,
        "https_url": granule.https_url,
        "geometry": {"type": "MultiLineString", "coordinates": footprint_lines(granule)},
    }
