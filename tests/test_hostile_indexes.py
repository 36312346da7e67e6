"""Indexes that were tampered with, the first of ``python -m tests.hostile_indexes --all``."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import xarray as xr

from tests.hostile_indexes import Packed
from tests.paths import ALL_GRANULES, HOSTILE
from xr_icesat2.errors import CorruptGranuleError, ICESat2Error
from xr_icesat2.testing import write_granule


def test_sealed_mutations_give_right_values_or_our_errors():
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile_indexes", "0-59"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 faults" in done.stdout
    for outcome in (".idx right", "directory right", ".idx CorruptIndexError"):
        assert outcome in done.stdout


@pytest.mark.parametrize(
    "path", [*ALL_GRANULES, *sorted(HOSTILE.glob("*.h5"))], ids=lambda path: path.name
)
def test_indexes_of_odd_files_are_used(path, tmp_path, caplog):
    """What the parser returns is never refused when it is read again."""
    keywords = {"engine": "icesat2", "layout": "file", "index_cache": tmp_path / "cache"}
    shown = []
    for _ in range(2):
        with suppress(Exception), xr.open_datatree(path, **keywords) as tree:
            shown.append({node.path: list(node.variables) for node in tree.subtree})
    assert shown[:1] == shown[1:]
    assert "ignoring" not in caplog.text


def test_a_bad_index_is_not_remembered(tmp_path):
    """Once its file is deleted, the granule opens, in the same process too."""
    path = write_granule(tmp_path, n_segments=10, beams=("gt1l",))
    keywords = {"engine": "icesat2", "index_cache": tmp_path / "cache", "variables": "h_li"}
    with xr.open_dataset(path, **keywords) as ds:
        expected = ds.load()
    (entry,) = (tmp_path / "cache").glob("*.index")
    packed = Packed.of(entry.read_bytes())
    index = msgspec.msgpack.decode(packed.structure)
    _, nodes, _, values, *_ = index
    del nodes["/"][2]["gt1l"]
    values["/orbit_info/rgt"] = [1, "<i2", [1], b"\x03\0"]
    entry.write_bytes(Packed(msgspec.msgpack.encode(index), packed.columns).sealed())
    with pytest.raises(ICESat2Error):
        xr.open_dataset(path, **keywords)
    entry.unlink()
    with xr.open_dataset(path, **keywords) as ds:
        xr.testing.assert_identical(ds.load(), expected)


def test_where_values_cannot_be_read_by_an_index_the_message_names_it(tmp_path):
    path = write_granule(tmp_path, n_segments=10, beams=("gt1l",))
    keywords = {"engine": "icesat2", "variables": "h_li"}
    cache = tmp_path / "cache"
    xr.open_dataset(path, index_cache=cache, **keywords).load().close()
    (entry,) = cache.glob("*.index")
    packed = Packed.of(entry.read_bytes())
    masks = len(packed.columns) // 4  # that no filter was applied
    columns = packed.columns[:-masks] + b"\xff" * masks
    entry.write_bytes(Packed(packed.structure, columns).sealed())
    with (
        xr.open_dataset(path, index_cache=cache, **keywords) as ds,
        pytest.raises(
            CorruptGranuleError, match="Delete the index, or open without index_cache"
        ) as no,
    ):
        ds.load()
    assert str(cache) in str(no.value)
    with xr.open_dataset(path, **keywords) as ds:
        ds.load()
