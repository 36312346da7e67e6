"""A forked child reads what its parent read, and does not disturb its parent."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from xr_icesat2.testing import write_granule

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

# The parent reads at each place, and forks. The child reads at each place again: in a dataset
# that the parent opened, and in one of its own. Whatever the parent let go of is collected in the
# child. Then the parent reads on.
READER = """
import gc, json, logging, multiprocessing, os, sys
from tests.earthdata.names import trust

places, port, authority = json.loads(sys.argv[1])
failed = []  # attempts that hang, or meet an error, and are made again
retrying = logging.getLogger("xr_icesat2.bytesource.retry")
retrying.setLevel(logging.INFO)
retrying.addFilter(lambda record: failed.append(record.getMessage()))
trust(port, authority)

import xarray as xr

def opened(url, options):
    return xr.open_dataset(url, engine="icesat2", variables="h_li", storage_options=options)

def mean(ds, spot=1):
    return float(ds.h_li.sel(spot=spot).mean())

def outcome(read):
    try:
        return read()
    except Exception as error:
        return repr(error)

def read_all():
    found = {}
    for name, place in places.items():
        failed.clear()
        first = outcome(lambda: mean(opened(*place)))
        second = outcome(lambda: mean(before[name] if name in before else opened(*place), spot=2))
        found[name] = first, second, list(failed)
    return found

def in_child(answer):
    gc.collect()
    answer.send(read_all())

before = {name: opened(*place) for name, place in places.items() if name != "let go"}
for name, place in places.items():
    mean(opened(*place)), name in before and mean(before[name])
    assert "obstore" in sys.modules or name != "s3"
gc.collect()
context = multiprocessing.get_context("fork")
here, there = context.Pipe()
if sys.argv[2] == "os.fork":
    child = os.fork()
    if not child:
        in_child(there)
        os._exit(0)
    child = None
else:
    child = context.Process(target=in_child, args=[there])
    child.start()
assert here.poll(150), "the child hangs"
print(json.dumps({"child": here.recv(), "parent": read_all()}))
"""


@pytest.mark.parametrize("way", ["os.fork", "multiprocessing"])
def test_forked_child_reads_by_every_transport(way, s3_server, http_server, logged_in, tmp_path):
    granule = write_granule(tmp_path, n_segments=40, chunk_rows=10)
    data = granule.read_bytes()
    with h5py.File(granule) as file:
        beams = {int(file[gt].attrs["atlas_spot_number"]): gt for gt in file if gt[:2] == "gt"}
        first, second = (_mean(file[f"{beams[spot]}/land_ice_segments/h_li"]) for spot in (1, 2))
    logged_in.put(granule.name, data)
    options = s3_server.storage_options
    places = {
        "local": (str(granule), None),
        "http": (http_server.put(granule.name, data), {}),
        "cached": (f"simplecache::{http_server.put('c.h5', data)}", {}),
        "let go": (http_server.put("d.h5", data), {"block_size": 1 << 20}),
        "s3": (s3_server.put(granule.name, data), options),
        "direct": (f"icesat2://{granule.name}", {"access": "direct"}),
        "external": (f"icesat2://{granule.name}", {"access": "external"}),
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-W", "ignore::DeprecationWarning", "-c", READER),
            *(json.dumps([places, logged_in.port, logged_in.authority]), way),
        ],
        env=os.environ | {"XR_ICESAT2_TIMEOUT": "30"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    for process in ("child", "parent"):
        for name, (*means, failed) in outcome[process].items():
            assert means == pytest.approx([first, second], rel=1e-6), (process, name)
            assert failed == [], (process, name)
    agents = [headers[b"user-agent"] for _, headers in s3_server.script.heads]
    assert any(b"object_store" in agent for agent in agents)  # the parent
    assert any(b"object_store" not in agent for agent in agents)  # the child


# A thread of the parent is in the middle of a read, with all its locks, while the parent forks.
BUSY = """
import io, os, pathlib, sys, threading, time
import xarray as xr

class Slow(io.BytesIO):
    def read(self, size=-1):
        if threading.current_thread() is busy and not reads.is_set():
            reads.set()
            time.sleep(2)
        return super().read(size)

busy = threading.Thread(target=lambda: ds.h_li.values)
reads = threading.Event()
ds = xr.open_dataset(Slow(pathlib.Path(sys.argv[1]).read_bytes()), engine="icesat2", cache=False)
busy.start()
assert reads.wait(30)
child = os.fork()
if not child:
    os._exit(0 if ds.h_li.values.any() else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
busy.join()
sys.exit(status)
"""


def test_child_forked_during_a_read_of_an_open_file_reads(tmp_path):
    path = write_granule(tmp_path, n_segments=40, chunk_rows=10)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BUSY, str(path)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# A file of obstore's own filesystem has no other transport: the child is as ordered, at once.
OBSTORE = """
import os, sys
import xarray as xr
from obstore.fsspec import FsspecStore

ds = xr.open_dataset(FsspecStore("file").open(sys.argv[1]), engine="icesat2", cache=False)
assert ds.h_li.values.any()
child = os.fork()
if not child:
    try:
        ds.h_li.values
    except OSError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_obstore_filesystem_is_refused_in_a_child(tmp_path):
    path = write_granule(tmp_path, n_segments=40, chunk_rows=10)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", OBSTORE, str(path)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "forked after its parent loaded obstore" in done.stdout
    assert 'get_context("spawn")' in done.stdout


def _mean(dataset):
    values = dataset[:]
    return float(np.mean(values[values != dataset.attrs["_FillValue"]], dtype=float))
