"""Write results as Markdown tables and as JSON."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.measure import Result

__all__ = ["Table", "machine", "to_json", "to_markdown", "write_into"]

FLOOR, OURS = "floor", "xr_icesat2"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"

_COLUMNS = (
    "method", "seconds", "CPU s", "requests", "MB", "in flight", "round trips", "peak MB",
    "÷ floor", "÷ xr_icesat2",
)  # fmt: skip
_GROWTH = ("method", "workload", "seconds", "MB", "peak MB")
FEWER = {"many-200": "many"}
"""Workloads with a quarter of the granules of others."""
_PACKAGES = (
    "h5coro", "h5coro-hidefix", "h5netcdf", "h5py", "hidefix", "icepyx", "numpy", "obstore",
    "pyfive", "s3fs", "virtualizarr", "xarray", "zarr",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """One workload over one link."""

    workload: str
    title: str
    results: tuple[Result, ...]
    skipped: str | None = None
    """Reason why nothing was measured."""
    link: str = ""
    """Name of the link; empty for local files."""


def to_markdown(
    tables: Sequence[Table], titles: Mapping[str, str], about: Mapping[str, Any]
) -> str:
    """Format the versions and all tables, each below a heading."""
    parts = [_introduction(about)]
    for table in tables:
        parts.append(f"### {table.title}\n")
        if table.skipped:
            parts.append(f"Not measured: {table.skipped}\n")
            continue
        rows = [_row(one, titles[one.peer], table.results) for one in _sorted(table.results)]
        rule = "|---|" + "---:|" * (len(_COLUMNS) - 1)
        parts.append("\n".join([_line(_COLUMNS), rule, *rows]) + "\n")
        if any(result.why for result in table.results):
            parts.append(_absent(table.results, titles))
    return "\n".join([*parts, *_growth(tables, titles)])


def _growth(tables: Sequence[Table], titles: Mapping[str, str]) -> Iterator[str]:
    """Format the costs of 200 granules relative to 50."""
    by_place = {(table.workload, table.link): table for table in tables}
    rows = []
    for large in tables:
        kind, _, op = large.workload.partition("/")
        small = by_place.get((f"{FEWER.get(kind, '')}/{op}", large.link))
        for one, four in _both(small.results, large.results) if small else ():
            grown = [
                f"{_grown(one, four, what):.2f}" for what in ("seconds", "nbytes_sent", "peak")
            ]
            rows.append(_line([titles[one.peer], f"({op}), {large.link}", *grown]))
    if rows:
        yield "### Cost of 200 granules relative to 50\n"
        yield "\n".join([_line(_GROWTH), "|---|---|---:|---:|---:|", *rows]) + "\n"


def _both(some: Iterable[Result], others: Iterable[Result]) -> Iterator[tuple[Result, Result]]:
    """Pair the results of readers that are in both tables."""
    known = {result.peer: result for result in others if result.runs}
    return ((one, known[one.peer]) for one in some if one.runs and one.peer in known)


def _grown(one: Result, other: Result, what: str) -> float:
    return other.median(what) / (one.median(what) or 1.0)


def _absent(results: Sequence[Result], titles: Mapping[str, str]) -> str:
    """Format which readers are not in the table, by reason."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        if result.why:
            reasons.setdefault(result.why, []).append(titles[result.peer])
    listed = [f"{', '.join(readers)} ({reason})" for reason, readers in reasons.items()]
    return f"Not in this table: {'; '.join(listed)}.\n"


def _introduction(about: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {about[name]}" for name in _PACKAGES if name in about)
    return (
        f"{about['cores']} cores, Python {about['python']}. At most {about['runs']} runs of each, "
        f"each at most {about['limit']:g} s. {about.get('ceiling', '')}\n\n{versions}.\n"
    )


def _sorted(results: Sequence[Result]) -> list[Result]:
    return sorted((r for r in results if r.runs), key=lambda r: r.median("seconds"))


def _row(result: Result, title: str, results: Sequence[Result]) -> str:
    low, high = result.spread("seconds")
    seconds = f"{result.median('seconds'):.2f}"
    seconds += f" ({low:.2f}–{high:.2f})" if len(result.runs) > 1 else ""
    link = ["", "", "", ""]
    if result.remote:
        requests, most, trips = map(result.median, ("requests", "max_concurrent", "round_trips"))
        mb = result.median("nbytes_sent") / 1e6
        link = [f"{requests:.0f}", f"{mb:.1f}", f"{most:.0f}", f"{trips:.0f}"]
    cells = [
        title,
        seconds,
        f"{result.median('cpu'):.2f}",
        *link,
        f"{result.median('peak') / 1e6:.0f}",
        _ratio(result, FLOOR, results),
        _ratio(result, OURS, results),
    ]
    return _line(cells)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio(result: Result, to: str, results: Sequence[Result]) -> str:
    others = [other for other in results if other.peer == to and other.runs]
    return f"{result.median('seconds') / others[0].median('seconds'):.2f}" if others else ""


def machine() -> dict[str, Any]:
    """Return the platform and the versions of packages."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def to_json(tables: Iterable[Table], about: Mapping[str, Any]) -> str:
    """Format all results as JSON."""
    plain = {"about": about, "tables": [dataclasses.asdict(table) for table in tables]}
    return json.dumps(plain, indent=1)


def write_into(page: Path, tables: str) -> None:
    """Replace the text between the marks of a page."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no marks for tables; expected {BEGIN} and {END}")
    page.write_text(f"{before}{begin}\n\n{tables}\n{end}{after}", encoding="utf-8")
