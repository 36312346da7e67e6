"""A tiny file that has one of everything: damage to it nearly always hits a structure."""

from pathlib import Path

import h5py
import numpy as np

from tests.hdf5_files import create

ROWS = 60


def write_tiny(path: Path, libver: str | tuple[str, str]) -> Path:
    """Write the file; ``libver`` as h5py takes it."""
    rng = np.random.default_rng(1)
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["title"] = "text"
        file.attrs["short_name"] = np.bytes_("ATL06")
        file.attrs["numbers"] = np.array([1, 2, 3], "i2")
        file.attrs["texts"] = ["a", "bcd"]
        time = file.create_dataset(
            "gt1l/rate/delta_time", data=np.linspace(0, 1, ROWS), chunks=(20,), maxshape=(None,)
        )
        time.make_scale("delta_time")
        time.attrs["units"] = "seconds since 2018-01-01"
        _on_rows(file, "height", rng.normal(size=ROWS).astype("f4"), ("deflate",), (20,))
        _on_rows(file, "id", np.arange(ROWS), ("shuffle", "deflate", "fletcher32"), (7,))
        _on_rows(file, "many_chunks", np.arange(ROWS, dtype="i2"), (), (1,))
        big = np.arange(ROWS * 6).reshape(ROWS, 6).astype(">i4")
        _on_rows(file, "table", big, ("fletcher32",), (25, 4))
        _on_rows(file, "contiguous", np.arange(ROWS, dtype="u1"))
        _on_rows(file, "texts", np.array([b"abc"] * ROWS, "S5"))
        _on_rows(file, "flags", np.arange(ROWS) % 3 == 0)
        file.create_dataset("gt1l/rate/unwritten", (ROWS,), "f8", chunks=(9,), fillvalue=3.5)
        file.create_dataset("gt1l/rate/empty", (4,), "f8", fillvalue=3.5)
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        file.create_dataset("orbit_info/rgt", data=np.array([5], "i2"), dcpl=compact)
        file["orbit_info/sc_orient"] = np.int8(1)
        file["link"] = h5py.SoftLink("/orbit_info/rgt")
        for number in range(12):
            file[f"dense/name {number}"] = np.int16(number)
            file["dense/name 0"].attrs[f"name {number}"] = number / 7
    return path


def _on_rows(file, name, data, filters=None, chunks=None) -> None:
    if filters is None:
        dataset = file.create_dataset(f"gt1l/rate/{name}", data=data)
    else:
        dataset = create(file, f"gt1l/rate/{name}", data, filters=filters, chunks=chunks)
    dataset.attrs["units"] = np.bytes_("metres")
    dataset.attrs["long_name"] = f"what {name} is"
    if data.dtype.kind in "iuf":
        dataset.attrs["_FillValue"] = np.array([0], data.dtype)
    dataset.dims[0].attach_scale(file["gt1l/rate/delta_time"])
