"""Damaged objects: left out of a file's own tree by name, an error where they are asked for."""

import logging
import pickle

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.tiny import write_tiny
from tests.written_granules import GRANULE_NAMES, written_granule
from xr_icesat2.cli.main import main
from xr_icesat2.errors import CorruptGranuleError, SelectionError

FILE = {"engine": "icesat2", "layout": "file"}


def _damage(path, name):
    """Make the header of an object declare more than it contains."""
    with h5py.File(path) as file:
        at = h5py.h5o.get_info(file[name].id).addr
        user_block = file.userblock_size
    data = bytearray(path.read_bytes())
    at += user_block
    new = data[at : at + 4] == b"OHDR"
    data[at + 5 if new else at + 2] ^= 0x41
    path.write_bytes(data)


def test_mistakes_of_this_package_are_not_taken_for_damage(tmp_path, monkeypatch):
    path = tmp_path / "texts.h5"
    with h5py.File(path, "w") as file:
        file["texts"] = ["read", "through", "h5py"]

    monkeypatch.setattr(h5py.Dataset, "asstr", lambda *_: None)  # as no h5py does
    with xr.open_dataset(path, **FILE) as ds, pytest.raises(TypeError, match="not subscriptable"):
        ds["texts"].load()


@pytest.fixture(params=["earliest", "latest"])
def damaged(tmp_path, request):
    path = tmp_path / "damaged.h5"
    with h5py.File(path, "w", libver=request.param) as file:
        file["rows"] = np.arange(5.0)
        file["group/sound"], file["group/variable"] = 1, 2
        file["lost/below/x"] = 3
        file["only/variable"] = 4
        file["links/variable"] = h5py.SoftLink("/group/variable")
        file["links/below"] = h5py.SoftLink("/lost/below/x")
        file["links/nowhere"] = h5py.SoftLink("/group/no such variable")
        file["scale"] = np.arange(5)
        file["scale"].make_scale()
        file["rows"].dims[0].attach_scale(file["scale"])
    for name in ("group/variable", "lost", "only/variable"):
        _damage(path, name)
    return path


def test_damaged_objects_are_left_out_of_trees(damaged, tmp_path, caplog, capfd):
    names = {"/group/variable", "/lost", "/only/variable", "/links/variable", "/links/below"}
    for options in ({}, {"index_cache": tmp_path / "kept"}, {"index_cache": tmp_path / "kept"}):
        with (
            caplog.at_level(logging.WARNING, "xr_icesat2"),
            xr.open_datatree(damaged, **FILE, **options) as tree,
        ):
            assert tree.icesat2.left_out.keys() == names
            for reason in tree.icesat2.left_out.values():
                assert "it is damaged" in reason
                assert "download the file again" in reason
            assert set(tree["group"].data_vars) == {"sound"}
            assert tree["rows"].dims == ("scale",)
            np.testing.assert_array_equal(tree["rows"], np.arange(5.0))
            assert {"/only", "/group"} <= set(tree.groups)
            assert tree["group"].to_dataset().icesat2.left_out.keys() == {"/group/variable"}
    assert "left out, because it is damaged: /group" in caplog.text
    with xr.open_dataset(damaged, group="group", **FILE) as ds:
        assert set(ds.variables) == {"sound"}
        assert ds.icesat2.left_out.keys() == {"/group/variable"}
    assert main(["info", str(damaged)]) == 0
    assert "/lost: it is damaged" in capfd.readouterr().out


@pytest.mark.parametrize(
    "ask",
    [
        {"group": "group", "variables": ["variable"]},
        {"group": "lost"},
        {"group": "lost/below"},
        {"group": "only"},
        {"variables": ["lost"]},
        {"variables": ["lost/below/x"]},
    ],
    ids=str,
)
def test_damage_to_a_requested_object_is_an_error(damaged, ask):
    for opened in (xr.open_dataset, xr.open_datatree):
        with pytest.raises(CorruptGranuleError, match="damaged") as caught:
            opened(damaged, **ask, **FILE)
        assert str(caught.value).lower().count("download it again") == 1
        assert str(caught.value).count(str(damaged)) == 1


@pytest.mark.parametrize("name", ["variable", "lost", "below"])
def test_loading_a_damaged_variable_is_an_error(damaged, name):
    with xr.open_datatree(damaged, **FILE) as tree:
        for opened in (tree, pickle.loads(pickle.dumps(tree))):  # noqa: S301 - our own
            with pytest.raises(CorruptGranuleError, match="damaged"):
                opened.icesat2.load(name)


def test_group_with_only_damaged_objects_is_an_error(tmp_path):
    path = tmp_path / "damaged.h5"
    with h5py.File(path, "w") as file:
        file.attrs["title"] = "all lost"
        file["one"], file["two/x"] = 1, 2
    for name in ("one", "two"):
        _damage(path, name)
    for ask in ({}, {"group": "/"}):
        for opened in (xr.open_dataset, xr.open_datatree):
            with pytest.raises(CorruptGranuleError, match="one cannot be read"):
                opened(path, **ask, **FILE)
    # Who asks for none of them has what there is.
    without = {"drop_variables": ["one", "two"], **FILE}
    assert xr.open_dataset(path, group="/", **without).attrs == {"title": "all lost"}


def test_misspelled_name_next_to_damage_gets_a_suggestion(damaged):
    for ask in ({}, {"group": "group"}):
        with pytest.raises(SelectionError, match="Did you mean 'sound'"):
            xr.open_datatree(damaged, variables=["soumd"], **ask, **FILE)
    with pytest.raises(SelectionError, match="Did you mean 'sound'"):
        xr.open_dataset(damaged, group="group", variables=["soumd"], **FILE)


def test_damage_in_a_list_is_an_error(damaged):
    with pytest.raises(CorruptGranuleError, match="cannot be read, the file is damaged"):
        xr.open_datatree([damaged], **FILE)


def test_damage_to_a_merged_beam_is_an_error(tmp_path, capfd):
    path = written_granule(GRANULE_NAMES[0], tmp_path)
    _damage(path, "gt1l/land_ice_segments/h_li")
    for layout in ("spot", "flat"):
        with pytest.raises(CorruptGranuleError, match="gt1l/land_ice_segments/h_li"):
            xr.open_dataset(path, engine="icesat2", layout=layout)
    with pytest.raises(CorruptGranuleError, match="h_li"):
        xr.open_datatree(path, engine="icesat2")
    with xr.open_datatree(path, engine="icesat2", layout="file") as tree:
        assert tree.icesat2.left_out.keys() == {"/gt1l/land_ice_segments/h_li"}
        assert "h_li" in tree["gt2l/land_ice_segments"]
    with pytest.raises(CorruptGranuleError, match="h_li"):  # what was left out before is no less so
        xr.open_datatree(path, engine="icesat2")
    assert main(["info", str(path)]) == 0
    assert "/gt1l/land_ice_segments/h_li: it is damaged" in capfd.readouterr().out


def test_damaged_scale_that_a_tree_left_out_is_an_error_for_its_rate(tmp_path):
    rows = {key: [1.0, 2.0, 3.0] for key in ("delta_time", "latitude", "longitude", "h_li")}
    path = write_tiny(
        tmp_path / "scale.h5",
        {f"gt1l/land_ice_segments/{name}": values for name, values in rows.items()}
        | {"gt1l/land_ice_segments/bins": np.zeros((3, 2)), "elsewhere/bin": [0.0, 1.0]},
        product="ATL06",
    )
    with h5py.File(path, "r+") as file:
        file["elsewhere/bin"].make_scale("bin")
        file["gt1l/land_ice_segments/bins"].dims[1].attach_scale(file["elsewhere/bin"])
    _damage(path, "elsewhere")
    with pytest.raises(SelectionError, match="'nothing' matches nothing"):  # the index stays
        xr.open_dataset(path, **FILE, group="gt1l/land_ice_segments", variables=["bins", "nothing"])
    with pytest.raises(CorruptGranuleError, match="/elsewhere"):
        xr.open_dataset(path, engine="icesat2")
