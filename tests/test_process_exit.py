"""A process with open granules exits cleanly, also if h5py reads them."""

import os
import subprocess
import sys

import pytest

from xr_icesat2.testing import write_granule

BEGIN = """
import os, sys
import xarray as xr
from xr_icesat2.errors import SelectionError
from xr_icesat2.hdf5.h5py_fallback import _FILES

def opened(**options):
    return xr.open_dataset(sys.argv[1], engine="icesat2", cache=False, **options)

def check(ds):
    assert ds.h_li.count() > 0
    assert any(file._file for file in _FILES)
"""
LEFT_OPEN = {
    "merged": "ds = opened(); check(ds)",
    "as it is": 'ds = opened(layout="file", group="gt1l/land_ice_segments"); check(ds)',
    "after an error": """
try:
    opened(variables=["nothing"])
except SelectionError as error:
    kept = error
assert any(file._file for file in _FILES)
""",
    "never dropped": "import builtins; builtins.kept = opened(); check(kept)",
}
FORK = """
ds = opened()
check(ds)
{locked}
child = os.fork()
if child:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    check(ds)
    sys.exit(status)
{forked}
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """A granule of a kind that only the HDF5 library reads."""
    folder = tmp_path_factory.mktemp("newer")
    return write_granule(folder / "newer.h5", n_segments=20, chunk_rows=16, libver="latest")


def check_exit(code: str, path: os.PathLike[str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", BEGIN + code, str(path)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("code", LEFT_OPEN.values(), ids=LEFT_OPEN)
def test_process_exits_with_an_open_granule(code, newer):
    check_exit(code, newer)


def test_files_are_closed_when_globals_of_modules_are_gone(tmp_path):
    """As the interpreter leaves a module of which something is still referenced."""
    code = """
from xr_icesat2.bytesource import descriptor_cache
ds = opened().load()
assert len(descriptor_cache.descriptors)
descriptor_cache.os = None
"""
    check_exit(code, write_granule(tmp_path, n_segments=20))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("forked", ["check(ds)", "pass"])
def test_forked_child_and_parent_exit(forked, newer):
    check_exit(FORK.format(locked="", forked=forked), newer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_child_forked_during_a_read_exits(newer):
    """What the thread locked stays locked in the child, where there is no such thread."""
    locking = """
import threading
(file,) = [file for file in _FILES if file._file]
is_locked, enough = threading.Event(), threading.Event()
def hold():
    with file._lock:
        is_locked.set()
        enough.wait()
threading.Thread(target=hold, daemon=True).start()
is_locked.wait()
kept = file  # as the frames of a thread that is gone keep it
"""
    code = FORK.format(locked=locking, forked="pass").replace("    check(ds)", "    enough.set()")
    check_exit(code, newer)
