"""Every file ends, in little memory: limits are looked at before the work is done."""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

import xr_icesat2
from tests.paths import HOSTILE
from xr_icesat2 import Limits
from xr_icesat2.errors import NotSupportedError, SelectionError, TooLargeError

RAW = {"engine": "icesat2", "layout": "file", "decode_cf": False}
VERSIONS = ["earliest", ("v108", "v108"), "latest"]
"""Symbol tables; links in headers and heaps; what is read through the HDF5 library."""
MEMORY = 1 << 30  # bytes of address space, beyond the imports
GROWTH = 300 << 20  # bytes of memory, for any file


def look_at(*paths: Path) -> list[dict]:
    """What each file gives in a process with little memory."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.limits_worker", str(MEMORY), *map(str, paths)],
        capture_output=True,
        check=False,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        timeout=300,
    )
    reported = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(reported) == len(paths), done.stderr[-3000:]
    assert all(one["grown"] < GROWTH for one in reported), reported
    return reported


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="no hostile files here")
def test_hostile_files():
    names = [
        "06a_huge_dims", "06b_huge_contig", "07_tiny_chunks", "07f_1e8_chunk1", "08b_fan",
        "08c_hard_cycle_latest", "08d_soft_to_root", "12_names", "12b_dotdot_group",
        "21d_attr_amp", "28_slash_name", "28b_dot_name", "04_soft_links",
    ]  # fmt: skip
    found = dict(zip(names, look_at(*(HOSTILE / f"{name}.h5" for name in names)), strict=True))

    assert found["06a_huge_dims"]["variables"] == ["/y"]
    assert found["06a_huge_dims"]["left_out"].keys() == {"/m", "/x"}
    assert found["06b_huge_contig"]["refused"] == {"/x": "TooLargeError", "/z": "TooLargeError"}
    assert found["07_tiny_chunks"]["left_out"].keys() == {"/v", "/w", "/x"}
    assert "limits=Limits(chunks=" in found["07f_1e8_chunk1"]["left_out"]["/x"]

    fan = found["08b_fan"]
    with h5py.File(HOSTILE / "08b_fan.h5") as file:
        depth = 0
        here = file["s0"]
        while "a" in here:
            here, depth = here["a"], depth + 1
    assert len(fan["groups"]) == depth + 2
    assert len(fan["left_out"]) == depth
    assert all("is the same group as /s0/a" in reason for reason in fan["left_out"].values())
    assert found["08c_hard_cycle_latest"]["left_out"] == {
        "/g/self": "it is a link back to /g, which contains it"
    }
    assert found["08d_soft_to_root"]["left_out"] == {
        "/g/up": "it is a link back to /, which contains it"
    }
    assert found["08d_soft_to_root"]["variables"] == ["/y"]
    assert len(found["12_names"]["variables"]) == 13
    assert found["12_names"]["left_out"].keys() == {"/%2E%2E", "/g/%2E%2E"}
    assert found["12b_dotdot_group"]["left_out"].keys() == {"/g/%2E%2E"}
    assert found["28_slash_name"]["variables"] == ["/a/b"]
    assert found["28_slash_name"]["left_out"].keys() == {"/a%2Fb"}
    assert found["28b_dot_name"]["error"].startswith("CorruptGranuleError")  # to h5py, too
    assert found["21d_attr_amp"]["variables"] == ["/y"]
    assert found["04_soft_links"]["variables"] == ["/c", "/y"]


@pytest.mark.parametrize("libver", VERSIONS, ids=["old", "new", "library"])
def test_each_group_is_shown_once(tmp_path, libver):
    path = tmp_path / "linked.h5"
    with h5py.File(path, "w", libver=libver) as file:
        here = file.create_group("first")
        for number in range(30):
            inner = file.create_group(f"groups/{number}")
            inner["x"] = number
            here["a"] = here["b"] = here["c"] = inner
            here = inner
        here["root"] = file["/"]
        here["up"] = h5py.SoftLink("/groups")
        file["alias"] = h5py.SoftLink("/groups/3")
        file["dataset"] = h5py.SoftLink("/groups/3/x")
        file["hard"] = file["groups/4/x"]
    with xr.open_datatree(path, **RAW) as tree:
        groups = [node.path for node in tree.subtree]
        assert len(groups) == 33  # the root, /first, /groups, and those in it or in /first
        assert int(tree["dataset"]) == 3
        assert int(tree["hard"]) == 4
        found = sorted(int(node["x"]) for node in tree.subtree if "x" in node.data_vars)
        assert found == list(range(30))
        left_out = tree.icesat2.left_out
    assert "same group" in left_out["/alias"]
    assert any("link back to /," in why for path, why in left_out.items() if "/root" in path)
    # By its path each is read.
    with xr.open_dataset(path, group="alias", **RAW) as ds:
        assert int(ds["x"]) == 3


@pytest.mark.parametrize("libver", VERSIONS, ids=["old", "new", "library"])
def test_a_cycle_is_known_from_a_kept_index_too(tmp_path, libver):
    path = tmp_path / "cycle.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file["group/rows"] = np.arange(3)
        file["group/root"] = file["/"]
    options = {**RAW, "index_cache": str(tmp_path / "kept")}
    for _ in range(2):
        tree = xr.open_datatree(path, **options)
        assert [node.path for node in tree.subtree] == ["/", "/group"]
        assert list(tree.icesat2.left_out) == ["/group/root"]
        tree.close()


@pytest.mark.parametrize("libver", VERSIONS, ids=["old", "new", "library"])
def test_deep_groups(tmp_path, libver):
    path = tmp_path / "deep.h5"
    with h5py.File(path, "w", libver=libver) as file:
        here = file["/"]
        for _ in range(500):
            here = here.create_group("d")
        here["x"] = 1
        file["y"] = 2
    with xr.open_datatree(path, **RAW) as tree:
        assert len(tree.groups) == 65
        assert "limits=Limits(depth=" in tree.icesat2.left_out["/d" * 65]
    with xr.open_datatree(path, limits=Limits(depth=100), **RAW) as tree:
        assert len(tree.groups) == 101
    with xr.open_dataset(path, group="/d" * 500, **RAW) as ds:
        assert int(ds["x"]) == 1


@pytest.mark.parametrize("libver", VERSIONS, ids=["old", "new", "library"])
def test_limits_on_one_object_leave_it_out_until_they_are_raised(tmp_path, libver):
    path = tmp_path / "large.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file["plain"] = np.arange(3.0)
        file.create_dataset("chunks", (2_000_000,), "i1", chunks=(1,))
        file.create_dataset("chunk", (10,), "i1", chunks=(1000,), maxshape=(None,))
        file["texts"] = np.array([b"x" * 500], "S500")
        for number in range(60):
            file[f"members/{number}"] = number
        file["n" * 200] = 1
        file["attributes"] = 1.0
        file["attributes"].attrs["long"] = "y" * 5000
    small = Limits(
        chunk_bytes=999, string_bytes=499, links=59, attribute_bytes=4999, name_bytes=200
    )
    with xr.open_datatree(path, limits=small, **RAW) as tree:
        assert {*tree.data_vars} == {"plain", "n" * 200}
        reasons = dict(tree.icesat2.left_out)
    named = {"chunks": "chunks", "chunk": "chunk_bytes", "texts": "string_bytes"}
    named |= {"members": "links", "attributes": "attribute_bytes"}
    assert reasons.keys() == {f"/{name}" for name in named}
    for name, limit in named.items():
        assert f"limits=Limits({limit}=" in reasons[f"/{name}"]
    with pytest.raises(NotSupportedError, match="more than the limit"):
        xr.open_dataset(path, limits=small, group="members", **RAW)
    with xr.open_datatree(path, limits=Limits(chunks=2_000_000), **RAW) as tree:
        assert not tree.icesat2.left_out
        assert tree["chunks"].shape == (2_000_000,)
        assert len(tree["members"].data_vars) == 60


@pytest.mark.parametrize("libver", VERSIONS, ids=["old", "new", "library"])
@pytest.mark.parametrize("members", [1, 40])
def test_a_name_that_is_too_long_leaves_out_its_object_alone(tmp_path, libver, members):
    path = tmp_path / "names.h5"
    names = ["n" * 201 + end for end in ("", "a", "b")]
    with h5py.File(path, "w", libver=libver) as file:
        group = file.create_group("group")
        for number, name in enumerate(names):
            group[name] = number
        for number in range(members):
            group[f"member{number}"] = number
        group["n" * 64 + "…"] = 7.0
        group["n" * 200] = 8.0
    options = {**RAW, "index_cache": str(tmp_path / "kept")}
    with xr.open_datatree(path, limits=Limits(name_bytes=200), **options) as tree:
        assert len(tree["group"].data_vars) == members + 2
        assert float(tree["group"]["n" * 64 + "…"]) == 7
        left_out = dict(tree.icesat2.left_out)
    assert {*left_out} == {f"/group/{'n' * 64}…{mark}" for mark in ("~", "~2", "~3")}
    assert all("limits=Limits(name_bytes=" in reason for reason in left_out.values())
    assert [sum(f"{n} bytes" in why for why in left_out.values()) for n in (201, 202)] == [1, 2]
    with xr.open_datatree(path, **options) as tree:
        assert not tree.icesat2.left_out
        assert [int(tree["group"][name]) for name in names] == [0, 1, 2]
    with xr.open_datatree(path, limits=Limits(name_bytes=200), **options) as tree:
        assert len(tree.icesat2.left_out) == 3


@pytest.mark.parametrize("libver", VERSIONS, ids=["old", "new", "library"])
@pytest.mark.parametrize(
    ("name", "most", "enough"),
    [("objects", 40, 41), ("attributes", 39, 1000), ("file_attribute_bytes", 300, 1 << 20)],
)
def test_limits_on_a_file_are_raised_by_name(tmp_path, libver, name, most, enough):
    path = tmp_path / "many.h5"
    with h5py.File(path, "w", libver=libver) as file:
        for number in range(40):
            file[f"group/{number}"] = number
            file[f"group/{number}"].attrs["units"] = "m"
    with pytest.raises(TooLargeError, match=rf"limits=Limits\({name}="):
        xr.open_datatree(path, limits=Limits(**{name: most}), **RAW)
    with xr.open_datatree(path, limits=Limits(**{name: enough}), **RAW) as tree:
        assert len(tree["group"].data_vars) == 40


def test_what_a_limit_leaves_out_is_not_kept(tmp_path):
    path = tmp_path / "chunks.h5"
    with h5py.File(path, "w") as file:
        file["plain"] = 1
        file.create_dataset("rows", (100,), "i1", chunks=(1,))
    options = {**RAW, "index_cache": str(tmp_path / "kept")}
    with xr.open_datatree(path, limits=Limits(chunks=99), **options) as tree:
        assert list(tree.icesat2.left_out) == ["/rows"]
    with xr.open_datatree(path, **options) as tree:
        assert {*tree.data_vars} == {"plain", "rows"}
        assert tree["rows"].to_numpy().sum() == 0


def test_limits_hold_for_what_an_index_kept_too(tmp_path):
    path = tmp_path / "large.h5"
    with h5py.File(path, "w") as file:
        file["plain"] = 1
        file.create_dataset("chunks", (100,), "i1", chunks=(1,))
        file["texts"] = np.array([b"x" * 500], "S500")
        file["attributes"] = 1.0
        file["attributes"].attrs["long"] = "y" * 5000
        for number in range(60):
            file[f"members/{number}"] = number
    small = Limits(chunks=99, string_bytes=499, attribute_bytes=4999, links=59)
    with xr.open_datatree(path, limits=small, **RAW) as tree:
        expected = dict(tree.icesat2.left_out)
    assert len(expected) == 4
    options = {**RAW, "index_cache": str(tmp_path / "kept")}
    with xr.open_datatree(path, **options) as tree:
        assert not tree.icesat2.left_out
    with xr.open_datatree(path, limits=small, **options) as tree:
        assert tree.icesat2.left_out == expected


def test_many_links_to_an_object_with_many_attributes(tmp_path):
    path = tmp_path / "attributes.h5"
    with h5py.File(path, "w") as file:
        found = file.create_dataset("x", data=1)
        for number in range(500):
            found.attrs[f"a{number}"] = np.int8(1)
        for number in range(3000):
            file[f"m{number}"] = found
    (reported,) = look_at(path)
    assert "limits=Limits(attributes=" in reported["error"]


def test_more_values_than_there_is_memory_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "promise.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (1 << 44,), "i1", chunks=(1 << 28,))
    with xr.open_dataset(path, **RAW) as ds:
        assert ds["x"][:5].to_numpy().sum() == 0
        with pytest.raises(TooLargeError, match="Select less of it"):
            ds["x"].to_numpy()
        assert ds["x"][-5:].to_numpy().sum() == 0


@pytest.mark.parametrize("shape", [(1 << 45,), (2, 1 << 44)])
def test_few_values_of_many_contiguous_ones_take_little_memory(tmp_path, shape):
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("many", shape, "u1")
    ds = xr.open_dataset(path, engine="icesat2", layout="file")
    tracemalloc.start()
    few = ds["many"][(*(0 for _ in shape[1:]), slice(5, 9))]
    assert few.to_numpy().tolist() == [0, 0, 0, 0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20


def test_limits_are_checked():
    with pytest.raises(SelectionError, match=r"Limits\(chunks=0\): expected a whole number"):
        Limits(chunks=0)
    with pytest.raises(SelectionError, match="depth=True"):
        Limits(depth=True)
    with pytest.raises(SelectionError, match="expected limits such as"):
        xr.open_dataset("nowhere.h5", engine="icesat2", limits=5)
    assert xr_icesat2.Limits is Limits


@pytest.mark.parametrize("libver", VERSIONS, ids=["old", "new", "library"])
@pytest.mark.parametrize("dense", [False, True])
def test_a_name_that_is_another_ones_escaped_form(tmp_path, libver, dense):
    path = tmp_path / "names.h5"
    with h5py.File(path, "w", libver=libver) as file:
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        group = file.create_group("group")
        for name in (b"..", b"%2E%2E"):
            h5py.h5d.create(group.id, name, h5py.h5t.NATIVE_INT8, space)
        for number in range(20 * dense):
            group[f"m{number}"] = number
    tree = xr.open_datatree(path, engine="icesat2", layout="file")
    assert [name for name in tree["group"].variables if not name.startswith("m")] == ["%2E%2E"]
    assert tree.icesat2.left_out.keys() == {"/group/%2E%2E~"}
