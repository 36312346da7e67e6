"""Build a lazy variable from its parts: the datasets of beams and granules."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from xr_icesat2.errors import MergeError
from xr_icesat2.granule.beams import TRACKS
from xr_icesat2.granule.granule import Granule
from xr_icesat2.hdf5.filters import FILTERS
from xr_icesat2.hdf5.model import Chunked, DatasetHeader
from xr_icesat2.reading.decode import (
    DECODING,
    TIME_ENCODING,
    DecodedVariable,
    Decoder,
    StoredVariable,
    make_decoder,
    native_dtype,
)
from xr_icesat2.reading.decode_options import DecodeOptions
from xr_icesat2.reading.lazy_array import GranuleArray
from xr_icesat2.reading.padded_array import Mosaic
from xr_icesat2.reading.row_ranges import RowRanges

from .undeclared_fill_values import product_of, specified_attrs, undeclared_fills

__all__ = ["ArrayPart", "DecodeRules", "VariableLayout", "build_variable", "pad_value"]

SINGLE_PART = np.zeros((1, 3), np.int32)
"""Indices of granule, path and decoder (all 0) for arrays of one part, which share this array."""
SINGLE_PART.flags.writeable = False


@dataclass(frozen=True, slots=True)
class ArrayPart:
    """A dataset and its position in the variable's array."""

    granule: Granule
    path: str
    header: DatasetHeader
    origin: tuple[int, ...]
    positions: Mapping[int, np.ndarray] = field(default_factory=dict)
    """Positions in the array by axis of the dataset, if they are not contiguous."""
    kept: Mapping[int, RowRanges] = field(default_factory=dict)
    """Elements that the array has, by axis of the dataset, where it has not all."""

    @property
    def extent(self) -> tuple[int, ...]:
        """Elements along each axis that the array has."""
        return tuple(
            self.kept[axis].count if axis in self.kept else size
            for axis, size in enumerate(self.header.shape)
        )


@dataclass(frozen=True, slots=True)
class VariableLayout:
    """The name, dimensions and parts of a variable."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    lead: int
    """Leading dimensions that the parts do not have."""
    parts: Sequence[ArrayPart]
    padded: bool
    """Whether its array may have elements that are in no part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeRules:
    """Rules by which the variables of one rate are decoded."""

    decoders: DecodeOptions
    decode_coords: bool
    ignore_fill: frozenset[str] = frozenset()
    pad: Mapping[str, int] | None = None


def build_variable(
    layout: VariableLayout, rules: DecodeRules
) -> tuple[xr.Variable, dict[str, Any]]:
    """Return the lazy variable, and how the file stores it (its source encoding).

    Raises
    ------
    MergeError
        The dtypes of the parts have no common one.
    """
    dtype = _common_dtype(layout)
    decoders: dict[str, DecodedVariable] = {}
    keys: dict[tuple[int, str], str] = {}
    of_part: list[int] = []
    for part in layout.parts:
        # Releases and beams may declare different fill values.
        alike = id(part.header.attrs), posixpath.basename(part.path)
        if alike not in keys:
            attrs = _effective_attrs(part, rules)
            undeclared = undeclared_fills(part.granule, part.header, attrs)
            key = repr((undeclared, {name: attrs[name] for name in DECODING & attrs.keys()}))
            if key not in decoders:
                decoders[key] = _decoded(layout, attrs, undeclared, dtype, rules)
            keys[alike] = key
        of_part.append(list(decoders).index(keys[alike]))
    first, *_ = decoders.values()
    source = _source_encoding(layout.parts[0])
    if layout.padded and first.decoder.dtype.kind in "iu":
        source["pad_value"] = first.decoder.padding
    # The source encoding keeps attributes that decoding removes or changes.
    stored = layout.parts[0].header.attrs
    source |= {n: value for n, value in stored.items() if _is_changed(value, first.attrs.get(n))}
    variable = xr.Variable(
        layout.dims,
        indexing.LazilyIndexedArray(_array(layout, _with_one_dtype(decoders.values()), of_part)),
        first.attrs,
        _encoding(layout, first, dtype),
    )
    return variable, source


def _is_changed(stored: Any, shown: Any) -> bool:
    """Return whether decoding removed an attribute of the file, or changed its text."""
    return shown is None or (isinstance(stored, str) and shown != stored)


def _effective_attrs(part: ArrayPart, rules: DecodeRules) -> dict[str, Any]:
    """Return the attributes to decode by, without misleading ones."""
    attrs = {**specified_attrs(part.granule, part.path, part.header), **part.header.attrs}
    if posixpath.basename(part.path) in rules.ignore_fill:
        attrs.pop("_FillValue", None)
    if np.size(attrs.get("_FillValue", ())) == 1:
        # CF requires a scalar; older releases have an array of one element.
        attrs["_FillValue"] = np.ravel(attrs["_FillValue"])[0]
    if rules.decode_coords:
        # Its paths are those of the file; xarray writes its own.
        attrs.pop("coordinates", None)
    return attrs


def _decoded(
    layout: VariableLayout,
    attrs: dict[str, Any],
    undeclared: tuple[float, ...],
    dtype: np.dtype,
    rules: DecodeRules,
) -> DecodedVariable:
    first = layout.parts[0]
    base = posixpath.basename(first.path)
    by_value = rules.decoders.depend_on_values(layout.name, attrs)
    return make_decoder(
        layout.name,
        attrs,
        dtype,
        rules.decoders,
        padded=layout.padded,
        stored=StoredVariable(
            what=f"{first.granule.url}: {first.path}",
            variable=_in_any_granule(first) if undeclared else "",
            undeclared=undeclared,
            ends=_first_and_last(layout, dtype) if by_value else None,
            pad_value=(rules.pad or {}).get(base, pad_value(dtype, attrs)),
        ),
    )


def _in_any_granule(part: ArrayPart) -> str:
    """Return the name of a variable in any granule of its product, without the beam."""
    path = "/".join(name for name in part.path.strip("/").split("/") if name not in TRACKS)
    return f"{product_of(part.granule)}: {path}"


def _first_and_last(layout: VariableLayout, dtype: np.dtype) -> np.ndarray:
    """Read the first and the last stored value of a variable."""
    parts = [part for part in layout.parts if all(part.header.shape)]
    if not parts:
        return np.empty(0, dtype)
    return np.array([_value_at(parts[0], dtype, 0), _value_at(parts[-1], dtype, -1)], dtype)


def _value_at(part: ArrayPart, dtype: np.dtype, position: int) -> Any:
    """Read the value at one position along every dimension of a part."""
    shape = part.header.shape
    dims = tuple(f"dim_{axis}" for axis in range(len(shape)))
    alone = replace(part, origin=(0,) * len(shape), positions={}, kept={})
    layout = VariableLayout("", dims, shape, 0, [alone], padded=False)
    array = _array(layout, [Decoder(dtype, np.zeros((), dtype)[()])], [0])
    variable = xr.Variable(dims, indexing.LazilyIndexedArray(array))
    return variable[(position,) * len(shape)].to_numpy()[()]


def _with_one_dtype(decoded: Iterable[DecodedVariable]) -> list[Decoder]:
    """Return decoders of one dtype: a float if any part has missing values."""
    decoders = [one.decoder for one in decoded]
    dtype = max((decoder.dtype for decoder in decoders), key=lambda dtype: dtype.kind == "f")
    if len(decoders) == 1:
        return decoders
    return [replace(one, dtype=dtype, padding=decoders[0].padding) for one in decoders]


def _array(
    layout: VariableLayout, decoders: Sequence[Decoder], of_part: Sequence[int]
) -> GranuleArray:
    granules = list(dict.fromkeys(part.granule for part in layout.parts))
    paths = list(dict.fromkeys(part.path for part in layout.parts))
    granule_at = {granule: n for n, granule in enumerate(granules)}
    path_at = {path: n for n, path in enumerate(paths)}
    indices = [
        (granule_at[part.granule], path_at[part.path], decoder)
        for part, decoder in zip(layout.parts, of_part, strict=True)
    ]
    mosaic = Mosaic.of(
        layout.shape,
        layout.lead,
        [(part.origin, part.extent) for part in layout.parts],
        {
            (number, layout.lead + axis): positions
            for number, part in enumerate(layout.parts)
            for axis, positions in part.positions.items()
        },
        {
            (number, layout.lead + axis): rows
            for number, part in enumerate(layout.parts)
            for axis, rows in part.kept.items()
        },
    )
    parts = SINGLE_PART if indices == [(0, 0, 0)] else np.array(indices, np.int32)
    return GranuleArray(granules, paths, parts, mosaic, decoders)


def _common_dtype(layout: VariableLayout) -> np.dtype:
    dtypes = {native_dtype(part.header.dtype) for part in layout.parts}
    kinds = {"number" if dtype.kind in "fiub" else dtype.kind for dtype in dtypes}
    if len(kinds) > 1 or ("V" in kinds and len(dtypes) > 1):
        listed = ", ".join(sorted(map(str, dtypes)))
        raise MergeError(
            f"{layout.name} has dtypes that cannot be merged: {listed}. Exclude it with "
            "drop_variables."
        )
    return np.result_type(*dtypes) if len(dtypes) > 1 else dtypes.pop()


def pad_value(dtype: np.dtype, attrs: Mapping[str, Any]) -> int | None:
    """Return an extreme of an integer dtype that is not a flag value."""
    if dtype.kind == "b":
        return 0
    if dtype.kind not in "iu":
        return None
    limits = np.iinfo(dtype)
    flags = np.ravel(attrs.get("flag_values", [])).tolist()
    return int(limits.min if limits.max in flags else limits.max)


def _encoding(layout: VariableLayout, decoded: DecodedVariable, stored: np.dtype) -> dict[str, Any]:
    """Return the encoding with which a written variable reads back equal."""
    encoding = {k: v for k, v in decoded.encoding.items() if k == "_FillValue"}
    if decoded.decoder.dtype.kind == "M":
        return dict(TIME_ENCODING) if decoded.decoder.dtype == np.dtype("M8[ns]") else {}
    if decoded.decoder.dtype.kind == "f":
        if "_FillValue" in encoding:
            encoding["dtype"] = stored
        if stored.kind in "biu" and decoded.decoder.through_xarray is None:
            # Tables restore integers by it; xarray writes nothing of it, and arithmetic drops it.
            encoding["stored_dtype"] = stored
    stored_layout = layout.parts[0].header.layout
    if isinstance(stored_layout, Chunked) and layout.shape:
        chunks = (1,) * layout.lead + stored_layout.chunk_shape
        encoding["chunksizes"] = tuple(
            max(1, min(c, n)) for c, n in zip(chunks, layout.shape, strict=True)
        )
        encoding["original_shape"] = layout.shape
    return encoding


def _source_encoding(part: ArrayPart) -> dict[str, Any]:
    """Return how a part is stored."""
    header, layout = part.header, part.header.layout
    source: dict[str, Any] = {
        "path": part.path,
        "dtype": header.dtype,
        "layout": layout.kind,
    }
    if isinstance(layout, Chunked):
        source["chunks"] = layout.chunk_shape
        source["filters"] = tuple(FILTERS[step.id].name for step in layout.filters)
    return source
