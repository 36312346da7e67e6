"""Storage of synthetic granules: layouts, order, memory, atomic writes."""

import itertools
import threading
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tqdm.auto
from hypothesis import given
from hypothesis import strategies as st

from tests.made_up_product import ROWS, TREE, TreeValues
from tests.paths import granule as real_granule
from xr_icesat2.testing import api, write_granule
from xr_icesat2.testing.chunk_order import RateDatasets, order_by_time
from xr_icesat2.testing.granule_writer import map_in_order
from xr_icesat2.testing.identity import SyntheticGranule
from xr_icesat2.testing.tree_model import GranuleValues, TreeRate

BEAMS = ("gt1l", "gt3r")
PAGE = 8 * 2**20
DEFLATE, SHUFFLE = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE
COMPACT, CONTIGUOUS, CHUNKED = h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED


def write(
    path: Path, values: Callable[[SyntheticGranule], GranuleValues] = TreeValues, **more: Any
) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(api._VALUES, "ATL03", values)
        patch.setattr(api, "build_tree", lambda *_: TREE)
        rows = dict.fromkeys(more.pop("beams", BEAMS), 20)
        return write_granule(path, "ATL03", n_segments=rows, **more)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("stored")
    small = {"chunk_rows": 100}
    return {
        "006": write(folder / "six.h5", release="006", **small),
        "007": write(folder / "seven.h5", release="007", **small),
        "apart": write(folder / "apart.h5", interleave=False, **small),
        "usual 006": write(folder / "usual6.h5", beams=("gt1l",), release="006"),
        "usual 007": write(folder / "usual7.h5", beams=("gt1l",), release="007"),
    }


def datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    found: dict[str, h5py.Dataset] = {}
    file.visititems(
        lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None
    )
    return found


def chunks_of(path: Path) -> list[tuple[int, int, str, int]]:
    """Place, size, dataset and first row of each chunk along a rate, in order of place."""
    with h5py.File(path) as file:
        return sorted(
            (info.byte_offset, info.size, name, info.chunk_offset[0])
            for name, dataset in datasets(file).items()
            if name.startswith("gt") and dataset.chunks
            for info in map(dataset.id.get_chunk_info, range(dataset.id.get_num_chunks()))
        )


@pytest.mark.parametrize("which", ["006", "007", "apart", "usual 006", "usual 007"])
def test_values_of_every_shape_are_written(written: Mapping[str, Path], which: str) -> None:
    with h5py.File(written[which]) as file:
        found = {beam: file[beam] for beam in BEAMS if beam in file}
        for beam, (rate, rows) in itertools.product(found, ROWS.items()):
            group = found[beam][rate]
            expected = TreeValues.block(None, rate, beam, 0, rows)  # type: ignore[arg-type]
            for name, dataset in group.items():
                if name == "ds_bin":
                    np.testing.assert_array_equal(dataset, np.arange(7))
                    continue
                whole = expected[name]
                if name == "height":
                    whole = np.where(np.isnan(whole), np.float32(3.4e38), whole)
                np.testing.assert_array_equal(
                    dataset[()], whole.astype(dataset.dtype), err_msg=name, strict=True
                )
        np.testing.assert_array_equal(file["ds_surf_type"], np.arange(1, 6))
        np.testing.assert_array_equal(file["calibration/table"][2, 3], np.arange(550, 600))
        np.testing.assert_array_equal(
            file["calibration/large"][()].ravel(), np.arange(30_000, dtype="f4")
        )
        states = file["calibration/states"]
        np.testing.assert_array_equal(states, np.arange(15).reshape(5, 3))
        assert states.maxshape == (5, None)
        assert states.dims[1][0] == file["calibration/event"]
        assert states.dims[0][0] == file["ds_surf_type"]
        counts = file[f"{next(iter(found))}/segments/counts"]
        names = [dim[0].name.rpartition("/")[2] for dim in counts.dims]
        assert names == ["delta_time", "ds_surf_type", "ds_bin"]
        assert counts.dims[1][0] == file["ds_surf_type"]


@pytest.mark.parametrize(
    ("release", "superblock", "strategy", "page", "short"),
    [
        ("006", 0, h5py.h5f.FSPACE_STRATEGY_FSM_AGGR, 4096, COMPACT),
        ("007", 2, h5py.h5f.FSPACE_STRATEGY_PAGE, PAGE, CONTIGUOUS),
    ],
)
def test_storage_follows_the_release(
    written: Mapping[str, Path],
    release: str,
    superblock: int,
    strategy: int,
    page: int,
    short: int,
) -> None:
    path = written[release]
    with path.open("rb") as raw:
        assert raw.read(9)[8] == superblock
    with h5py.File(path) as file:
        created = file.id.get_create_plist()
        assert created.get_file_space_strategy()[0] == strategy
        assert created.get_file_space_page_size() == page
        for name, dataset in datasets(file).items():
            properties = dataset.id.get_create_plist()
            filters = [properties.get_filter(n)[0] for n in range(properties.get_nfilters())]
            layout = properties.get_layout()
            if "delta_time" in [dim[0].name.rpartition("/")[2] for dim in dataset.dims if dim]:
                assert layout == CHUNKED, name
                assert dataset.chunks == (100, *dataset.shape[1:]), name
                integer = dataset.dtype.kind in "iu"
                assert filters == ([SHUFFLE, DEFLATE] if integer else [DEFLATE]), name
                assert properties.get_filter(len(filters) - 1)[2] == (6,), name
            elif layout != CHUNKED and not dataset.is_scale:
                assert layout == (short if dataset.nbytes < 65_000 else CONTIGUOUS), name


def test_default_chunks_are_those_of_real_granules(written: Mapping[str, Path]) -> None:
    for release, photons in ("006", 10_000), ("007", 100_000):
        with h5py.File(written[f"usual {release}"]) as file:
            assert file["gt1l/heights/confidence"].chunks == (photons, 5)
            assert file["gt1l/segments/counts"].chunks == (10_000, 5, 7)


def test_chunks_do_not_cross_pages(written: Mapping[str, Path]) -> None:
    for offset, size, name, _ in chunks_of(written["007"]):
        assert offset // PAGE == (offset + size - 1) // PAGE, name


@pytest.mark.parametrize("release", ["006", "007"])
def test_beams_are_interleaved_in_time(written: Mapping[str, Path], release: str) -> None:
    chunks = chunks_of(written[release])
    beams = [name[:4] for _, _, name, _ in chunks]
    assert beams == sorted(beams)
    for beam in BEAMS:
        own = [(name, row) for _, _, name, row in chunks if name.startswith(beam)]
        shares = [row / ROWS[name.split("/")[1]] for name, row in own]
        # The library places small ones further ahead, in holes between earlier ones.
        assert np.corrcoef(shares, np.arange(len(shares)))[0, 1] > 0.85
        followers = [a != b for (a, _), (b, _) in itertools.pairwise(own)]
        assert np.mean(followers) > 0.7


def test_order_is_that_of_a_real_granule(written: Mapping[str, Path]) -> None:
    real = chunks_of(real_granule("ATL06_20181014001049_02350102_003_01.h5"))
    for chunks in real, chunks_of(written["006"]):
        spread = {
            beam: np.median([place for place, _, name, _ in chunks if name.startswith(beam)])
            for beam in sorted({name[:4] for _, _, name, _ in chunks})
        }
        assert list(spread.values()) == sorted(spread.values())


def test_datasets_can_be_written_one_after_another(written: Mapping[str, Path]) -> None:
    names = [name for _, _, name, _ in chunks_of(written["apart"])]
    # But for small ones, which lie in holes between earlier ones.
    assert sum(a != b for a, b in itertools.pairwise(names)) < 1.6 * len(set(names))
    kept = {(name, row, size) for _, size, name, row in chunks_of(written["006"])}
    assert {(name, row, size) for _, size, name, row in chunks_of(written["apart"])} == kept


@pytest.mark.parametrize("interleave", [True, False])
def test_memory_does_not_grow_with_the_granule(tmp_path: Path, interleave: bool) -> None:
    longer = 800
    write(tmp_path, beams=("gt1l",))  # imports, caches
    tracemalloc.start()
    path = write(
        tmp_path / "long.h5",
        partial(TreeValues, longer=longer),
        beams=("gt1l",),
        chunk_rows=2000,
        interleave=interleave,
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with h5py.File(path) as file:
        in_file = sum(item.nbytes for name, item in datasets(file).items() if name.startswith("gt"))
    assert in_file > 14e6
    assert most < 0.3 * in_file


@pytest.mark.parametrize("error", [ValueError("no value"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("interleave", [True, False])
def test_interrupted_write_leaves_no_file(
    tmp_path: Path, error: BaseException, interleave: bool
) -> None:
    class Failing(TreeValues):
        def block(self, rate: str, beam: str, start: int, stop: int) -> dict[str, np.ndarray]:
            if beam == "gt3r" and start >= 600:
                raise error
            return super().block(rate, beam, start, stop)

    threads = threading.active_count()
    with pytest.raises(type(error)):
        write(tmp_path, Failing, chunk_rows=100, interleave=interleave)
    assert list(tmp_path.iterdir()) == []
    earlier = tmp_path / "earlier.h5"
    earlier.write_bytes(b"kept")
    with pytest.raises(type(error)):
        write(earlier, Failing, chunk_rows=100, interleave=interleave)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"earlier.h5": b"kept"}
    assert threading.active_count() == threads


def test_values_of_another_shape_are_refused(tmp_path: Path) -> None:
    class Flat(TreeValues):
        def block(self, rate: str, beam: str, start: int, stop: int) -> dict[str, np.ndarray]:
            block = super().block(rate, beam, start, stop)
            return block | {"confidence": block["confidence"][:, 0]}

    with pytest.raises(ValueError, match=r"gt1l/heights/confidence.*\(700,\).*\(700, 5\)"):
        write(tmp_path, Flat)
    assert list(tmp_path.iterdir()) == []


def test_granule_appears_when_complete(tmp_path: Path) -> None:
    target, seen = tmp_path / "granule.h5", set()

    class Watching(TreeValues):
        def block(self, rate: str, beam: str, start: int, stop: int) -> dict[str, np.ndarray]:
            seen.add(target.exists())
            return super().block(rate, beam, start, stop)

    write(target, Watching)
    assert seen == {False}
    assert list(tmp_path.iterdir()) == [target]
    write(target)
    assert list(tmp_path.iterdir()) == [target]


@given(st.lists(st.integers(0, 50), max_size=40))
def test_results_keep_their_order(items: list[int]) -> None:
    assert list(map_in_order(lambda item: item + 1, items)) == [item + 1 for item in items]


def test_pending_results_are_bounded() -> None:
    made = itertools.count()
    drawn = itertools.count()
    results = map_in_order(lambda _: next(made), (next(drawn) for _ in range(1000)))
    for taken, _ in enumerate(itertools.islice(results, 50)):
        assert next(made) - taken < 120
    results.close()
    assert next(drawn) < 120


rates_of_beams = st.lists(
    st.tuples(st.sampled_from(BEAMS), st.integers(0, 300), st.integers(1, 70)), max_size=6
)


@given(rates_of_beams)
def test_blocks_contain_every_row_once(rates: list[tuple[str, int, int]]) -> None:
    made = [
        RateDatasets(TreeRate(str(n), "", (), ()), beam, rows, chunk, {})
        for n, (beam, rows, chunk) in enumerate(rates)
    ]
    blocks = list(order_by_time(made))
    rows: dict[str, list[int]] = {rate.rate.name: [] for rate in made}
    for block in blocks:
        assert block.start % block.source.chunk_rows == 0
        assert block.stop - block.start <= block.source.chunk_rows
        rows[block.source.rate.name] += range(block.start, block.stop)
    assert rows == {rate.rate.name: list(range(rate.rows)) for rate in made}
    order = [block.source.beam for block in blocks]
    assert len(list(itertools.groupby(order))) == len(set(order))
    for _, beam in itertools.groupby(blocks, key=lambda block: block.source.beam):
        shares = [block.start / block.source.rows for block in beam]
        assert shares == sorted(shares)


@pytest.mark.parametrize(
    ("long", "asked", "shown"),
    [(True, True, True), (True, None, False), (True, False, False), (False, True, False)],
)
def test_progress_is_shown_on_request(  # standard error is no terminal here
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    long: bool,
    asked: bool | None,
    shown: bool,
) -> None:
    if long:  # as if no work were short
        bar = tqdm.auto.tqdm
        monkeypatch.setattr(tqdm.auto, "tqdm", lambda **how: bar(**{**how, "delay": 0}))
    path = write(tmp_path, beams=("gt1l",), progress=asked)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert (f"{path.name}: 100%|" in captured.err) == shown
    assert bool(captured.err) == shown
