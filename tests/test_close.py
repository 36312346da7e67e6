"""Closing releases files and indexes; lazy arrays open them again."""

import contextlib
import shutil
from pathlib import Path

import pytest
import xarray as xr

from xr_icesat2.errors import ChangedGranuleError
from xr_icesat2.testing import write_granule


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closing")
    return [
        write_granule(folder, cycle_number=cycle, n_segments=20, chunk_rows=100) for cycle in (1, 2)
    ]


@pytest.fixture
def paths(written, tmp_path):
    """Copies, to be replaced."""
    return [Path(shutil.copy(path, tmp_path)) for path in written]


def open_files(folder: Path) -> set[str]:
    targets = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        # The one that lists this folder is gone by now.
        with contextlib.suppress(FileNotFoundError):
            targets.add(str(descriptor.readlink()))
    return {target for target in targets if target.startswith(str(folder))}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", ["dataset", "list", "tree"])
def test_closing_closes_files(paths, tmp_path, how):
    if how == "tree":
        opened = xr.open_datatree(paths[0], engine="icesat2")
        array = opened["land_ice_segments/h_li"]
    else:
        opened = xr.open_dataset(paths if how == "list" else paths[0], engine="icesat2")
        array = opened["h_li"]
    expected = array.copy().load()
    assert open_files(tmp_path)
    opened.close()
    assert not open_files(tmp_path)
    xr.testing.assert_identical(array.load(), expected)
    opened.close()


@pytest.mark.parametrize("closed", [True, False])
def test_closing_forgets_the_index(paths, http_server, closed):
    url = http_server.put(paths[0].name, paths[0].read_bytes())
    ds = xr.open_dataset(url, engine="icesat2")
    if closed:
        ds.close()
    http_server.script.clear()
    xr.open_dataset(url, engine="icesat2").close()
    only_version = ["bytes=0-0"]
    assert (http_server.script.reads(paths[0].name) != only_version) == closed


def test_replaced_granule_is_not_read_after_reopening(paths):
    ds = xr.open_dataset(paths[0], engine="icesat2")
    paths[1].replace(paths[0])
    with pytest.raises(ChangedGranuleError, match="was replaced after it was opened") as caught:
        ds.h_li.load()
    assert "Open it again" in str(caught.value)


def test_granule_replaced_by_a_shorter_one_is_not_read(paths):
    ds = xr.open_dataset(paths[0], engine="icesat2", chunks={})
    paths[0].write_bytes(paths[0].read_bytes()[:5000])
    with pytest.raises(ChangedGranuleError):
        ds.h_li.compute()
