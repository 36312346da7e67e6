"""Errors name the kind of a file that is not a granule."""

import bz2
import gzip
import io
import logging
import lzma
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from tests.tiny import write_tiny
from xr_icesat2.errors import GranuleNotFoundError, NotAGranuleError

NAME = "ATL06_20181014001049_02350102_006_01.h5"
BROWSE = NAME.replace(".h5", "_BRW.h5")
INSIDE = b"\x89HDF\r\n\x1a\n" + bytes(600)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12345\n"


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(NAME, INSIDE)
    return packed.getvalue()


def _tar() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as file:
        file.addfile(tarfile.TarInfo(NAME))
    return packed.getvalue()


KINDS = {
    "zip": (_zip(), "a ZIP archive: unpack it first"),
    "gzip": (gzip.compress(INSIDE), "a gzip file: unpack it"),
    "bzip2": (bz2.compress(INSIDE), "a bzip2 file"),
    "xz": (lzma.compress(INSIDE), "an xz file"),
    "tar": (_tar(), "a tar archive"),
    "apple": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(100), "without ._ at its begin"),
    "netcdf3": (b"CDF\x01" + bytes(80), 'a netCDF-3 file: xarray opens it with engine="scipy"'),
    "netcdf3_64": (b"CDF\x02" + bytes(80), "a netCDF-3 file"),
    "hdf4": (b"\x0e\x03\x13\x01" + bytes(80), "an HDF4 file"),
    "lfs": (LFS, "a pointer of git-lfs in the place of the file.*git lfs pull"),
    "html": (b"\n<!DOCTYPE html><html><body>Earthdata Login", "a web page, such as a login page"),
    "xml": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied', "an XML doc.*AccessDenied"),
    "json": (b'{"errors": ["expired"]}', 'a JSON document.*"errors"'),
    "text": ("Nicht gefunden: Größe".encode(), "a text file.*Nicht gefunden"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(80), "a picture"),
    "zeros": (bytes(2000), "filled with zeros"),
}


def refused(given: object, match: str, **keywords: object) -> str:
    with pytest.raises(NotAGranuleError, match=match) as caught:
        xr.open_dataset(given, engine="icesat2", **keywords)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", ["spot", "file"])
def test_local_file_kinds_are_named(kind, layout, tmp_path):
    data, match = KINDS[kind]
    path = tmp_path / NAME
    path.write_bytes(data)
    said = refused(path, match, layout=layout)
    assert str(path) in said
    assert "damaged" not in said
    refused([path], match, layout=layout)
    refused(io.BytesIO(data), match, layout=layout)


@pytest.mark.parametrize("kind", KINDS)
def test_remote_file_kinds_are_named(kind, http_server, s3_server):
    data, match = KINDS[kind]
    refused(http_server.put(NAME, data), match)
    s3_server.put(NAME, data)
    refused(s3_server.url(NAME), match, storage_options=s3_server.storage_options)


def test_quoted_file_content_is_escaped(tmp_path):
    path = tmp_path / NAME
    path.write_bytes("Error \u202e \x9b2J".encode())
    said = refused(path, "a text file")
    assert said.isprintable()


def test_unknown_content_is_described_as_unknown(tmp_path):
    path = tmp_path / NAME
    for data in (b"\x89", b"\x89HDF", bytes(range(1, 256)) * 9):
        path.write_bytes(data)
        refused(path, "not a readable HDF5 file")


def write_browse(folder: Path) -> Path:
    path = folder / BROWSE
    with h5py.File(path, "w") as file:
        file.attrs["short_name"] = np.bytes_("ATL06")
        file["default/default1"] = np.zeros((3, 4, 3), "u1")
    return path


def write_granule(folder: Path, name: str = NAME) -> Path:
    rows = np.arange(3.0)
    datasets = {f"gt1l/land_ice_segments/{n}": rows for n in ("delta_time", "h_li")}
    return write_tiny(folder / name, datasets)


def test_browse_file_is_named(tmp_path):
    path = write_browse(tmp_path)
    granule = write_granule(tmp_path)
    for given in (path, [path], [granule, path]):
        refused(given, "a browse file, which contains pictures of a granule.*without _BRW")
    tree = xr.open_datatree(path, engine="icesat2", layout="file")
    assert tree["default/default1"].shape == (3, 4, 3)


def test_patterns_skip_browse_files(tmp_path, caplog):
    write_browse(tmp_path)
    pattern = str(tmp_path / "ATL06*.h5")
    with pytest.raises(GranuleNotFoundError, match="Only browse files"):
        xr.open_dataset([pattern], engine="icesat2")
    write_granule(tmp_path)
    with caplog.at_level(logging.WARNING, "xr_icesat2"):
        ds = xr.open_dataset([pattern], engine="icesat2")
    assert ds["source_file"].values.tolist() == [NAME]
    assert any("1 browse files (_BRW)" in record.getMessage() for record in caplog.records)


def test_granule_with_the_name_of_a_browse_file_opens(tmp_path):
    # BRW is also the airport of Utqiagvik: what has beams is a granule.
    path = write_granule(tmp_path, BROWSE)
    assert xr.open_dataset(path, engine="icesat2").sizes["segment_idx"] == 3
    other = write_granule(tmp_path, f"BRW_{NAME}")
    pattern = str(tmp_path / "BRW*")
    assert xr.open_dataset([pattern], engine="icesat2")["source_file"].values == other.name


def test_pandas_file_is_named(tmp_path):
    path = tmp_path / NAME
    with h5py.File(path, "w") as file:
        for name, value in {"CLASS": "GROUP", "PYTABLES_FORMAT_VERSION": "2.1"}.items():
            file.attrs[name] = np.bytes_(value)
        file["segments/table"] = np.zeros(3, [("index", "i8"), ("h_li", "f8")])
    refused(
        path,
        r"written by pandas or PyTables \(it contains 'segments'\). Read it with pandas.read_hdf",
    )
    refused([path], "written by pandas or PyTables", layout="flat")
