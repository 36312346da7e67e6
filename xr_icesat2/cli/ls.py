"""``icesat2 ls``: list folders of the archive."""

from __future__ import annotations

import argparse
from typing import Any

from xr_icesat2.earthdata.result_table import format_size

from .output import print_json, print_lines

__all__ = ["add_parser"]

_PROTOCOL = "icesat2://"


def add_parser(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser("ls", help="list a folder of the archive")
    parser.add_argument(
        "path", nargs="?", default="", help="such as ATL06/007/2019/11/06 (default: the products)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """List a folder, and print its entries."""
    import fsspec  # noqa: PLC0415 - slow to import: only where it is used

    path = options.path.removeprefix(_PROTOCOL)
    entries = fsspec.filesystem("icesat2").ls(path, detail=True)
    if options.json:
        listed = [{key: one.get(key) for key in ("name", "size", "type")} for one in entries]
        print_json(listed)
        return
    print_lines(map(_line, entries))


def _line(entry: dict[str, Any]) -> str:
    folder = entry["type"] == "directory"
    size = "" if folder else format_size(entry["size"])
    return f"{size:>8}  {entry['name']}{'/' if folder else ''}"
