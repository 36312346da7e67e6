"""What decides how fast a granule opens and reads, counted: round trips, requests, bytes.

The granules are those of the benchmarks, in small, at the end of a link of a stated cost; the
reckoning beside it is the benchmarks' floor, which knows every offset and shares no code with the
library. Bounds are goals; what was measured stands beside them.
"""

from contextlib import closing, contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.files import FILES
from benchmarks.peers.floor import datasets_of, merge, planned
from benchmarks.task import Task
from benchmarks.workloads import WORKLOADS, task_of
from tests.layouts import LAYOUTS
from tests.linked import Linked, linked
from xr_icesat2.bytesource.cost import Cost
from xr_icesat2.dataset import assemble_dataset, assemble_groups
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.hdf5 import pages
from xr_icesat2.merge.options import Options
from xr_icesat2.reading.decoders import Decoders

FAR = Cost(latency=0.06, bandwidth=200e6)
RAW = Decoders(mask_and_scale=False, decode_times=False)
MOST_TRIPS = 6
each_layout = pytest.mark.parametrize("name", LAYOUTS)
each_amount = pytest.mark.parametrize("op", ["b", "c"])


@pytest.fixture(autouse=True)
def of_full_size(monkeypatch):
    """Read what is small as if it were too large to be read whole."""
    monkeypatch.setattr(pages, "MOST_WHOLE", 0)


@contextmanager
def far_away(path: Path, cache: Path | None = None):
    """Give a granule at the end of a link, of which nothing is known but what is in a cache."""
    source = linked(path, FAR)
    granule = Granule(source, source.stamp(), None if cache is None else str(cache))
    with closing(granule):
        yield granule, source


def opened(granule: Granule, task: Task):
    """Give the Dataset that ``open_dataset`` assembles."""
    asked = tuple(task.variables) or None
    options = Options(group=task.group, variables=asked, decoders=RAW)
    return assemble_dataset([granule], options, listed=False)


def loaded(ds, task: Task):
    """Load what is asked for, and compare it with what h5py reads."""
    names = [name.rpartition("/")[2] for name in task.variables]
    if task.rows is not None:
        dim = ds[names[0]].dims[2]
        ds = ds.isel({dim: task.slice})
    ds.icesat2.load(*names)
    with h5py.File(task.files[0]) as file:
        for spot, beam in enumerate(ds["gt"].values[0]):
            for name, path in zip(names, task.variables, strict=True):
                expected = file[f"{beam}/{task.group}/{path}"][task.slice]
                np.testing.assert_array_equal(ds[name].values[0, spot][: len(expected)], expected)


def floor_of(task: Task):
    """Give the requests of who knows the offsets."""
    return list(merge(planned(task, datasets_of(task))[1]))


def task_for(name: str, op: str, path: Path) -> Task:
    return task_of(WORKLOADS[f"{name}/{op}"], [path], None, Path())


@each_layout
def test_a_group_opens_in_few_round_trips_and_no_value_is_read(layout, name):
    task = task_for(name, "a", layout(name))
    with far_away(layout(name)) as (granule, source):
        ds = opened(granule, task)
        print("MEASURED a", name, source.round_trips, source.requests, source.nbytes, layout(name).stat().st_size)
        assert "n_obs" in ds
        known = [*granule.index.tables, *granule.index.values]
        assert not [path for path in known if path.startswith("/gt")]
        assert source.round_trips <= MOST_TRIPS


@pytest.mark.parametrize("name", ["atl03-006", "atl03-007"])
def test_a_tree_opens_in_few_round_trips(layout, name):
    with far_away(layout(name)) as (granule, source):
        groups = assemble_groups([granule], Options(), listed=False)
        print("MEASURED tree", name, source.round_trips, source.requests, source.nbytes)
        assert {"/heights", "/geolocation", "/bckgrd_atlas", "/orbit_info"} <= groups.keys()
        assert source.round_trips <= MOST_TRIPS


@each_layout
@each_amount
def test_reading_cold(layout, name, op):
    task = task_for(name, op, layout(name))
    floor = floor_of(task)
    with far_away(layout(name)) as (granule, source):
        loaded(opened(granule, task), task)
        wanted = sum(run.length for run in floor)
        print("MEASURED cold", name, op, source.round_trips, source.requests, source.nbytes, "floor", len(floor), wanted)


@each_layout
@each_amount
def test_reading_with_the_index_cached(layout, name, op, tmp_path):
    task = task_for(name, op, layout(name))
    with far_away(layout(name), tmp_path) as (granule, _):
        loaded(opened(granule, task), task)
        granule.keep()
    with far_away(layout(name), tmp_path) as (granule, source):
        ds = opened(granule, task)
        assert (source.requests, source.stamps) == (0, 1)
        loaded(ds, task)
        floor = floor_of(task)
        wanted = sum(run.length for run in floor)
        print("MEASURED cached", name, op, source.round_trips, source.requests, source.nbytes, "floor", len(floor), wanted)
