"""A product is added by one file in ``products/``, a layout by its module and its name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import xr_icesat2
from tests.tiny import write_tiny

PACKAGE = Path(xr_icesat2.__file__).parent

TRACKS = '''"""ATL97, cloud tops along pairs of tracks, made up."""

from .granule_naming import GranuleConvention
from .spec import ALONG, ProductSpec, Rate

ATL97 = ProductSpec(
    product="ATL97",
    title="Cloud tops",
    document="Cloud tops (ATL97), made up",
    completeness="complete",
    granules=GranuleConvention(
        names=("ATL97-{hemisphere}_{start}_{rgt}{cycle_number}01_{release}_{version}.h5",),
        gran_idx=("hemisphere", "cycle_number", "rgt"),
        tracks="pairs",
        orbits=2,
        quick_look=True,
        folders_by_date=True,
    ),
    releases=("001",),
    rates=(
        Rate(
            group="tops",
            along="top_idx",
            time="delta_time",
            latitude="lat",
            longitude="lon",
            dims={"height": (ALONG, "layer")},
            labels={"layer": (("low", "high"),)},
        ),
    ),
    main=("tops",),
)
'''
MAPS = '''"""ATL98, maps, made up."""

from .granule_naming import GranuleConvention
from .spec import ProductSpec

ATL98 = ProductSpec(
    product="ATL98",
    title="Maps",
    document="Maps (ATL98), made up",
    completeness="none",
    granules=GranuleConvention(
        names=("ATL98_{label}_{release}_{version}.nc",), gran_idx=None, tracks=None
    ),
)
'''
FIRST = '''"""``layout="first"``: the first row of each beam, made up."""

from . import LayoutRules, layout_rules


def _first_rows(merged):
    spot = layout_rules("spot").datasets_of(merged)
    return {path: dataset.isel({merged.rate.along: [0]}) for path, dataset in spot.items()}


LAYOUT = LayoutRules(rate_datasets=_first_rows, pads=True)
'''
SCRIPT = """
import sys

import numpy as np
import xarray as xr

import xr_icesat2
from xr_icesat2.earthdata.archive_paths import plain_path
from xr_icesat2.granule.name import format_name, name_pattern, parse_name

north, south, drawn = sys.argv[1:]
assert "ATL97  Cloud tops" in repr(xr_icesat2.products)

name = parse_name(north)
assert (name.rgt, name.cycle_number, name.hemisphere, name.release) == (3, 5, 1, "001")
assert format_name(name) == north.rpartition("/")[2]
assert parse_name(north.replace("ATL97", "ATL97QL")).collection == "ATL97QL"
assert parse_name(north.replace("-01", "")) is None
assert plain_path(f"icesat2://{format_name(name)}") == f"ATL97/001/2019/11/06/{format_name(name)}"

pattern = name_pattern("ATL97", {"rgt": 3, "hemisphere": 1})
assert pattern == f"ATL97-01_{'?' * 14}_0003??01_*"

ds = xr.open_dataset([north, south], engine="icesat2", decode_times=False)
assert ds.gran_idx.values.tolist() == [10503, 20503]
assert ds.hemisphere.values.tolist() == [1, 2]
assert "start_rgt" in ds.coords and "granule_region" not in ds.coords
assert ds.height.dims == ("gran_idx", "pair_track", "top_idx", "layer")
assert ds.layer.values.tolist() == ["low", "high"]
assert {"delta_time", "lat", "lon"} <= set(ds.coords)
expected = np.arange(6.0).reshape(3, 2)
np.testing.assert_array_equal(ds.height.sel(gran_idx=20503, pair_track=2), expected + 100)
assert not ds.height.sel(pair_track=1).notnull().any()

tree = xr.open_datatree(drawn, engine="icesat2")
np.testing.assert_array_equal(tree["/height/h"], [1.0, 2.0])
assert "gran_idx" not in tree.coords
assert xr_icesat2.products["ATL98"].granules.is_gridded

first = xr.open_dataset([north, south], engine="icesat2", layout="first")
assert first.height.sizes["top_idx"] == 1
xr.testing.assert_equal(first, xr.open_dataset([north, south], engine="icesat2").isel(top_idx=[0]))
"""


def test_product_is_added_by_one_file_and_layout_by_two(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(PACKAGE, site / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    for product, spec in {"atl97": TRACKS, "atl98": MAPS}.items():
        (site / PACKAGE.name / "products" / f"{product}.py").write_text(spec, encoding="utf-8")
    layouts = site / PACKAGE.name / "assembly" / "layouts"
    (layouts / "first.py").write_text(FIRST, encoding="utf-8")
    registry = (layouts / "__init__.py").read_text(encoding="utf-8")
    registry = registry.replace(
        'Literal["spot", "flat", "file"]', 'Literal["spot", "flat", "file", "first"]'
    )
    (layouts / "__init__.py").write_text(registry, encoding="utf-8")
    rows, heights = np.arange(3.0), np.arange(6.0).reshape(3, 2)
    paths = [
        write_tiny(
            tmp_path / f"ATL97-0{hemisphere}_20191106230008_00030501_001_01.h5",
            {f"pt2/tops/{name}": rows for name in ("delta_time", "lat", "lon")}
            | {"pt2/tops/height": heights + add},
            product="ATL97",
        )
        for hemisphere, add in ((1, 0), (2, 100))
    ]
    drawn = write_tiny(
        tmp_path / "ATL98_GL_0318_001_01.nc", {"height/h": np.array([1.0, 2.0])}, product="ATL98"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT, *map(str, [*paths, drawn])],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert run.returncode == 0, run.stderr
