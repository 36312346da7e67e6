"""``icesat2 get``: download granules."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from xr_icesat2.earthdata.download import download

from .output import print_json, print_lines

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser(
        "get", help="download granules; repeat it to resume an interrupted download"
    )
    parser.add_argument(
        "granules", nargs="+", metavar="granule", help="names or URLs; - reads standard input"
    )
    parser.add_argument("--to", default=".", metavar="FOLDER", help="default: the current folder")
    parser.add_argument("--overwrite", action="store_true", help="replace files of other content")
    parser.add_argument(
        "--max-workers", type=int, default=4, metavar="N", help="files (default: 4)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_run)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Yield names and URLs; ``-`` means those on standard input, one in each line."""
    for text in texts:
        for line in sys.stdin if text == "-" else (text,):
            if line.strip():
                yield line.strip()


def _run(options: argparse.Namespace) -> None:
    """Download, and print the paths of the files."""
    paths = download(
        list(_lines(options.granules)),
        options.to,
        overwrite=options.overwrite,
        max_workers=options.max_workers,
        progress=False if options.quiet else None,
    )
    written = [str(path) for path in paths]
    if options.json:
        print_json(written)
    else:
        print_lines(written)
