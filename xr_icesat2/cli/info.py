"""``icesat2 info``: print the contents of a granule or a folder, without values."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from xr_icesat2.assembly.local_paths import expand, is_folder
from xr_icesat2.bytesource import source_name
from xr_icesat2.earthdata.archive_paths import granule_url
from xr_icesat2.earthdata.result_table import format_size
from xr_icesat2.errors import (
    CorruptGranuleError,
    GroupNotFoundError,
    IdentityError,
    MergeError,
    NotAGranuleError,
    SelectionError,
)
from xr_icesat2.granule.name import file_name, parse_name
from xr_icesat2.printable import printable
from xr_icesat2.text_table import align_columns

from .output import print_json, print_lines, print_note

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["add_parser"]

SHOWN_AS_FILE = (
    CorruptGranuleError, GroupNotFoundError, IdentityError, MergeError, NotAGranuleError
)  # fmt: skip
"""Errors of granules whose files may still open with ``layout="file"``."""


def add_parser(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser("info", help="print rates, dims and sizes of a granule")
    parser.add_argument("granule", help="name, path or URL; or a local folder")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--variables", action="store_true", help="list them too")
    shown.add_argument("--json", action="store_true", help="everything, for programs")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Open without reading values, and print."""
    if is_folder(options.granule):
        _print_folder(options)
        return
    url = granule_url(options.granule)
    with _opened(url) as tree:
        left_out = dict(tree.icesat2.left_out)
        if options.json:
            contents = {
                "granule": source_name(url),
                **_identity(tree),
                "groups": list(_groups(tree)),
            }
            print_json({**contents, "left_out": left_out})
            return
        if options.variables:
            print_lines([*str(tree.icesat2.contents()).splitlines(), *_reasons(left_out)])
            return
        identity = ", ".join(f"{name} {value}" for name, value in _identity(tree).items())
        rows = [("group", "dims", "variables", "in memory"), *map(_row, _groups(tree))]
        print_lines([source_name(url), identity, *align_columns(rows), *_reasons(left_out)])


def _print_folder(options: argparse.Namespace) -> None:
    """Print the number of granules in a folder by product and release."""
    files = expand([options.granule])
    if options.variables:
        msg = f"{options.granule} is a folder; --variables needs one granule, such as {files[0]}"
        raise SelectionError(msg)
    counts = Counter(map(_product_and_release, files))
    if options.json:
        keys = ("product", "release", "granules")
        kinds = [dict(zip(keys, (*kind, number), strict=True)) for kind, number in counts.items()]
        print_json({"folder": options.granule, "granules": files, "products": kinds})
        return
    kinds_text = (
        f"{number:>6}  {f'{product} release {release}' if product else 'with other names'}"
        for (product, release), number in counts.items()
    )
    print_lines(
        [f"{options.granule}: a folder of {len(files)} granules", *kinds_text,
         f"icesat2 info {files[0]} shows one of them"]
    )  # fmt: skip


def _product_and_release(file: str) -> tuple[str | None, str | None]:
    name = parse_name(file_name(file))
    return (name.product, name.release) if name else (None, None)


def _reasons(left_out: Mapping[str, str]) -> list[str]:
    """Return lines with the left-out objects and reasons; none if there are none."""
    if not left_out:
        return []
    return ["", "left out:", *(f"  {path}: {reason}" for path, reason in left_out.items())]


def _opened(url: str) -> xr.DataTree:
    import xarray as xr  # noqa: PLC0415 - slow to import: only where it is used

    try:
        return xr.open_datatree(url, engine="icesat2")
    except SHOWN_AS_FILE as error:
        tree = xr.open_datatree(url, engine="icesat2", layout="file")
        print_note(f"icesat2: shown with layout='file': {error}")
        return tree


def _identity(tree: xr.DataTree) -> dict[str, Any]:
    """Return the identity of the granule from the coordinates of the root."""
    fields = {"product": tree.attrs.get("short_name")}
    for name in ("release", "version", "rgt", "cycle_number", "granule_region", "hemisphere"):
        if name in tree.coords and tree.coords[name].dims == ("gran_idx",):
            fields[name] = tree.coords[name].values[0].item()
    return {name: value for name, value in fields.items() if value not in (None, "", -1)}


def _groups(tree: xr.DataTree) -> Iterator[dict[str, Any]]:
    """Yield the groups with variables, each before the groups below it."""
    variables = tree.to_dataset(inherit=False).data_vars
    if variables:
        yield {
            "path": tree.path,
            "dims": {str(dim): size for dim, size in tree.sizes.items()},
            "bytes": sum(variable.nbytes for variable in variables.values()),
            "variables": {
                str(name): {"dims": variable.dims, "dtype": str(variable.dtype)}
                for name, variable in variables.items()
            },
        }
    for child in tree.children.values():
        yield from _groups(child)


def _row(group: dict[str, Any]) -> tuple[str, str, str, str]:
    dims = ", ".join(f"{name}: {size}" for name, size in group["dims"].items())
    count, size = str(len(group["variables"])), format_size(group["bytes"])
    return printable(group["path"]), printable(dims), count, size
