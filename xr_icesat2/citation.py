"""Cite the data sets of an opened Dataset, in the form that NSIDC asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import xarray as xr

from .errors import IdentityError, SelectionError
from .granule.name import file_name, parse_name
from .products import PRODUCTS, ProductSpec, Publication

__all__ = ["CitationFormat", "cite"]

CitationFormat: TypeAlias = Literal["text", "bibtex"]
Release: TypeAlias = tuple[str, str]
"""Short name of a product and its release, which may be empty."""
PLACE = "Boulder, Colorado USA"
PUBLISHER = "NASA National Snow and Ice Data Center Distributed Active Archive Center"
ACCESSED = "Date Accessed"


def cite(
    nodes: Mapping[str, xr.Dataset], form: CitationFormat, accessed: str | dt.date | None
) -> str:
    """Return the citations of all releases in some Datasets; see :meth:`.DatasetAccessor.cite`."""
    if form not in ("text", "bibtex"):
        raise SelectionError(f"format={form!r}: expected 'text' or 'bibtex'")
    if isinstance(accessed, dt.date):
        accessed = f"{accessed:%Y-%m-%d}"
    if accessed is not None and not isinstance(accessed, str):
        raise SelectionError(
            f"accessed={accessed!r}: expected a date, or text such as '2026-01-31'"
        )
    releases = sorted(set(_releases(nodes)))
    if not releases:
        raise IdentityError(
            "Nothing says which product this is: neither the granule nor the coordinates product "
            "and release. Pass the Dataset as it was opened with engine='icesat2'."
        )
    write = _text if form == "text" else _bibtex
    return "\n\n".join(
        write(product, release, accessed or ACCESSED) for product, release in releases
    )


def _releases(nodes: Mapping[str, xr.Dataset]) -> Iterator[Release]:
    """Yield product and release of the granules, as coordinates, attributes or names say."""
    for dataset in nodes.values():
        yield from _attached(dataset)
        if "product" in dataset.coords and "release" in dataset.coords and dataset["release"].size:
            product = str(dataset["product"].item())
            if product:
                releases = np.unique(dataset["release"].to_numpy())
                yield from ((product, str(release)) for release in releases)
            continue
        rated = [dataset[d].attrs for d in dataset.dims if d in dataset.coords]
        found = [attrs for attrs in rated if "rate" in attrs and attrs.get("product")]
        if any("release" in attrs for attrs in found):
            yield from ((attrs["product"], attrs.get("release", "")) for attrs in found)
            continue
        named = list(_named(dataset))
        yield from named or ((attrs["product"], "") for attrs in found)


def _attached(dataset: xr.Dataset) -> Iterator[Release]:
    """Yield those of which variables were attached."""
    for name, source in dataset.encoding.get("icesat2", {}).items():
        if name in dataset.variables and source.get("product"):
            yield source["product"], source.get("release") or ""


def _named(dataset: xr.Dataset) -> Iterator[Release]:
    source = dataset.encoding.get("source", [])
    for url in [source] if isinstance(source, str) else source:
        name = parse_name(file_name(url))
        if name is not None:
            yield name.product, name.release


def _published(product: str, release: str) -> tuple[ProductSpec | None, Publication | None]:
    spec = PRODUCTS.get(product)
    publications = spec.publications if spec else ()
    return spec, next((one for one in publications if one.release == release), None)


def _is_numbered(spec: ProductSpec | None, release: str) -> bool:
    """Return whether NSIDC archives a release: not one that was made before the first."""
    return spec is not None and release.isdigit() and 1 <= int(release) <= 99


def _title(spec: ProductSpec | None, published: Publication | None, product: str) -> str:
    if published and published.title:
        return published.title
    return spec.data_set if spec else f"ATLAS/ICESat-2 {product}"


def _page(product: str, release: str, *, numbered: bool) -> str:
    page = f"https://nsidc.org/data/{product.lower()}"
    return f"{page}/versions/{int(release)}" if numbered else page


def _text(product: str, release: str, accessed: str) -> str:
    spec, published = _published(product, release)
    numbered = _is_numbered(spec, release)
    parts = [f"{_listed(published.people)} ({published.year})."] if published else []
    version = f", Version {int(release)}" if numbered else ""
    parts.append(f"{_title(spec, published, product)}. ({product}{version}). [Data Set].")
    parts.append(f"{PLACE}. {PUBLISHER}.")
    parts += [f"https://doi.org/{_doi(product, release)}."] if numbered else []
    parts.append(f"[{accessed}].")
    note = _note(product, release, published, numbered=numbered)
    return " ".join(parts) + (f"\n{note}" if note else "")


def _doi(product: str, release: str) -> str:
    return f"10.5067/ATLAS/{product}.{release}"


def _listed(authors: Sequence[str]) -> str:
    *others, last = authors
    listed = f"{', '.join(others)} & {last}" if others else last
    return listed if listed.endswith(".") else f"{listed}."


def _note(
    product: str, release: str, published: Publication | None, *, numbered: bool
) -> str | None:
    """Return what the citation lacks, and where it is."""
    page = _page(product, release, numbered=numbered)
    if not numbered:
        given = f"release {release!r}" if release else "no release"
        return f"(No version and DOI: the granules have {given}. See {page}.)"
    if published is None:
        return f"(Authors and year of this version are not known here. Add them from {page}.)"
    return None


def _bibtex(product: str, release: str, accessed: str) -> str:
    spec, published = _published(product, release)
    numbered = _is_numbered(spec, release)
    version = f", Version {int(release)}" if numbered else ""
    fields: dict[str, str] = {}
    if published:
        people = (name if "," in name else f"{{{name}}}" for name in published.people)
        fields |= {"author": " and ".join(people), "year": str(published.year)}
    fields["title"] = f"{{{_title(spec, published, product)} ({product}{version})}}"
    fields |= {"publisher": f"{{{PUBLISHER}}}", "address": PLACE}
    if numbered:
        fields["doi"] = _doi(product, release)
    fields["url"] = _page(product, release, numbered=numbered)
    note = _note(product, release, published, numbered=numbered)
    fields["note"] = " ".join(filter(None, [f"Data Set. [{accessed}].", note]))
    key = f"{product}.{release}" if release else product
    lines = (f"  {name} = {{{value}}}," for name, value in fields.items())
    return "\n".join([f"@misc{{{key},", *lines, "}"])
