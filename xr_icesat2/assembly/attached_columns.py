"""Attach variables of linked rates to the rows of a Dataset, lazily."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from xarray.core import indexing

from xr_icesat2.errors import LinkError, SelectionError
from xr_icesat2.links.beam_links import BeamLinks, BeamPosition, LinkedRates, rows_of_beams
from xr_icesat2.links.declared_links import End
from xr_icesat2.links.lazy_column_array import AttachedColumn, ColumnArray
from xr_icesat2.links.linkable_rates import LinkableRate
from xr_icesat2.links.photon_classes import CLASS_ATTRS, UNCLASSIFIED
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.products import PRODUCTS, Rate
from xr_icesat2.reading.padded_array import Mosaic

from .attach_keyword import AttachedName, links_to, needed_variables, resolve_attach
from .request import Request
from .resolved_granule import ResolvedGranule
from .variable import pad_value

__all__ = ["OpenRate", "OpenedLink", "attach_columns"]

KEPT_ENCODING = ("_FillValue", "dtype", "units", "calendar", "stored_dtype")
"""Encoding that does not depend on the shape of a variable."""
ROW_IDENTITY_COORDS = {"gran_idx", "spot", "gt", "n_obs", "n_rows", "source_row"}
"""Coordinates by which links find rows."""


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A rate that was opened to be linked."""

    dataset: xr.Dataset
    names: Mapping[str, str]
    """Names of its variables, by path below the beam."""


OpenRate: TypeAlias = Callable[[Sequence[ResolvedGranule], Rate, Request], OpenedLink | None]
"""Opens a rate; None if no beam has it."""


def attach_columns(
    dataset: xr.Dataset,
    rate: Rate,
    request: Request,
    granules: Mapping[str, Sequence[ResolvedGranule]],
    open_rate: OpenRate,
) -> xr.Dataset:
    """Return a Dataset with the columns that ``request.attach`` names.

    Parameters
    ----------
    dataset
        The rate as opened, in the layout of the request.
    rate
        Its specification.
    request
        The request.
    granules
        Granules by product; the first product is that of the Dataset.
    open_rate
        Opens further rates of granules.

    Raises
    ------
    SelectionError
        A name is unknown, or the granules lack the variable.
    LinkError
        The granules lack the rate that has it.
    """
    product = next(iter(granules))
    columns = resolve_attach(product, rate, request.attach)
    for column in columns:
        if column.name in dataset.variables:
            raise SelectionError(
                f"attach: the Dataset has a variable {column.name!r} already. Leave it out of "
                "attach, or drop the other one with drop_variables."
            )
    own = (product, rate.group)
    opened = _open_all(own, columns, request, granules, open_rate)
    maker = _ColumnMaker(own, dataset, opened)
    attached = {column.name: maker.variable(column) for column in columns}
    sources = {**dataset.encoding.get("icesat2", {}), **maker.sources}
    result = dataset.assign(attached).assign_coords(maker.labels)
    result.encoding = {**dataset.encoding, "icesat2": sources}
    return result


def _open_all(
    own: End,
    columns: Sequence[AttachedName],
    request: Request,
    granules: Mapping[str, Sequence[ResolvedGranule]],
    open_rate: OpenRate,
) -> dict[End, OpenedLink]:
    """Open each rate that columns need, with the variables that they need."""
    opened = {}
    whole = replace(request, region=None, region_exact=False, time=None)
    for end, paths in needed_variables(own, columns).items():
        if end == own:
            one = _open(end, paths, request, granules[end[0]], open_rate)
        else:
            # Selected rows find their linked rows among all.
            all_rows = [replace(each, rows=None) for each in granules[end[0]]]
            one = _open(end, paths, whole, all_rows, open_rate)
        for column in columns:
            if column.end == end and column.path not in one.names:
                raise SelectionError(
                    f"attach: {column.name!r} is {column.path} of {end[0]}, which "
                    f"{granules[end[0]][0].granule.url} lacks. Other releases may have it."
                )
        opened[end] = one
    return opened


def _open(
    end: End,
    paths: Sequence[str],
    request: Request,
    granules: Sequence[ResolvedGranule],
    open_rate: OpenRate,
) -> OpenedLink:
    """Open a rate with beams along a dimension, and only the coordinates that links need."""
    request = replace(
        request,
        variables=tuple(paths),
        drop_variables=(),
        pad_to=None,
        attach=(),
        group=None,
        target=None,
        decode_coords=True,
    )
    rate = next(rate for rate in PRODUCTS[end[0]].rates if rate.group == end[1])
    opened = open_rate(granules, rate, request)
    if opened is None:
        raise LinkError(
            f"attach needs {end[1]} of {end[0]}, which {granules[0].granule.url} lacks. Leave its "
            "variables out of attach, or open the original granule."
        )
    kept = {*ROW_IDENTITY_COORDS, *opened.dataset.dims, *(opened.names.get(path) for path in paths)}
    unused = [name for name in opened.dataset.variables if name not in kept]
    dataset = opened.dataset.drop_vars(unused)
    dataset.encoding = opened.dataset.encoding
    return OpenedLink(dataset, opened.names)


class _ColumnMaker:
    """Makes the lazy variables of columns.

    Parameters
    ----------
    own
        Product and group of the rate to whose rows columns are attached.
    dataset
        The Dataset, in any layout.
    opened
        Rates by product and group, with beams along a dimension.
    """

    def __init__(self, own: End, dataset: xr.Dataset, opened: Mapping[End, OpenedLink]) -> None:
        self.own = own
        self.dataset = dataset
        self.opened = opened
        self.labels: dict[str, xr.Variable] = {}
        self.sources: dict[str, Any] = {}
        self.datasets = {end: one.dataset for end, one in opened.items()}
        self.rates = LinkedRates(self.datasets)
        self._links: dict[tuple[End, End], BeamLinks] = {}

    def variable(self, column: AttachedName) -> xr.Variable:
        """Return a column on the rows of the Dataset."""
        opened = self.opened[column.end]
        name = opened.names[column.path]
        found, source = opened.dataset[name].variable, _source(opened, name)
        if column.end[0] != self.own[0]:
            source |= _origin(opened)
        self.sources[column.name] = source
        missing = _missing(found)
        if found.dtype.kind in "iu":
            source["pad_value"] = missing
        chain = links_to(self.own, column.end)
        for link in chain:
            if link.via is not None:
                name = self._attach_to(link.via, link, name, found, missing)
        last = chain[-1] if chain else None
        column_of_rows = self._column(column, found, missing)
        if last is not None:
            column_of_rows = replace(column_of_rows, variable=name)
        rest = () if column_of_rows.norm else _second_dims(opened.dataset, found)
        self.labels |= {d: opened.dataset[d].variable for d in rest if d in opened.dataset.coords}
        sizes = tuple(found.sizes[dim] for dim in rest)
        places = _places(self.rates.by_end[self.own], self.dataset, sizes)
        array = ColumnArray(self._link(self.own, last), column_of_rows, *places)
        attrs, encoding = _described(column, found)
        if found.dtype.kind in "iu":
            # Tables leave out the number that rows without a linked row have.
            encoding["pad_value"] = missing
        dims = (*_row_dims(self.dataset), *rest)
        variable = xr.Variable(dims, indexing.LazilyIndexedArray(array), attrs, encoding)
        if chunks := _chunks(self.dataset, variable):
            variable.encoding["preferred_chunks"] = chunks
        return variable

    def _attach_to(
        self, via: End, link: LinkableRate, name: str, found: xr.Variable, missing: Any
    ) -> str:
        """Attach a variable to the rate that leads to it, and return its name there."""
        dataset = self.datasets[via]
        rest = found.dims[len(_row_dims(dataset)) :]
        places = _places(dataset, dataset, tuple(found.sizes[dim] for dim in rest))
        column = AttachedColumn(found.dtype, missing, variable=name, missing=missing)
        array = ColumnArray(self._link(via, link), column, *places)
        dims = (*_row_dims(dataset), *rest)
        new = "_".join((*link.end, name)).replace("/", "_")
        variable = xr.Variable(dims, indexing.LazilyIndexedArray(array))
        self.datasets[via] = dataset.assign({new: variable})
        return new

    def _link(self, of: End, target: LinkableRate | None) -> BeamLinks:
        """Return the links of two rates, which all their columns share."""
        key = of, of if target is None else target.end
        return self._links.setdefault(key, BeamLinks(of, target, self.rates))

    def _column(self, column: AttachedName, found: xr.Variable, missing: Any) -> AttachedColumn:
        special, dtype = column.special, found.dtype
        if column.end == self.own:
            return AttachedColumn(dtype, missing, own=column.path)
        if special and special.plus:
            return AttachedColumn(np.dtype(np.float64), np.nan, missing=missing, own=special.plus)
        if special and special.classes:
            listed = dtype.type(UNCLASSIFIED) if dtype.kind in "iu" else missing
            padded = len(_row_dims(self.dataset)) > 1
            kind, padding = (np.float32, np.nan) if padded else (np.int8, UNCLASSIFIED)
            return AttachedColumn(np.dtype(kind), padding, missing=listed, classes=True)
        norm = bool(special and special.norm)
        return AttachedColumn(dtype, missing, missing=missing, norm=norm)


def _source(opened: OpenedLink, name: str) -> dict[str, Any]:
    return dict(opened.dataset.encoding.get("icesat2", {}).get(name, {}))


def _origin(opened: OpenedLink) -> dict[str, Any]:
    """Return the product and the release of another granule, by which its data are cited."""
    rate = OpenedRate.of(opened.dataset)
    return {"product": rate.product, "release": rate.release}


def _missing(variable: xr.Variable) -> Any:
    """Return the value of rows without a linked row: that of padding."""
    dtype = variable.dtype
    if dtype.kind in "fc":
        return dtype.type(np.nan)
    if dtype.kind in "mM":
        return np.array("NaT", dtype)[()]
    value = pad_value(dtype, variable.attrs)
    return dtype.type() if value is None else dtype.type(value)


def _row_dims(dataset: xr.Dataset) -> tuple[str, ...]:
    along = OpenedRate.of(dataset).along
    return (*(str(dim) for dim in dataset["n_obs"].dims if dim != along), along)


def _second_dims(dataset: xr.Dataset, variable: xr.Variable) -> tuple[str, ...]:
    return tuple(map(str, variable.dims[len(_row_dims(dataset)) :]))


def _places(
    rows_by_beam: xr.Dataset, dataset: xr.Dataset, second: tuple[int, ...]
) -> tuple[list[BeamPosition], Mosaic]:
    """Return the beams that have rows, and their places in an array on the rows of a Dataset."""
    rows = rows_of_beams(rows_by_beam)
    sizes = tuple(dataset.sizes[dim] for dim in _row_dims(dataset))
    beams = [(int(g), int(n)) for g, n in np.argwhere(rows > 0)]
    lengths = [int(rows[beam]) for beam in beams]
    zeros = (0,) * len(second)
    if len(sizes) == 1:
        starts = [0, *itertools.accumulate(lengths)]
        origins = [(start, *zeros) for start in starts[:-1]]
        fits = starts[-1] == sizes[0]
    else:
        origins = [(*beam, 0, *zeros) for beam in beams]
        fits = sizes[:-1] == rows.shape and max(lengths, default=0) <= sizes[-1]
    if not fits:
        raise AssertionError(f"rows {rows.tolist()} are not those of {dict(dataset.sizes)}")
    boxes = [(origin, (n, *second)) for origin, n in zip(origins, lengths, strict=True)]
    return beams, Mosaic.of((*sizes, *second), len(sizes) - 1, boxes)


def _described(column: AttachedName, found: xr.Variable) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the attributes and the encoding of a column."""
    special = column.special
    if special is None:
        kept = {key: found.encoding[key] for key in KEPT_ENCODING if key in found.encoding}
        return dict(found.attrs), kept
    if special.classes:
        return dict(CLASS_ATTRS), {"stored_dtype": np.dtype(np.int8)}
    named = {"long_name": special.long_name} if special.long_name else {}
    if special.plus or special.norm:
        return {**named, "units": found.attrs.get("units", "1")}, {}
    return {**found.attrs, **named}, {}


def _chunks(dataset: xr.Dataset, variable: xr.Variable) -> dict[str, int]:
    """Return the preferred chunks of the other variables of the Dataset."""
    chunks: dict[str, int] = {}
    for other in dataset.variables.values():
        chunks = {**other.encoding.get("preferred_chunks", {}), **chunks}
    shared = {str(d): chunks[str(d)] for d in variable.dims if str(d) in chunks}
    return {str(d): n for d, n in variable.sizes.items()} | shared if shared else {}
