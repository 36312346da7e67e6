"""Files of objects that granules have none of: types, shapes, layouts, filters, links."""

from pathlib import Path

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

LEFT_OUT = {
    "compound_of_texts": "compound type",
    "opaque": "opaque",
    "dates": "opaque",
    "sequences": "sequences",
    "sequences_of_texts": "sequences",
    "references": "references",
    "regions": "references",
    "null": "null dataspace",
    "null_text": "null dataspace",
    "time": "no numpy equivalent",
    "named_type": "named datatype",
    "named_colours": "named datatype",
    "plugin": "filter 32015",
    "outside": "another file",
    "linked": "another file",
    "behind_linked": "another file",
    "group": "/texts",  # each group is shown once
}
"""What cannot be read, with a word of the reason."""
COLOURS = h5py.enum_dtype({"dark blue": 3, "RED": -1, "Grün": 2, "Gr\u00fcn!": 40}, "<i2")


def write_unusual(path: Path, libver: str | tuple[str, str], block: int = 0) -> None:
    """A file with a group ``types`` of all types, and others of layouts, filters and links."""
    with h5py.File(path, "w", libver=libver, userblock_size=block) as file:
        _numbers(file.create_group("numbers"))
        types = file.create_group("types", track_order=True)
        _structures(types)
        _texts(file.create_group("texts"))
        _unread(types)
        _layouts(file.create_group("layouts"))
        _filters(file.create_group("filters"))
        _links(file, types)
        for number in range(40):  # from nine on they are stored densely
            types.attrs[f"attribute {number}"] = np.full(number % 4, number, "i2")
        types.attrs["structure"] = np.array([(1, 2.5)], [("a", "i2"), ("b", ">f8")])
        types.attrs["reference"] = types.ref


def _numbers(group: h5py.Group) -> None:
    values = np.arange(24).reshape(4, 6)
    for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"):
        for order in "<>":
            name = f"{kind}{'big' if order == '>' else ''}"
            group[name] = values.astype(f"{order}{kind}")
            group[f"{name}_scalar"] = values.astype(f"{order}{kind}")[3, 3]
    group["bool"] = values % 2 == 0
    group["long_double"] = np.arange(5, dtype=np.longdouble) / 3
    group["complex_long"] = np.arange(3, dtype=np.clongdouble) * 1j
    group.create_dataset("empty", (0, 3), "f4", maxshape=(None, 3))
    group["f4"].attrs["_FillValue"] = np.float32(7)
    group["c8"].attrs["_FillValue"] = np.complex64(7)
    odd = h5t.STD_I32LE.copy()
    odd.set_precision(20)
    odd.set_offset(3)
    brief = h5t.IEEE_F32LE.copy()  # bfloat16
    brief.set_fields(15, 7, 8, 0, 7)
    brief.set_size(2)
    for name, stored in (("odd", odd), ("brief", brief), ("bits", h5t.STD_B16BE)):
        made = h5d.create(group.id, name.encode(), stored, h5s.create_simple((6,)))
        memory = {"odd": "i4", "brief": "f4", "bits": "u2"}[name]
        bits = h5t.STD_B16LE if name == "bits" else None
        made.write(h5s.ALL, h5s.ALL, np.arange(6, dtype=memory), mtype=bits)


def _structures(group: h5py.Group) -> None:
    simple = np.dtype([("a", "<i4"), ("b", ">f8"), ("s", "S5"), ("t", "?")])
    rows = np.array([(n, n / 2, f"n{n}", n % 2) for n in range(9)], simple)
    group["compound"] = rows
    group["compound_scalar"] = rows[3]
    group.create_dataset("compound_chunked", data=rows, chunks=(4,), compression="gzip")
    nested = np.dtype([("a", "i1"), ("in", [("x", ">f4"), ("y", ">u2", (2, 3))])], align=True)
    group["nested"] = np.zeros((2, 2), nested)
    gaps = np.dtype(
        {"names": ["p", "q"], "formats": ["i2", "f4"], "offsets": [3, 9], "itemsize": 20}
    )
    group["gaps"] = np.ones(3, gaps)
    group.create_dataset("coloured", data=np.zeros(2, [("c", COLOURS), ("n", "i4")]))
    for name, dtype, chunks in (
        ("array", np.dtype(("<i2", (3, 2))), None),
        ("array_chunked", np.dtype((">f4", (3,))), (2,)),
    ):
        made = group.create_dataset(name, (4,), dtype, chunks=chunks)
        made[...] = np.arange(4 * np.prod(dtype.shape)).reshape(4, *dtype.shape)
    group.create_dataset("array_scalar", (), np.dtype(("<i2", (3,))))[...] = [1, 2, 3]
    group.create_dataset("colours", data=[3, -1, 40, 2], dtype=COLOURS)
    group["named_type"], group["named_colours"] = np.dtype("<i4"), COLOURS
    group.create_dataset("of_named_type", data=[1, 2], dtype=group["named_type"])
    group.create_dataset("of_named_colours", data=[3, -1], dtype=group["named_colours"])
    group["said"] = group["colours"][...]
    reported = group.create_dataset("colours_documented", data=[3, -1], dtype=COLOURS)
    reported.attrs["flag_meanings"] = "own words"


def _unread(group: h5py.Group) -> None:
    group.create_dataset("compound_of_texts", (2,), [("a", "i4"), ("t", h5py.string_dtype())])
    group["opaque"] = np.array([b"abc", b"defg"], "V4")
    group["dates"] = np.array(["2020-01-01"], "M8[s]").astype(h5py.opaque_dtype("M8[s]"))
    group.create_dataset("sequences", (2,), h5py.vlen_dtype("i4"))[0] = [1, 2]
    group.create_dataset("sequences_of_texts", (2,), h5py.vlen_dtype(np.dtype("S3")))
    group.create_dataset("references", (2,), h5py.ref_dtype)[0] = group.ref
    group.create_dataset("regions", (1,), h5py.regionref_dtype)
    group["null"], group["null_text"] = h5py.Empty("f4"), h5py.Empty("S3")
    h5d.create(group.id, b"time", h5t.UNIX_D32LE, h5s.create_simple((3,)))


def _texts(group: h5py.Group) -> None:
    group["fixed"] = np.array([b"a", b"bcd", b""])
    group.create_dataset("utf8", data=["ä".encode(), b"bcd"], dtype=h5py.string_dtype("utf-8", 6))
    group["varying"] = ["", "so much", "Höhe"]
    group.create_dataset("ascii", data=[b"a", b"bc"], dtype=h5py.string_dtype("ascii"))
    group["scalar"] = "one"
    group.create_dataset("unwritten", (3,), h5py.string_dtype(), chunks=(2,))
    for charset in ("ascii", "utf-8"):
        group.create_dataset(f"no_{charset}", (2,), h5py.string_dtype(charset))[:] = [
            b"\xff",
            b"\xc3",
        ]


def _layouts(group: h5py.Group) -> None:
    """Each way that HDF5 has to store values, and to find their chunks."""
    rows = np.arange(240, dtype="i4").reshape(60, 4)
    compact = h5p.create(h5p.DATASET_CREATE)
    compact.set_layout(h5d.COMPACT)
    group.create_dataset("compact", data=rows[:5], dcpl=compact)
    group["contiguous"] = rows
    group.create_dataset("unwritten", (5, 5), "f4", fillvalue=3)
    early = h5p.create(h5p.DATASET_CREATE)
    early.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    for name, maximum, more in (
        ("single", None, {"chunks": (60, 4)}),
        ("single_deflated", None, {"chunks": (60, 4), "compression": "gzip"}),
        ("implicit", None, {"chunks": (7, 3), "dcpl": early}),
        ("fixed", None, {"chunks": (7, 3)}),
        ("fixed_deflated", None, {"chunks": (1, 1), "compression": "gzip"}),
        ("extensible", (None, 4), {"chunks": (7, 3)}),
        ("extensible_deflated", (None, 4), {"chunks": (1, 1), "compression": "gzip"}),
        ("tree", (None, None), {"chunks": (7, 3)}),
        ("tree_deflated", (None, None), {"chunks": (2, 1), "compression": "gzip"}),
    ):
        made = group.create_dataset(name, (60, 4), "i4", maxshape=maximum, **more)
        made[...] = rows
        gaps = group.create_dataset(f"{name}_gaps", (60, 4), "i4", maxshape=maximum, **more)
        gaps[33:35, 1] = 5
    undefined = h5p.create(h5p.DATASET_CREATE)
    undefined.set_fill_time(h5d.FILL_TIME_NEVER)
    group.create_dataset("never_filled", data=rows, dcpl=undefined)
    virtual = h5py.VirtualLayout((120, 4), "i4")
    virtual[:60] = h5py.VirtualSource(group["contiguous"])
    virtual[60:] = h5py.VirtualSource(group["tree"])
    group.create_virtual_dataset("virtual", virtual)
    again = h5py.VirtualLayout((10, 4), "i4", maxshape=(None, 4))
    again[:10] = h5py.VirtualSource(group["virtual"])[55:65]
    group.create_virtual_dataset("virtual_again", again, fillvalue=-1)


def _filters(group: h5py.Group) -> None:
    rows = (np.arange(400) % 97).astype("i4").reshape(100, 4)
    for name, more in (
        ("lzf", {"compression": "lzf"}),
        ("szip", {"compression": "szip"}),
        ("scaled", {"scaleoffset": 0}),
        ("shuffled", {"shuffle": True, "fletcher32": True, "compression": "gzip"}),
        ("both", {"shuffle": True, "compression": "lzf", "fletcher32": True}),
    ):
        group.create_dataset(name, data=rows, chunks=(30, 3), **more)
    nbit = h5p.create(h5p.DATASET_CREATE)
    nbit.set_chunk((5,))
    nbit.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_OPTIONAL, ())
    group.create_dataset("nbit", data=rows[:, 1], dcpl=nbit)
    plugin = h5p.create(h5p.DATASET_CREATE)
    plugin.set_chunk((5,))
    plugin.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    made = h5d.create(group.id, b"plugin", h5t.STD_I32LE, h5s.create_simple((5,)), plugin)
    made.write_direct_chunk((0,), bytes(20))


def _links(file: h5py.File, group: h5py.Group) -> None:
    links = file.create_group("links")
    links["hard"] = file["numbers/i4"]
    links["soft"] = h5py.SoftLink("/numbers/f8")
    links["softer"] = h5py.SoftLink("soft")
    links["group"] = h5py.SoftLink("/texts")
    links["nowhere"] = h5py.SoftLink("/no/such/thing")
    links["linked"] = h5py.ExternalLink("other.h5", "/x")
    links["behind_linked"] = h5py.SoftLink("linked/below")
    links.create_dataset("outside", (3,), "i4", external=[("other.raw", 0, 12)])
    links["scale"] = np.arange(4)
    links["scale"].make_scale("scale")
    group["compound"].parent["said"].dims[0].attach_scale(links["scale"])
    for number in range(30):
        links.create_group(f"many/{number}")
