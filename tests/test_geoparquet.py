"""GeoParquet files: equal in all readers, whole or absent, and continued by granule."""

import json
import os
import sys
from pathlib import Path

import dask
import duckdb
import fsspec
import geopandas as gpd
import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely
import xarray as xr
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from tests.expected_rates import RATES
from tests.oracle_rates import flat_layout
from tests.paths import ALL_GRANULES, needs_granules
from xr_icesat2.errors import (
    AccessDeniedError,
    CorruptGranuleError,
    ExistingFileError,
    MissingExtraError,
    SelectionError,
)
from xr_icesat2.testing import write_granule

NAMES = ["h_li", "segment_id", "atl06_quality_summary", "n_fit_photons"]


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[Path]:
    """Two cycles; the first has missing values of each kind, and a row without position."""
    folder = tmp_path_factory.mktemp("cycles")
    written = [write_granule(folder, n_segments=25, cycle_number=cycle) for cycle in (5, 6)]
    with h5py.File(written[0], "r+") as file:
        group = file["gt1l/land_ice_segments"]
        group["h_li"][1:4] = np.finfo("f4").max
        group["fit_statistics/n_fit_photons"][7] = 2**31 - 1
        group["longitude"][9] = np.finfo("f8").max
    return written


@pytest.fixture
def ds(paths):
    with xr.open_dataset(paths, engine="icesat2", variables=NAMES) as opened:
        yield opened


@pytest.fixture
def one(ds):
    return ds.isel(gran_idx=[0])


def expected_columns(paths) -> dict[str, np.ndarray]:
    return {name: values for name, (_, values) in flat_layout(paths, RATES["ATL06"][0]).items()}


def as_floats(column) -> np.ndarray:
    return np.array([np.nan if pd.isna(value) else value for value in column], np.float64)


READERS = {
    "pandas": pd.read_parquet,
    "geopandas": gpd.read_parquet,
    "pyarrow": lambda path: pq.read_table(path).to_pandas(),
    "polars": pl.read_parquet,
    "duckdb": lambda path: duckdb.read_parquet(str(path)).df(),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("layout", ["spot", "flat"])
def test_every_reader_finds_the_values_of_h5py(paths, tmp_path, layout, reader):
    target = tmp_path / "rows.parquet"
    with xr.open_dataset(paths, engine="icesat2", layout=layout, variables=NAMES) as ds:
        ds.icesat2.to_geoparquet(target, NAMES, z="h_li", row_group_size=100)
    table = READERS[reader](target)
    expected = expected_columns(paths)
    for name in (*NAMES, "latitude", "longitude"):
        np.testing.assert_array_equal(as_floats(table[name]), expected[name].astype(np.float64))
    times = table["delta_time"].to_numpy()
    np.testing.assert_array_equal(times, expected["delta_time"])
    assert list(table["cycle_number"]) == [5] * 150 + [6] * 150
    assert list(table["source_row"]) == list(range(25)) * 12
    assert [str(gt) for gt in table["gt"]][:26] == ["gt3r"] * 25 + ["gt3l"]
    points = table["geometry"]
    if reader == "geopandas":
        points = points.to_numpy()
    else:  # duckdb returns bytearrays
        points = shapely.from_wkb([None if pd.isna(point) else bytes(point) for point in points])
    placed = np.isfinite(expected["longitude"])
    coordinates = shapely.get_coordinates(points[placed], include_z=True).T
    for found, name in zip(coordinates, ("longitude", "latitude", "h_li"), strict=True):
        np.testing.assert_array_equal(found, expected[name][placed])
    assert [point is None for point in points] == (~placed).tolist()


@needs_granules
@pytest.mark.parametrize(
    "path",
    [p for p in ALL_GRANULES if p.name.startswith(("ATL03_gt1l", "processed_ATL08", "clip_"))],
    ids=lambda path: path.name[:20],
)
def test_file_of_real_granule_is_its_table(path, tmp_path):
    with xr.open_dataset(path, engine="icesat2", layout="flat") as ds:
        ds.icesat2.to_geoparquet(tmp_path / "rows.parquet")
        frame = ds.icesat2.to_geodataframe()
    table = gpd.read_parquet(tmp_path / "rows.parquet")
    assert list(table) == list(frame)
    for name in frame.columns.drop(["geometry", "gt"]):
        found, wanted = table[name], frame[name]
        if wanted.dtype.kind in "iufb" or wanted.dtype == "category":
            found, wanted = (c.astype("Float64") for c in (found, wanted))
        pd.testing.assert_series_equal(found, wanted, check_dtype=False)
    assert table.geometry.to_wkb().equals(frame.geometry.to_wkb())


def test_bounding_box_selects_rows_and_row_groups(ds, tmp_path):
    target = tmp_path / "rows.parquet"
    ds.icesat2.to_geoparquet(target, ["h_li"], row_group_size=25)
    whole = gpd.read_parquet(target)
    west, _, east, north = whole.total_bounds
    south = whole["latitude"].median()
    part = gpd.read_parquet(target, bbox=(west, south, east, north))
    expected = whole[whole["longitude"].notna() & (whole["latitude"] >= south)]
    pd.testing.assert_frame_equal(part, expected.reset_index(drop=True))
    assert 0 < len(part) < len(whole)
    file = pq.ParquetFile(target)
    assert file.num_row_groups == 12
    leaves = [
        file.metadata.row_group(0).column(n).path_in_schema
        for n in range(file.metadata.num_columns)
    ]
    first = file.metadata.row_group(0).column(leaves.index("bbox.ymin"))
    rows = whole.iloc[:25]
    assert (first.statistics.min, first.statistics.max) == (
        rows["latitude"].min(),
        rows["latitude"].max(),
    )


def test_metadata_are_those_of_the_specification(ds, tmp_path):
    target = tmp_path / "rows.parquet"
    ds.icesat2.to_geoparquet(target, NAMES, z="h_li")
    file = pq.ParquetFile(target)
    for metadata in (file.metadata.metadata, file.schema_arrow.metadata):
        geo = json.loads(metadata[b"geo"])
        column = geo["columns"]["geometry"]
        assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
        assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Point", "Point Z"])
        assert pyproj.CRS.from_json_dict(column["crs"]) == "EPSG:4326"
        table = ds.icesat2.to_dataframe(NAMES)
        placed = table[table["longitude"].notna()]
        names = ["longitude", "latitude", "h_li"]
        assert column["bbox"] == [*placed[names].min(), *placed[names].max()]
        assert column["covering"]["bbox"]["xmax"] == ["bbox", "xmax"]
        source = json.loads(metadata[b"xr_icesat2"])
        assert source == {"product": "ATL06", "release": "006", "rate": "land_ice_segments"}
    fields = file.schema_arrow
    assert fields.field("h_li").metadata[b"units"] == b"meters"
    assert b"best" in fields.field("atl06_quality_summary").metadata[b"flag_meanings"]
    assert fields.field("delta_time").type == pa.timestamp("ns")
    assert fields.field("delta_time").metadata[b"time_zone"] == b"UTC"
    assert fields.field("n_fit_photons").type == pa.int32()
    assert fields.field("atl06_quality_summary").type == pa.int8()
    assert file.schema.column(fields.names.index("h_li")).physical_type == "FLOAT"


def test_points_in_another_crs(ds, tmp_path):
    target = tmp_path / "rows.parquet"
    ds.icesat2.to_geoparquet(target, ["h_li"], crs="EPSG:3413")
    table = gpd.read_parquet(target)
    expected = ds.icesat2.to_geodataframe(["h_li"], crs="EPSG:3413")
    assert table.crs == "EPSG:3413"
    assert table.geometry.to_wkb().equals(expected.geometry.to_wkb())
    source = json.loads(pq.read_metadata(target).metadata[b"xr_icesat2"])
    assert source["transformation"] == expected.attrs["transformation"]


def test_lists_and_missing_elements(tmp_path):
    path = write_granule(tmp_path, "ATL08", n_segments=30)
    target = tmp_path / "rows.parquet"
    with xr.open_dataset(path, engine="icesat2", layout="flat") as ds:
        ds.icesat2.to_geoparquet(target, ["canopy_h_metrics"], second_dims="lists")
        expected = ds["canopy_h_metrics"].to_numpy()
    for table in (pl.read_parquet(target), pq.read_table(target).to_pandas()):
        found = np.array([as_floats(one) for one in table["canopy_h_metrics"]])
        np.testing.assert_array_equal(found, expected)
    assert np.isnan(expected).any()


def test_node_of_tree_and_empty_selection(paths, tmp_path):
    with xr.open_datatree(paths[0], engine="icesat2") as tree:
        node = tree["land_ice_segments"]
        node.icesat2.to_geoparquet(tmp_path / "node.parquet", ["h_li"])
        assert len(gpd.read_parquet(tmp_path / "node.parquet")) == 150
        none = node.to_dataset().isel(segment_idx=slice(0))
    none.icesat2.to_geoparquet(tmp_path / "none.parquet", ["h_li", "segment_id"])
    empty = gpd.read_parquet(tmp_path / "none.parquet")
    assert empty.empty
    assert empty["segment_id"].dtype == np.int32


def test_directory_of_granules_is_one_dataset(ds, paths, tmp_path):
    folder = tmp_path / "rows"
    ds.icesat2.to_geoparquet(folder, NAMES, per_granule=True)
    names = [f"ATL06_{n}.parquet" for n in ("06580503", "06580603")]
    assert sorted(one.name for one in folder.iterdir()) == names
    ds.icesat2.to_geoparquet(tmp_path / "one.parquet", NAMES)
    whole = gpd.read_parquet(tmp_path / "one.parquet")
    pd.testing.assert_frame_equal(gpd.read_parquet(folder), whole)
    table = pa.dataset.dataset(folder).to_table()
    assert table.schema.equals(pq.read_schema(folder / names[1]), check_metadata=False)
    assert table["h_li"].to_pylist() == pq.read_table(tmp_path / "one.parquet")["h_li"].to_pylist()
    rows = duckdb.read_parquet(f"{folder}/*.parquet")
    assert rows.aggregate("count(*), count(distinct cycle_number)").fetchall() == [(300, 2)]
    # Flat rows, sorted by something else, go into the files of their granules.
    with xr.open_dataset(paths, engine="icesat2", layout="flat", variables=NAMES) as flat:
        mixed = flat.isel(segment_idx=np.argsort(np.arange(300) % 150, kind="stable"))
        mixed.icesat2.to_geoparquet(tmp_path / "mixed", NAMES, per_granule=True)
    pd.testing.assert_frame_equal(gpd.read_parquet(tmp_path / "mixed"), whole)


def test_directory_is_continued(ds, one, tmp_path):
    folder = tmp_path / "rows"
    one.icesat2.to_geoparquet(folder, NAMES, per_granule=True)
    (first,) = folder.iterdir()
    before = first.stat().st_mtime_ns, first.read_bytes()
    with pytest.raises(ExistingFileError, match="resume=True"):
        ds.icesat2.to_geoparquet(folder, NAMES, per_granule=True)
    ds.icesat2.to_geoparquet(folder, NAMES, per_granule=True, resume=True)
    assert (first.stat().st_mtime_ns, first.read_bytes()) == before
    assert len(gpd.read_parquet(folder)) == 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": ["h_li"]}, "other columns or points"),
        ({"crs": 3413}, "other columns or points"),
        ({"rows": slice(5)}, "30 rows instead of 150|150 rows instead of 30"),
    ],
)
def test_continuing_another_selection_is_refused(ds, one, tmp_path, change, message):
    one.icesat2.to_geoparquet(tmp_path / "rows", NAMES, per_granule=True)
    rows = ds.isel(segment_idx=change.pop("rows", slice(None)))
    keywords = {"columns": NAMES, "per_granule": True, "resume": True, **change}
    with pytest.raises(ExistingFileError, match=message):
        rows.icesat2.to_geoparquet(tmp_path / "rows", **keywords)
    assert len(list((tmp_path / "rows").iterdir())) == 1


def test_existing_files_are_replaced_only_on_request(ds, one, tmp_path):
    target = tmp_path / "rows.parquet"
    target.write_text("mine")
    with pytest.raises(ExistingFileError, match="overwrite=True"):
        ds.icesat2.to_geoparquet(target)
    assert target.read_text() == "mine"
    ds.icesat2.to_geoparquet(target, ["h_li"], overwrite=True)
    assert len(gpd.read_parquet(target)) == 300
    folder = tmp_path / "rows"
    ds.icesat2.to_geoparquet(folder, ["h_li"], per_granule=True)
    with pytest.raises(ExistingFileError, match="other granules, such as ATL06_06580603"):
        one.icesat2.to_geoparquet(folder, NAMES, per_granule=True, overwrite=True)
    ds.icesat2.to_geoparquet(folder, NAMES, per_granule=True, overwrite=True)
    assert "segment_id" in gpd.read_parquet(folder)
    with pytest.raises(ExistingFileError, match="is a file"):
        ds.icesat2.to_geoparquet(target, per_granule=True, overwrite=True)
    with pytest.raises(ExistingFileError, match="is a directory"):
        ds.icesat2.to_geoparquet(folder, overwrite=True)


def damage(paths: list[Path], tmp_path: Path) -> list[Path]:
    """Copies of granules, of which the last chunk of a variable of the second is damaged."""
    copies = []
    for path in paths:
        copies.append(tmp_path / path.name)
        copies[-1].write_bytes(path.read_bytes())
    with h5py.File(copies[1]) as file:
        chunk = file["gt3l/land_ice_segments/h_li"].id.get_chunk_info(0)
    with copies[1].open("r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(b"\xff" * chunk.size)
    return copies


@pytest.mark.parametrize("existed", [False, True])
def test_failure_in_the_middle_leaves_no_file(paths, tmp_path, existed):
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / "rows.parquet"
    if existed:
        target.write_text("mine")
    broken = xr.open_dataset(damage(paths, tmp_path), engine="icesat2", variables=NAMES)
    with broken as ds, pytest.raises(CorruptGranuleError):
        ds.icesat2.to_geoparquet(target, overwrite=True)
    assert [one.name for one in folder.iterdir()] == ["rows.parquet"] * existed
    assert not existed or target.read_text() == "mine"


def test_directory_after_a_failure_holds_whole_granules_only(paths, tmp_path):
    folder = tmp_path / "rows"
    broken = xr.open_dataset(damage(paths, tmp_path), engine="icesat2", variables=NAMES)
    with broken as ds, pytest.raises(CorruptGranuleError):
        ds.icesat2.to_geoparquet(folder, NAMES, per_granule=True)
    assert len(gpd.read_parquet(folder)) == 150
    with xr.open_dataset(paths, engine="icesat2") as ds:
        ds.icesat2.to_geoparquet(folder, NAMES, per_granule=True, resume=True)
    assert len(gpd.read_parquet(folder)) == 300


def test_interrupt_leaves_no_file(ds, tmp_path):
    seen: list[str] = []

    def interrupt(values, block_info):
        if block_info[0]["chunk-location"][0] == 1:
            seen.extend(one.name for one in tmp_path.iterdir())
            raise KeyboardInterrupt
        return values

    target = tmp_path / "rows.parquet"
    chunked = ds.chunk(gran_idx=1)
    heights = chunked["h_li"].data.map_blocks(interrupt, dtype="f4", meta=np.empty((0, 0, 0), "f4"))
    chunked["odd"] = chunked["h_li"].copy(data=heights)
    # More than one block: the first is written before the second is interrupted.
    chunked["long"] = chunked["h_li"].expand_dims(deep=1 << 14, axis=-1)
    with dask.config.set(scheduler="synchronous"), pytest.raises(KeyboardInterrupt):
        chunked.icesat2.to_geoparquet(target, ["odd", "long"], second_dims="lists")
    # A process that is killed would leave a file that readers of the folder pass over.
    assert [name.startswith(".rows.parquet") for name in seen] == [True]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not apply")
def test_read_only_folder(ds, tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(AccessDeniedError, match="Nothing can be written to"):
        ds.icesat2.to_geoparquet(tmp_path / "rows.parquet")
    with pytest.raises(AccessDeniedError, match="Nothing can be written to"):
        ds.icesat2.to_geoparquet(tmp_path / "rows", per_granule=True)


class RefusingFileSystem(MemoryFileSystem):
    """Files in memory, of which none may be written."""

    protocol = "refusing"
    store: dict = {}  # noqa: RUF012 - as in fsspec

    def _open(self, path, mode="rb", **keywords):
        if mode != "rb":
            raise PermissionError(13, "Permission denied", path)
        return super()._open(path, mode, **keywords)


class StreamingFileSystem(MemoryFileSystem):
    """Objects that are complete when they are closed, and know no transactions."""

    protocol = "streaming"
    store: dict = {}  # noqa: RUF012 - as in fsspec

    def _open(self, path, mode="rb", **keywords):
        if mode == "rb":
            return super()._open(path, mode, **keywords)
        return StreamedFile(self, path)


class StreamedFile(fsspec.spec.AbstractBufferedFile):
    def __init__(self, fs, path):
        super().__init__(fs, path, "wb", block_size=1 << 12)
        self.parts = []

    def _initiate_upload(self):
        self.parts.clear()

    def _upload_chunk(self, final=False):
        self.parts.append(self.buffer.getvalue())
        if final:
            self.fs.store[self.path] = MemoryFile(self.fs, self.path, b"".join(self.parts))
        return True


@pytest.fixture
def remote():
    for kind in (RefusingFileSystem, StreamingFileSystem):
        fsspec.register_implementation(kind.protocol, kind, clobber=True)
    yield
    for kind in (RefusingFileSystem, StreamingFileSystem, MemoryFileSystem):
        kind.store.clear()


@pytest.mark.parametrize("protocol", ["memory", "streaming"])
def test_url(ds, one, paths, tmp_path, remote, protocol):
    files = fsspec.filesystem(protocol)
    url = f"{protocol}://bucket/rows.parquet"
    ds.icesat2.to_geoparquet(url, ["h_li"])
    with files.open(url) as file:
        assert len(gpd.read_parquet(file)) == 300
    with pytest.raises(ExistingFileError):
        ds.icesat2.to_geoparquet(url)
    folder = f"{protocol}://bucket/rows"
    one.icesat2.to_geoparquet(folder, NAMES, per_granule=True)
    ds.icesat2.to_geoparquet(folder, NAMES, per_granule=True, resume=True)
    assert len(files.find(folder)) == 2
    broken = xr.open_dataset(damage(paths, tmp_path), engine="icesat2", variables=NAMES)
    with broken, pytest.raises(CorruptGranuleError):
        broken.icesat2.to_geoparquet(f"{protocol}://bucket/broken.parquet")
    assert not files.exists(f"{protocol}://bucket/broken.parquet")


def test_url_that_may_not_be_written(ds, remote):
    with pytest.raises(AccessDeniedError, match="Nothing can be written to"):
        ds.icesat2.to_geoparquet("refusing://bucket/rows.parquet")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"row_group_size": 0}, r"row_group_size=0: expected an integer, 1 to 1000000"),
        ({"row_group_size": 1_000_001}, r"row_group_size=1000001"),
        ({"compression": "zip"}, r"compression='zip': expected one of zstd"),
        ({"resume": True}, r"set per_granule=True"),
        ({"resume": True, "per_granule": True, "overwrite": True}, r"set one"),
        ({"path": 3}, r"path=3: expected a path or a URL"),
        ({"path": "nothing://rows.parquet"}, r"fsspec cannot write to nothing:"),
        ({"storage_options": {"key": "k"}}, r"storage_options have no effect"),
    ],
)
def test_impossible_arguments(ds, tmp_path, arguments, message):
    keywords = {"path": tmp_path / "rows.parquet", **arguments}
    with pytest.raises(SelectionError, match=message):
        ds.icesat2.to_geoparquet(**keywords)
    assert list(tmp_path.iterdir()) == []


def test_missing_package_is_named(ds, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyproj", None)
    with pytest.raises(MissingExtraError, match=r"to_geoparquet needs pyproj.*xr-icesat2\[geo\]"):
        ds.icesat2.to_geoparquet(tmp_path / "rows.parquet")
