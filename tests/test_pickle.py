"""Lazy Datasets are pickled, and computed in other processes."""

import multiprocessing
import operator
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
import dask
import pytest
import xarray as xr

from tests.comparison import assert_array
from tests.expected_rates import ATL06
from tests.oracle_rates import flat_layout, spot_layout
from tests.written_granules import written_granules

MAIN = ATL06[0]

PICKLERS = {"pickle": pickle, "cloudpickle": cloudpickle}
LAYOUTS = {"spot": spot_layout, "flat": flat_layout}

each_pickler = pytest.mark.parametrize("pickler", PICKLERS)
each_layout = pytest.mark.parametrize("layout", LAYOUTS)
lazy_and_dask = pytest.mark.parametrize("chunks", [None, {}], ids=["lazy", "dask"])


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    return list(written_granules(tmp_path_factory).values())


@pytest.fixture(params=["a shared cache", "no cache"])
def index_cache(request, tmp_path, monkeypatch) -> str | None:
    monkeypatch.delenv("XR_ICESAT2_INDEX_CACHE", raising=False)
    return str(tmp_path / "indexes") if request.param == "a shared cache" else None


def check(ds: xr.Dataset, paths: list[Path], layout: str) -> None:
    expected = LAYOUTS[layout](paths, MAIN)
    for name in {"h_li", "delta_time", "n_fit_photons"} & set(ds.variables):
        assert_array(ds[name].values, expected[name][1], name)


@each_pickler
@each_layout
@lazy_and_dask
def test_pickle_is_lazy_and_loads_equal_values(written, pickler, layout, chunks):
    ds = xr.open_dataset(written, engine="icesat2", layout=layout, chunks=chunks)
    sent = PICKLERS[pickler].dumps(ds)
    assert len(sent) < 1024 * len(ds.variables) * len(written)
    check(PICKLERS[pickler].loads(sent), written, layout)


@each_pickler
def test_selection_pickles(written, pickler):
    ds = xr.open_dataset(written[0], engine="icesat2").isel(segment_idx=slice(5, 50, 3))
    again = PICKLERS[pickler].loads(PICKLERS[pickler].dumps(ds))
    xr.testing.assert_identical(again.load(), ds.load())


@each_pickler
def test_tree_pickles(written, pickler):
    tree = xr.open_datatree(written[0], engine="icesat2")
    again = PICKLERS[pickler].loads(PICKLERS[pickler].dumps(tree))
    xr.testing.assert_identical(again.load(), tree.load())


@lazy_and_dask
def test_pickle_loads_in_a_new_process(written, index_cache, chunks):
    ds = xr.open_dataset(written, engine="icesat2", index_cache=index_cache, chunks=chunks)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        loaded = pool.submit(operator.methodcaller("load"), ds[["h_li", "n_fit_photons"]])
        check(loaded.result(timeout=60), written, "spot")
    if index_cache is not None:
        assert any(Path(index_cache).iterdir())


def test_dask_processes_compute(written, index_cache):
    ds = xr.open_dataset(written, engine="icesat2", index_cache=index_cache, chunks={})
    kw: dict[str, Any] = {"scheduler": "processes", "num_workers": 2}
    with dask.config.set({"multiprocessing.context": "spawn", **kw}):
        check(ds[["h_li", "n_fit_photons"]].compute(), written, "spot")


# tornado and asyncio warn of their own doings while the cluster starts and stops.
@pytest.mark.filterwarnings("default")
def test_distributed_cluster_computes(written, tmp_path):
    distributed = pytest.importorskip("distributed")
    ds = xr.open_dataset(written, engine="icesat2", chunks={})
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            local_directory=tmp_path,
        ) as cluster,
        distributed.Client(cluster),
    ):
        check(ds[["h_li", "n_fit_photons"]].compute(), written, "spot")
