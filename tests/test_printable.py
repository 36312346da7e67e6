"""Control characters in names and texts of files are escaped wherever they are shown."""

import json
import logging
import os
import pickle
import re
import unicodedata
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray as xr

from xr_icesat2 import errors, search
from xr_icesat2.cli.main import main
from xr_icesat2.printable import printable
from xr_icesat2.testing import write_granule

EVIL = "\x1b[31mred\x1b]0;title\x07\x9b2J\x7f\u202ereversed\u2066\r\nicesat2: all is well\x00"[:-1]
NAME = EVIL.replace("\n", "\x0b")  # of a file
ODD = {"Cc", "Cs", "Zl", "Zp"}
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
MARKS = "\u200e\u200f\u061c"
BYTES = b"not text \xff\xfe\x1b[2J"


def raw(text):
    """The characters of a printed text that a terminal would obey; lines may end."""
    return {c for c in text if c != "\n" and (unicodedata.category(c) in ODD or _turns(c))}


def _turns(character):
    """Whether a mark changes the direction of the text around it."""
    return character in MARKS or unicodedata.bidirectional(character) in TURNING


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    """A granule whose names and attributes carry escape sequences."""
    folder = tmp_path_factory.mktemp("evil")
    path = write_granule(folder, n_segments=10, beams=("gt1l",))
    with h5py.File(path, "r+") as file:
        file.attrs["short_name"] = np.bytes_(b"ATL06")
        inside = file["gt1l/land_ice_segments"]
        inside.attrs["Description"] = EVIL
        inside["h_li"].attrs["long_name"] = EVIL
        inside["h_li"].attrs["units"] = EVIL
        inside["h_li"].attrs["standard_name"] = EVIL
        group = file.create_group(EVIL)
        group.attrs["description"] = EVIL
        group[EVIL] = np.arange(3.0)
        group[EVIL].attrs["long_name"] = EVIL
        h5py.h5g.create(group.id, BYTES)
        # Read through the library, which is logged by name.
        group.create_dataset(f"{EVIL} lzf", data=np.arange(9.0), compression="lzf")
    target = folder / NAME
    path.rename(target)
    return target


@pytest.mark.parametrize("options", [[], ["--variables"], ["--json"]])
def test_info_escapes_names(evil, capfd, caplog, options):
    caplog.set_level(logging.DEBUG)
    assert main(["info", *options, str(evil)]) == 0
    printed, said = capfd.readouterr()
    assert not raw(printed + said + caplog.text)
    assert "reversed" in printed
    if options == ["--json"]:
        reported = json.loads(printed)
        assert EVIL in {group["path"].strip("/") for group in reported["groups"]}
        assert raw(reported["granule"])


def test_error_for_another_file_escapes_its_content(tmp_path, capfd):
    (tmp_path / NAME).write_bytes(b"nothing")
    for arguments in (["info", str(tmp_path / NAME)], ["info", str(tmp_path / f"{NAME}2")]):
        assert main(arguments) == 2
    for arguments in (["info", "a", f"b{NAME}"], [NAME]):
        with pytest.raises(SystemExit):
            main(arguments)
    printed, said = capfd.readouterr()
    assert not raw(printed + said)
    assert said.count("\n") == 4
    assert "\\x1b[31mred" in said


def test_messages_and_logs_are_escaped(evil, caplog):
    caplog.set_level(logging.DEBUG)
    for keywords in (
        {"group": "nothing", "layout": "file"},
        {"group": f"{EVIL}/nothing", "layout": "file"},
        {"variables": "nothing"},
        {"variables": EVIL},
        {"group": f"{EVIL}/{EVIL}"},
    ):
        with pytest.raises(errors.ICESat2Error) as caught:
            xr.open_dataset(evil, engine="icesat2", **keywords)
        assert not raw(str(caught.value))
    tree = xr.open_datatree(evil, engine="icesat2", layout="file").load()
    np.testing.assert_array_equal(tree[EVIL][f"{EVIL} lzf"], np.arange(9.0))
    tree.close()
    assert "lzf" in caplog.text
    assert not raw(caplog.text)
    # A line feed in a name begins no record.
    assert all("\n" not in record.getMessage() for record in caplog.records)


def test_reprs_are_escaped(evil):
    tree = xr.open_datatree(evil, engine="icesat2", layout="file")
    contents = tree.icesat2.contents()
    for shown in (contents, contents.find("h_li"), contents.find(EVIL)):
        assert not raw(repr(shown))
        assert not raw(shown._repr_html_())
        assert "reversed" in repr(shown)
    assert EVIL in [entry.name for entry in contents]
    assert not raw(repr(list(contents)))
    assert not raw(repr(tree.icesat2) + repr(tree[EVIL].to_dataset().icesat2))
    # One line for each, whatever its texts hold.
    lines = repr(contents.find("h_li")).splitlines()
    assert not any(line.startswith("icesat2:") for line in lines)
    tree.close()


def test_html_is_escaped():
    escaped = "<script>\x1b"
    ds = xr.Dataset({escaped: ("x", [1.0], {"long_name": escaped, "units": escaped})})
    html = ds.icesat2.contents()._repr_html_()
    assert "&lt;script&gt;\\x1b" in html
    assert "<script>" not in html


def test_search_results_escape_names(earthdata):
    earthdata.put("ATL06_20191106230008_06270503_007_01.h5", b"granule")
    found = search("ATL06", count=1)
    odd = type(found)((replace(found[0], name=EVIL),), EVIL)
    assert not raw(repr(odd))
    assert not raw(odd._repr_html_())


KINDS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_class_escapes_its_message(kind):
    error = kind(f"{EVIL}: nothing there")
    assert not raw(str(error))
    assert str(error).endswith("\\r\\nicesat2: all is well: nothing there")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again)) == (kind, str(error))
    assert str(kind(str(error))) == str(error)
    assert isinstance(str(kind()), str)


def test_only_control_characters_are_escaped():
    every = "".join(map(chr, range(0x110000)))
    odd = set(every) - set(printable(every))
    assert odd == raw(every) | {"\n"}
    assert printable("Höhe über Grund – ≈ 3 µm\\n 😀") == "Höhe über Grund – ≈ 3 µm\\n 😀"
    assert printable(os.fsdecode(b"\xff\x1b")) == r"\udcff\x1b"
    assert not re.search(r"[^\x20-\x7e]", printable("".join(odd)))
