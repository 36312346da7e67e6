"""Tables for the pages of products, in Markdown, made from the specifications."""
# ruff: noqa: INP001 - imported by code in the pages

from collections.abc import Iterable

from xr_icesat2 import products
from xr_icesat2.products import ALONG, KeyLink, ProductSpec, RangeLink, RateLink, SpanLink, TimeLink

MEANING = {
    "complete": "every rate and second dimension of these releases is specified",
    "partial": "the main rates are specified; the rest opens by the file's own dimension scales",
    "none": "all of it opens by the file's own dimension scales",
}

OF_SOURCE = ", the release of the ATL03 granule, which comes first in the name"
OTHER_HEIGHTS = "The `description` of each variable says what its height is above"
TIME = (
    "Times are UTC: xarray decodes them from seconds since 2018-01-01, and there was no leap "
    "second since"
)


def overview() -> str:
    """Return a table with a row for each product."""
    rows = []
    for name, spec in products.items():
        page = f"[{name}]({name}.md)" if spec.rates else name
        rows.append((page, spec.title, spec.completeness, _default(spec)))
    return _table(("product", "what it is", "specified rates", "opened by default"), rows)


def _default(spec: ProductSpec) -> str:
    main = _code(rate.name for rate in spec.rates if rate.group in spec.main)
    return main or ("the rate with most variables" if spec.granules.tracks else "the root group")


def about(product: str) -> str:
    """Return the source of the specification and its completeness."""
    spec = products[product]
    return (
        f"*{spec.document}.*\n\nReleases {spec.releases[0]} to {spec.releases[-1]}. Rates: "
        f"**{spec.completeness}**, that is, {MEANING[spec.completeness]}.\n\n{reference(product)}"
    )


def reference(product: str) -> str:
    """Return the reference of positions, heights and times."""
    spec = products[product]
    of_source = OF_SOURCE if "source_release" in spec.granules.fields else ""
    return (
        f"Positions are in {frames(product)}{of_source}. {spec.heights or OTHER_HEIGHTS}. {TIME}. "
        "More: [Where and when](../how-to/where-and-when.md)."
    )


def frames(product: str) -> str:
    """Return the reference frames with their releases."""
    spec = products[product]
    *spans, (first, last, frame) = spec.frames
    parts = [f"{frame} up to release {last}" for _, last, frame in spans]
    if not parts:
        return f"{frame} up to release {last} (of later ones it is not known)"
    return " and ".join([*parts, f"{frame} from release {first} on"])


def quality_rules() -> str:
    """Return a table of the rules of quality masks."""
    rows = [
        (f"{product} `{rate.name}`", f"`{rule}`", f"`{rule.name}`", rule.source)
        for product, spec in products.items()
        for rate in spec.rates
        for rule in rate.quality
    ]
    return _table(("rate", "rule", "keyword", "source"), rows)


def vertical(*names: str) -> str:
    """Return a table of what the heights of products are above."""
    rows = []
    for product in names or products:
        by_surface: dict[str, dict[str, None]] = {}
        for rate in products[product].rates:
            for name, above in rate.heights.items():
                by_surface.setdefault(above.surface, {})[name] = None
        rows += [(product, surface, _code(found)) for surface, found in by_surface.items()]
    return _table(("product", "above", "variables"), rows)


def rates(product: str) -> str:
    """Return a table of the rates."""
    spec = products[product]
    rows = [
        (
            f"`{rate.name}`" + (" (default)" if rate.group in spec.main else ""),
            f"`{rate.along}`",
            ", ".join(f"`{group}`" if group else "the beam itself" for group in rate.groups),
            _code(rate.coordinates),
        )
        for rate in spec.rates
    ]
    return _table(("rate", "dimension", "groups", "time, latitude, longitude"), rows)


def dimensions(product: str) -> str:
    """Return a table of the second dimensions with their labels."""
    rows = []
    for rate in products[product].rates:
        kinds: dict[tuple[str, ...], list[str]] = {}
        for name, dims in rate.dims.items():
            kinds.setdefault(dims, []).append(name)
        for dims, names in kinds.items():
            shown = _code(rate.along if dim == ALONG else dim for dim in dims)
            sets = [labels for dim in dims for labels in rate.labels.get(dim, ())]
            said = [
                f"as `{rate.label_variables[dim]}`" for dim in dims if dim in rate.label_variables
            ]
            listed = (
                "; or ".join([*(", ".join(map(str, labels)) for labels in sets), *said]) or "none"
            )
            rows.append((f"`{rate.name}`", _code(names), shown, listed))
    return _table(("rate", "variables", "dimensions", "labels"), rows)


def fills(product: str) -> str:
    """Return a list of the variables whose fill value is valid."""
    return "\n".join(
        f"- `{rate.name}`: {_code(sorted(rate.ignore_fill))}"
        for rate in products[product].rates
        if rate.ignore_fill
    )


def links(product: str) -> str:
    """Return a list of the links between rates."""
    return "\n".join(f"- {_sentence(link)}" for link in products[product].links)


def _sentence(link: RateLink) -> str:
    match link:
        case RangeLink():
            return (
                f"A row of `{link.one}` covers a run of rows of `{link.many}`: "
                f"`{link.first}` (counted from {link.base}) is the first, `{link.count}` how many."
            )
        case TimeLink():
            return (
                f"A row of `{link.many}`{f' of {link.many_product}' if link.many_product else ''} "
                f"belongs to the row of `{link.one}` that begins less than {link.duration} s "
                "before it, or with it."
            )
        case SpanLink():
            return (
                f"A row of `{link.one}` spans {link.rows} rows of `{link.through}` of "
                f"{link.product}, and their rows of `{link.many}`: `{link.key}` is the "
                f"`{link.through_key}` of the last of them."
            )
        case KeyLink():
            return (
                f"A row of `{link.many}` is a row of `{link.to}` of {link.product}: `{link.key}` "
                f"is the `{link.through_key}` of its segment, `{link.position}` (counted from "
                f"{link.base}) its place among the rows of that segment."
            )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
