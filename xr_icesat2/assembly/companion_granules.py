"""Find the granules of another product that belong to opened granules, for ``attach=``."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from xr_icesat2.bytesource.fsspec_location import FileLocation
from xr_icesat2.bytesource.local import LocalSource
from xr_icesat2.bytesource.redaction import safe_url
from xr_icesat2.errors import GranuleNotFoundError, ICESat2Error, LinkError, SelectionError
from xr_icesat2.granule.granule import Granule
from xr_icesat2.granule.identity import UNKNOWN, Identity
from xr_icesat2.granule.name import GranuleName, parse_name
from xr_icesat2.messages import some_of
from xr_icesat2.products import Rate

from .attach_keyword import needed_variables, resolve_attach
from .identity_reader import identify_granule
from .open_granules import open_granules
from .parallel import map_granules
from .request import Request
from .resolved_granule import ResolvedGranule, resolve_granules

__all__ = ["Identified", "open_companions", "set_aside"]

Identified: TypeAlias = tuple[Granule, Identity]


def set_aside(
    granules: Sequence[Granule], identities: Sequence[Identity | None], request: Request
) -> tuple[list[Granule], list[Identity | None], list[Identified]]:
    """Separate the granules of other products of a list from those to open.

    The first granule of the list decides which product is opened. Without ``attach``, nothing is
    separated.
    """
    known = list(identities) or [None] * len(granules)
    if not request.attach or len(granules) < 2:
        return list(granules), known, []

    def identify(pair: tuple[Granule, Identity | None]) -> Identity:
        granule, identity = pair
        return identity or identify_granule(granule)

    identified = map_granules(identify, list(zip(granules, known, strict=True)))
    pairs = list(zip(granules, identified, strict=True))
    main = [pair for pair in pairs if pair[1].product == identified[0].product]
    others = [pair for pair in pairs if pair[1].product != identified[0].product]
    return [granule for granule, _ in main], [identity for _, identity in main], others


def open_companions(
    granules: Sequence[ResolvedGranule], rate: Rate, given: Sequence[Identified], request: Request
) -> dict[str, list[ResolvedGranule]]:
    """Return the granules of other products that ``attach`` needs, by product.

    Parameters
    ----------
    granules
        Granules to whose rows columns are attached.
    rate
        The rate of these rows.
    given
        Granules of other products in the list that was opened.
    request
        The request.

    Raises
    ------
    GranuleNotFoundError
        There is none for one of the granules.
    LinkError
        A file has the name of the granule, but it is another, or of another release.
    SelectionError
        The list has granules of a product that ``attach`` does not need.
    """
    product = granules[0].identity.product or ""
    needed = needed_variables((product, rate.group), resolve_attach(product, rate, request.attach))
    products = dict.fromkeys(end[0] for end in needed if end[0] != product)
    for granule, identity in given:
        if identity.product not in products:
            raise SelectionError(
                f"{granule.url} is a granule of {identity.product}, which "
                f"attach={list(request.attach)} does not need. Leave it out of the list."
            )
    return {
        other: _open_companions(
            granules, other, next(e[1] for e in needed if e[0] == other), given, request
        )
        for other in products
    }


def _open_companions(
    granules: Sequence[ResolvedGranule],
    product: str,
    group: str,
    given: Sequence[Identified],
    request: Request,
) -> list[ResolvedGranule]:
    found = map_granules(
        lambda one: find_companion(one.granule, one.identity, product, given), granules
    )
    urls = [one for one in found if isinstance(one, str)]
    # Rows need no spots, which some granules of a pass may not say.
    request = replace(
        request,
        granules=urls,
        listed=True,
        group=group,
        layout="flat",
        spots=None,
        beams=None,
        variables=None,
        drop_variables=(),
        attach=(),
        target=None,
        region=None,
        region_exact=False,
        time=None,
    )
    opened, identities = open_granules(request) if urls else ([], [])
    try:
        by_url = dict(zip(urls, zip(opened, identities, strict=True), strict=True))
        known = dict(given)
        pairs = [by_url[one] if isinstance(one, str) else (one, known[one]) for one in found]
        identified = map_granules(lambda pair: pair[1] or identify_granule(pair[0]), pairs)
        companions = [granule for granule, _ in pairs]
        for one, granule, identity in zip(granules, companions, identified, strict=True):
            _check_pair(one, granule, identity)
        return resolve_granules(companions, identified, request)
    except Exception:
        for granule in opened:
            granule.close()
        raise


def _check_pair(one: ResolvedGranule, granule: Granule, identity: Identity) -> None:
    mine = (one.identity.gran_idx, one.identity.release)
    if mine != (identity.gran_idx, identity.release) or UNKNOWN in mine or None in mine:
        raise LinkError(
            f"{granule.url} (gran_idx {identity.gran_idx}, release {identity.release}) and "
            f"{one.granule.url} (gran_idx {mine[0]}, release {mine[1]}) are not a pair; expected "
            "granules of the same pass, region and release"
        )


def find_companion(
    granule: Granule, identity: Identity, product: str, given: Sequence[Identified]
) -> Granule | str:
    """Return the granule of a product of the same pass and release: one of a list, or its URL.

    It is searched in the list, in the folder of the granule, and in the folder beside it that is
    named after the product, as in NASA's archive. Of several versions, the newest is taken.

    Raises
    ------
    GranuleNotFoundError
        There is none.
    """
    alike = [
        one
        for one, other in given
        if other.product == product and other.gran_idx == identity.gran_idx != UNKNOWN
        if None in (other.release, identity.release) or other.release == identity.release
    ]
    if alike:
        return alike[0]
    searched: list[str] = []
    names: list[str] = []
    for folder, listed in _folders(granule, identity, product, searched):
        named = [(parse_name(name), name) for name in listed]
        passes = [(n, text) for n, text in named if n and _same_pass(n, identity, product)]
        fitting = [(n.version, text) for n, text in passes if identity.release in (None, n.release)]
        if fitting:
            return _join(folder, max(fitting)[1])
        names += [text for _, text in passes]
    raise GranuleNotFoundError(_not_found(granule, identity, product, given, searched, names))


def _same_pass(name: GranuleName, identity: Identity, product: str) -> bool:
    numbered = name.gran_idx is not None and name.gran_idx == identity.gran_idx
    return name.product == product and numbered and not name.quick_look


def _folders(
    granule: Granule, identity: Identity, product: str, searched: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield the names in each folder where a companion may be, and note the folder."""
    source: Any = granule.source
    if isinstance(source, LocalSource):
        for folder in _beside(os.path.dirname(source.url), identity, product):  # noqa: PTH120
            searched.append(folder)
            if os.path.isdir(folder):  # noqa: PTH112
                yield folder, os.listdir(folder)  # noqa: PTH208
        return
    location: FileLocation | None = getattr(source, "location", None)
    if location is None:
        return
    filesystem, path = location.resolve()
    for folder in _beside(posixpath.dirname(path), identity, product):
        url = filesystem.unstrip_protocol(folder)
        try:
            listed = [str(one).rstrip("/") for one in filesystem.ls(folder, detail=False)]
        except FileNotFoundError:
            searched.append(safe_url(url))
            continue
        except (OSError, ValueError, NotImplementedError, ICESat2Error) as error:
            # Other errors may have addresses with keys in their texts.
            why = error if isinstance(error, ICESat2Error) else type(error).__name__
            searched.append(f"{safe_url(url)} (which cannot be listed: {why})")
            continue
        searched.append(safe_url(url))
        yield url, [posixpath.basename(one) for one in listed]


def _beside(folder: str, identity: Identity, product: str) -> Iterable[str]:
    """Return the folder, and the same with the product's name in place of the granule's."""
    parts = folder.replace("\\", "/").split("/")
    if identity.product in parts:
        yield "/".join(product if part == identity.product else part for part in parts)
    yield folder


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if "://" in folder else os.path.join(folder, name)  # noqa: PTH118


def _not_found(
    granule: Granule,
    identity: Identity,
    product: str,
    given: Sequence[Identified],
    searched: Sequence[str],
    others: Sequence[str],
) -> str:
    places = [*searched]
    if given:
        places.insert(0, "the list that was opened")
    looked = f"It was searched in {some_of(places)}." if places else "Its folder is unknown."
    release = f" of release {identity.release}" if identity.release else ""
    found = f" There, other releases exist: {some_of(others)}." if others else ""
    return (
        f"attach needs the {product} granule{release} of the same pass as {granule.url} (gran_idx "
        f"{identity.gran_idx}). {looked}{found} Put it there, or pass it in the list: "
        f"[{granule.url!r}, '{product}_….h5'] (icesat2://<name> reads from NASA's archive)."
    )
