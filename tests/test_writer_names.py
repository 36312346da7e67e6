"""The file name of a synthetic granule sets its identity."""

from datetime import UTC, datetime
from pathlib import Path

import h5py
import pytest
import xarray as xr

from xr_icesat2.errors import SelectionError
from xr_icesat2.testing import write_granule

SMALL = {"n_segments": {"gt1l": 40}, "chunk_rows": 40}
NAMED = "ATL08_20191211143520_11560506_005_02.h5"


@pytest.mark.parametrize("before", ["", "processed_"])
@pytest.mark.parametrize(
    "keywords", [{}, {"product": "ATL08", "cycle_number": 5, "release": "005"}]
)
def test_file_name_sets_the_identity(tmp_path: Path, before: str, keywords) -> None:
    path = write_granule(tmp_path / f"{before}{NAMED}", **keywords, **SMALL)
    with xr.open_dataset(path, engine="icesat2") as ds:
        assert (ds.rgt.item(), ds.cycle_number.item(), ds.granule_region.item()) == (1156, 5, 6)
        assert ds.release.item() == "005"
        assert ds.source_file.item() == path.name
    with h5py.File(path) as file:
        assert file["METADATA/DatasetIdentification"].attrs["fileName"].decode() == NAMED
        assert file.attrs["short_name"] == b"ATL08"
        assert file["ancillary_data/granule_start_utc"][0].startswith(b"2019-12-11T14:35:20")
        assert file["ancillary_data/version"][0].decode().strip() == "02"


def test_file_name_sets_the_product(tmp_path: Path) -> None:
    path = write_granule(tmp_path / "ATL13_20190330212241_00250301_002_01.h5", **SMALL)
    with xr.open_dataset(path, engine="icesat2") as ds:
        assert ds.start_rgt.item() == 25
        assert "ht_ortho" in ds


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("product", "ATL06"),
        ("rgt", 1),
        ("cycle_number", 4),
        ("granule_region", 5),
        ("release", "006"),
        ("version", "01"),
        ("start", datetime(2019, 12, 11, tzinfo=UTC)),
    ],
)
def test_keywords_against_the_file_name_are_refused(
    tmp_path: Path, field: str, value: object
) -> None:
    with pytest.raises(SelectionError, match=rf"{field}=.* but the file name {NAMED} has {field}="):
        write_granule(tmp_path / NAMED, **{field: value}, **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_file_name_of_another_product_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match="'ATL07'"):
        write_granule(tmp_path / "ATL07-01_20190225115500_08990201_003_01.h5")


@pytest.mark.parametrize("product", ["ATL03", "ATL06", "ATL08", "ATL13"])
def test_filler_is_marked_synthetic(tmp_path: Path, product: str) -> None:
    texts = []

    def collect(_: str, node: h5py.Group | h5py.Dataset) -> None:
        texts.extend(v if isinstance(v, str) else v.decode() for v in node.attrs.values()
                     if isinstance(v, str | bytes))  # fmt: skip

    with h5py.File(write_granule(tmp_path, product, n_segments={"gt1l": 40})) as file:
        file.visititems(collect)
    filled = [text for text in texts if "filler" in text]
    assert filled
    assert all("[synthetic filler text]" in text for text in filled)
    assert not [text for text in texts if "So long is" in text]
