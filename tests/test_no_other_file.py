"""No granule opens another file: seen from the system's side, for the audit hook is Python's only.

What a file leads to are canaries: h5py, which follows, is seen to open them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import h5py
import pytest
import xarray as xr

from tests.external_features import (
    CANARY_H5,
    CANARY_RAW,
    PLUGINS,
    all_features,
    make_canaries,
    make_file,
)
from tests.observed_reader import MARKER
from tests.paths import HOSTILE
from xr_icesat2.errors import NotSupportedError

PROJECT = Path(__file__).parents[1]
OWN = (sys.prefix, sys.base_prefix, str(PROJECT), "/proc/", "/sys/")
"""Where modules of Python are, and what numpy and threads ask of the machine."""
WARM = "warm.h5"
"""Read before all others, so that nothing is imported any more."""
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@cache
def strace() -> str | None:
    """The tracer, if there is one and it may trace."""
    found = shutil.which("strace")
    tried = found and subprocess.run(  # noqa: S603
        [found, "-f", "true"], capture_output=True, check=False
    )
    return found if tried and tried.returncode == 0 else None


def read(reader: str, files: list[Path], directory: Path) -> tuple[list[dict], dict[str, set[str]]]:
    """What each file gave, and the names that were asked of the system by the file that did."""
    log = directory / f"{reader}.trace"
    tracer = [strace(), "-f", "-qq", "-s", "4096", "-e", "trace=%file", "-o", str(log)]
    arguments = [
        sys.executable,
        "-m",
        "tests.observed_reader",
        reader,
        str(directory / WARM),
        *map(str, files),
    ]
    done = subprocess.run(  # noqa: S603
        [*(tracer if strace() else []), *arguments],
        capture_output=True,
        check=False,
        cwd=directory,
        timeout=300,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "HDF5_PLUGIN_PATH": str(directory / PLUGINS),
            "TZ": "UTC",
        },
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    reported = [json.loads(line) for line in done.stdout.splitlines()][1:]
    assert len(reported) == len(files)
    return reported, asked(log) if strace() else {}


def asked(log: Path) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    file = None
    for line in log.read_text().splitlines():
        for name in QUOTED.findall(line) if "getcwd(" not in line else []:
            if name.startswith(MARKER):
                file = name.removeprefix(MARKER) or None
                names.setdefault(file or "", set())
            elif file and name:
                names[file].add(name)
    return names


def others(names: dict[str, set[str]], directory: Path) -> dict[str, list[str]]:
    """By file, the names that are neither its own nor Python's, which searches modules there."""
    found = {
        file: sorted(asked_for - {file, str(directory), *sys.path})
        for file, asked_for in names.items()
    }
    foreign = {file: [n for n in ns if not n.startswith(OWN)] for file, ns in found.items()}
    return {file: ns for file, ns in foreign.items() if ns}


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    """A folder with canaries."""
    directory = tmp_path_factory.mktemp("alone")
    make_canaries(directory)
    all_features(directory / WARM, "earliest", 0, without="virtual_of_itself")
    return directory


@pytest.fixture(scope="module")
def files(directory) -> list[Path]:
    """Files with all features in each version, with some of them, and of other drivers."""
    made = []
    for number, (libver, block) in enumerate(
        [
            ("earliest", 0),
            ("earliest", 512),
            (("v108", "latest"), 0),
            ("latest", 0),
            ("latest", 512),
        ]
    ):
        made.append(directory / f"all_{number}.h5")
        all_features(made[-1], libver, block)
    for seed in range(20):
        made.append(directory / f"some_{seed}.h5")
        make_file(made[-1], seed)
    return [*made, *of_drivers(directory)]


def of_drivers(directory: Path) -> list[Path]:
    """Files that say that they go on in others."""
    for driver, name, more in (
        ("family", "family_%d", {"memb_size": 2048}),
        ("split", "split", {}),
    ):
        with h5py.File(directory / name, "w", driver=driver, **more) as file:
            file["plain"] = range(2000)
    made = [directory / "family_0", directory / "split-m.h5"]
    for path in list(made):
        made.append(path.with_name(f"behind_{path.name}"))
        made[-1].write_bytes(bytes(512) + path.read_bytes())
    return made


def test_only_the_granule_is_opened(files, directory):
    reported, names = read("engine", files, directory)
    for path, one in zip(files, reported, strict=True):
        assert not any(one["values"].values()), path
        beyond = "beyond the end" in str(one["refused"]) and "split" in path.name
        assert beyond or all(s.startswith("NotSupported") for s in one["refused"].values()), one
    assert len(reported[0]["left_out"]) > 18
    # By our own parsers and, behind a user's block or in a new version, by the library.
    assert all(one["left_out"].keys() == reported[0]["left_out"].keys() for one in reported[:5])
    if strace():
        assert len(names) == len(files) + 1
        assert not others(names, directory)


@pytest.mark.parametrize("name", ["family_0", "behind_family_0"])
def test_file_continued_in_others_is_refused(files, directory, name):
    with pytest.raises(NotSupportedError, match="continues in other files"):
        xr.open_datatree(directory / name, engine="icesat2", layout="file")


def test_observer_sees_h5py_open_the_canaries(directory):
    """The positive control: what would be seen if anything were followed."""
    path = directory / "control.h5"
    # HDF5 recurs without end where a virtual dataset is its own source.
    all_features(path, "latest", 0, without="virtual_of_itself")
    (reported,), names = read("h5py", [path], directory)
    secret = {name for name, is_secret in reported["values"].items() if is_secret}
    assert secret >= {"/raw", "/relative_raw", "/link", "/virtual_elsewhere", "/virtual_of_raw"}
    if strace():
        found = {Path(name).name for name in others(names, directory)[str(path)]}
        assert found >= {CANARY_RAW, CANARY_H5, PLUGINS, "libcanary.so"}


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="no hostile files here")
def test_no_hostile_file_opens_another(directory):
    files = sorted(path for path in HOSTILE.iterdir() if path.suffix in (".h5", ".hdf5"))
    reported, names = read("engine", files, directory)
    assert not any(is_secret for one in reported for is_secret in one["values"].values())
    if strace():
        assert len(names) == len(files) + 1
        assert not others(names, directory)
