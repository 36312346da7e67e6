"""Imports go one way, and heavy libraries are imported in one place."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import xr_icesat2
from xr_icesat2.testing import write_granule

PACKAGE = Path(xr_icesat2.__file__).parent
LEVELS = {
    "printable": -2,
    "fork_safety": -2,
    "errors": -1,
    "environment": 0,
    "extras": 0,
    "available_memory": 0,
    "messages": 0,
    "progress": 0,
    "safe_files": 0,
    "text_table": 0,
    "time_window": 0,
    "thread_pools": 0,
    "limits": 1,
    "region": 1,
    "relaxed_gc": 1,
    "bytesource": 1,
    "products": 1,
    "hdf5": 2,
    "opened_rate": 2,
    "index_cache": 3,
    "granule": 4,
    "earthdata": 5,
    "reading": 5,
    "citation": 6,
    "links": 6,
    "repeat_tracks": 7,
    "quality_mask": 6,
    "assembly": 7,
    "backend": 8,
}
BESIDE = {
    "__init__",
    "accessor",
    "quality_and_citation_methods",
    "cli",
    "dataset_contents",
    "index_saving",
    "plotting",
    "tables",
    "testing",
}
"""Parts that stand beside the layers: they may import any, and no layer imports them."""
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
IN_LAYERS = [m for m in MODULES if m.split("/")[0].removesuffix(".py") in LEVELS]


@cache
def imports(module: str) -> frozenset[str]:
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    """Absolute names of what a module imports, wherever in it; of ``from a import b``, ``a.b``."""
    package = ("xr_icesat2", *module.split("/")[:-1])
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join((*base, *([node.module] if node.module else ())))
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def importers(library: str) -> set[str]:
    return {m for m in MODULES if any(name.split(".")[0] == library for name in imports(m))}


def test_every_module_has_a_level():
    assert {m.split("/")[0].removesuffix(".py") for m in MODULES} == LEVELS.keys() | BESIDE


@pytest.mark.parametrize("module", IN_LAYERS)
def test_nothing_imports_upward(module):
    own = module.split("/")[0].removesuffix(".py")
    used = {n.split(".")[1] for n in imports(module) if n.startswith("xr_icesat2.")} - {own}
    assert used <= LEVELS.keys(), f"{module} imports {used - LEVELS.keys()}"
    upward = {part for part in used if LEVELS[part] >= LEVELS[own]}
    assert not upward, f"{module} imports {upward}"


def test_h5coro_is_imported_in_one_module():
    assert importers("h5coro") == {"hdf5/dataset_messages.py"}


def test_h5py_is_imported_where_we_fall_back_and_where_we_write():
    inside = {m for m in importers("h5py") if not m.startswith("testing/")}
    assert inside == {
        "hdf5/h5py_checks.py",
        "hdf5/h5py_chunks.py",
        "hdf5/h5py_objects.py",
        "hdf5/h5py_fallback.py",
        "hdf5/h5py_variable_length.py",
    }


@pytest.mark.parametrize(
    ("library", "module"),
    [
        ("aiobotocore", None),
        ("boto3", None),
        ("botocore", None),
        ("earthaccess", "earthdata/credentials.py"),
        ("requests", "earthdata/credentials.py"),
        ("aiohttp", "earthdata/http_session.py"),
    ],
)
def test_cloud_libraries_are_imported_by_one_module_at_most(library, module):
    assert importers(library) == ({module} if module else set())


EXTRAS = {
    "cf_xarray", "duckdb", "geopandas", "matplotlib", "polars", "pyarrow", "pydeck",
    "pyogrio", "pyproj", "rasterio", "rioxarray", "shapely",
}  # fmt: skip
"""Packages of the extras, which are imported when a method or keyword needs them."""

BLOCKED = """
import sys

# pandas and other engines of xarray import some of these themselves, where they can.
sys.modules |= dict.fromkeys(sys.argv[2:])
import xarray as xr

import xr_icesat2

with xr.open_dataset(sys.argv[1], engine="icesat2") as ds:
    print(ds["h_li"].load().sizes["segment_idx"], ds.icesat2)
with xr.open_datatree(sys.argv[1], engine="icesat2") as tree:
    print(len(tree.groups))
"""


def test_granule_opens_without_the_packages_of_extras(tmp_path):
    path = write_granule(tmp_path, n_segments=5, chunk_rows=100)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", BLOCKED, str(path), *EXTRAS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 ")


OPEN = """
import sys
import xarray as xr

xr.open_dataset(sys.argv[1], engine="icesat2")["h_li"].load()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_local_granule_opens_without_network_libraries(tmp_path):
    path = write_granule(tmp_path, n_segments=5, chunk_rows=100)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", OPEN, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "xr_icesat2" in loaded
    # boto3 and botocore are not in this list: h5coro 1.0.7 imports both at its top.
    assert loaded.isdisjoint({"s3fs", "aiobotocore", "aiohttp", "earthaccess"})


LAZY = """
import sys
import xr_icesat2

assert "xr_icesat2.testing" not in sys.modules
assert "testing" in dir(xr_icesat2)
print(xr_icesat2.testing.write_granule.__name__, hasattr(xr_icesat2, "nothing"))
"""


def test_testing_is_imported_when_it_is_used():
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", LAZY], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["write_granule", "False"], done.stderr
