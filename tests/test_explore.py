"""Interactive maps: the page holds the rows of the granule, and draws them in a browser."""

import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from base64 import b64decode, b64encode

import h5py
import numpy as np
import pyproj
import pytest
import xarray as xr

from xr_icesat2.errors import MissingExtraError, SelectionError
from xr_icesat2.testing import write_granule

BEAMS = ("gt3r", "gt1l")  # in the order of their spots
TILES = "https://tile.example/{z}/{x}/{y}.png"
EMPTY = b64encode(zlib.compress(b""))
BROWSER = os.environ.get("XR_ICESAT2_TEST_BROWSER", "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("explore")


@pytest.fixture(scope="module")
def path(folder):
    return write_granule(folder, n_segments=dict.fromkeys(BEAMS, 60))


@pytest.fixture(scope="module")
def ds(path):
    return xr.open_dataset(path, engine="icesat2", layout="flat")


def rows_of(path):
    names = ("longitude", "latitude", "h_li")
    with h5py.File(path) as file:
        groups = [file[f"{beam}/land_ice_segments"] for beam in BEAMS]
        return [np.concatenate([group[name][:] for group in groups]) for name in names]


def data_of(explorer):
    """Return what the page's program gets."""
    found = re.search(r"^const page = (.*);$", explorer.to_html(), re.MULTILINE)
    page = json.loads(found[1])
    for name, dtype in (
        ("degrees", "<f4"),
        ("values", "<f4"),
        ("metres", "<f4"),
        ("colours", "u1"),
    ):
        page[name] = np.frombuffer(zlib.decompress(b64decode(page[name] or EMPTY)), dtype)
    return page


def test_page_holds_every_row(ds, path):
    page = data_of(ds.icesat2.explore())
    longitude, latitude, height = rows_of(path)
    valid = height < 1e30
    np.testing.assert_array_equal(page["values"], np.where(valid, height, np.nan))
    degrees = page["degrees"].reshape(-1, 2) + page["centre"]
    np.testing.assert_allclose(degrees, np.stack([longitude, latitude], -1), atol=1e-6)
    every = np.ones(len(longitude))
    geod = pyproj.Geod(ellps="WGS84")
    metres = geod.inv(longitude[0] * every, latitude[0] * every, longitude, latitude)[2]
    drawn = page["metres"].reshape(-1, 2)
    np.testing.assert_allclose(np.hypot(*(drawn - drawn[0]).T), metres, atol=0.05)
    assert page["starts"] == [0, 60]
    assert page["beams"] == ["spot 1 (gt3r, strong)", "spot 6 (gt1l, weak)"]
    assert page["title"].startswith("ATL06 006, RGT 658, cycle 1, 20")
    assert page["legend"]["title"] == "Land Ice height, h_li\n(m above the WGS 84 ellipsoid)"
    assert ["no value", "#BBBBBB"] in page["legend"]["categories"]
    assert (page["colours"][~valid] == 0).all()
    assert (page["colours"][valid] > 0).all()


def test_colours_follow_values(ds):
    page = data_of(ds.icesat2.explore(robust=False))
    known = np.isfinite(page["values"])
    order = np.argsort(page["values"][known], kind="stable")
    assert (np.diff(page["colours"][known][order].astype(int)) >= 0).all()
    by_spot = data_of(ds.icesat2.explore("spot"))
    assert [label for label, _ in by_spot["legend"]["categories"]] == ["1", "6"]
    texts = np.array(by_spot["texts"])[by_spot["values"].astype(int)]
    np.testing.assert_array_equal(texts, ds.spot.values.astype(str))


def test_page_requests_nothing_and_runs_no_text_of_the_file(ds):
    evil = "</script><script>alert(1)</script>"
    ds = ds.assign(h_li=ds["h_li"].assign_attrs(long_name=evil))
    explorer = ds.icesat2.explore(region=(-46, 62, -44, 62.1))
    text = explorer.to_html()
    assert evil not in text
    assert data_of(explorer)["legend"]["title"].startswith(evil)
    assert not re.findall(
        r"<(?:link|img|iframe|script)[^>]*(?:src|href)", text.split("<script>", 1)[0]
    )
    assert text.count("<script src") == 0
    assert "https://" not in text[text.rindex("const page = ") :]
    assert explorer._repr_html_().startswith("<iframe srcdoc=")
    assert "120 points" in repr(explorer)


def test_region_is_in_the_plane_of_the_points(ds):
    box = (-46, 62, -44, 62.1)
    page = data_of(ds.icesat2.explore(region=box, basemap=TILES))
    [outline] = page["outlines"]
    np.testing.assert_allclose(np.array(outline).min(0), box[:2])
    np.testing.assert_allclose(np.array(outline).max(0), box[2:])
    west, south, east, north = page["bounds"]
    assert west <= -45.999
    assert east >= -44.001
    assert south <= 62
    assert north > 62.0999


def test_save_writes_the_page(ds, tmp_path):
    target = tmp_path / "map.html"
    target.write_text("before")
    explorer = ds.icesat2.explore()
    explorer.save(target)
    assert target.read_text(encoding="utf-8") == explorer.to_html()
    assert [one.name for one in tmp_path.iterdir()] == ["map.html"]


def test_nothing_to_show(ds):
    page = data_of(ds.isel(segment_idx=[]).icesat2.explore())
    assert page["count"] == 0
    one = data_of(ds.isel(segment_idx=[3]).icesat2.explore())
    assert one["bounds"][0] < one["bounds"][2]


def test_impossible_requests_are_refused(ds, folder, monkeypatch):
    with pytest.raises(SelectionError, match="Did you mean 'h_li'"):
        ds.icesat2.explore("h_lii")
    with pytest.raises(SelectionError, match=r"\{z\}, \{x\} and \{y\}"):
        ds.icesat2.explore(basemap="https://tile.example/")
    pole = write_granule(folder, granule_region=11, n_segments={"gt1l": 5})
    at_pole = xr.open_dataset(pole, engine="icesat2").assign_coords()
    at_pole["latitude"] = at_pole.latitude * 0 - 87.5
    at_pole = at_pole.set_coords("latitude")
    with pytest.raises(SelectionError, match="Without basemap="):
        at_pole.icesat2.explore(basemap=TILES)
    monkeypatch.setitem(sys.modules, "pydeck", None)
    with pytest.raises(MissingExtraError, match=r"explore needs pydeck.*\[map\]"):
        ds.icesat2.explore()


@pytest.mark.skipif(not shutil.which(BROWSER or "-"), reason="XR_ICESAT2_TEST_BROWSER=chromium")
@pytest.mark.parametrize("basemap", [None, "http://127.0.0.1:9/{z}/{x}/{y}.png"])
def test_browser_draws_the_page(ds, tmp_path, basemap):
    page = tmp_path / "map.html"
    ds.icesat2.explore("spot", region=(-46, 62, -44, 62.1), basemap=basemap).save(page)
    flags = (
        "--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic "
        "--no-first-run --disable-background-networking --disable-component-update --disable-sync "
        f"--user-data-dir={tmp_path}/profile --virtual-time-budget=5000 --dump-dom"
    )
    shown = subprocess.run(  # noqa: S603 - the browser that the user named
        [BROWSER, *flags.split(), f"file://{page}"],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    assert 'data-drawn="120 points"' in shown
    assert ">6<" in shown or "6</div>" in shown
