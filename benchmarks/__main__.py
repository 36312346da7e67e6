"""Command line of ``python -m benchmarks``: measure, print and save results."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks.ceiling import measure_ceiling
from benchmarks.files import FILES, Made, NotMadeError, cache_folder, make
from benchmarks.links import LINKS, UNSHAPED, Link
from benchmarks.measure import Result, measure
from benchmarks.peers import PEERS, load_peer
from benchmarks.report import Table, machine, to_json, to_markdown, write_into
from benchmarks.server import BUCKET, link_to, object_key, s3_server
from benchmarks.task import Task
from benchmarks.workloads import WORKLOADS, Workload, task_of

RESULTS = Path(__file__).parent / "results"
QUICK = ("atl06-50/*",)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help=f"one run of {', '.join(QUICK)} in region")
    add("--workload", action="append", metavar="PATTERN", help=f"of: {', '.join(WORKLOADS)}")
    add("--link", action="append", choices=[*LINKS, "local"], help="default: all")
    add("--peer", action="append", metavar="PATTERN", help=f"of: {', '.join(PEERS)}")
    add("--runs", type=int, help="runs of each reader (5)")
    add("--limit", type=float, help="time limit of one run in seconds (120)")
    add("--write", type=Path, metavar="PAGE", help="also replace the tables of this page")
    options = parser.parse_args(given)
    options.workload = options.workload or (QUICK if options.quick else ("*",))
    options.link = options.link or (("region", "local") if options.quick else (*LINKS, "local"))
    options.peer = options.peer or ("*",)
    options.runs = options.runs or (1 if options.quick else 5)
    options.limit = options.limit or (30.0 if options.quick else 120.0)
    return options


def _chosen(options: argparse.Namespace) -> list[Workload]:
    found = [w for w in WORKLOADS.values() if any(fnmatch(w.name, p) for p in options.workload)]
    if not found:
        raise SystemExit(f"no workload matches; there are: {', '.join(WORKLOADS)}")
    return found


def _links(workload: Workload, options: argparse.Namespace) -> Iterator[Link]:
    if workload.local:
        yield from [UNSHAPED] if "local" in options.link else []
    else:
        yield from (link for name, link in LINKS.items() if name in options.link)


def _measured(
    chosen: Sequence[Workload],
    peers: Sequence[str],
    options: argparse.Namespace,
    about: dict[str, Any],
) -> Iterator[Table]:
    """Measure one workload after another, with one server for all granules."""
    made: dict[str, Made] = {}
    reasons: dict[str, str] = {}
    for name in dict.fromkeys(workload.files for workload in chosen):
        try:
            made[name] = make(name, FILES[name], cache_folder())
        except NotMadeError as error:
            reasons[name] = str(error)
    served = {w.files for w in chosen if not w.local} & made.keys()
    with ExitStack() as stack:
        # Two workloads may share granules.
        objects = list(dict.fromkeys(path for name in sorted(served) for path in made[name].all))
        endpoint = None
        if objects:
            endpoint = stack.enter_context(link_to(stack.enter_context(s3_server(objects))))
            largest = max(objects, key=lambda path: path.stat().st_size)
            about["ceiling"] = str(
                measure_ceiling(endpoint, f"s3://{BUCKET}/{object_key(largest)}")
            )
        for workload in chosen:
            for link in _links(workload, options):
                title = f"{workload.granules.title}: {workload.title}"
                name = "" if workload.local else link.title.partition(":")[0]
                title += "" if workload.local else f" ({link.title})"
                if workload.files in reasons:
                    yield Table(workload.name, title, (), reasons[workload.files], name)
                    continue
                place = None if workload.local else endpoint
                tasks = _tasks(workload, made[workload.files], place)
                results = tuple(_results(workload, tasks, link, peers, options))
                yield Table(workload.name, title, results, link=name)


def _tasks(workload: Workload, made: Made, endpoint: str | None) -> tuple[Task, Task]:
    """Return the task to measure, and the task that warms up for it."""
    folder = cache_folder()
    task = task_of(workload, made.files, endpoint, folder)
    return task, task_of(workload, [made.warm_up], endpoint, folder)


def _results(
    workload: Workload,
    tasks: tuple[Task, Task],
    link: Link,
    peers: Sequence[str],
    options: argparse.Namespace,
) -> Iterator[Result]:
    for peer in peers:
        result = measure(peer, *tasks, link, runs=options.runs, limit=options.limit)
        print(f"{time.strftime('%H:%M:%S')} {workload.name} {_summary(result)}", flush=True)
        yield result


def _summary(result: Result) -> str:
    return f"{result.peer}: " + (result.why or f"{result.median('seconds'):.2f} s")


def _titles() -> dict[str, str]:
    titles = {}
    for name in PEERS:
        try:
            titles[name] = load_peer(name).title
        except ImportError:
            titles[name] = name
    return titles


def main(given: Sequence[str] | None = None) -> None:
    """Measure the workloads and readers that the command line selects."""
    options = _arguments(given)
    peers = [name for name in PEERS if any(fnmatch(name, p) for p in options.peer)]
    if not peers:
        raise SystemExit(f"no reader matches; there are: {', '.join(PEERS)}")
    about = {**machine(), "cores": os.cpu_count(), "runs": options.runs, "limit": options.limit}
    tables = list(_measured(_chosen(options), peers, options, about))
    text = to_markdown(tables, _titles(), about)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / time.strftime("%Y-%m-%dT%H%M%S")
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    stem.with_suffix(".json").write_text(to_json(tables, about), encoding="utf-8")
    if options.write:
        write_into(options.write, text)


if __name__ == "__main__":
    main()
