"""The benchmarks measure links and counts, and reject wrong results."""

import asyncio
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.files import Granules
from benchmarks.links import UNSHAPED, Link
from benchmarks.measure import Result, measure, run_once
from benchmarks.oracle import WrongAnswerError, check_opened, check_values
from benchmarks.peers import PEERS, load_peer
from benchmarks.peers.bucket import bucket_store, key_of
from benchmarks.peers.floor import DecodeAlone, Floor, Piece, datasets_of, merge, planned
from benchmarks.peers.peer import Peer
from benchmarks.report import BEGIN, END, Table, to_markdown, write_into
from benchmarks.server import counts, set_link
from benchmarks.task import Opened, Task
from benchmarks.workloads import WORKLOADS, Workload, task_of
from xr_icesat2.testing import write_granule

VARIABLES = ("h_li", "latitude", "atl06_quality_summary", "fit_statistics/n_fit_photons")
FILES = Granules("two small ones", "land_ice_segments", VARIABLES, {})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("granules")
    how = {"n_segments": 130, "chunk_rows": 30, "beams": ["gt1l", "gt2r"]}
    return [write_granule(folder / f"{n}.h5", cycle_number=n, **how) for n in (1, 2)]


@pytest.fixture(scope="module")
def photons(tmp_path_factory):
    """A granule of 20 km, through a box of 10 km."""
    rows = {"gt2l": 1000, "gt2r": 1000}
    return write_granule(tmp_path_factory.mktemp("photons"), "ATL03", n_segments=rows)


def task_for(files, *, endpoint=None, **how) -> Task:
    workload = Workload("w", "atl06-50", "", how.pop("does", "read"), **how)
    task = task_of(workload, files, endpoint, Path())
    return Task(**{**vars(task), "variables": VARIABLES if task.variables else ()})


def placed(task, s3_server):
    """The same task for copies of its files on the server."""
    urls = [s3_server.put(Path(name).name, Path(name).read_bytes()) for name in task.files]
    return Task(**{**vars(task), "urls": tuple(urls)})


@pytest.mark.parametrize("few", [False, True])
def test_floor_reads_the_bytes_that_h5py_reads(files, link, s3_server, few):
    task = placed(task_for(files, endpoint=link, few=few), s3_server)
    floor = Floor()
    floor.prepare(task)
    set_link(link, UNSHAPED)
    nbytes = check_values(task, floor.read(task))
    assert nbytes > 0
    runs = list(merge(planned(task, datasets_of(task))[1]))
    counted = counts(link)
    assert counted["requests"] == len(runs)
    assert counted["nbytes_sent"] == sum(run.length for run in runs)
    assert 1 <= counted["max_concurrent"] <= 32
    assert counted["heads"] == counted["failed"] == counted["concurrent"] == 0


@pytest.mark.parametrize("kind", [Floor, DecodeAlone])
def test_floor_works_on_local_files(files, kind):
    task = task_for(files, few=kind is Floor)
    peer = kind()
    peer.prepare(task)
    assert check_values(task, peer.read(task)) > 0


@pytest.mark.parametrize("name", ["xr_icesat2", "xr_icesat2-decoded", "h5py", "h5coro"])
@pytest.mark.parametrize("few", [False, True])
def test_installed_readers_return_the_values_of_h5py(files, name, few):
    task = task_for(files, few=few)
    assert check_values(task, load_peer(name).read(task)) > 0


@pytest.mark.parametrize(
    "name", ["xr_icesat2", "xr_icesat2-decoded", "xr_icesat2-all-segments", "h5py-s3fs", "h5coro"]
)
def test_readers_of_regions_return_the_photons_of_the_segments_in_it(
    photons, name, link, s3_server
):
    workload = replace(WORKLOADS["region/atl03-006"], files="atl03-006")
    task = placed(task_of(workload, [photons], link, Path()), s3_server)
    set_link(link, UNSHAPED)
    nbytes = check_values(task, load_peer(name).read(task))
    everything = check_values(
        replace(task, region=None),
        load_peer("h5py").read(replace(task, region=None, urls=task.files, endpoint=None)),
    )
    assert 0 < nbytes < 0.9 * everything


@pytest.mark.parametrize("does", ["open", "tree"])
@pytest.mark.parametrize("name", ["xr_icesat2", "h5py"])
def test_opening_lists_every_variable(files, name, does):
    task = task_for(files[:1], does=does)
    assert check_opened(task, load_peer(name).open(task)) > 0


def test_cached_structure_is_not_read_twice(files, link, s3_server, tmp_path, as_from_afar):
    task = placed(task_for(files[:1], endpoint=link), s3_server)
    task = Task(**{**vars(task), "scratch": str(tmp_path)})
    nbytes = []
    for cached in (False, True):
        one = Task(**{**vars(task), "cached": cached})
        peer = load_peer("xr_icesat2")
        peer.prepare(one)
        set_link(link, UNSHAPED)
        check_values(one, peer.read(one))
        nbytes.append(counts(link)["nbytes_sent"])
    assert nbytes[1] < nbytes[0]


def test_wrong_answers_do_not_count(files):
    task = task_for(files[:1])
    right = dict(load_peer("h5py").read(task))
    key = (0, "gt2r/land_ice_segments/h_li")
    changed = right[key].copy()
    changed[-1] += 1
    for wrong in (changed, right[key][:-1], right[key].astype("f8"), right[key][None]):
        with pytest.raises(WrongAnswerError, match="h_li"):
            check_values(task, {**right, key: wrong})
    with pytest.raises(WrongAnswerError, match="missing"):
        check_values(task, {k: v for k, v in right.items() if k != key})
    opened = task_for(files[:1], does="open")
    with pytest.raises(WrongAnswerError, match="missing"):
        check_opened(opened, Opened("text", frozenset({"h_li"})))


class TestLink:
    """What a client sees at the near end; bounds from below hold on a busy machine too."""

    SIZE = 60_000

    @pytest.fixture
    def get(self, link, s3_server):
        url = s3_server.put("blob", bytes(self.SIZE))
        store = bucket_store(url)

        def fetch(count, length):
            async def burst():
                one = (
                    obstore.get_range_async(store, key_of(url), start=0, length=length)
                    for _ in range(count)
                )
                return await asyncio.gather(*one)

            begin = time.monotonic()
            answers = asyncio.run(burst())
            assert {len(answer) for answer in answers} == {length}
            return time.monotonic() - begin

        fetch(1, 1)
        fetch.link = link
        return fetch

    def test_latency_is_of_each_request_and_all_wait_at_once(self, get):
        set_link(get.link, Link("", latency=0.3))
        assert 0.3 <= get(8, 10) < 8 * 0.3
        counted = counts(get.link)
        assert counted["max_concurrent"] == counted["requests"] == 8
        assert counted["round_trips"] == 1
        assert counted["nbytes_sent"] == 80

    def test_sequential_requests_take_separate_round_trips(self, get):
        set_link(get.link, Link("", latency=0.05))
        for count in (1, 4, 2):
            get(count, 10)
        counted = counts(get.link)
        assert (counted["requests"], counted["round_trips"]) == (7, 3)

    def test_bandwidth_is_limited_for_each_connection(self, get):
        set_link(get.link, Link("", each=200e3))
        assert get(4, self.SIZE) >= 0.29
        assert counts(get.link)["nbytes_sent"] == 4 * self.SIZE

    def test_bandwidth_is_limited_for_all_connections(self, get):
        set_link(get.link, Link("", total=400e3))
        assert get(4, self.SIZE) >= 0.59

    def test_missing_object_is_a_failed_request(self, get, s3_server):
        set_link(get.link, UNSHAPED)
        store = bucket_store(s3_server.url("x"))
        with pytest.raises(FileNotFoundError):
            obstore.head(store, "nothing-here")
        counted = counts(get.link)
        assert (counted["requests"], counted["heads"], counted["failed"]) == (1, 1, 1)

    def test_threads_share_the_link(self, get):
        set_link(get.link, UNSHAPED)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: get(2, self.SIZE), range(4)))
        assert counts(get.link)["nbytes_sent"] == 8 * self.SIZE


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 500), st.integers(1, 40)), max_size=9),
    st.integers(0, 60),
)
def test_merged_ranges_contain_each_piece_once(ranges, gap):
    nothing = np.empty(0)
    pieces = [Piece(*each, nothing, 0, (0,), (), ()) for each in ranges]
    runs = list(merge(pieces, gap))
    members = [piece for run in runs for piece in run.pieces]
    assert sorted(map(id, members)) == sorted(map(id, pieces))
    for run in runs:
        inside = {n for p in run.pieces for n in range(p.offset, p.offset + p.size)}
        assert (min(inside), max(inside) + 1) == (run.offset, run.offset + run.length)
        assert {p.file for p in run.pieces} == {run.file}
        steps = np.diff(sorted(inside))
        assert (steps <= gap + 1).all()
    for one, next_one in itertools.pairwise(runs):
        near = next_one.offset - (one.offset + one.length)
        assert one.file != next_one.file or near > gap


def test_measurements_run_in_separate_processes(files):
    task = task_for(files[:1])
    numbers = run_once("h5py", task, task, limit=60)
    assert numbers["seconds"] > 0
    assert numbers["nbytes"] == check_values(task, load_peer("h5py").read(task))
    assert run_once("h5py", task, task, limit=0)["why"] == "> 0 s"


def test_every_reader_declares_its_limits():
    task = Task("read", (), (), "land_ice_segments", ("gt1l",), endpoint="http://nowhere")
    assert load_peer("h5py").cannot(task) == "reads local files only"
    assert load_peer("floor").cannot(task) is None
    assert PEERS.keys() >= {"floor", "xr_icesat2", "download", "h5coro", "engine-h5netcdf"}
    assert len(WORKLOADS) > 30


@pytest.mark.parametrize("name", PEERS)
def test_every_reader_runs_a_workload_or_explains_why_not(name):
    task = Task("read", (), (), "land_ice_segments", ("gt1l",))
    try:
        peer = load_peer(name)
    except ImportError:
        assert measure(name, task, task, runs=1, limit=1).why.startswith("not installed: ")
        return
    for workload in WORKLOADS.values():
        endpoint = None if workload.local else "http://nowhere"
        one = replace(task, does=workload.does, cached=workload.cached, endpoint=endpoint)
        method = "read" if workload.does == "read" else "open"
        own = getattr(type(peer), method) is not getattr(Peer, method)
        assert own if peer.cannot(one) is None else measure(name, one, one, runs=1, limit=1).why


def test_results_page_is_rendered(tmp_path):
    counted = {"requests": 3, "nbytes_sent": 4e6, "max_concurrent": 2, "round_trips": 7}
    run = {"cpu": 1.0, "peak": 2e6, **counted}
    results = (
        Result("xr_icesat2", tuple({"seconds": s, **run} for s in (3.0, 2.0, 9.0))),
        Result("floor", ({"seconds": 1.5, **run},)),
        Result("hidefix", (), "reads local files only"),
        Result("other", (), "reads local files only"),
    )
    titles = {"xr_icesat2": "us", "floor": "the floor", "hidefix": "hidefix", "other": "other"}
    tables = [Table("w", "A table", results), Table("v", "Another", (), "no file")]
    about = {"cores": 2, "python": "3.14", "runs": 3, "limit": 9.0, "h5py": "3.12"}
    text = to_markdown(tables, titles, about)
    assert "2 cores, Python 3.14" in text
    assert "| the floor | 1.50 | 1.00 | 3 | 4.0 | 2 | 7 | 2 | 1.00 | 0.50 |" in text
    assert "| us | 3.00 (2.00–9.00) | 1.00 | 3 | 4.0 | 2 | 7 | 2 | 2.00 | 1.00 |" in text
    assert "Not in this table: hidefix, other (reads local files only)." in text
    assert "Not measured: no file" in text
    assert "relative to" not in text
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_into(page, text)
    written = page.read_text(encoding="utf-8")
    assert "old" not in written
    assert text in written
    assert written.startswith("before")
    assert written.endswith("after\n")


def test_results_page_compares_costs_of_50_and_200_granules():
    def table(workload, seconds, **how):
        counted = {"requests": 3, "nbytes_sent": 1e6, "max_concurrent": 2, "round_trips": 7}
        run = {"seconds": seconds, "cpu": 1.0, "peak": 0.0, **counted}
        return Table(workload, workload, (Result("xr_icesat2", (run,)),), **how)

    tables = [
        table("many/b", 2.0, link="far"),
        table("many-200/b", 9.0, link="far"),
        table("many-200/b", 6.0, link="near"),
        table("many-200/c", 6.0, link="far"),
    ]
    about = {"cores": 2, "python": "3.14", "runs": 1, "limit": 9.0}
    text = to_markdown(tables, {"xr_icesat2": "us"}, about)
    _, _, grown = text.partition("200 granules relative to 50")
    assert "| us | (b), far | 4.50 | 1.00 | 0.00 |" in grown
    assert grown.count("| us |") == 1
