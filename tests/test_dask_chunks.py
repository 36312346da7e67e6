"""All variables of a Dataset have the same dask chunks; no value is read."""

from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
import xarray as xr

from tests.written_granules import written_granules
from xr_icesat2.testing import write_granule

SEGMENTS = "gt1l/land_ice_segments"
WHAT = {
    "spot": {},
    "flat": {"layout": "flat"},
    "without rows": {"group": "residual_histogram"},
    "flat without rows": {"group": "residual_histogram", "layout": "flat"},
    "a group as it is": {"group": SEGMENTS},
    "file": {"group": SEGMENTS, "layout": "file"},
}
CHUNKS = ({}, "auto", {"gran_idx": 1}, {"gran_idx": 3})

each_chunks = pytest.mark.parametrize("chunks", CHUNKS, ids=str)


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[Path]:
    directory = tmp_path_factory.mktemp("chunks")
    return [write_granule(directory, rgt=r, n_segments=20 + r, chunk_rows=16) for r in (1, 2, 3, 4)]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Have blocks of fewer rows than a granule, as large granules have."""
    monkeypatch.setenv("XR_ICESAT2_CHUNK_BYTES", "1024")


def opened(given: Any, what: str, **options: Any) -> xr.Dataset:
    return xr.open_dataset(given, engine="icesat2", **WHAT[what], **options)


@each_chunks
@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("many", [True, False], ids=["many", "one"])
def test_all_variables_share_chunk_boundaries(paths, what, many, chunks):
    ds = opened(paths if many else paths[0], what, chunks=chunks)
    assert set(ds.chunks) <= set(ds.dims)
    if many and what == "spot" and chunks != "auto":
        assert ds.chunks["gran_idx"][0] == chunks.get("gran_idx", 1)
        assert len(ds.chunks["segment_idx"]) > 1


@each_chunks
@pytest.mark.parametrize("layout", ["spot", "flat", "file"])
def test_nodes_of_a_tree_share_chunk_boundaries(paths, layout, chunks):
    tree = xr.open_datatree(paths[:2], engine="icesat2", layout=layout, chunks=chunks)
    for node in tree.subtree:
        assert set(node.to_dataset(inherit=False).chunks) <= set(node.dims)


@each_chunks
def test_labels_of_second_dimensions_are_not_chunked(tmp_path, chunks):
    path = write_granule(tmp_path, "ATL08", n_segments=40)
    ds = xr.open_dataset([path], engine="icesat2", chunks=chunks)
    assert "canopy_h_metrics" in ds
    assert ds.chunks["percentile"] == (ds.sizes["percentile"],)


@pytest.mark.parametrize("what", ["spot", "flat"])
def test_unify_chunks_and_map_blocks_work(paths, what):
    ds = opened(paths, what, chunks={}, variables=["h_li"])
    expected = opened(paths, what, variables=["h_li"]).load()
    doubled = ds.map_blocks(lambda block: block.assign(h_li=2 * block.h_li), template=ds)
    xr.testing.assert_equal(doubled.compute(), expected.assign(h_li=2 * expected.h_li))
    raised = xr.apply_ufunc(np.add, ds.h_li, ds.n_obs, dask="parallelized")
    xr.testing.assert_equal(raised.compute(), expected.h_li + expected.n_obs)


@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_coordinates_in_memory_compute_without_requests(paths, http_server, layout):
    urls = [http_server.put(path.name, path.read_bytes()) for path in paths[:2]]
    ds = xr.open_dataset(urls, engine="icesat2", layout=layout, chunks={})
    expected = xr.open_dataset(paths[:2], engine="icesat2", layout=layout)
    http_server.script.log.clear()
    assert ds.chunks
    names = set(ds.coords) - {"latitude", "longitude", "delta_time"}
    assert {"rgt", "cycle_number", "gt", "n_obs", "product"} <= names
    for name in names:
        assert ds[name].variable.compute().equals(expected[name].variable), name
    assert http_server.script.log == []


def test_automatic_chunks_of_large_variables_are_bounded_in_bytes(paths):
    """It is dask's, a variable at a time; xarray has the way out."""
    with dask.config.set({"array.chunk-size": "2kiB"}):
        ds = opened(paths, "spot", chunks="auto")
        with pytest.raises(ValueError, match="unify_chunks"):
            _ = ds.chunks
        assert ds.unify_chunks().chunks


def test_chunks_of_a_list_follow_granules(tmp_path_factory, monkeypatch):
    granules = list(written_granules(tmp_path_factory).values())[:2]
    with monkeypatch.context() as patch:
        patch.delenv("XR_ICESAT2_CHUNK_BYTES")
        assert opened(granules, "a group as it is", chunks={}).chunks["gran_idx"] == (2,)
    for what in ("a group as it is", "file"):
        assert opened(granules, what, chunks={}).chunks["gran_idx"] == (1, 1)
