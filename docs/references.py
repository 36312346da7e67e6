"""MkDocs hook: link names in code to the documentation of this and of other projects.

The pages are built without network access, so ``references.tsv`` contains the addresses of all
names that the pages use. To add a name, append a line with the name alone, and run
``python docs/references.py`` with network access. It reads all addresses from the projects'
inventories.
"""
# ruff: noqa: INP001 - loaded by MkDocs by its path

import re
from io import BytesIO
from pathlib import Path
from urllib.request import urlopen

from mkdocs.config.defaults import MkDocsConfig
from mkdocs_autorefs import AutorefsPlugin
from mkdocstrings import Inventory

from xr_icesat2 import errors

TABLE = Path(__file__).with_name("references.tsv")
SITES = {
    "dask": "https://docs.dask.org/en/stable/",
    "distributed": "https://distributed.dask.org/en/stable/",
    "fsspec": "https://filesystem-spec.readthedocs.io/en/latest/",
    "geopandas": "https://geopandas.org/en/stable/",
    "h5py": "https://docs.h5py.org/en/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "python": "https://docs.python.org/3/",
    "xarray": "https://docs.xarray.dev/en/stable/",
}
SHORT = {"np": "numpy", "pd": "pandas", "xr": "xarray"}
OF_XARRAY = {"DataArray", "DataTree", "Dataset"}

_ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):<code>(~?)\.?([\w.]+)</code>")
_CODE = re.compile(
    r"<(?P<whole>a|autoref|h[1-6]|pre)\b.*?</(?P=whole)>"
    r"|<code>(?P<name>[A-Z]\w+|\w+(?:\.\w+)+)(?P<call>\(\))?</code>",
    re.DOTALL,
)


def on_pre_build(config: MkDocsConfig) -> None:
    """Register the addresses of other projects' names."""
    autorefs = config.plugins["autorefs"]
    assert isinstance(autorefs, AutorefsPlugin)  # noqa: S101 - for the type checker
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        name, address = line.split("\t")
        autorefs.register_url(name, address)


def on_page_content(html: str, **_: object) -> str:
    """Link dotted names and classes in code, including those in the roles of docstrings."""
    return _CODE.sub(_link, _ROLE.sub(_without_role, html))


def _without_role(role: re.Match[str]) -> str:
    tilde, name = role.groups()
    if tilde:
        return _reference(name, name.rpartition(".")[2])
    return f"<code>{name}</code>"


def _link(found: re.Match[str]) -> str:
    if found["name"] is None:
        return found[0]
    return _reference(_full(found["name"]), found["name"] + (found["call"] or ""))


def _full(name: str) -> str:
    first, dot, rest = name.partition(".")
    if dot:
        return f"{SHORT.get(first, first)}.{rest}"
    if name in OF_XARRAY:
        return f"xarray.{name}"
    return f"xr_icesat2.errors.{name}" if name in errors.__all__ else name


def _reference(name: str, shown: str) -> str:
    """Return a link to a documented name, or the plain text of another."""
    return f'<autoref identifier="{name}" optional><code>{shown}</code></autoref>'


def refresh() -> None:
    """Update the address of each name in the table from the projects' inventories."""
    addresses: dict[str, str] = {}
    for site in SITES.values():
        with urlopen(f"{site}objects.inv", timeout=60) as inventory:  # noqa: S310 - the sites above
            items = Inventory.parse_sphinx(BytesIO(inventory.read()), domain_filter=["py"])
        addresses |= {name: site + item.uri for name, item in items.items()}
    names = {line.split("\t")[0] for line in TABLE.read_text(encoding="utf-8").splitlines()}
    if unknown := sorted(names - addresses.keys()):
        message = f"no project documents {', '.join(unknown)}"
        raise SystemExit(message)
    lines = (f"{name}\t{addresses[name]}\n" for name in sorted(names))
    TABLE.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    refresh()
