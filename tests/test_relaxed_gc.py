"""The garbage collector runs less often while granules are opened, and is always restored."""

import gc
import io
import os
import threading

import pytest
import xarray as xr

from xr_icesat2.relaxed_gc import RELAXED_THRESHOLD, relaxed_gc
from xr_icesat2.testing import write_granule


@pytest.fixture(autouse=True)
def usual():
    """The threshold that each test begins with, and that it must leave."""
    before = gc.get_threshold()
    gc.set_threshold(321, 12, 13)
    yield (321, 12, 13)
    gc.set_threshold(*before)
    gc.enable()


def test_threshold_is_raised_and_restored(usual):
    with relaxed_gc():
        assert gc.get_threshold() == (RELAXED_THRESHOLD, *usual[1:])
    assert gc.get_threshold() == usual


def test_threshold_is_restored_after_an_error(usual):
    with pytest.raises(ZeroDivisionError), relaxed_gc():
        _ = 1 / 0
    assert gc.get_threshold() == usual


def test_last_thread_restores_the_threshold(usual):
    inside, leave = threading.Barrier(3), [threading.Event(), threading.Event()]

    def work(number):
        with relaxed_gc():
            inside.wait(10)
            leave[number].wait(10)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    leave[0].set()
    threads[0].join(10)
    assert gc.get_threshold()[0] == RELAXED_THRESHOLD
    leave[1].set()
    threads[1].join(10)
    assert gc.get_threshold() == usual


@pytest.mark.parametrize("own", [(0, 12, 13), (RELAXED_THRESHOLD * 2, 12, 13)])
def test_higher_user_threshold_is_kept(own):
    gc.set_threshold(*own)
    with relaxed_gc():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_threshold_changed_meanwhile_is_kept():
    with relaxed_gc():
        gc.set_threshold(55, 5, 5)
    assert gc.get_threshold() == (55, 5, 5)


def test_disabled_collector_stays_disabled(usual):
    gc.disable()
    with relaxed_gc():
        assert not gc.isenabled()
    assert not gc.isenabled()
    assert gc.get_threshold() == usual


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_process_has_the_default_threshold(usual):
    with relaxed_gc():
        child = os.fork()
        if not child:
            os._exit(0 if gc.get_threshold() == usual else 1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


class Watched(io.BytesIO):
    """A file that notes the threshold whenever it is read."""

    def __init__(self, data):
        super().__init__(data)
        self.seen = set()

    def read(self, *size):
        self.seen.add(gc.get_threshold()[0])
        return super().read(*size)


def test_opening_raises_and_restores_the_threshold(tmp_path, usual):
    file = Watched(write_granule(tmp_path, n_segments=20).read_bytes())
    xr.open_dataset(file, engine="icesat2").close()
    assert gc.get_threshold() == usual
    with pytest.raises(FileNotFoundError):
        xr.open_dataset(tmp_path / "nowhere.h5", engine="icesat2")
    assert gc.get_threshold() == usual
    assert RELAXED_THRESHOLD in file.seen
