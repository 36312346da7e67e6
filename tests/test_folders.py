"""A local folder opens as the list of its granules."""

import shutil

import pytest
import xarray as xr

from tests.paths import GRANULES, needs_granules
from xr_icesat2.errors import GranuleNotFoundError, ICESat2Error, NotAGranuleError
from xr_icesat2.testing import write_granule


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("granules")
    for cycle in (3, 1, 2):
        write_granule(folder, cycle_number=cycle, n_segments={"gt1l": 10})
    return folder


@pytest.mark.parametrize("kind", [str, lambda path: path, lambda path: [path]])
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_folder_opens_as_the_list_of_its_granules(folder, kind, layout):
    files = sorted(folder.glob("*.h5"))
    keywords = {"engine": "icesat2", "layout": layout}
    assert len(files) == 3
    with xr.open_dataset(kind(folder), **keywords) as ds:
        expected = xr.open_dataset(files, **keywords).load()
        xr.testing.assert_identical(ds.load(), expected)
    with xr.open_datatree(kind(folder), **keywords) as tree:
        xr.testing.assert_identical(tree["land_ice_segments/h_li"].load(), expected.h_li)


def test_folder_of_one_granule_opens_as_a_list(tmp_path):
    path = write_granule(tmp_path, n_segments={"gt1l": 10})
    with xr.open_dataset(tmp_path, engine="icesat2") as ds:
        assert ds.source_file.values.tolist() == [path.name]


def test_home_folder_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    with xr.open_dataset([f"~/{folder.name}"], engine="icesat2") as ds:
        assert ds.sizes["gran_idx"] == 3


def test_other_files_are_skipped(folder, tmp_path, caplog):
    for path in folder.glob("*.h5"):
        shutil.copy(path, tmp_path)
        (tmp_path / f"._{path.name}").write_bytes(b"\0\5\26\7")
    browse = next(folder.glob("*.h5")).stem + "_BRW.h5"
    (tmp_path / browse).write_bytes(b"pictures")
    (tmp_path / "order.xml").touch()
    (tmp_path / "below.h5").mkdir()
    with xr.open_dataset(tmp_path, engine="icesat2") as ds:
        assert ds.sizes["gran_idx"] == 3
    assert [r.getMessage() for r in caplog.records if "1 browse files (_BRW)" in r.getMessage()]


def test_possible_granules_are_never_skipped(folder, tmp_path):
    for path in folder.glob("*.h5"):
        shutil.copy(path, tmp_path)
    (tmp_path / "other.h5").write_bytes(b"no granule")
    with pytest.raises(NotAGranuleError, match=r"other\.h5"):
        xr.open_dataset(tmp_path, engine="icesat2")


@needs_granules
def test_folder_of_real_granules_opens(tmp_path):
    names = [
        "processed_ATL06_20190416093911_02770303_002_01.h5",
        "processed_ATL06_20190613193602_11690305_002_01.h5",
    ]
    for name in names:
        shutil.copy(GRANULES / name, tmp_path)
    with xr.open_dataset(tmp_path, engine="icesat2") as ds:
        assert ds.source_file.values.tolist() == names


def test_all_unreadable_files_are_named(folder, tmp_path):
    good = min(folder.glob("*.h5"))
    shutil.copy(good, tmp_path)
    (tmp_path / "page.h5").write_bytes(b"<html>")
    (tmp_path / "cut.h5").write_bytes(good.read_bytes()[:3000])
    with pytest.raises(ICESat2Error, match="2 of 3 files cannot be opened") as caught:
        xr.open_dataset(tmp_path, engine="icesat2")
    for named in ("page.h5", "cut.h5", "Pass a list without them"):
        assert named in str(caught.value)
    missing = [str(tmp_path / f"no{number}.h5") for number in range(20)]
    with pytest.raises(GranuleNotFoundError, match=r"at least 10 of 21 files.*no9\.h5"):
        xr.open_dataset([str(good), *missing], engine="icesat2")
