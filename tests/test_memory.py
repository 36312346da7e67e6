"""Memory that reading takes in addition to the result: little, and none afterwards."""

import asyncio
import gc
import os
import time
import tracemalloc
from pathlib import Path

import fsspec
import h5py
import numpy as np
import pytest
import xarray as xr
from fsspec.asyn import AsyncFileSystem
from fsspec.registry import _registry

import xr_icesat2
from tests.hdf5_files import RAW
from xr_icesat2.bytesource.request_limits import MAX_BUFFERED_BYTES

BUILDING = [
    tracemalloc.Filter(True, str(Path(xr_icesat2.__file__).parent / part / "*"))
    for part in ("assembly", "reading")
]
ROWS, CHUNK = 1_500_000, 10_000
MB = 1 << 20
WORKING = 6 * MB * (os.cpu_count() or 1)
"""For each thread that decodes: a request of 2 MiB, a chunk of 100,000 numbers a few times over."""


class Far(AsyncFileSystem):
    """Files of this machine, as a server would give them: many at once, each after a while."""

    protocol = "far"
    cachable = False

    async def _info(self, path, **kw):
        size = os.stat(path).st_size  # noqa: PTH116 - it takes no time
        return {"name": path, "size": size, "type": "file", "ETag": "1"}

    async def _cat_file(self, path, start=None, end=None, **kw):
        await asyncio.sleep(0.01)
        with open(path, "rb") as file:  # noqa: ASYNC230, PTH123 - as above
            file.seek(start)
            return file.read(end - start)


@pytest.fixture(scope="module", autouse=True)
def _registered():
    fsspec.register_implementation("far", Far, clobber=True)
    yield
    _registry.pop("far")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Ten variables of 12 MB that hardly compress."""
    path = tmp_path_factory.mktemp("memory") / "large.h5"
    random = np.random.default_rng(5)
    with h5py.File(path, "w") as file:
        for number in range(10):
            values = random.integers(0, 1 << 62, ROWS).view("f8")
            values[:: number + 2] = 1e30
            chunks = None if number == 9 else (CHUNK * (1 + number % 2 * 9),)
            packing = {} if chunks is None else {"compression": 1, "shuffle": number % 3 == 0}
            made = file.create_dataset(f"group/v{number}", data=values, chunks=chunks, **packing)
            made.attrs["_FillValue"] = 1e30
    return path


def peak_of_loading(url, **options):
    """Load all variables; return bytes at the peak, bytes afterwards, and those of the values."""
    with xr.open_dataset(url, **options) as first:  # what is imported when it is needed
        first.isel({dim: slice(1) for dim in first.sizes}).icesat2.load()
    with xr.open_dataset(url, **options) as ds:
        gc.collect()
        tracemalloc.start()
        try:
            ds.icesat2.load()
            _, peak = tracemalloc.get_traced_memory()
            left = min(held_in_a_while() for _ in range(10))
        finally:
            tracemalloc.stop()
        return peak, left, sum(variable.nbytes for variable in ds.data_vars.values())


def held_in_a_while():
    """Return the bytes in memory once the event loop's thread has dropped the last answer."""
    time.sleep(0.02)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("options", [RAW, {**RAW, "decode_cf": True}], ids=["raw", "decoded"])
def test_a_local_file(path, options):
    peak, left, nbytes = peak_of_loading(path, group="group", **options)
    assert nbytes >= 10 * ROWS * 8
    # Measured on two cores: 7 MB in addition to a result of 120 MB; over a link, 28 MB.
    assert peak - nbytes < WORKING
    assert left - nbytes < 2 * MB


def test_over_a_link(path):
    peak, left, nbytes = peak_of_loading(f"far://{path}", group="group", **RAW)
    assert peak - nbytes < MAX_BUFFERED_BYTES + WORKING
    assert MAX_BUFFERED_BYTES + WORKING < 64e6 or (os.cpu_count() or 1) > 4
    assert left - nbytes < 2 * MB


def test_padding_is_no_second_array(tmp_path):
    """Beams of unlike lengths: what is padded is put into the result and nowhere else."""
    with h5py.File(tmp_path / "ATL03_20181110170355_06580103_006_01.h5", "w") as file:
        for number, beam in enumerate(("gt1l", "gt1r", "gt2l", "gt2r", "gt3l", "gt3r")):
            rows = 1_000_000 if number % 2 else 10
            file.create_dataset(f"{beam}/heights/h_ph", data=np.arange(rows, dtype="f4"))
            file[beam].attrs["atlas_spot_number"] = str(number + 1)
        url = file.filename
    peak, left, nbytes = peak_of_loading(url, engine="icesat2")
    assert nbytes >= 24e6
    assert peak - nbytes < WORKING
    assert left - nbytes < 2 * MB


def test_groups_share_what_they_have_in_common(tmp_path):
    """What is built of one more group with one dataset, without what xarray allocates."""

    def opened(count):
        path = tmp_path / f"{count}.h5"
        with h5py.File(path, "w") as file:
            for number in range(count):
                file[f"{number % 30}/{number}/x"] = [1.0, 2.0]
        groups = xr.open_groups(path, engine="icesat2", layout="file")
        assert sum("x" in group for group in groups.values()) == count
        if not tracemalloc.is_tracing():
            return 0
        gc.collect()
        built = tracemalloc.take_snapshot().filter_traces(BUILDING)
        return sum(trace.size for trace in built.traces)

    opened(10)  # what is imported when it is needed
    tracemalloc.start()
    try:
        few = opened(50)
        # Bytes for each. Measured: 820; 1,160 if dtypes, names and functions are not shared.
        assert (opened(450) - few) / 400 < 980
    finally:
        tracemalloc.stop()
