"""One unusual object does not stop the others: it is read as h5py does, or left out by name."""

import logging
import pickle

import h5py
import numpy as np
import pytest
import xarray as xr

import xr_icesat2
from tests.paths import hostile_file
from tests.peers import disagreements
from tests.unusual import LEFT_OUT, write_unusual
from tests.written_granules import GRANULE_NAMES, written_granule
from xr_icesat2.cli.main import main
from xr_icesat2.errors import NotSupportedError, SelectionError

FILE = {"engine": "icesat2", "layout": "file"}
VERSIONS = {
    "earliest": ("earliest", 0),
    "mixed": (("v108", "latest"), 0),
    "latest": ("latest", 0),
    "block": ("earliest", 512),
    "latest block": ("latest", 1024),
}


@pytest.fixture(scope="module")
def unusual(tmp_path_factory):
    path = tmp_path_factory.mktemp("unusual") / "unusual.h5"
    write_unusual(path, "earliest")
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", VERSIONS)
def test_each_object_is_read_as_h5py_does_or_left_out(tmp_path, version):
    path = tmp_path / "unusual.h5"
    write_unusual(path, *VERSIONS[version])
    assert not disagreements(path)
    left_out = dict(xr.open_datatree(path, **FILE).icesat2.left_out)
    assert "references" in left_out.pop("/types@reference")
    assert {name.rpartition("/")[2] for name in left_out} == LEFT_OUT.keys()
    for name, reason in left_out.items():
        assert LEFT_OUT[name.rpartition("/")[2]] in reason


def test_what_is_left_out_is_logged_once(unusual, caplog):
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        xr.open_dataset(unusual, group="types", **FILE)
    lines = [r.getMessage() for r in caplog.records if "left out, because" in r.getMessage()]
    (line,) = lines
    assert str(unusual) in line
    assert "/types/opaque (it contains opaque bytes)" in line


@pytest.mark.parametrize("version", VERSIONS)
def test_attributes_that_are_left_out_are_named_and_logged_once(tmp_path, caplog, version):
    path = tmp_path / "attributes.h5"
    libver, block = VERSIONS[version]
    with h5py.File(path, "w", libver=libver, userblock_size=block) as file:
        file["x"] = np.arange(3)
        for thing in (file["x"], file.create_group("group")):
            thing.attrs["to"] = file["x"].ref
            kind = h5py.h5t.vlen_create(h5py.h5t.STD_I32LE)
            h5py.h5a.create(thing.id, b"lists", kind, h5py.h5s.create_simple((1,)))
            tagged = h5py.h5t.create(h5py.h5t.OPAQUE, 1)
            tagged.set_tag(b"a tag")
            h5py.h5a.create(thing.id, b"tagged", tagged, h5py.h5s.create_simple((2,)))
            thing.attrs["units"] = "m"
    expected = {
        f"{where}@{name}": f"it contains {what}"
        for where in ("/group", "/x")
        for name, what in (
            ("to", "references"), ("lists", "sequences"), ("tagged", "opaque bytes")
        )
    }  # fmt: skip
    for _ in range(2):  # of an index that was kept too
        caplog.clear()
        with (
            caplog.at_level(logging.WARNING, "xr_icesat2"),
            xr.open_datatree(path, index_cache=tmp_path / "kept", **FILE) as tree,
        ):
            xr.open_datatree(path, index_cache=tmp_path / "kept", **FILE)
            assert tree["x"].attrs == tree["group"].attrs == {"units": "m"}
            left_out = tree.icesat2.left_out
            assert left_out.keys() == expected.keys()
            assert all(left_out[name].startswith(why) for name, why in expected.items())
            assert tree["group"].icesat2.left_out.keys() == {n for n in expected if "group" in n}
        lines = [r.getMessage() for r in caplog.records if "attributes left out" in r.getMessage()]
        assert len(lines) == 1
        assert str(path) in lines[0]
        assert all(f"{name} ({why}" in lines[0] for name, why in expected.items())
        assert lines[0].count("@") == len(expected)


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_attributes_that_are_left_out_of_merged_variables_are_named(tmp_path, layout):
    path = written_granule(GRANULE_NAMES[0], tmp_path)
    with h5py.File(path, "a") as file:
        for name in ("gt1l/land_ice_segments", "gt2l/land_ice_segments/h_li", "orbit_info"):
            file[name].attrs["a/b"] = file.ref
    beams = {"/gt1l/land_ice_segments@a%2Fb", "/gt2l/land_ice_segments/h_li@a%2Fb"}
    ds = xr.open_dataset(path, engine="icesat2", layout=layout)
    assert ds.icesat2.left_out.keys() == beams
    assert "h_li" in ds
    tree = xr.open_datatree(path, engine="icesat2", layout=layout)
    assert tree.icesat2.left_out.keys() == {*beams, "/orbit_info@a%2Fb"}
    ds = xr.open_dataset(
        path, engine="icesat2", layout=layout, variables="h_li_sigma", beams="gt2l"
    )
    assert not ds.icesat2.left_out


@pytest.mark.parametrize("version", VERSIONS)
def test_attributes_of_committed_datatypes(tmp_path, version):
    path = tmp_path / "committed.h5"
    libver, block = VERSIONS[version]
    values = {
        "text": (h5py.string_dtype(), ["one", "Höhe"]),
        "fixed": (np.dtype("S5"), [b"one", b"two"]),
        "number": (np.dtype(">f4"), [1.5, 2.5]),
        "colour": (h5py.enum_dtype({"RED": 1}, "i2"), [1, 1]),
        "pair": (np.dtype([("a", "i4"), ("b", "f8")]), [(1, 2.0), (3, 4.0)]),
    }
    with h5py.File(path, "w", libver=libver, userblock_size=block) as file:
        plain, rich = file.create_group("plain"), file.create_group("rich")
        for name, (dtype, value) in values.items():
            file[f"type_{name}"] = dtype
            for group in (plain, rich):
                if name != "pair" or group == rich:
                    group.attrs.create(name, value, (2,), file[f"type_{name}"])
                    group.attrs.create(f"{name}_again", value, (2,), file[f"type_{name}"])
    assert not disagreements(path)
    tree = xr.open_datatree(path, **FILE)
    assert tree["plain"].attrs["text"] == ("one", "Höhe")
    assert len(tree["plain"].attrs) == 8
    assert tree["rich"].attrs["pair_again"]["b"].tolist() == [2, 4]
    assert not [name for name in tree.icesat2.left_out if "@" in name]


@pytest.mark.parametrize("by_h5py", [False, True])
def test_names_of_attributes_that_are_not_utf8(tmp_path, by_h5py):
    path = tmp_path / "names.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("group")
        group.attrs.create(b"\xff read", 1)
        group.attrs.create(b"\xff left out", group.ref, dtype=h5py.ref_dtype)
        if by_h5py:
            text = np.dtype([("text", h5py.string_dtype())])
            group.attrs.create("texts", np.array([("a",)], text))
    tree = xr.open_datatree(path, **FILE)
    assert tree["group"].attrs == {"\udcff read": 1}
    left_out = {"/group@\udcff left out", *(["/group@texts"] if by_h5py else [])}
    assert tree.icesat2.left_out.keys() == left_out


def test_each_node_says_what_is_left_out_of_it(unusual):
    tree = xr.open_datatree(unusual, **FILE)
    assert set(tree["links"].icesat2.left_out) == {
        "/links/behind_linked", "/links/group", "/links/linked", "/links/outside",
    }  # fmt: skip
    assert not tree["texts"].icesat2.left_out
    # Alone, the group is the only way to what a soft link leads to.
    alone = xr.open_dataset(unusual, group="links", **FILE).icesat2.left_out
    assert alone.keys() == tree["links"].icesat2.left_out.keys() - {"/links/group"}
    with pytest.raises(TypeError):
        tree.icesat2.left_out["/x"] = ""
    dropped = xr.open_dataset(unusual, group="links", drop_variables="*linked", **FILE)
    assert set(dropped.icesat2.left_out) == {"/links/outside"}
    assert not xr.Dataset().icesat2.left_out


def test_of_a_list_it_is_said_by_granule(unusual, tmp_path):
    plain = tmp_path / "plain.h5"
    with h5py.File(plain, "w") as file:
        file["links/scale"] = np.arange(4)
    ds = xr.open_dataset([plain, unusual], group="links", **FILE)
    assert list(ds.icesat2.left_out) == [str(unusual)]
    assert "/links/outside" in ds.icesat2.left_out[str(unusual)]


@pytest.mark.parametrize("name", ["opaque", "references", "null", "plugin", "linked", "outside"])
def test_what_is_left_out_cannot_be_asked_for(unusual, name):
    (path,) = [
        p for p in xr.open_datatree(unusual, **FILE).icesat2.left_out if p.endswith(f"/{name}")
    ]
    group = path.rpartition("/")[0]
    for ask in (
        lambda: xr.open_dataset(unusual, group=path, **FILE),
        lambda: xr.open_dataset(unusual, group=f"{path}/below", **FILE),
        lambda: xr.open_datatree(unusual, group=path, **FILE),
        lambda: xr.open_dataset(unusual, group=group, variables=[name], **FILE),
        lambda: xr.open_datatree(unusual, variables=[name], **FILE),
        lambda: xr.open_datatree(unusual, variables=path, **FILE),
        lambda: xr.open_datatree(unusual, **FILE).icesat2.load(name),
    ):
        with pytest.raises(NotSupportedError, match="is not supported") as caught:
            ask()
        assert LEFT_OUT[name] in str(caught.value)
        assert "Download" not in str(caught.value)
    with pytest.raises(SelectionError):
        xr.open_dataset(unusual, group=group, variables=["no such name"], **FILE)


def test_what_is_left_out_is_kept_in_indexes(unusual, tmp_path, caplog):
    expected = xr.open_datatree(unusual, **FILE).icesat2.left_out
    for _ in range(2):
        tree = xr.open_datatree(unusual, index_cache=tmp_path / "cache", **FILE)
        assert tree.icesat2.left_out == expected
        tree.close()
    assert list((tmp_path / "cache").iterdir())
    assert "ignoring" not in caplog.text
    kept = tmp_path / "unusual.idx"
    tree = xr.open_datatree(unusual, **FILE)
    xr_icesat2.save_indexes(kept, tree)
    tree.close()
    again = xr.open_datatree(unusual, index_cache=kept, **FILE)
    assert again.icesat2.left_out == expected
    np.testing.assert_array_equal(again["types/compound"].values["a"], np.arange(9))
    copy = pickle.loads(pickle.dumps(again["types"].to_dataset()))  # noqa: S301 - our own
    assert copy.icesat2.left_out == again["types"].icesat2.left_out
    np.testing.assert_array_equal(copy["array"], again["types/array"])


def test_info_shows_what_is_left_out(unusual, capfd):
    for arguments in (["info"], ["info", "--variables"], ["info", "--json"]):
        assert main([*arguments, str(unusual)]) == 0
        printed = capfd.readouterr().out
        assert "link to another file ('/x' in 'other.h5')" in printed
        assert "/types/opaque" in printed


@pytest.mark.parametrize("block", [0, 512])
def test_links_of_kinds_that_programs_define(tmp_path, block):
    path = tmp_path / "links.h5"
    with h5py.File(path, "w", userblock_size=block) as file:
        file["a"] = [1, 2]
        file["own"] = h5py.ExternalLink("x.h5", "/y")
    data = bytearray(path.read_bytes())
    data[data.rindex(b"\x40", 0, data.index(b"x.h5\0/y"))] = 187
    path.write_bytes(data)
    tree = xr.open_datatree(path, **FILE)
    assert set(tree.to_dataset().variables) == {"a"}
    assert "(187)" in tree.icesat2.left_out["/own"]


# --- enumerations and structures ---


def test_enumerations_are_flags(unusual):
    for decode in (True, False):
        ds = xr.open_dataset(unusual, group="types", decode_cf=decode, **FILE)
        colours = ds["colours"]
        assert colours.dtype == np.int16
        assert colours.attrs["flag_meanings"] == "RED Gr_n dark_blue Gr_n_"
        np.testing.assert_array_equal(colours.attrs["flag_values"], np.array([-1, 2, 3, 40], "i2"))
        np.testing.assert_array_equal(colours, [3, -1, 40, 2])
        assert ds["of_named_colours"].attrs.keys() == colours.attrs.keys()
        assert ds["colours_documented"].attrs == {"flag_meanings": "own words"}


def test_meanings_are_one_word_each(tmp_path):
    names = ["a b", "a_b", "a\tb", "", "ok", "*"]
    path = tmp_path / "words.h5"
    with h5py.File(path, "w") as file:
        stored = h5py.h5t.enum_create(h5py.h5t.STD_U8LE)
        for number, name in enumerate(names):
            stored.enum_insert(name.encode() or b" ", number)
        space = h5py.h5s.create_simple((2,))
        h5py.h5d.create(file.id, b"x", stored, space)
    attrs = xr.open_dataset(path, **FILE)["x"].attrs
    words = attrs["flag_meanings"].split(" ")
    assert len(words) == len(set(words)) == len(attrs["flag_values"]) == len(names)
    assert words[:2] == ["a_b", "a_b_2"]


def test_structures_are_arrays_of_numpy(unusual, tmp_path):
    ds = xr.open_dataset(unusual, group="types", **FILE)
    compound = ds["compound"]
    assert compound.dtype.names == ("a", "b", "s", "t")
    assert "compound" in repr(ds)
    assert compound[3].values.item() == (3, 1.5, b"n3", True)
    assert compound[::-3].values["a"].tolist() == [8, 5, 2]
    assert ds["array"].dims[1:] == ("dim_3", "dim_2")
    np.testing.assert_array_equal(ds["array"][1, 2], [10, 11])
    np.testing.assert_array_equal(ds["array_scalar"], [1, 2, 3])
    plain = ds[["array", "colours"]].drop_attrs(deep=False)
    plain.to_netcdf(tmp_path / "plain.nc")
    xr.testing.assert_identical(xr.open_dataset(tmp_path / "plain.nc").load(), plain.load())
    with pytest.raises(ValueError, match="unsupported dtype"):
        compound.to_dataset().to_netcdf(tmp_path / "compound.nc")


# --- granules ---


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_a_variable_left_out_of_one_beam_is_left_out_of_all(tmp_path, layout):
    path = written_granule(GRANULE_NAMES[0], tmp_path)
    with h5py.File(path, "a") as file:
        group = file["gt2l/land_ice_segments"]
        count = len(group["h_li"])
        del group["h_li"]
        group.create_dataset("h_li", (count,), "f4", external=[("other.raw", 0, 4 * count)])
        file["gt1l/land_ice_segments/notes"] = h5py.ExternalLink("notes.h5", "/")
    ds = xr.open_dataset(path, engine="icesat2", layout=layout)
    assert "h_li" not in ds
    assert "h_li_sigma" in ds
    left_out = ds.icesat2.left_out
    assert "another file" in left_out["/gt2l/land_ice_segments/h_li"]
    assert left_out["/gt1l/land_ice_segments/h_li"] == "/gt2l/land_ice_segments/h_li is left out"
    assert "another file" in left_out["/gt1l/land_ice_segments/notes"]
    tree = xr.open_datatree(path, engine="icesat2", layout=layout)
    assert tree.icesat2.left_out == left_out
    assert tree["land_ice_segments"].icesat2.left_out == left_out
    with pytest.raises(NotSupportedError, match="gt2l/land_ice_segments/h_li is not supported"):
        xr.open_dataset(path, engine="icesat2", layout=layout, variables=["h_li"])
    others = xr.open_dataset(path, engine="icesat2", layout=layout, beams=["gt1l", "gt3r"])
    assert "h_li" in others


def test_a_beam_that_is_a_link_to_another_file(tmp_path):
    path = written_granule(GRANULE_NAMES[0], tmp_path)
    with h5py.File(path, "a") as file:
        del file["gt2r"]
        file["gt2r"] = h5py.ExternalLink(path.name, "/gt1l")
    tree = xr.open_datatree(path, engine="icesat2")
    assert set(tree.icesat2.left_out) == {"/gt2r"}
    ds = xr.open_dataset(path, engine="icesat2")
    here = ds["n_obs"].values[0] > 0
    assert ds["gt"].values[0][here].tolist() == [
        gt for gt in ds["gt"].values[0].tolist() if gt != "gt2r"
    ]


# --- small files made to do harm, or to mislead ---


HARMFUL = {
    "01b_external_raw_passwd.h5": ({"/x": "stored in another file"}, set()),
    "02c_ext_two.h5": ({"/g/a": "link to another file", "/g/b": "link to another file"}, {"y"}),
    "02d_ext_alias.h5": ({"/theirs": "link to another file"}, {"mine"}),
    "03b_vds_self.h5": ({"/v": "stored in another file ('other.h5')"}, {"y"}),
    "04_soft_links.h5": ({}, {"c", "y"}),
    "19_filters.h5": (
        {f"/{name}": "not built in, and plugins" for name in ("b", "f999", "lz", "unk")},
        {"opt_missing", "so"},
    ),
    "24_dimlist.h5": ({}, {"x", "y", "z"}),
    "PyTables__tables_tests_nested-type-with-gaps.h5": ({}, {"nestedtype"}),
    "hdf5src__tools_testfiles_textlinkfar.h5": ({"/src_file": "link to another file"}, set()),
    "jhdf__jhdf_src_test_resources_hdf5_external_link.hdf5": (
        {"/root_dot": "link to another file", "/root_slash": "link to another file"},
        set(),
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_files_made_to_do_harm(name):
    expected, in_file = HARMFUL[name]
    path = hostile_file(name)
    tree = xr.open_datatree(path, **FILE)
    left_out = tree.icesat2.left_out
    assert left_out.keys() >= expected.keys()
    assert all(reason in left_out[where] for where, reason in expected.items())
    assert set(tree.to_dataset().variables) == in_file
    tree.load()
    if not any("another file" in reason for reason in left_out.values()):
        assert not [one for one in disagreements(path) if "no such variable" not in one]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", VERSIONS)
def test_types_of_other_projects_files(tmp_path, version):
    path = tmp_path / "types.h5"
    libver, block = VERSIONS[version]
    with h5py.File(path, "w", libver=libver, userblock_size=block) as file:
        nested = h5py.h5t.array_create(h5py.h5t.array_create(h5py.h5t.STD_I32LE, (6, 3)), (4,))
        made = h5py.h5d.create(file.id, b"nested", nested, h5py.h5s.create_simple((4,)))
        values = np.arange(288, dtype="<i4").reshape(4, 4, 6, 3)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values, nested)
        tagged = h5py.h5t.create(h5py.h5t.OPAQUE, 1)
        tagged.set_tag(b"a tag")
        h5py.h5a.create(file.id, b"tagged", tagged, h5py.h5s.create_simple((2,)))
        latin = h5py.h5t.enum_create(h5py.h5t.STD_I32LE)
        latin.enum_insert(b"\xff", 1)
        h5py.h5d.create(file.id, b"latin", latin, h5py.h5s.create_simple((2,)))
        file["listed"] = np.arange(3)
        file["listed"].attrs["DIMENSION_LIST"] = "of nothing"
        file["listed"].attrs["_FillValue"] = 1j
        file["listed"].attrs["flag_values"] = np.zeros(1, [("a", "i4")])
        file.create_dataset("vast", (1 << 62,), "u1", chunks=(1 << 20,), maxshape=(None,))
    assert not disagreements(path)
    tree = xr.open_datatree(path, **FILE)
    np.testing.assert_array_equal(tree["nested"].values, values)
    assert tree["latin"].attrs["flag_meanings"] == "_"
    assert "/vast" in tree.icesat2.left_out
    assert tree["listed"].values.tolist() == [0, 1, 2]


def test_integers_of_which_most_bits_are_unused(tmp_path):
    path = tmp_path / "narrow.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        narrow = h5py.h5t.STD_I32LE.copy()
        narrow.set_precision(16)
        h5py.h5d.create(file.id, b"narrow", narrow, h5py.h5s.create_simple((3,)))
        file["plain"] = np.arange(3)
    stored = b"\x04\0\0\0\0\0%c\0"  # size, offset and precision
    path.write_bytes(path.read_bytes().replace(stored % 16, stored % 3))
    with h5py.File(path) as file, pytest.raises(KeyError, match="unusually large"):
        file["narrow"]
    tree = xr.open_datatree(path, **FILE)
    assert "3 bits in 4 bytes" in tree.icesat2.left_out["/narrow"]
    assert tree["plain"].values.tolist() == [0, 1, 2]
