"""What decides how fast a granule opens and reads, counted: round trips, requests, bytes.

The granules are those of the benchmarks, in small, at the end of a link of a stated cost. They are
compared with the benchmarks' floor, which knows every offset and shares no code with the library.
Bounds are goals; comments say what was measured.
"""

from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from benchmarks.links import Link
from benchmarks.oracle import check_opened, check_values
from benchmarks.peers import load_peer
from benchmarks.peers.floor import Run, datasets_of, merge, planned
from benchmarks.server import counts, set_link
from benchmarks.task import Task
from benchmarks.workloads import WORKLOADS, task_of
from tests.benchmark_granules import LAYOUTS
from tests.counted_link import CountedLink
from xr_icesat2.bytesource.protocol import RequestCost
from xr_icesat2.testing import write_granule

FAR = RequestCost(latency=0.06, bandwidth=200e6)
RAW = {"mask_and_scale": False, "decode_times": False}
MAX_TRIPS = 4
"""To open a group, with the one that tells the version."""
MAX_STRUCTURE = dict.fromkeys(LAYOUTS, 4_000_000) | {"atl03-007": 9_500_000}
"""Bytes in addition to those of the chunks that are read."""
MAX_OVER_FLOOR = 1.25
"""Bytes, where the structure is known."""
each_layout = pytest.mark.parametrize("name", LAYOUTS)


@pytest.fixture
def of_full_size(monkeypatch):
    """Read what is small as if it were too large to be read whole."""
    monkeypatch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")


def far_away(path: Path, cost: RequestCost = FAR) -> CountedLink:
    """Return a granule at the end of a link, of which nothing is known."""
    return CountedLink(path, cost)


def opened(source: CountedLink, task: Task, cache: Path | None = None):
    asked = task.variables or None
    return xr.open_dataset(
        source, engine="icesat2", group=task.group, variables=asked, index_cache=cache, **RAW
    )


def loaded(ds, task: Task):
    """Load what is asked for."""
    names = [name.rpartition("/")[2] for name in task.variables]
    if task.rows is not None:
        ds = ds.isel({ds[names[0]].dims[2]: task.slice})
    ds.icesat2.load(*names)
    return ds[names]


def compare(ds, task: Task):
    with h5py.File(task.files[0]) as file:
        for spot, beam in enumerate(ds["gt"].values[0]):
            for path in task.variables:
                expected = file[f"{beam}/{task.group}/{path}"][task.slice]
                values = ds[path.rpartition("/")[2]].values[0, spot]
                np.testing.assert_array_equal(values[: len(expected)], expected)


def task_for(name: str, op: str, path: Path) -> Task:
    return task_of(WORKLOADS[f"{name}/{op}"], [path], None, Path())


def floor_of(task: Task) -> list[Run]:
    """Return the requests of one who knows the offsets."""
    return list(merge(planned(task, datasets_of(task))[1]))


def nbytes(runs) -> int:
    return sum(run.length for run in runs)


@pytest.mark.usefixtures("of_full_size")
class TestCounted:
    # Measured, round trips, requests, MB: 1, 2, 1.3; of ATL03 006 3, 4, 2.6, of 007
    # 3, 9, 8.9, of which 8.4 are the page at the front of the file, however large that is.
    @each_layout
    def test_group_opens_in_few_round_trips_without_values(self, layout, name):
        task = task_for(name, "a", layout(name))
        source = far_away(layout(name))
        with opened(source, task) as ds:
            assert "n_obs" in ds
            assert source.round_trips + source.version_requests <= MAX_TRIPS
            assert source.requests <= 12
            assert source.nbytes <= MAX_STRUCTURE[name]

    # Measured: 006 7, 8, 4.5; 007 as a group.
    @pytest.mark.parametrize("name", ["atl03-006", "atl03-007"])
    def test_tree_opens_in_few_round_trips(self, layout, name):
        source = far_away(layout(name))
        with xr.open_datatree(source, engine="icesat2") as tree:
            assert {"/heights", "/geolocation", "/bckgrd_atlas", "/orbit_info"} <= set(tree.groups)
            assert source.round_trips + source.version_requests <= MAX_TRIPS + 4
            assert source.requests <= 14
            assert source.nbytes <= MAX_STRUCTURE[name] + 2_000_000

    # Measured cold, round trips, requests, and MB with the floor's, (b) and (c): atl06-50 3, 27,
    # 3.3 : 1.1 and 24, 3.2 : 1.1; atl06-200 3, 30, 3.7 : 1.6 and 20, 3.2 : 1.2; atl08 3, 36,
    # 2.4 : 0.5 both; atl03-006 5, 31, 29.7 : 26.3 and 16, 5.4 : 2.0; atl03-007 4, 38, 30.5 : 21.6
    # and 18, 17.3 : 8.3. With the structure known: 2 round trips, and the floor's bytes.
    @each_layout
    @pytest.mark.parametrize("op", ["b", "c"])
    def test_reading_requests_little_more_than_the_chunks(self, layout, name, op, tmp_path):
        task = task_for(name, op, layout(name))
        floor = floor_of(task)
        source = far_away(layout(name))
        with opened(source, task, tmp_path) as ds:
            compare(loaded(ds, task), task)
            assert 1 + source.round_trips <= MAX_TRIPS + 2
            assert source.requests <= 2 * len(floor) + 25
            assert source.nbytes <= nbytes(floor) + MAX_STRUCTURE[name]
        source = far_away(layout(name))
        with opened(source, task, tmp_path) as ds:
            assert (source.requests, source.version_requests) == (0, 1)
            compare(loaded(ds, task), task)
            assert source.round_trips == 1
            assert source.requests <= 2 * len(floor)
            assert source.nbytes <= MAX_OVER_FLOOR * nbytes(floor)


@pytest.fixture(scope="module")
def sized(layout, tmp_path_factory):
    """Return a task for a granule of a layout, or of so many rows."""
    folder = tmp_path_factory.mktemp("sized")

    @cache
    def path_of(rows: int) -> Path:
        return write_granule(folder, cycle_number=1 + rows % 99, n_segments=rows)

    def task(size: str | int, op: str) -> Task:
        if isinstance(size, str):
            return task_for(size, op, layout(size))
        return task_for("many", op, path_of(size))

    return task


class TestPlan:
    """Reading whole, or by ranges: whichever is better, to a fifth."""

    MAX_LOSS = 1.2
    SIZES = ("atl06-50", "atl06-200", "atl08", 60, 2500)

    def seconds(self, task: Task, cost: RequestCost) -> float:
        """Return what opening and reading take over a link; no clock is read."""
        source = far_away(Path(task.files[0]), cost)
        with opened(source, task) as ds:
            opening = source.version_requests * cost.latency
            loaded(ds, task)
            return opening + source.seconds

    @settings(max_examples=15, deadline=None, phases=[Phase.generate])
    @given(st.sampled_from(SIZES), st.sampled_from("bc"), st.floats(-3, -0.5), st.floats(6.3, 9.0))
    def test_plan_is_close_to_the_better_of_whole_and_ranged_reads(
        self, sized, size, op, latency, bandwidth
    ):
        task, cost = sized(size, op), RequestCost(10**latency, 10**bandwidth)
        whole = 2 * cost.latency + Path(task.files[0]).stat().st_size / cost.bandwidth
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XR_ICESAT2_WHOLE_FILE_BYTES", "0")
            ranges = self.seconds(task, cost)
        ours = self.seconds(task, cost)
        assert ours <= self.MAX_LOSS * min(whole, ranges)

    # Measured: opened with 13 % of the file; whole after that in 5 requests.
    def test_reading_every_variable_reads_the_file_whole(self, layout):
        path = layout("atl06-50")
        size, task = path.stat().st_size, task_for("atl06-50", "e", path)
        source = far_away(path, RequestCost(latency=0.06, bandwidth=size / 3 / 0.06))
        with opened(source, task) as ds:
            assert source.nbytes < 0.2 * size
            compare(loaded(ds, task), task)
            assert source.nbytes <= 1.02 * size
            assert source.round_trips <= 2
            assert source.requests <= 20


@pytest.mark.usefixtures("of_full_size")
class TestOverARealServer:
    """The same over S3: the proxy sees what is under way at once, and what waits for what."""

    LATENCY = 0.15

    def placed(self, task: Task, s3_server, link: str, scratch: Path, **how) -> Task:
        urls = [s3_server.put(Path(name).name, Path(name).read_bytes()) for name in task.files]
        fields = {"urls": tuple(urls), "endpoint": link, "scratch": str(scratch), **how}
        return Task(**{**vars(task), **fields})

    def read(self, task: Task, s3_server, link: str, scratch: Path) -> tuple[dict, list[Run]]:
        """Read with a known index; return what was counted, and the floor."""
        floor = floor_of(task)
        task = self.placed(task, s3_server, link, scratch)
        peer = load_peer("xr_icesat2")
        peer.prepare(task)
        set_link(link, Link("", self.LATENCY))
        check_values(task, peer.read(task))
        return counts(link), floor

    # Measured: round trips 1 and 3, requests 2 and 9.
    @pytest.mark.parametrize("name", ["atl06-50", "atl03-007"])
    def test_opening_over_s3_takes_few_requests(self, layout, s3_server, link, tmp_path, name):
        task = self.placed(task_for(name, "a", layout(name)), s3_server, link, tmp_path)
        set_link(link, Link("", self.LATENCY))
        check_opened(task, load_peer("xr_icesat2").open(task))
        counted = counts(link)
        assert counted["heads"] <= 1
        assert counted["round_trips"] <= MAX_TRIPS + 1, "one more, for a busy machine"
        assert counted["requests"] <= 14

    @pytest.mark.parametrize("name", ["atl06-200", "atl08"])
    def test_reading_with_a_known_index_takes_few_requests(
        self, layout, s3_server, link, tmp_path, name
    ):
        task = task_for(name, "d-c", layout(name))
        counted, floor = self.read(task, s3_server, link, tmp_path)
        assert counted["heads"] == 2
        assert counted["round_trips"] <= 3, "2, but for a busy machine"
        assert counted["nbytes_sent"] <= MAX_OVER_FLOOR * nbytes(floor)

    def test_reading_many_granules_takes_few_requests(self, s3_server, link, tmp_path):
        files = [write_granule(tmp_path, cycle_number=n, n_segments=60) for n in (1, 2, 3)]
        task = task_of(WORKLOADS["many/d-c"], files, None, Path())
        counted, floor = self.read(task, s3_server, link, tmp_path)
        assert counted["heads"] == 2 * len(files)
        assert counted["requests"] - counted["heads"] <= 2 * len(floor)
        assert counted["nbytes_sent"] <= MAX_OVER_FLOOR * nbytes(floor)
