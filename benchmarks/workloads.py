"""Workloads: which granules are read, and which part of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py

from benchmarks.files import FILES, Granules
from benchmarks.oracle import names_below
from benchmarks.region import box_around_middle
from benchmarks.server import BUCKET, object_key
from benchmarks.task import Does, Task

__all__ = ["BOX", "SHARE", "WORKLOADS", "Workload", "task_of"]

BOX = 10.0
"""Kilometres, width and height of the region in workloads that read one."""
SHARE = 0.02
"""Share of the rows in workloads that read few of them."""


@dataclass(frozen=True)
class Workload:
    """One table of results."""

    name: str
    files: str
    """Key of :data:`~benchmarks.files.FILES`."""
    title: str
    does: Does
    few: bool = False
    """Whether only :data:`SHARE` of the rows are read."""
    everything: bool = False
    cached: bool = False
    local: bool = False
    region: bool = False
    """Whether the photons in a box of :data:`BOX` are read."""

    @property
    def granules(self) -> Granules:
        """Return the granules to read."""
        return FILES[self.files]


_S3: Sequence[tuple[str, str, Does, dict[str, bool]]] = (
    ("a", "open for the first time, and print", "open", {}),
    ("b", "open and read 5 variables of 6 beams", "read", {}),
    ("c", "open and read 2 % of the rows of 5 variables of 6 beams", "read", {"few": True}),
    ("d-b", "(b) with cached structure", "read", {"cached": True}),
    ("d-c", "(c) with cached structure", "read", {"few": True, "cached": True}),
    ("e", "open and read every variable of the main group", "read", {"everything": True}),
)
_REGION: Sequence[tuple[str, str, bool]] = (
    ("", "open and read 5 variables of the photons in a box of 10 km", False),
    ("-cached", "the same with cached structure", True),
)
_LOCAL: Sequence[tuple[str, str, Does, dict[str, bool]]] = (
    ("local-b", "local file: open and read 5 variables of 6 beams", "read", {}),
    (
        "local-e",
        "local file: read every variable of the main group",
        "read",
        {"everything": True},
    ),
)
_LOCAL_OPENS: Sequence[tuple[str, str, Does, dict[str, bool]]] = (
    ("local-a", "local file: open one group, and print", "open", {}),
    ("local-tree", "local file: open everything as a tree, and print", "tree", {}),
)


def _all() -> Iterator[Workload]:
    for files, granules in FILES.items():
        many = len(granules.each) > 1
        for op, title, does, how in _S3:
            if not many or op not in "ae":
                yield Workload(f"{files}/{op}", files, title, does, **how)
        for op, title, cached in _REGION if files.startswith("atl03") else ():
            name = f"region{op}/{files}"
            yield Workload(name, files, title, "read", cached=cached, region=True)
        opens = _LOCAL_OPENS if files.startswith("atl03") else ()
        for op, title, does, how in (*opens, *_LOCAL) if not many else ():
            yield Workload(f"{files}/{op}", files, title, does, **how, local=True)


WORKLOADS = {workload.name: workload for workload in _all()}


def task_of(workload: Workload, files: Sequence[Path], endpoint: str | None, scratch: Path) -> Task:
    """Return the task of a workload for these files."""
    granules = workload.granules
    with h5py.File(files[0]) as file:
        beams = tuple(name for name in file if name.startswith("gt"))
        rows = min(_rows(name, beams, granules) for name in files)
        region = box_around_middle(file, BOX) if workload.region else None
        variables = granules.variables if workload.does == "read" else ()
        if workload.everything:
            below = names_below(file, f"{beams[0]}/{granules.group}")
            variables = tuple(n for n in below if all(_along(file, b, granules, n) for b in beams))
    begin = rows // 2
    return Task(
        workload.does,
        tuple(f"s3://{BUCKET}/{object_key(f)}" if endpoint else str(f) for f in files),
        tuple(map(str, files)),
        granules.group,
        beams,
        variables,
        everything=workload.everything,
        rows=(begin, begin + max(1, round(rows * SHARE))) if workload.few else None,
        region=region,
        endpoint=endpoint,
        cached=workload.cached,
        scratch=str(scratch),
    )


def _rows(path: Path, beams: Sequence[str], granules: Granules) -> int:
    with h5py.File(path) as file:
        first = granules.variables[0]
        return min(len(file[f"{beam}/{granules.group}/{first}"]) for beam in beams)


def _along(file: h5py.File, beam: str, granules: Granules, name: str) -> bool:
    """Whether a dataset has a row for each row of the main group."""
    group = file[f"{beam}/{granules.group}"]
    rows: tuple[int, ...] = group[granules.variables[0]].shape[:1]
    return bool(group[name].shape[:1] == rows)
