"""Output and errors of the command ``icesat2``."""

import io
import json
import subprocess
import sys

import h5py
import pytest
import xarray as xr

import xr_icesat2
from tests.hdf5_files import overwrite_chunks
from tests.paths import granule
from xr_icesat2.cli.main import main
from xr_icesat2.testing import write_granule

FIRST = "ATL06_20190808032023_06270403_007_01.h5"
SECOND = "ATL06_20191106230008_06270503_007_01.h5"
SECOND_AGAIN = "ATL06_20191106230009_06270503_007_02.h5"


@pytest.fixture
def archive(earthdata):
    for name in (FIRST, SECOND, SECOND_AGAIN):
        earthdata.put(name, name.encode())
    return earthdata


def run(capsys, *arguments):
    """Exit code, output, and what stands on standard error."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse
        code = stop.code
    return code, *capsys.readouterr()


def test_search_prints_granules(archive, capsys):
    box, cycles = (-50.5, 68.9, -48.0, 69.4), ("--cycle-number", 4, 5)
    code, printed, _ = run(capsys, "search", "ATL06", "--bbox", *box, *cycles)
    assert code == 0
    assert printed == f"{xr_icesat2.search('ATL06', bbox=[*box], cycle_number=[4, 5])}\n"
    written = "-50.5,68.9,-48,69.4"
    for given in ([written], [written.replace(",", " ")], ["-50.5,", "68.9,", "-48,", "69.4"]):
        assert run(capsys, "search", "ATL06", "--bbox", *given, *cycles) == (0, printed, "")
    assert run(capsys, "search", f"--bbox={written}", "ATL06", *cycles) == (0, printed, "")
    _, printed, said = run(capsys, "search", "ATL06", "--rgt", "627", "--urls")
    assert printed.splitlines() == xr_icesat2.search("ATL06", rgt=627).urls
    assert said == "granules: 2; older versions left out: 1\n"
    _, printed, _ = run(capsys, "search", "atl06", "--temporal", "2019-11", "2020", "--json")
    reported = json.loads(printed)
    (found,) = reported["granules"]
    assert reported["older"] == [SECOND]
    assert found["name"] == SECOND_AGAIN
    assert found["icesat2_url"].endswith(SECOND_AGAIN)
    assert found["size"] == len(SECOND_AGAIN)
    assert found["checksum"]["algorithm"] == "MD5"
    assert found["geometry"]["coordinates"][0][0] == [-50.5, 68.9]
    _, printed, _ = run(capsys, "search", "ATL06", "--temporal", "2018", "--json")
    assert json.loads(printed)["granules"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "arguments are required: command"),
        (["search"], "arguments are required: product"),
        (["fly"], "invalid choice: 'fly'"),
        (["search", "ATL06", "--rgt", "x"], "invalid int value: 'x'"),
        (["search", "ATL06", "--bbox", "-108,38,-107"], "expected 4 arguments"),
        (["search", "ATL06", "--bbox", "-108,38,-107,39,7"], "unrecognized arguments: 7"),
        (["search", "ATL06", "--bbox", "-108,38,-107,north"], "bbox"),
        (["search", "ATL99"], "product='ATL99'"),
        (["search", "ATL06", "--rgt", "1388"], "1 to 1387"),
        (["search", "ATL06", "--rgt", "1", "--release", "001"], "one of 007"),
        (["info", "no-such-file.h5"], "no granule at"),
        (["get", "memory://nothing.h5"], "no granule at memory://nothing.h5"),
    ],
)
def test_errors_print_one_line(archive, capsys, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, printed, said = run(capsys, *arguments)
    assert code == 2
    assert printed == ""
    assert says in said
    assert said.startswith("icesat2")
    assert said.count("\n") == 1


def test_get_downloads_granules(http_server, capsys, tmp_path, monkeypatch):
    contents = {n: b"\x89HDF\r\n\x1a\n" + bytes(n) for n in range(1, 4)}
    urls = [http_server.put(f"file{n}.h5", data) for n, data in contents.items()]
    code, printed, said = run(capsys, "get", *urls[:2], "--to", tmp_path / "a")
    assert (code, said) == (0, "")
    assert printed.splitlines() == [str(tmp_path / f"a/file{n}.h5") for n in (1, 2)]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{urls[2]}\n\n"))
    _, printed, _ = run(capsys, "get", "-", "--to", tmp_path / "b", "--json", "--quiet")
    assert json.loads(printed) == [str(tmp_path / "b/file3.h5")]
    assert (tmp_path / "b/file3.h5").read_bytes() == contents[3]
    (tmp_path / "b/file3.h5").write_bytes(b"other")
    code, _, said = run(capsys, "get", urls[2], "--to", tmp_path / "b")
    assert code == 2
    assert "overwrite" in said
    assert run(capsys, "get", urls[2], "--to", tmp_path / "b", "--overwrite")[0] == 0


def test_get_does_not_keep_a_login_page(http_server, capsys, tmp_path):
    page = b"<!DOCTYPE html><html><body>Earthdata Login</body></html>"
    local = tmp_path / FIRST
    local.write_bytes(page)
    for given in (http_server.put(SECOND, page), local):
        code, printed, said = run(capsys, "get", given, "--to", tmp_path / "to")
        assert (code, printed) == (2, "")
        assert "is not HDF5, but a web page, such as a login page" in said
        assert list((tmp_path / "to").iterdir()) == []


def test_get_replaces_a_login_page_saved_earlier(http_server, capsys, tmp_path):
    page = b"<html>Earthdata Login</html>"
    (tmp_path / SECOND).write_bytes(page)
    code, printed, said = run(capsys, "get", http_server.put(SECOND, page), "--to", tmp_path)
    assert (code, printed) == (2, "")
    assert "exists, but differs from the granule" in said


def test_info_reads_no_values(capsys, tmp_path):
    path = write_granule(tmp_path, n_segments=50, chunk_rows=100)
    with xr.open_datatree(path, engine="icesat2") as tree:
        rate = tree["land_ice_segments"]
        expected = {str(dim): size for dim, size in rate.sizes.items()}
        names = {str(name) for name in rate.data_vars}
        listed = f"{tree.icesat2.contents()}\n"
    _, table, _ = run(capsys, "info", path)
    _, reported, _ = run(capsys, "info", path, "--json")
    assert overwrite_chunks(path) > 100
    assert run(capsys, "info", path) == (0, table, "")
    assert run(capsys, "info", path, "--json") == (0, reported, "")
    assert run(capsys, "info", path, "--variables") == (0, listed, "")
    reported = json.loads(reported)
    groups = {group["path"]: group for group in reported["groups"]}
    assert groups["/land_ice_segments"]["dims"] == expected
    assert groups["/land_ice_segments"]["variables"].keys() == names
    assert groups["/land_ice_segments"]["variables"]["h_li"]["dtype"] == "float32"
    assert (reported["product"], reported["rgt"]) == ("ATL06", int(path.name.split("_")[2][:4]))
    row = next(line for line in table.splitlines() if line.startswith("/land_ice_segments "))
    assert f"segment_idx: {expected['segment_idx']}" in row
    assert f"  {len(names)}  " in row


def test_info_without_spots_shows_the_file(capsys):
    path = granule("test_atl08.h5")
    code, printed, said = run(capsys, "info", path)
    assert code == 0
    assert "layout='file'" in said
    with h5py.File(path) as file:
        assert "gt1l/land_segments" in file
    assert "/gt1l/land_segments" in printed


def test_info_shows_groups_of_groups(capsys):
    path = granule("ATL03_gt1l.h5")
    code, printed, _ = run(capsys, "info", path, "--json")
    assert code == 0
    dims = {group["path"]: group["dims"] for group in json.loads(printed)["groups"]}
    with h5py.File(path) as file:
        rows = file["gt1l/signal_find_output/ocean/delta_time"].shape[0]
        photons = file["gt1l/heights/h_ph"].shape[0]
    assert rows in dims["/signal_find_output/ocean"].values()
    assert photons in dims["/heights"].values()


def test_info_of_a_folder_counts_granules(capsys, tmp_path):
    for cycle in (3, 4):
        write_granule(tmp_path, n_segments=5, cycle_number=cycle, chunk_rows=100)
    (tmp_path / "mine.h5").write_bytes(b"")
    code, printed, said = run(capsys, "info", tmp_path)
    assert (code, said) == (0, "")
    assert f"{tmp_path}: a folder of 3 granules" in printed
    assert "2  ATL06 release 006" in printed
    assert "1  with other names" in printed
    _, printed, _ = run(capsys, "info", tmp_path, "--json")
    reported = json.loads(printed)
    assert {"product": "ATL06", "release": "006", "granules": 2} in reported["products"]
    assert len(reported["granules"]) == 3
    code, printed, said = run(capsys, "info", tmp_path, "--variables")
    assert (code, printed) == (2, "")
    assert "is a folder; --variables needs one granule, such as" in said


def test_command_runs_as_a_process(tmp_path):
    command = [sys.executable, "-m", "xr_icesat2.cli"]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [*command, "info", "nothing.h5"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("icesat2: There is no granule at")
    assert done.stderr.count("\n") == 1


def test_closed_pipe_ends_quietly(tmp_path):
    path = write_granule(tmp_path, n_segments=5, chunk_rows=100)
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "xr_icesat2.cli", "info", str(path), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
