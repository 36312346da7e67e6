"""Repeated measurements, each in a new process, and their median."""

from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.links import UNSHAPED, Link
from benchmarks.peers import load_peer
from benchmarks.server import environment
from benchmarks.task import Task

__all__ = ["Result", "measure", "run_once"]

SLOW = 20.0
"""Seconds above which one run suffices: so slow a reader is close to no other."""
PREPARE = 900.0
"""Seconds for unmeasured work: imports, indexes, checks."""


@dataclass(frozen=True)
class Result:
    """Runs of one reader for one task."""

    peer: str
    runs: tuple[Mapping[str, Any], ...]
    why: str | None = None
    """Reason why there is no valid answer."""

    def median(self, what: str) -> float:
        """Return the median of a quantity over all runs."""
        return statistics.median(float(run[what]) for run in self.runs)

    def spread(self, what: str) -> tuple[float, float]:
        """Return the minimum and the maximum of a quantity."""
        values = [float(run[what]) for run in self.runs]
        return min(values), max(values)

    @property
    def remote(self) -> bool:
        """Whether requests over the link were counted."""
        return "requests" in self.runs[0]


def measure(
    peer: str, task: Task, warm_up: Task, link: Link = UNSHAPED, *, runs: int, limit: float
) -> Result:
    """Measure one reader ``runs`` times, or once if it is slow."""
    why = _obstacle(peer, task)
    if why is not None:
        return Result(peer, (), why)
    done: list[Mapping[str, Any]] = []
    while len(done) < runs:
        with tempfile.TemporaryDirectory(dir=task.scratch or None) as scratch:
            one = dataclasses.replace(task, scratch=scratch)
            numbers = run_once(peer, one, warm_up, link, limit=limit)
        if "why" in numbers:
            return Result(peer, (), str(numbers["why"]))
        done.append(numbers)
        if numbers["seconds"] > SLOW:
            break
    return Result(peer, tuple(done))


def _obstacle(peer: str, task: Task) -> str | None:
    try:
        return load_peer(peer).cannot(task)
    except ImportError as error:
        return f"not installed: {error}"


def run_once(
    peer: str, task: Task, warm_up: Task, link: Link = UNSHAPED, *, limit: float
) -> dict[str, Any]:
    """Measure one reader once in a new process; see :func:`benchmarks.worker.measured`."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        order = {
            "peer": peer,
            "task": task.to_json(),
            "warm_up": warm_up.to_json(),
            "link": dataclasses.asdict(link),
            "limit": limit,
            "result": str(result),
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.worker"],
                input=json.dumps(order),
                env=environment(task.endpoint),
                capture_output=True,
                text=True,
                timeout=limit + PREPARE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"why": f"> {limit:g} s"}
        if result.exists():
            numbers: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
            return numbers
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"why": f"exited with code {done.returncode}: {last[:200]}"}
